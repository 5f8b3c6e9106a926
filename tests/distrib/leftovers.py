"""What processes have of the system's, and what is left of it when they have ended."""

import contextlib
import os
from pathlib import Path

_LISTENS = "0A"
_LOOPBACK = {"0100007F", "00000000000000000000000001000000"}
_SHARED = Path("/dev/shm")


class Belongings:
    """Sockets and shared memory of processes, by a look before they end and one after."""

    def __init__(self):
        self._files = _shared_files()
        self._pids = set()
        self._sockets = set()

    def look(self, pids):
        """Notes what they have now, and returns addresses beyond loopback at which they listen."""
        self._pids |= set(pids)
        self._sockets |= {inode for pid in pids for inode in _sockets_of(pid)}
        return [f"{host}:{port}" for host, port in listening(pids) if host not in _LOOPBACK]

    def left(self):
        """What is there still, in words."""
        there = {inode for inode, _, _ in _tcp()} | _unix()
        yield from (f"socket {inode}" for inode in self._sockets & there)
        for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
            words = line.split()  # key, shmid, perms, size, cpid, ...
            if int(words[4]) in self._pids:
                yield f"shared memory segment {words[1]}"
        # Names do not tell whose they are. Other jobs that run now may have made them.
        new = _shared_files() - self._files
        if new:
            yield from (str(_SHARED / name) for name in sorted(new - _files_in_use()))


def listening(pids):
    """Where processes listen over TCP: pairs of a host, in the digits of the kernel, and a port."""
    mine = {inode for pid in pids for inode in _sockets_of(pid)}
    pairs = [at.split(":") for inode, at, state in _tcp() if inode in mine and state == _LISTENS]
    return [(host, int(port, 16)) for host, port in pairs]


def _shared_files():
    return {name for name in os.listdir(_SHARED) if "ucx" in name or "fuseau" in name}


def _sockets_of(pid):
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = os.readlink(file)
                if target.startswith("socket:["):
                    yield int(target[8:-1])


def _tcp():
    """Inode, local address and state of each."""
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            yield int(words[9]), words[1], words[3]


def _unix():
    return {int(line.split()[6]) for line in Path("/proc/net/unix").read_text().splitlines()[1:]}


def _files_in_use():
    """Names of files of shared memory that processes map or have open."""
    out = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for line in (process / "maps").read_text().splitlines():
                out.add(line.rpartition("/dev/shm/")[2])
            for file in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    out.add(os.readlink(file).rpartition("/dev/shm/")[2])
    return out
