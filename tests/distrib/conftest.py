"""What NumPy computes, for comparison with ranks; a Slurm for all tests of it."""

import sys
from pathlib import Path

import pytest
import slurm
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


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """Variables of the environment for `srun`."""
    if missing := slurm.missing():
        pytest.skip(f"not installed: {', '.join(missing)} (tools/setup installs them)")
    with slurm.slurm(tmp_path_factory.mktemp("slurm")) as environ:
        yield environ


@pytest.fixture
def dask_cluster():
    """A Dask cluster of three workers."""
    distributed = pytest.importorskip("distributed", reason="tools/requirements.txt has it")
    here = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, **here) as cluster:
        yield cluster
