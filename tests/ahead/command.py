"""The command `fuseau` and the examples, as tests run them."""

import os
import subprocess
import sys

import fuseau

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "python", "examples", "aot")
LINK = ["-lfuseau_kernels_runtime", "-lstdc++", "-lm", "-lpthread"]


def has(flag):
    """Whether this processor has the instructions."""
    with open("/proc/cpuinfo") as file:
        return flag in file.read()


def environment():
    package = os.path.dirname(os.path.dirname(fuseau.__file__))
    return {**os.environ, "PYTHONPATH": package}


def fuseau_command(*words, **keywords):
    return subprocess.run(
        [sys.executable, "-m", "fuseau", *words],
        env=environment(),
        capture_output=True,
        text=True,
        **keywords,
    )


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr
