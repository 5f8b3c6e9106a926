"""How a process learns from its environment that it is a rank."""

import pytest
from fuseau._launch import environment
from fuseau._launch.environment import Place

PMIX = {"PMIX_NAMESPACE": "job", "PMIX_RANK": "3"}
STEP = {"SLURM_STEP_ID": "0", "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2", "SLURM_NTASKS": "4"}
TORCH = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
STORE = {"FUSEAU_STORE": "127.0.0.1:1", "FUSEAU_RANK": "1", "FUSEAU_RANKS": "2"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        (PMIX, Place(3, spmd=True)),
        ({**PMIX, "FUSEAU_SPMD": "0"}, Place(3, spmd=False)),
        (STEP, Place(2, spmd=True)),
        (TORCH, Place(1, spmd=True)),
        (STORE, Place(1, spmd=False)),
        ({**STORE, "FUSEAU_SPMD": "1"}, Place(1, spmd=True)),
        # Our own variables come first, then PMIx.
        ({**TORCH, **STEP, **PMIX, **STORE}, Place(1, spmd=False)),
        ({**TORCH, **STEP, **PMIX}, Place(3, spmd=True)),
        # A batch script of Slurm is no rank, though it has a number.
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, None),
        ({**STEP, "SLURM_STEP_NUM_TASKS": "1"}, None),
        ({**TORCH, "WORLD_SIZE": "1"}, None),
        ({**PMIX, "FUSEAU_RANKS": "1"}, None),
    ],
)
def test_place(environ, expected):
    assert environment.place(environ) == expected


def test_who_runs_the_program():
    assert Place(0, spmd=False).runs_program and Place(1, spmd=True).runs_program
    assert not Place(1, spmd=False).runs_program


def test_children_of_the_program_are_no_ranks(monkeypatch):
    for name, value in {**STORE, "FUSEAU_TOKEN": "0" * 32, "FUSEAU_CONFIG": "-n 2"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FUSEAU_RANKS", "2")
    environment.close()
    import os

    assert environment.place(os.environ) is None
    assert "FUSEAU_TOKEN" not in os.environ and "FUSEAU_CONFIG" not in os.environ
