"""One job: its secret, and the address where its ranks meet."""

import contextlib
import os
import secrets
import socket

from .launcher import LOOPBACK

# Connections that wait to be accepted. With too many, the kernel drops what a rank says first, and
# the rank tries again only after a second.
_BACKLOG = 4096


class Job:
    """What the ranks of a job have in common.

    Rank 0 is this process. Its socket listens from the start, so that no rank can come too early
    and nobody else can take the port.
    """

    def __init__(self, ranks, host=LOOPBACK, *, spmd=False, interface=None, threads_per_rank=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, 0), family=family, backlog=_BACKLOG)
        port = self._socket.getsockname()[1]
        self._common = {
            "FUSEAU_RANKS": str(ranks),
            "FUSEAU_STORE": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "FUSEAU_TOKEN": secrets.token_hex(16),
            "FUSEAU_SPMD": str(int(spmd)),
        }
        self._mine = {} if host == LOOPBACK else {"FUSEAU_INTERFACE": host}
        if interface:
            self._common["FUSEAU_INTERFACE"] = interface
        if threads_per_rank:
            self._common["FUSEAU_NUM_THREADS"] = str(threads_per_rank)

    def variables(self, rank):
        """The part of the environment that makes a process this rank."""
        return {"FUSEAU_RANK": str(rank), **self._common}

    def variables_of_this_process(self):
        """Those of rank 0, with a descriptor of the socket: it belongs to whoever joins with it."""
        store = {"FUSEAU_STORE_FD": str(os.dup(self._socket.fileno()))}
        return {**self._mine, **self.variables(0), **store}

    def refuse(self):
        """Nobody can join any more: a rank 0 that waits for others stops waiting."""
        with contextlib.suppress(OSError):  # Once it is closed.
            self._socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()
