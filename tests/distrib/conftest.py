"""What NumPy computes, for comparison with ranks."""

import sys
from pathlib import Path

import pytest
from engines import run

PROGRAMS = Path(__file__).with_name("programs")


@pytest.fixture(scope="session")
def expected():
    """What each of the programs prints with NumPy."""
    out = {}
    for path in sorted(PROGRAMS.glob("*.py")):
        status, out[path.stem], err = run(sys.executable, path, "numpy")
        assert (status, err) == (0, "")
    return out


@pytest.fixture(params=sorted(path.stem for path in PROGRAMS.glob("*.py")))
def program(request, expected):
    """A program, as words of a command, and what it has to print."""
    path = PROGRAMS / f"{request.param}.py"
    return [str(path), "fuseau"], expected[request.param]
