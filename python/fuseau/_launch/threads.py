"""How many threads a rank has."""

import ctypes
import os

from numpy._core import _multiarray_umath

from .. import _fuseau

_LIMITS = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
_SETTERS = (
    "scipy_openblas_set_num_threads64_",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)


def share(local_ranks):
    """The threads of each of the ranks that share this machine; None if the user has said it."""
    if os.environ.get("FUSEAU_NUM_THREADS"):
        return None
    return max(1, _fuseau.machine()["threads"] // local_ranks)


def take_share():
    """Threads for a rank that an engine started.

    An engine that binds its ranks has given each its processors. Ranks that may use all of the
    machine share it.
    """
    local_ranks = _local_ranks(os.environ)
    if local_ranks > 1 and len(os.sched_getaffinity(0)) == os.cpu_count():
        count = share(local_ranks)
        if count is not None:
            use(count)


def use(count):
    """Computes with so many threads from now on."""
    _fuseau.set_thread_count(count)
    limit_blas(count)


def limit_blas(count):
    """Gives NumPy's products so many threads, unless the user has said how many.

    BLAS has threads of its own, as many as the machine has processors: those of ranks that share
    it would be in each other's way. Another library than OpenBLAS keeps what it has.
    """
    if any(name in os.environ for name in _LIMITS):
        return
    library = ctypes.CDLL(_multiarray_umath.__file__)
    for name in _SETTERS:
        if hasattr(library, name):
            getattr(library, name)(ctypes.c_int(count))
            return


def _local_ranks(environ):
    for name in ("OMPI_COMM_WORLD_LOCAL_SIZE", "LOCAL_WORLD_SIZE"):
        if name in environ:
            return int(environ[name])
    # "2(x3),1": two tasks on each of three nodes, one on the fourth.
    layout = environ.get("SLURM_STEP_TASKS_PER_NODE", "1")
    return max(int(word.split("(")[0]) for word in layout.split(","))
