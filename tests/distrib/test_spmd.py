"""Ranks that all run the program: what keeps them together, and what they say when they part."""

import os
import re
import sys
from pathlib import Path

import pytest
from engines import fuseau_run, run
from test_local import source

ROOT = Path(__file__).resolve().parents[2]


def spmd(code, n=2, **more):
    return fuseau_run("-n", n, "--spmd", *source(code), **more)


PARTED = {
    "other operations": (
        "b = a * 2 if rank == 1 else a - 2\nfloat(b.sum())",
        r"after \d+ operations that were the same, "
        r"rank 0 records `subtract` of float64, 8000 bytes in 1-d at <string>:6, "
        r"and rank 1 records `multiply` of float64, 8000 bytes in 1-d at <string>:6",
    ),
    "other sizes": (
        "b = a[rank:] + 1\nfloat(b.sum())",
        r"rank 0 records `add` of float64, 8000 bytes in 1-d at <string>:6, "
        r"and rank 1 records `add` of float64, 7992 bytes in 1-d at <string>:6",
    ),
    "one rank is through": (
        "if rank == 0:\n    a.eval()",
        r"after \d+ operations that were the same, "
        r"rank 0 computes arrays at <string>:7, and rank 1 ends",
    ),
    "one rank reads": (
        "b = a + 1\nb.eval()\nif rank == 0:\n    float(b[3])\n(b + 2).eval()",
        r"rank 0 reads an array at <string>:9, and rank 1 records `add` .* at <string>:10",
    ),
    "one rank records more": (
        "if rank == 1:\n    a = a + 1\na.eval()",
        r"rank 0 computes arrays at <string>:8, and rank 1 records `add` .* at <string>:7",
    ),
    "other numbers": (
        "(a * (rank + 0.5)).eval()",
        r"each of them computes arrays at <string>:6, but other arrays, or with other numbers",
    ),
    "other numbers where nothing is cut": (
        "b = (np.arange(10.0) * (rank + 0.5)).eval()\nfloat(b[3])\n(a + 1).eval()",
        r"each of them computes arrays at <string>:8, but other arrays, or with other numbers",
    ),
    "other places where nothing is cut": (
        "b = (np.arange(20.0) + 1).eval()\n(b[rank : rank + 5] * 2).eval()\n(a + 1).eval()",
        r"each of them computes arrays at <string>:8, but other arrays, or with other numbers",
    ),
    "through the package": (
        "np.linspace(0, rank + 1, 500 * (rank + 1)).sum().eval()",
        r"rank 0 records `.*` .* at <string>:6, and rank 1 records `.*` .* at <string>:6",
    ),
}


@pytest.mark.parametrize("case", PARTED)
def test_ranks_that_part_say_where(case):
    code, expected = PARTED[case]
    code = f'import fuseau as np\nrank = np.ranks()["rank"]\n\na = np.arange(1000.0) + 1\n\n{code}'
    status, _, err = fuseau_run("-n", "3" if "size" in case else "2", "--spmd", "-c", code)
    assert status == 1
    # Two ranks write at once: their words mix.
    message = r"with --spmd all ranks must do the same, and they do not: .*"
    assert re.search(message + expected, err), err


def test_the_error_stays():
    """Ranks that have parted do not wait for each other any more."""
    code = """
        import fuseau as np

        a = np.arange(1000.0)
        a.eval()
        for _ in range(2):
            try:
                (a * (np.ranks()["rank"] + 1)).eval()
            except RuntimeError as error:
                print(str(error)[:40])
    """
    assert spmd(code) == (0, 2 * "with --spmd all ranks must do the same, \n", "")


def test_chance_is_the_same_on_all_ranks(tmp_path):
    code = """
        import random
        import fuseau as np

        print(random.random(), np.random.rand(), np.random.default_rng().random())
        for make in (np.random.RandomState, np.random.PCG64, np.random.SeedSequence):
            print(make().__getstate__() if make is not np.random.SeedSequence else make().entropy)
        np.random.seed()
        print(np.random.rand(2).tolist())
        print({str(number) for number in range(20)})
        x = np.random.rand(1000)
        print(float((x * random.random()).sum()))
    """
    status, out, err = fuseau_run("-n", "2", "--spmd", "--output", tmp_path, *source(code))
    assert (status, err) == (0, "")
    assert (tmp_path / "rank-1.out").read_text() == out
    assert spmd(code)[1] != out


def test_seeds_are_those_of_numpy():
    code = """
        import numpy
        import fuseau as np

        for seed in (7, [1, 2]):
            for make in ("default_rng", "RandomState"):
                got, expected = getattr(np.random, make)(seed), getattr(numpy.random, make)(seed)
                print(float(got.uniform()) == expected.uniform())
        np.random.seed(seed=3)
        print(float(np.random.rand()) == numpy.random.RandomState(3).rand())
        print(np.random.SeedSequence(entropy=5).entropy, np.random.SeedSequence(5).entropy)
    """
    assert spmd(code) == (0, 5 * "True\n" + "5 5\n", "")


def test_processes_of_every_rank_can_be_interrupted(tmp_path):
    child = "import os, signal\ntry: os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt: print(1)"
    code = f"""
        import subprocess, sys, fuseau

        done = subprocess.run([sys.executable, "-c", {child!r}], capture_output=True, text=True)
        print(done.stdout.strip())
    """
    status, out, err = fuseau_run("-n", "2", "--spmd", "--output", tmp_path, *source(code))
    assert (status, out, err) == (0, "1\n", "")
    assert (tmp_path / "rank-1.out").read_text() == "1\n"


def test_random_programs():
    words = ["-m", "tests.fuzz.here", "--programs", "60", "--seed", "spmd"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    status, out, err = run(
        sys.executable,
        *("-m", "fuseau", "run", "-n", "2", "--spmd", *words),
        FUSEAU_PARTITION_BYTES="0",
        PYTHONPATH=path,
    )
    assert status == 0, out + err
    assert out.endswith("60 passed, 0 failed\n")


@pytest.mark.parametrize("transport", [{}, {"UCX_TLS": "tcp,self"}], ids=["shm", "tcp"])
@pytest.mark.parametrize("n", [1, 4])
def test_rules_of_numpy(n, transport):
    """Tests of the rules, which all ranks run; every value is cut, however small."""
    files = [ROOT / "tests/numpy" / f"test_{name}.py" for name in ("indexing", "reductions")]
    words = ["-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    status, out, err = run(
        sys.executable,
        *("-m", "fuseau", "run", "-n", n, "--spmd", *words),
        seconds=600,
        cwd=ROOT,
        FUSEAU_PARTITION_BYTES="0",
        PYTHONPATH=path,
        **transport,
    )
    assert status == 0, out + err
    assert " passed" in out
