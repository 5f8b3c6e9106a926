"""Who knows no token, at every port of a job: the job does not notice."""

import contextlib
import os
import random
import re
import socket
import struct
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from engines import Command, children, environ, wait_until
from leftovers import listening

_HEAD = b"fuseauR\n"
_VERSION = 1
_NONCE = 32
_VISITORS, _CONNECTIONS = 4, 250


def _nothing(_socket, _choice):
    pass


def _garbage(to, choice):
    to.sendall(choice.randbytes(choice.randrange(1, 5000)))


def _echo(to, choice):
    """What the other side says, as one's own word."""
    to.sendall(to.recv(100) * choice.randrange(1, 4))


def _wrong_token(to, choice):
    proof = struct.pack("<I", choice.randrange(1, 4)) + choice.randbytes(32)
    to.sendall(_HEAD + struct.pack("<I", _VERSION) + choice.randbytes(_NONCE) + proof)


def _wrong_version(to, choice):
    version = struct.pack("<I", choice.randrange(2, 1 << 32))
    to.sendall(_HEAD + version + choice.randbytes(_NONCE + 4 + 32))


def _slow(to, choice):
    for byte in _HEAD[: choice.randrange(1, 8)]:
        to.sendall(bytes([byte]))
        time.sleep(0.001)


def _reset(to, choice):
    to.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    to.sendall(choice.randbytes(choice.randrange(1, 100)))


_KINDS = (_nothing, _garbage, _echo, _wrong_token, _wrong_version, _slow, _reset)


def _visit(ports):
    """Strangers of all kinds at these ports."""
    with ThreadPoolExecutor(_VISITORS) as pool:
        list(pool.map(_connect, [ports] * _VISITORS, range(_VISITORS)))


def _connect(ports, seed):
    """Some stay until the end."""
    choice = random.Random(seed)
    stay = []
    try:
        for _ in range(_CONNECTIONS):
            # The other side may close at any time.
            with contextlib.suppress(OSError):
                to = socket.create_connection(("127.0.0.1", choice.choice(ports)), timeout=0.2)
                stay.append(to)
                choice.choice(_KINDS)(to, choice)
                if choice.random() < 0.9 or len(stay) > 25:
                    stay.pop(choice.randrange(len(stay))).close()
    finally:
        for to in stay:
            to.close()


def _environ_of(pid):
    with contextlib.suppress(OSError):
        return dict(
            word.split("=", 1)
            for word in Path(f"/proc/{pid}/environ").read_text().split("\0")
            if "=" in word
        )
    return {}


def _pids(command, ranks):
    first = command.process.pid
    wait_until(lambda: len(children(first)) == ranks - 1)
    return [first, *children(first)]


@pytest.mark.parametrize("mode", [[], ["--spmd"]], ids=["controller", "spmd"])
def test_the_port_where_ranks_meet(mode, tmp_path):
    """Rank 2 comes when all strangers have been there."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, time\n"
        "while os.environ.get('FUSEAU_RANK') == '2' and not os.path.exists('come'):\n"
        "    time.sleep(0.01)\n"
    )
    path = os.pathsep.join([str(tmp_path), environ()["PYTHONPATH"]])
    code = "import fuseau as np; print(float((np.arange(100_000) * 0.5).sum()))"
    words = (sys.executable, "-m", "fuseau", "run", "-n", "3", *mode, "-c", code)
    with Command(*words, cwd=tmp_path, PYTHONPATH=path) as command:
        pids = _pids(command, 3)
        stores = []
        wait_until(lambda: stores.append(_environ_of(pids[-1]).get("FUSEAU_STORE")) or stores[-1])
        port = int(stores[-1].rpartition(":")[2])
        _visit([port])
        (tmp_path / "come").touch()
        began = time.monotonic()
        status, out, err = command.end()
        assert (status, out) == (0, f"{0.25 * 100_000 * 99_999}\n"), err
        assert time.monotonic() - began < 30
    lines = {re.sub(r":\d+: ", ": ", line) for line in err.splitlines()}
    reasons = {line.partition("127.0.0.1: ")[2] for line in lines}
    assert {"it is no rank of fuseau", "it has another token"} <= reasons, err[:2000]
    assert any("of the control channel" in reason for reason in reasons)


@pytest.mark.parametrize("transport", [{}, {"UCX_TLS": "tcp,self"}], ids=["shm", "tcp"])
def test_the_ports_for_data(transport, tmp_path):
    """Those that are open while a job computes."""
    code = """
        import os
        import fuseau as np

        x = np.arange(1 << 16).reshape(256, 256) * 0.5
        total = float(x.sum())
        print("on", flush=True)
        rounds = 0
        while not os.path.exists("done") or rounds < 50:
            x = x.T.copy()
            assert float(x.sum()) == total
            rounds += 1
        print(total)
    """
    words = (sys.executable, "-m", "fuseau", "run", "-n", "3", "-c", textwrap.dedent(code))
    with Command(*words, cwd=tmp_path, **transport) as command:
        assert command.line() == "on\n"
        ports = [port for _, port in listening(_pids(command, 3))]
        assert ports
        _visit(ports)
        (tmp_path / "done").touch()
        n = 1 << 16
        assert command.end() == (0, f"{0.25 * n * (n - 1)}\n", "")
