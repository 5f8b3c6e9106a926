"""Ranks that the tasks of an engine start, each as a process beside the engine's own."""

import abc
import sys
import threading

from . import threads
from .launcher import LOOPBACK, Launcher, describe
from .local import WORKER, child_environ
from .processes import Child, Processes

_LOOK_SECONDS = 1.0


class EngineLauncher(Launcher):
    """A thread looks after the tasks, since engines may not tell of the end of a worker."""

    def __init__(self):
        super().__init__()
        self._tasks = []  # of `self.ranks`, in order
        self._stopping = threading.Event()
        self._watcher = None

    @abc.abstractmethod
    def capacity(self):
        """How many ranks the engine has room for."""

    @abc.abstractmethod
    def _ends(self):
        """For each rank how it ended, in words, or None."""

    @abc.abstractmethod
    def _await(self, tasks, seconds):
        """Waits for tasks that are about to end, and gives up those that do not."""

    def _begin(self, started):
        """Looks after pairs of a rank and its task."""
        self.ranks = [rank for rank, _ in started]
        self._tasks = [task for _, task in started]
        self._stopping.clear()
        self._watcher = threading.Thread(target=self._watch, name="fuseau-ranks", daemon=True)
        self._watcher.start()

    def stop(self, seconds=5.0):
        if self._watcher is not None:
            self._stopping.set()
            self._watcher.join()
            self._watcher = None
            there = zip(self.ranks, self._tasks, strict=True)
            self._await([task for rank, task in there if rank.end is None], seconds)

    def _watch(self):
        while not self._stopping.wait(_LOOK_SECONDS):
            for rank, end in zip(self.ranks, self._ends(), strict=True):
                if rank.end is None and end is not None:
                    rank.end = end
                    self._lost(rank)


def serve(variables, local_ranks):
    """The work of a task: a rank as a process of this machine. Tells how it ended.

    `local_ranks` share the machine.
    """
    count = None if "FUSEAU_NUM_THREADS" in variables else threads.share(local_ranks)
    if count is not None:
        variables = {**variables, "FUSEAU_NUM_THREADS": str(count)}
    child = Child([sys.executable, *WORKER], {**child_environ(), **variables})
    Processes([child], lambda _: None).wait()
    return describe(child.status)


def network_of(host):
    """What makes a rank listen at an address of its machine."""
    return {} if host == LOOPBACK else {"FUSEAU_INTERFACE": host}
