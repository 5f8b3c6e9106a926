"""What `fuseau run` starts, and what it does about its end."""

import re
import signal
import sys

import pytest
from engines import Command, fuseau_run

PYTHON = re.escape(sys.executable)


def dry_run(*words):
    status, out, err = fuseau_run("--dry-run", *words, "prog.py", "-x")
    assert (status, err) == (0, "")
    assert "FUSEAU_TOKEN=(hidden)" in out
    return out


def test_dry_run_of_this_machine():
    first, *ranks = dry_run("-n", "3", "--cpus", "2").splitlines()
    assert first == "# rank 0 is this process"
    for number, line in enumerate(ranks, 1):
        assert re.fullmatch(
            rf"FUSEAU_RANK={number} FUSEAU_RANKS=3 FUSEAU_STORE=127\.0\.0\.1:\d+ "
            rf"'FUSEAU_TOKEN=\(hidden\)' FUSEAU_SPMD=0 FUSEAU_NUM_THREADS=2 "
            rf"{PYTHON}( -P)? -m fuseau\._worker",
            line,
        )
    assert len(ranks) == 2


def test_dry_run_of_a_program_on_all_ranks():
    out = dry_run("-n", "2", "--spmd", "--numpy")
    assert out.endswith(f"{sys.executable} -m fuseau run --numpy prog.py -x\n")
    assert "FUSEAU_SPMD=1" in out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "--launcher mpirun -n 4 --ranks-per-node 2 --launcher-extra=--oversubscribe",
            "mpirun -n 4 --map-by ppr:2:node --bind-to none "
            "-x FUSEAU_CACHE -x FUSEAU_PARTITION_BYTES -x FUSEAU_SPMD -x FUSEAU_TOKEN --oversubscribe",
        ),
        (
            "--launcher srun --nodes 2 --ranks-per-node 3 --cpus 8",
            "srun --mpi=pmix --ntasks=6 --nodes=2 --ntasks-per-node=3 --cpus-per-task=8 "
            "--kill-on-bad-exit=0",
        ),
        (
            "--launcher jsrun --nodes 2 --ranks-per-node 3 --omps 2 --ompthreads 4",
            "jsrun --nrs=6 --tasks_per_rs=1 --rs_per_host=3 --cpu_per_rs=8 --bind=none",
        ),
    ],
)
def test_dry_run_of_engines(words, expected):
    out = dry_run(*words.split())
    variables, _, command = out.partition(expected.split()[0] + " ")
    assert expected.partition(" ")[2] + f" {sys.executable} -m fuseau run prog.py -x\n" == command
    assert "FUSEAU_SPMD=0" in variables


def test_a_launcher_that_is_not_there(tmp_path):
    words = ("--launcher", "jsrun", "-n", "2", "prog.py")
    status, out, err = fuseau_run(*words, PATH=str(tmp_path))
    assert (status, out) == (2, "")
    assert "there is no jsrun on the PATH" in err and "Traceback" not in err


CRASHES = """
import os, signal, sys
run = int(os.environ["FUSEAU_RESTART"])
print(run, flush=True)
if run < {runs}:
    os.kill(os.getpid(), signal.SIG{signal})
sys.exit(5)
"""


def test_restarts_until_it_ends_by_itself():
    code = CRASHES.format(runs=2, signal="KILL")
    status, out, err = fuseau_run("--max-restarts", "3", "-c", code)
    assert (status, out) == (5, "0\n1\n2\n")
    assert err == "fuseau run: restart 1 of 3\nfuseau run: restart 2 of 3\n"


def test_restarts_end():
    code = CRASHES.format(runs=9, signal="SEGV")
    status, out, _ = fuseau_run("--max-restarts", "1", "-c", code)
    assert (status, out) == (-signal.SIGSEGV, "0\n1\n")


def test_own_errors_are_no_reason_to_restart():
    status, out, err = fuseau_run("--max-restarts", "3", "-c", "print('once'); 1 / 0")
    assert (status, out) == (1, "once\n")
    assert err.endswith("ZeroDivisionError: division by zero\n")


LOST = "import os, fuseau; print(os.environ['FUSEAU_RESTART']); raise fuseau.RankFailure('lost', 1)"


def test_a_lost_rank_is_a_reason_to_restart():
    status, out, err = fuseau_run("--max-restarts", "1", "-c", LOST)
    assert (status, out) == (1, "0\n1\n")
    assert err.count("RankFailure: lost") == 2 and "restart 1 of 1" in err


def test_a_lost_rank_is_an_error_as_any_other_without_restarts():
    code = "import fuseau; raise fuseau.RankFailure('lost', 1)"
    status, out, err = fuseau_run("-c", code)
    assert (status, out) == (1, "") and err.endswith("RankFailure: lost\n")


def test_ctrl_c_ends_a_program_that_would_be_restarted():
    words = ("--max-restarts", "3", "-c", "import time; print('on', flush=True); time.sleep(600)")
    with Command(sys.executable, "-m", "fuseau", "run", *words) as command:
        assert command.line() == "on\n"
        # The terminal sends it to the whole group.
        import os

        os.killpg(command.process.pid, signal.SIGINT)
        status, out, err = command.end()
    assert (status, out) == (-signal.SIGINT, "")
    assert err.count("KeyboardInterrupt") == 1
