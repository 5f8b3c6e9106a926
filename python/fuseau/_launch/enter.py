"""What `import fuseau` does in a process that the environment makes a rank."""

import os
import signal
import socket
import sys

from .. import _ranks
from . import environment, threads


def enter():
    """Joins the job of the environment, or starts the ranks that FUSEAU_CONFIG asks for."""
    if "FUSEAU_THREAD_RANKS" in os.environ:
        _ranks.join()
        return
    config = os.environ.get("FUSEAU_CONFIG", "")
    place = environment.place()
    if place is None:
        environment.close()
        if config:
            _start(config)
        return
    if config:
        raise ValueError("FUSEAU_CONFIG starts ranks, and this process is a rank already")
    if not place.runs_program:
        return  # It serves: fuseau._worker.
    if place.spmd:
        separate(place.rank)
        _take_interrupts()
    _ranks.join({"FUSEAU_SPMD": str(int(place.spmd))})
    threads.take_share()
    environment.close()


def _start(config):
    from . import start
    from .config import read

    start.as_asked(read(config))


def _take_interrupts():
    """Ctrl-C is for the first rank, but the program's own processes get theirs.

    A rank that the launcher has started blocks the signal, and processes inherit that. A handler
    that does nothing is not inherited.
    """
    if signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def separate(rank):
    """For ranks that all run the program: output of one of them, errors of all with their names."""
    if rank != 0:
        folder = os.environ.get("FUSEAU_OUTPUT")
        path = os.path.join(folder, f"rank-{rank}.out") if folder else os.devnull
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        sys.stdout.flush()
        os.dup2(file, 1)
        os.close(file)
    show = sys.excepthook

    def show_with_rank(*error):
        print(f"fuseau: rank {rank} on {socket.gethostname()} failed:", file=sys.stderr)
        show(*error)

    sys.excepthook = show_with_rank
