"""The commands of the user's guide, run as they are written there."""

import os
import re
import sys
from pathlib import Path

import pytest
from engines import need, run

GUIDE = Path(__file__).parents[2] / "python" / "docs" / "distributed.md"
NOT_RUN = ("jsrun",)  # There is no free copy of it.
PROGRAM = """
import fuseau as np

x = np.arange(300_000) * 0.5
print(np.ranks()["size"], float(x.sum()))
"""


def commands():
    """Those of its table."""
    rows = [line for line in GUIDE.read_text().splitlines() if line.startswith("| ")]
    return [word for row in rows for word in re.findall("`([^`]* prog.py)`", row)]


def is_run(command):
    return not any(f"--launcher {name} " in command for name in NOT_RUN)


def test_all_launchers_are_there():
    from fuseau._launch.options import LAUNCHERS

    for name in LAUNCHERS:
        assert name == "none" or any(f"--launcher {name} " in text for text in commands())
    assert len([text for text in commands() if not is_run(text)]) == len(NOT_RUN)


@pytest.fixture
def engines(tmp_path, request):
    """A folder with the program, and the environment in which all engines are found."""
    (tmp_path / "prog.py").write_text(PROGRAM)
    for name, words in {"fuseau": "-m fuseau", "python": ""}.items():
        script = tmp_path / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {words} "$@"\n')
        script.chmod(0o755)
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        # What mpirun wants of root, and of few processors.
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
    }


@pytest.mark.parametrize("command", [text for text in commands() if is_run(text)])
def test_command(command, engines, tmp_path, request):
    if "srun" in command:
        engines |= request.getfixturevalue("cluster")
    if "mpirun" in command:
        need("mpirun")
    if "ray" in command:
        engines |= request.getfixturevalue("ray_cluster")
    if "dask" in command:
        address = request.getfixturevalue("dask_cluster").scheduler_address
        command = command.replace("tcp://...", address)
    status, out, err = run("sh", "-c", command, cwd=tmp_path, **engines)
    assert (status, err) == (0, "")
    assert out == f"4 {0.25 * 300_000 * 299_999}\n"
