"""Ranks as processes of this machine."""

import os
import shutil
import signal
import sys
import textwrap
import time
from pathlib import Path

import pytest
from engines import Command, children, environ, fuseau_run, run, runs, wait_until


def source(text):
    """Words that run it as a program."""
    return ["-c", textwrap.dedent(text)]


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("mode", [[], ["--spmd"]], ids=["controller", "spmd"])
def test_programs_give_the_bits_of_numpy(program, n, mode):
    words, expected = program
    assert fuseau_run("-n", n, *mode, *words) == (0, expected, "")


def test_an_unmodified_program_of_numpy(program):
    (path, _), expected = program
    assert fuseau_run("-n", "2", "--numpy", path, "numpy") == (0, expected, "")


def test_a_configuration_for_plain_python(program):
    words, expected = program
    status, out, err = run(sys.executable, *words, FUSEAU_CONFIG="-n 2 --verbose")
    assert (status, out) == (0, expected)
    assert "fuseau cluster of 2 ranks" in err


@pytest.mark.parametrize("mode", ["controller", "spmd"])
def test_processes_of_the_program_are_no_ranks(mode):
    code = (
        "import os, fuseau; "
        "print(fuseau.ranks(), {'FUSEAU_STORE', 'FUSEAU_TOKEN'} & set(os.environ), flush=True)"
    )
    both = f"{code}\nimport subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}])"
    flags = ["--spmd"] if mode == "spmd" else []
    assert fuseau_run("-n", "2", *flags, "-c", both) == (
        0,
        f"{{'rank': 0, 'size': 2, 'mode': '{mode}'}} set()\n"
        "{'rank': 0, 'size': 1, 'mode': 'single'} set()\n",
        "",
    )


def test_threads_are_shared():
    code = "import fuseau; print(fuseau._fuseau.machine()['threads'])"
    alone = int(run(sys.executable, "-c", code)[1])
    assert fuseau_run("-n", "2", "-c", code) == (0, f"{max(1, alone // 2)}\n", "")
    assert fuseau_run("-n", "2", "--cpus", "3", "-c", code) == (0, "3\n", "")
    assert fuseau_run("-n", "2", "-c", code, FUSEAU_NUM_THREADS="5") == (0, "5\n", "")


def test_output_and_errors_of_all_ranks(tmp_path):
    code = """
        import sys, fuseau
        rank = fuseau.ranks()["rank"]
        print("hello from", rank)
        if rank == 1:
            raise KeyError("mine")
    """
    flags = ("-n", "3", "--spmd", "--output", tmp_path / "out")
    status, out, err = fuseau_run(*flags, *source(code))
    assert status == 1
    assert out == "hello from 0\n"
    assert (tmp_path / "out" / "rank-1.out").read_text() == "hello from 1\n"
    assert (tmp_path / "out" / "rank-2.out").read_text() == "hello from 2\n"
    assert "fuseau: rank 1 on " in err and "KeyError: 'mine'" in err


COMPUTE = """
    import os, signal, sys, time
    from pathlib import Path
    import fuseau as np

    def workers():
        files = Path("/proc/self/task").glob("*/children")
        return [int(word) for file in files for word in file.read_text().split()]

    x = np.arange(1 << 18) * 0.5
    print(float(x.sum()), flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_all_ranks_end_with_the_first(number):
    words = source(COMPUTE + "\n    time.sleep(600)")
    with Command(sys.executable, "-m", "fuseau", "run", "-n", 3, *words) as command:
        assert command.line() == f"{(1 << 17) * ((1 << 18) - 1) * 0.5}\n"
        workers = children(command.process.pid)
        assert len(workers) == 2
        command.process.send_signal(number)
        status, _, err = command.end()
        assert status == -number
        assert err.count("Traceback") == (1 if number == signal.SIGINT else 0), err
        wait_until(lambda: not any(runs(pid) for pid in workers))


@pytest.mark.parametrize(
    ("code", "expected"),
    [("sys.exit(7)", 7), ("1 / 0", 1), ("os._exit(3)", 3), ("pass", 0)],
)
def test_no_process_is_left_by_any_end(code, expected):
    words = source(f"{COMPUTE}\n    print(*workers(), flush=True)\n    {code}")
    status, out, err = fuseau_run("-n", "3", *words)
    assert status == expected, err
    workers = [int(word) for word in out.splitlines()[1].split()]
    assert len(workers) == 2
    time.sleep(0.5 if code == "os._exit(3)" else 0)  # The kernel ends them then.
    assert not any(runs(pid) for pid in workers)


LOSS = (
    COMPUTE
    + """
    if os.environ.get("FUSEAU_RESTART", "0") == "0":
        os.kill(workers()[0], signal.SIGKILL)
    began = time.monotonic()
    for _ in range(100):
        x = x + 1.0
        float(x.sum())
        time.sleep(0.05)
    print("through")
