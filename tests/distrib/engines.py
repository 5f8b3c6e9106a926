"""Commands with a time limit, in a session of their own, of which nothing is left afterwards."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SECONDS = 120
# What srun says when the nodes still clear up after the job before.
_QUEUE = re.compile(r"^srun: job \d+ (queued and waiting for|has been allocated) resources\n", re.M)


def need(*programs):
    """Skips a test whose engine this machine lacks."""
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (tools/setup installs them)")


def environ(**more):
    """The environment of a command: ours, without what makes a rank, and with the package."""
    import fuseau

    out = {name: value for name, value in os.environ.items() if not name.startswith("FUSEAU_")}
    path = [str(Path(fuseau.__file__).parents[1]), out.get("PYTHONPATH", "")]
    # Arrays of tests are small, and are to be cut all the same.
    ours = {"FUSEAU_CACHE": "0", "FUSEAU_PARTITION_BYTES": "1K"}
    return {**out, "PYTHONPATH": os.pathsep.join(filter(None, path)), **ours, **more}


class Command:
    """A running command and all that it starts."""

    def __init__(self, *words, stdin=subprocess.DEVNULL, cwd=None, **more):
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd,
            env=environ(**more),
            start_new_session=True,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):  # Once all have ended.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def line(self):
        """The next line of its output."""
        return self.process.stdout.readline()

    def end(self, seconds=SECONDS):
        """Its exit status, output and error output."""
        out, err = self.process.communicate(timeout=seconds)
        return self.process.returncode, out, err


def run(*words, stdin=None, seconds=SECONDS, **more):
    """Runs a command to its end: exit status, output, error output."""
    with Command(*words, stdin=subprocess.PIPE, **more) as command:
        out, err = command.process.communicate(stdin, timeout=seconds)
        return command.process.returncode, out, _QUEUE.sub("", err)


def fuseau_run(*words, **more):
    """`fuseau run` with these words."""
    return run(sys.executable, "-m", "fuseau", "run", *words, **more)


def children(pid):
    """The processes that a process has started and that still run."""
    path = Path(f"/proc/{pid}/task")
    words = [word for task in path.glob("*/children") for word in task.read_text().split()]
    return [int(word) for word in words]


def runs(pid):
    """Whether a process is there and has not ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(happened, seconds=10):
    """Waits for a condition that has to hold soon."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)
