"""Ranks that mpirun and srun start. Slurm is one of two nodes on this machine's loopback."""

import secrets
import signal
import socket
import sys
import time

import pytest
from engines import Command, fuseau_run, need, run

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


LOSS = """
import os, signal, time
import fuseau as np

rank = np.ranks()["rank"]
x = np.arange(300_000) * 0.5
for step in range(100):
    x = x + 1
    total = float(x.sum())
    if step == 3 and rank == 1 and os.environ.get("FUSEAU_RESTART", "0") == "0":
        os.kill(os.getpid(), signal.SIGKILL)
print(total)
"""
TOTAL = f"{0.25 * 300_000 * 299_999 + 100 * 300_000}\n"


def test_a_lost_rank_under_srun(cluster):
    began = time.monotonic()
    flags = ["--launcher", "srun", "--nodes", "2", "-n", "3", "--spmd"]
    status, out, err = fuseau_run(*flags, "-c", LOSS, **cluster)
    assert time.monotonic() - began < 60
    assert status == 128 + signal.SIGKILL and out == ""
    assert "fuseau: rank 0 on " in err and "RankFailure: rank 1 on " in err


@pytest.mark.parametrize("launcher", ["mpirun", "srun"])
def test_a_restart_under_the_engine(launcher, request):
    need(launcher)
    more = request.getfixturevalue("cluster") if launcher == "srun" else {}
    flags = ["--launcher", launcher, "-n", "3", "--spmd", "--max-restarts", "2"]
    flags += [MPIRUN_EXTRA] if launcher == "mpirun" else []
    status, out, err = fuseau_run(*flags, "-c", LOSS, **more)
    assert (status, out) == (0, TOTAL), err
    assert err.count("fuseau run: restart") == 1


TOKEN = {"FUSEAU_TOKEN": secrets.token_hex(16)}


def test_slurm_without_pmix(program, cluster):
    """The ranks of one node meet at a port that they know from the numbers of job and step."""
    words, expected = program
    command = ["srun", "--mpi=none", "-N", "1", "-n", "2", sys.executable]
    assert run(*command, *words, **cluster, **TOKEN) == (0, expected, "")


def test_variables_of_other_launchers(program):
    words, expected = program
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1] - 1)
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, **TOKEN}
    with (
        Command(sys.executable, *words, RANK="0", **common) as first,
        Command(sys.executable, *words, RANK="1", **common) as second,
    ):
        assert first.end() == (0, expected, "")
        assert second.end() == (0, "", "")


def test_ranks_that_are_alone_on_purpose():
    need("mpirun")
    code = "import fuseau; print(fuseau.ranks())"
    command = [*MPIRUN, "-n", "2", "-x", "FUSEAU_RANKS", sys.executable, "-c", code]
    alone = "{'rank': 0, 'size': 1, 'mode': 'single'}\n"
    assert run(*command, FUSEAU_RANKS="1") == (0, 2 * alone, "")