"""
)


def test_a_lost_rank_is_an_error():
    began = time.monotonic()
    status, out, err = fuseau_run("-n", "3", *source(LOSS))
    assert time.monotonic() - began < 15
    assert status == 1 and "through" not in out
    assert "fuseau: rank 1 ended: killed by SIGKILL\n" in err
    assert "RankFailure" in err


def test_a_lost_rank_and_a_restart():
    status, out, err = fuseau_run("-n", "3", "--max-restarts", "1", *source(LOSS))
    assert status == 0, err
    assert out.endswith("through\n")
    assert "fuseau run: restart 1 of 1" in err


CLUSTER = """
    import os, signal, sys, time
    import fuseau as np

    x = np.arange(1 << 18) * 0.5
    with np.cluster("local", n=3) as cluster:
        print(len(cluster), cluster, np.ranks()["size"])
        y = x + 1
        print(float(y.sum()))
        try:
            np.cluster("local", n=2)
        except RuntimeError as error:
            print(error)
        os.kill(cluster.ranks[1].pid, signal.SIGKILL) if {kill} else None
        if {kill}:
            time.sleep(0.5)
            try:
                float((x * 2 + y).sum())
            except np.RankFailure as error:
                print("lost", error.rank)
            cluster.restart()
            print(float((np.arange(1 << 18) + 1.0).sum()))
    print(np.ranks()["size"], cluster)
    print(float((y + 1).sum()) if not {kill} else "")
"""


def test_ranks_of_a_running_program():
    status, out, err = run(sys.executable, *source(CLUSTER.format(kill=False)))
    assert (status, err) == (0, "")
    host = os.uname().nodename
    total = 0.25 * (1 << 18) * ((1 << 18) - 1)
    assert out.splitlines() == [
        f"3 <fuseau cluster of 3 ranks on {host}> 3",
        repr(total + (1 << 18)),
        f"this process has ranks already: <fuseau cluster of 3 ranks on {host}>",
        f"1 <fuseau cluster of 3 ranks on {host}, shut down>",
        repr(total + 2 * (1 << 18)),
    ]


def test_a_cluster_starts_anew_after_a_loss():
    status, out, err = run(sys.executable, *source(CLUSTER.format(kill=True)))
    assert status == 0, err
    lines = out.splitlines()
    assert lines[3] == "lost 1"
    assert lines[4] == repr(0.5 * (1 << 18) * ((1 << 18) + 1))
    assert "fuseau: rank 1 ended: killed by SIGKILL" in err


@pytest.fixture
def late(tmp_path):
    """Words that start ranks of which the last does something else before it joins."""

    def late(act):
        (tmp_path / "sitecustomize.py").write_text(
            f"import os, time\nif os.environ.get('FUSEAU_RANK') == '2': {act}\n"
        )
        path = os.pathsep.join([str(tmp_path), environ()["PYTHONPATH"]])
        code = f"""
            import os
            os.environ["PYTHONPATH"] = {path!r}  # of the ranks
            import fuseau
            print("on", flush=True)
            fuseau.cluster("local", n=3)
        """
        return [sys.executable, *source(code)]

    return late


def test_a_rank_that_cannot_start(late):
    """The wait for it ends with it."""
    began = time.monotonic()
    status, _, err = run(*late("os._exit(9)"))
    assert time.monotonic() - began < 20
    assert status == 1
    assert err.endswith("RankFailure: rank 2 ended before it joined: exit status 9\n")
    assert err.count("Traceback") == 1


def test_a_wait_for_a_rank_can_be_interrupted(late):
    with Command(*late("time.sleep(600)")) as command:
        assert command.line() == "on\n"
        wait_until(lambda: len(children(command.process.pid)) == 2)
        workers = children(command.process.pid)
        time.sleep(1)  # Now it waits.
        command.process.send_signal(signal.SIGINT)
        status, _, err = command.end(20)
    assert status == -signal.SIGINT
    assert err.endswith("KeyboardInterrupt\n")
    assert not any(runs(pid) for pid in workers)


def test_the_library_of_the_package_libucx(tmp_path):
    """What pip has installed carries the data, on all ranks."""
    code = "import ctypes; ctypes.CDLL('libucp.so.0'); print(open('/proc/self/maps').read())"
    maps = run(sys.executable, "-c", code)[1]
    system = Path(next(line.split()[-1] for line in maps.splitlines() if "libucp.so" in line))
    package = tmp_path / "libucx"
    (package / "lib").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    library = package / "lib" / "libucp.so.0"
    shutil.copy(system, library)
    code = """
        import fuseau as np

        float(np.arange(100_000).sum())
        for rank in np._launch.cluster._current.ranks:
            with open(f"/proc/{rank.pid}/maps") as maps:
                print({line.split()[-1] for line in maps if "libucp.so" in line})
    """
    path = os.pathsep.join([environ()["PYTHONPATH"], str(tmp_path)])
    status, out, err = fuseau_run("-n", "2", *source(code), PYTHONPATH=path)
    assert (status, err) == (0, "")
    assert out == 2 * f"{{{str(library)!r}}}\n"


def test_a_notebook_cell_can_be_interrupted():
    """Ctrl-C ends what is computed, not the ranks."""
    code = f"""{COMPUTE}
    with np.cluster("local", n=2):
        try:
            print("on", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            print(float((x + 1).sum()))
    """
    with Command(sys.executable, *source(code)) as command:
        command.line()
        assert command.line() == "on\n"
        os.killpg(command.process.pid, signal.SIGINT)
        status, out, err = command.end()
    assert (status, err) == (0, "")
    assert float(out) == 0.25 * (1 << 18) * ((1 << 18) - 1) + (1 << 18)
