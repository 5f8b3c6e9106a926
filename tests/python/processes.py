"""Programs in processes of their own: what was compiled, set or broken there stays there."""

import os
import subprocess
import sys
import textwrap


def start(program, *arguments, **environment):
    """Runs Python source and returns the finished process."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={"FUSEAU_CACHE": "0", **os.environ, **environment},
    )


def run(program, *arguments, **environment):
    """What the program prints; it must end well and say nothing else."""
    done = start(program, *arguments, **environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout
