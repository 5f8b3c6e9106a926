"""Ranks that mpirun and srun start. Slurm is one of two nodes on this machine's loopback."""

import sys

import pytest
from engines import fuseau_run, need, run

# Tests run as root in containers, on few processors.
MPIRUN_EXTRA = "--launcher-extra=--allow-run-as-root --oversubscribe"
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe"]
MODES = pytest.mark.parametrize("mode", [[], ["--spmd"]], ids=["controller", "spmd"])


@MODES
def test_mpirun(program, mode):
    need("mpirun")
    words, expected = program
    flags = ["--launcher", "mpirun", "-n", "3", MPIRUN_EXTRA, *mode]
    assert fuseau_run(*flags, *words) == (0, expected, "")


def test_plain_python_under_mpirun(program):
    need("mpirun")
    words, expected = program
    assert run(*MPIRUN, "-n", "2", sys.executable, *words) == (0, expected, "")


@MODES
def test_srun(program, mode, cluster):
    words, expected = program
    flags = ["--launcher", "srun", "--nodes", "2", "-n", "3", *mode]
    assert fuseau_run(*flags, *words, **cluster) == (0, expected, "")


def test_plain_python_under_srun(program, cluster):
    words, expected = program
    command = ["srun", "--mpi=pmix", "-N", "2", "-n", "2", sys.executable]
    assert run(*command, *words, **cluster) == (0, expected, "")


def test_a_batch_script_is_no_rank(cluster, tmp_path):
    out = tmp_path / "out"
    code = "import fuseau; print(fuseau.ranks())"
    script = f"{sys.executable} -c '{code}'; {sys.executable} -m fuseau run --launcher srun -n 2 -c '{code}'"
    status, _, err = run("sbatch", "--wait", "-n", "2", "-o", out, "--wrap", script, **cluster)
    assert status == 0, err
    assert out.read_text() == (
        "{'rank': 0, 'size': 1, 'mode': 'single'}\n{'rank': 0, 'size': 2, 'mode': 'controller'}\n"
    )


@pytest.mark.parametrize("launcher", ["mpirun", "srun"])
def test_the_exit_status_is_that_of_the_program(launcher, request):
    need(launcher)
    more = request.getfixturevalue("cluster") if launcher == "srun" else {}
    flags = ["--launcher", launcher, "-n", "2"]
    flags += [MPIRUN_EXTRA] if launcher == "mpirun" else []
    code = "import sys, fuseau; print(fuseau.ranks()['size']); sys.exit(7)"
    status, out, _ = fuseau_run(*flags, "-c", code, **more)
    assert (status, out) == (7, "2\n")
