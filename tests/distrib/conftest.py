"""What NumPy computes, for comparison with ranks; the engines that tests share."""

import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import slurm
from engines import Command, run

PROGRAMS = Path(__file__).with_name("programs")
RAY_HEAD = Path(__file__).with_name("ray_head.py")


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


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory):
    """A Ray cluster: variables of the environment with which programs find it."""
    pytest.importorskip("ray", reason="tools/requirements.txt has it")
    environ = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
        # A cluster of one machine; otherwise Ray listens at all its addresses.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    }
    words = (sys.executable, RAY_HEAD, tmp_path_factory.mktemp("ray"))
    with Command(*words, stdin=subprocess.PIPE, **environ) as cluster:
        address = cluster.line().strip()
        assert address.startswith("127.0.0.1:"), address
        yield {**environ, "RAY_ADDRESS": address}
        assert cluster.end(30)[0] == 0
