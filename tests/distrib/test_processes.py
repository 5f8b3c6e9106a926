"""Children that end when their parent does, and what they write."""

import signal
import subprocess
import sys

import pytest
from engines import Command, children, runs, wait_until
from fuseau._launch.processes import Child, Processes

# What ranks do first.
TIE = "from fuseau._launch.processes import tie_to_parent; tie_to_parent(); "
START = """
import os, sys, time
from fuseau._launch.processes import Child, Processes
TIE = {tie!r}
child = Child([sys.executable, "-c", TIE + {code!r}], dict(os.environ), prefix={prefix!r})
processes = Processes([child], lambda child: print("ended", child.status, flush=True))
"""


def start(code, then, prefix=None):
    return Command(sys.executable, "-c", START.format(tie=TIE, code=code, prefix=prefix) + then)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_they_end_with_their_parent(number):
    code = "import time; print('on', flush=True); time.sleep(600)"
    with start(code, "time.sleep(600)") as command:
        assert command.process.stderr.readline() == "on\n"
        (child,) = children(command.process.pid)
        command.process.send_signal(number)
        assert command.end()[0] == -number
        wait_until(lambda: not runs(child))


def test_a_parent_that_ended_at_once_is_noticed():
    with Command(sys.executable, "-c", TIE + "print('alive')", FUSEAU_PARENT="1") as command:
        assert command.end()[:2] == (-signal.SIGKILL, "")


def test_ctrl_c_is_for_the_program():
    code = "import time; print('on', flush=True); time.sleep(600)"
    then = "\ntry: time.sleep(600)\nexcept KeyboardInterrupt: print('interrupted', flush=True)\n"
    with start(code, then + "time.sleep(0.3); print(child.alive); processes.stop()") as command:
        assert command.process.stderr.readline() == "on\n"
        # The terminal sends it to all.
        for pid in (*children(command.process.pid), command.process.pid):
            subprocess.run(["kill", "-INT", str(pid)], check=True)
        status, out, err = command.end()
        assert (status, err) == (0, "")
        assert out == "interrupted\nTrue\nended -15\n"


def test_one_that_does_not_end_is_ended():
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
    then = "sys.stdin.readline(); processes.stop(); print(child.status)"
    program = START.format(tie=TIE, code=code, prefix=None) + then
    with Command(sys.executable, "-c", program, stdin=subprocess.PIPE) as command:
        assert command.process.stderr.readline() == "on\n"
        command.process.stdin.write("\n")
        command.process.stdin.flush()
        status, out, _ = command.end()
        assert (status, out) == (0, "ended -9\n-9\n")


def test_lines_have_a_prefix():
    code = (
        "import os, sys; os.write(1, b'a\\nb'); os.write(2, b'c\\n' + 200000 * b'd'); sys.exit(3)"
    )
    with start(code, "processes.wait(); print(child.status)", prefix="[rank 2] ") as command:
        status, out, err = command.end()
    assert (status, out) == (0, "ended 3\n3\n")
    assert err == "[rank 2] a\n[rank 2] bc\n[rank 2] " + 200000 * "d" + "\n"


def test_output_goes_to_standard_error():
    with start("print('x')", "processes.wait()") as command:
        assert command.end() == (0, "ended 0\n", "x\n")


def test_a_program_that_is_not_there():
    child = Child([sys.executable, "-c", "import time; time.sleep(600)"], {})
    with pytest.raises(FileNotFoundError):
        Processes([child, Child(["/no/such/program"], {})], lambda _: None)
    wait_until(lambda: child.status == -signal.SIGKILL)
