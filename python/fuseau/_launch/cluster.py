"""Ranks for the program of this process, which is rank 0 of them."""

import atexit
import os
import socket
import sys

from .. import _fuseau, _ranks
from .job import Job
from .launcher import Rank

_current = None


class Cluster:
    """The ranks of a job with this process as rank 0; `shutdown` or `with` ends the others."""

    def __init__(self, launcher, n, *, threads_per_rank=None, **settings):
        """`settings` are those of the Job."""
        self._launcher = launcher
        self._n = n
        self._threads = threads_per_rank
        self._settings = settings
        self._owner = os.getpid()
        self._job = None
        self._open = False
        self._lost = []
        launcher.on_rank_lost(self._ended)
        self._join(launcher.launch)

    @property
    def ranks(self):
        """All ranks, this process first."""
        return [Rank(0, socket.gethostname(), self._owner), *self._launcher.ranks]

    def __len__(self):
        return self._n

    def __repr__(self):
        state = "" if self._open else ", shut down"
        hosts = ", ".join(sorted({rank.host for rank in self.ranks}))
        return f"<fuseau cluster of {self._n} ranks on {hosts}{state}>"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.shutdown()

    def on_rank_lost(self, callback):
        """Calls `callback(rank)`, from another thread, when a rank ends before its time."""
        self._launcher.on_rank_lost(callback)

    def restart(self):
        """Starts all other ranks anew, for example after one was lost. What they held is gone."""
        self.shutdown()
        self._join(self._launcher.restart)

    def shutdown(self):
        """Ends the other ranks. What they hold comes here first, and the program goes on alone."""
        self._end(fetch=True)

    def _end(self, fetch=False):
        global _current
        # A child made by fork has the object, but not the ranks.
        if not self._open or os.getpid() != self._owner:
            return
        self._open = False
        _current = None
        atexit.unregister(self._end)
        try:
            _ranks.leave(fetch)
        finally:
            self._launcher.stop()

    def _join(self, launch):
        global _current
        if _current is not None:
            raise RuntimeError(f"this process has ranks already: {_current!r}")
        self._job = Job(
            self._n, self._launcher.host, threads_per_rank=self._threads, **self._settings
        )
        self._lost = []
        self._open = True
        with self._job:
            try:
                launch(self._n, self._job.variables)
                _ranks.join(self._job.variables_of_this_process())
            except BaseException as error:
                self._open = False
                self._launcher.stop(0)
                if self._lost:
                    rank = self._lost[0]
                    message = f"rank {rank.number} ended before it joined: {rank.end}"
                    raise RuntimeError(message) from error
                raise
        if self._threads:
            _fuseau.set_thread_count(self._threads)
        _current = self
        # Before those of the program, so called after them.
        atexit.register(self._end)

    def _ended(self, rank):
        if not self._open:
            return
        self._lost.append(rank)
        if _current is self:
            print(f"fuseau: rank {rank.number} ended: {rank.end}", file=sys.stderr, flush=True)
        else:
            self._job.refuse()
