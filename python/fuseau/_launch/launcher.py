"""What starts the ranks of a job other than rank 0, which is this process."""

import abc
import signal
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


@dataclass
class Rank:
    """A rank that was started."""

    number: int
    host: str
    pid: int | None = None  # None where only the engine knows
    end: str | None = None  # how it ended, in words


class Launcher(abc.ABC):
    """Starts ranks 1 ... n - 1 in one kind of place."""

    host = LOOPBACK  # where they reach this process

    def __init__(self):
        self.ranks = []
        self._callbacks = []

    @abc.abstractmethod
    def launch(self, n, variables):
        """Starts ranks 1 ... n - 1; `variables(rank)` is what their environment has in addition."""

    @abc.abstractmethod
    def stop(self, seconds=5.0):
        """Waits for the ranks to end by themselves, and ends those that do not."""

    def restart(self, n, variables):
        """Ends what is left of the ranks and starts others."""
        self.stop(0)
        self.launch(n, variables)

    def on_rank_lost(self, callback):
        """Calls `callback(rank)`, from another thread, for each rank that ends before `stop`."""
        self._callbacks.append(callback)

    def _lost(self, rank):
        for callback in self._callbacks:
            callback(rank)


def describe(status):
    """An exit status in words."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"
