"""The flags of a job, as `fuseau run` and FUSEAU_CONFIG take them."""

import argparse
import shlex

import pytest
from engines import fuseau_run, run
from fuseau._launch import config, options
from test_local import source


def parse(text):
    parser = argparse.ArgumentParser(allow_abbrev=False)
    options.add_flags(parser)
    return options.request(parser.parse_args(shlex.split(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"ranks": 1, "threads": None, "launcher": "none"}),
        ("-n 4", {"ranks": 4}),
        ("--ranks=4 --cpus 3", {"ranks": 4, "threads": 3}),
        ("--omps 2 --ompthreads 4", {"threads": 8}),
        ("--ompthreads 4", {"threads": 4}),
        ("--launcher srun --nodes 2 --ranks-per-node 3", {"ranks": 6, "nodes": 2}),
        ("--launcher srun --nodes 2 -n 5", {"ranks": 5, "ranks_per_node": None}),
        (
            "--launcher mpirun --launcher-extra='-a 1' --launcher-extra=-b",
            {"launcher_extra": ["-a", "1", "-b"]},
        ),
        ("--gpus 0", {"ranks": 1, "gpus": 0}),
        ("--gpus 1", {"ranks": 1, "gpus": 1}),
    ],
)
def test_what_flags_ask_for(text, expected):
    request = parse(text)
    assert {name: getattr(request, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--gpus 1 -n 2", "ranks compute on CPUs only so far"),
        ("--nodes 2", "need a launcher"),
        ("--launcher srun --nodes 2 --ranks-per-node 2 -n 5", "5 ranks are not 2 nodes"),
        ("--launcher srun --nodes 3 -n 2", "2 ranks cannot be on 3 nodes"),
        ("--cpus 2 --omps 2 --ompthreads 2", "use one of them"),
        ("--omps 2", "wants --ompthreads"),
        ("--launcher-extra=-x", "is for mpirun"),
        ("--launcher dask --spmd", "run no programs"),
        ("-n 2 --output x", "is for --spmd"),
    ],
)
def test_flags_that_contradict_each_other(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_a_program_for_all_ranks_is_a_file():
    status, _, err = fuseau_run("-n", "2", "--spmd", "-", stdin="print(1)")
    assert status == 2 and "only rank 0 has standard input" in err


@pytest.mark.parametrize("text", ["-n 0", "-n two", "--launcher pigeon", "--max-restarts -1"])
def test_values_that_make_no_sense(text):
    status, out, err = fuseau_run(*shlex.split(text), "prog.py")
    assert (status, out) == (2, "")
    assert "usage: fuseau run" in err and "Traceback" not in err


def test_flags_with_values_are_told_from_the_program():
    """Every flag with a value is known as such where the program begins."""
    parser = argparse.ArgumentParser(add_help=False)
    options.add_flags(parser)
    takes_value = {
        name for action in parser._actions if action.nargs is None for name in action.option_strings
    }
    assert takes_value == set(options.WITH_VALUE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-n 2 --spmd", "--spmd is for `fuseau run` only"),
        ("-n 2 --dry-run", "--dry-run is for"),
        ("--launcher srun -n 2", "use `fuseau run --launcher srun`"),
        ("-n", "expected one argument"),
        ("--what", "unrecognized arguments: --what"),
    ],
)
def test_configuration_refuses(text, message):
    with pytest.raises(ValueError, match=message):
        config.read(text)


def test_configuration_is_read_by_the_import():
    import sys

    status, _, err = run(sys.executable, "-c", "import fuseau", FUSEAU_CONFIG="-n 2 --what")
    assert status == 1
    assert "ValueError: FUSEAU_CONFIG=-n 2 --what: unrecognized arguments: --what" in err


def test_blas_has_the_threads_of_its_rank():
    """OpenBLAS would else have all processors on every rank."""
    code = """
        import ctypes
        import fuseau
        from numpy._core import _multiarray_umath

        library = ctypes.CDLL(_multiarray_umath.__file__)
        print(library.scipy_openblas_get_num_threads64_())
    """
    words = ("-n", "2", "--cpus", "1", *source(code))
    assert fuseau_run(*words) == (0, "1\n", "")
    assert fuseau_run(*words, OPENBLAS_NUM_THREADS="2") == (0, "2\n", "")
