"""Starts ranks for the program of this process: who starts them, and with how many threads."""

import sys

from . import threads
from .cluster import Cluster


def cluster(where, n, *, threads_per_rank, interface, verbose):
    """The function `fuseau.cluster`."""
    if where == "local":
        if n is None:
            raise TypeError('cluster("local") wants n, the number of ranks')
        return _local(n, threads_per_rank, interface=interface, verbose=verbose)
    if where == "ray":
        from .ray import Ray

        launcher = Ray()
    else:
        from .dask import Dask, is_client

        if not is_client(where):
            raise TypeError(f'cluster() takes "local", "ray" or a Client of Dask, not {where!r}')
        launcher = Dask(where)
    n = launcher.capacity() + 1 if n is None else n
    return Cluster(launcher, n, threads_per_rank=threads_per_rank, interface=interface)


def as_asked(request, program=None):
    """The ranks of a request; None if it asks for this process alone.

    `program` is what the other ranks run, as arguments of Python; without it they serve this one.
    """
    common = {"interface": request.interface, "threads_per_rank": request.threads}
    if request.launcher == "none":
        if request.ranks == 1:
            return None
        made = _local(
            request.ranks,
            verbose=request.verbose,
            program=program,
            spmd=request.spmd,
            **common,
        )
    elif request.launcher == "dask":
        from .dask import Dask, client_of_environment

        made = Cluster(Dask(client_of_environment()), request.ranks, **common)
    else:
        from .ray import Ray

        made = Cluster(Ray(), request.ranks, **common)
    if request.verbose:
        print(f"fuseau: {made!r}", file=sys.stderr, flush=True)
    return made


def _local(n, threads_per_rank, *, interface, verbose, program=None, spmd=False):
    from .local import WORKER, Local

    count = threads_per_rank or threads.share(n)
    launcher = Local(program or WORKER, verbose=verbose)
    return Cluster(launcher, n, threads_per_rank=count, interface=interface, spmd=spmd)
