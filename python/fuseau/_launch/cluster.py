"""Ranks for the program of this process, which is rank 0 of them."""

import atexit
import os
import socket
import sys

from .. import _ranks
from . import threads
from .interrupt import on_signal
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
        self._joining = False
        self._lost = []
        self._callbacks = []
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

    def __exit__(self, kind, *_):
        # After an error it is the error that counts: nothing is fetched, which might fail, too.
        self._end(fetch=kind is None)

    def on_rank_lost(self, callback):
        """Calls `callback(rank)`, from another thread, when a rank ends before its time."""
        self._callbacks.append(callback)

    def restart(self):
        """Starts all other ranks anew, for example after one was lost. What they held is gone."""
        self._end()
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
        self._open = self._joining = True
        try:
            with self._job, on_signal(self._job.refuse):
                launch(self._n, self._job.variables)
                _ranks.join(self._job.variables_of_this_process())
        except BaseException:
            self._open = False
            early = self._lost[:]
            self._launcher.stop(0)
            if early:
                rank = early[0]
                message = f"rank {rank.number} ended before it joined: {rank.end}"
                failure = _ranks.RankFailure(message, rank.number, rank.host, "bootstrap")
                # Why the wait ended is no news.
                raise failure from None
            raise
        finally:
            self._joining = False
        if self._threads:
            threads.use(self._threads)
        _current = self
        # Before those of the program, so called after them.
        atexit.register(self._end)

    def _ended(self, rank):
        if not self._open and not rank.failed:
            return  # It was let go.
        self._lost.append(rank)
        for callback in self._callbacks:
            callback(rank)
        if self._joining:
            self._job.refuse()
        elif len(self._lost) == 1:  # The others end for its sake.
            # One write, since another thread may print a traceback.
            sys.stderr.write(f"fuseau: rank {rank.number} ended: {rank.end}\n")
            sys.stderr.flush()
