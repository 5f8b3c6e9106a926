"""Runs a program again when one of its ranks was lost: `fuseau run --max-restarts`."""

import os
import signal
import subprocess
import sys

# What `fuseau run` exits with then, if it is told by FUSEAU_RESTART that somebody restarts it.
RANK_LOST = os.EX_TEMPFAIL

# Ends that are no decision of the program. Engines give the signal of a process as 128 + number.
_CRASHES = (signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT)


def is_supervised():
    return "FUSEAU_RESTART" in os.environ


def supervise(command, environ, max_restarts):
    """Runs a command until it ends well, or by its own fault, or too often; its exit status."""
    for run in range(max_restarts + 1):
        status = _run(command, {**environ, "FUSEAU_RESTART": str(run)})
        if not _was_lost(status):
            return _end_like(status)
        if run < max_restarts:
            print(f"fuseau run: restart {run + 1} of {max_restarts}", file=sys.stderr, flush=True)
    return 1 if status == RANK_LOST else _end_like(status)


def _run(command, environ):
    process = subprocess.Popen(command, env={**environ, "FUSEAU_PARENT": str(os.getpid())})
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            pass  # It has got the Ctrl-C as well, and its end is ours.


def _was_lost(status):
    return status == RANK_LOST or any(status in (-number, 128 + number) for number in _CRASHES)


def _end_like(status):
    """Exit statuses pass; a signal ends us, too, so that a shell sees it."""
    if status < 0 and -status != signal.SIGKILL:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status if status >= 0 else 128 - status
