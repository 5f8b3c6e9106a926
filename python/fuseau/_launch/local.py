"""Ranks as processes of this machine."""

import os
import socket
import sys
import sysconfig

from . import environment
from .launcher import Launcher, Rank, describe
from .processes import Child, Processes

# No module of the current folder stands in for one of ours (from Python 3.11 on).
_SAFE = ("-P",) if sys.version_info >= (3, 11) else ()
WORKER = (*_SAFE, "-m", "fuseau._worker")


class Local(Launcher):
    """Starts ranks here. Other machines need an engine that places processes there."""

    def __init__(self, command=WORKER, *, verbose=False):
        """`command` is what Python runs as ranks 1 ... n - 1."""
        super().__init__()
        self._command = [sys.executable, *command]
        self._verbose = verbose
        self._processes = None
        self._stopping = False

    def launch(self, n, variables):
        self._stopping = False
        base = child_environ()
        children = [
            Child(
                self._command,
                {**base, **variables(rank)},
                prefix=f"[rank {rank}] " if self._verbose else None,
            )
            for rank in range(1, n)
        ]
        self.ranks = [Rank(number, socket.gethostname()) for number in range(1, n)]
        by_child = {id(child): rank for child, rank in zip(children, self.ranks, strict=True)}
        self._processes = Processes(children, lambda child: self._end(by_child[id(child)], child))
        for child, rank in zip(children, self.ranks, strict=True):
            rank.pid = child.process.pid

    def stop(self, seconds=5.0):
        if self._processes is not None:
            self._processes.wait(seconds)
            self._stopping = True  # What ends now is ended by us.
            self._processes.stop()

    def _end(self, rank, child):
        rank.end = describe(child.status)
        if not self._stopping:
            self._lost(rank)


def child_environ():
    """Our environment for a Python process that imports the same package."""
    environ = environment.clean()
    folder = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if folder not in sysconfig.get_paths().values():
        path = environ.get("PYTHONPATH")
        environ["PYTHONPATH"] = os.pathsep.join([path, folder] if path else [folder])
    return environ
