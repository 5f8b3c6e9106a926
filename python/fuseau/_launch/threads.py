"""How many threads a rank has."""

import os

from .. import _fuseau


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
            _fuseau.set_thread_count(count)


def _local_ranks(environ):
    for name in ("OMPI_COMM_WORLD_LOCAL_SIZE", "LOCAL_WORLD_SIZE"):
        if name in environ:
            return int(environ[name])
    # "2(x3),1": two tasks on each of three nodes, one on the fourth.
    layout = environ.get("SLURM_STEP_TASKS_PER_NODE", "1")
    return max(int(word.split("(")[0]) for word in layout.split(","))
