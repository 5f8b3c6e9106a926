"""How a process learns that it is a rank of a job: variables of its environment.

Whoever starts a rank says so by FUSEAU_STORE and its companions; mpirun and srun do it by their own
variables. The C++ side reads the same variables when it joins (distrib/environment.h).
"""

import os
from dataclasses import dataclass

# What belongs to one rank of one job, and not to the processes that it starts.
OF_A_RANK = (
    "FUSEAU_CONFIG",
    "FUSEAU_PARENT",
    "FUSEAU_RANK",
    "FUSEAU_RANKS",
    "FUSEAU_SPMD",
    "FUSEAU_STORE",
    "FUSEAU_STORE_FD",
    "FUSEAU_TOKEN",
    "FUSEAU_TOKEN_FILE",
)


HASH_SEED = "PYTHONHASHSEED"


def hash_seed():
    """For ranks that all run the program: sets of strings have the same order on all of them."""
    return {HASH_SEED: os.environ.get(HASH_SEED, "0")}


@dataclass(frozen=True)
class Place:
    """What the environment says about this process."""

    rank: int
    spmd: bool  # every rank runs the program

    @property
    def runs_program(self):
        return self.rank == 0 or self.spmd


def place(environ=os.environ):
    """The place of this process in a job, or None if it is in none.

    FUSEAU_RANKS=1 says that a process is on its own, whatever engine it runs under.
    """
    if environ.get("FUSEAU_RANKS") == "1":
        return None
    if "FUSEAU_STORE" in environ:
        return _place(environ, "FUSEAU_RANK", spmd="0")
    if "PMIX_NAMESPACE" in environ:
        return _place(environ, "PMIX_RANK")
    # SLURM_PROCID alone is there in batch scripts, too, which no other rank would join.
    if "SLURM_STEP_ID" in environ and int(environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        return _place(environ, "SLURM_PROCID")
    if int(environ.get("WORLD_SIZE", "1")) > 1 and "MASTER_ADDR" in environ:
        return _place(environ, "RANK")
    return None


def _place(environ, rank, spmd="1"):
    return Place(int(environ[rank]), environ.get("FUSEAU_SPMD", spmd) == "1")


def clean(environ=os.environ):
    """An environment for a process that is not this rank."""
    return {name: value for name, value in environ.items() if name not in OF_A_RANK}


def close():
    """Sees to it that no process which the program starts takes itself for this rank."""
    for name in OF_A_RANK:
        os.environ.pop(name, None)
    os.environ["FUSEAU_RANKS"] = "1"
