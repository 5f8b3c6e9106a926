"""One loss: a job that is started, brought to a phase, and loses a rank."""

import contextlib
import os
import random
import re
import secrets
import select
import signal
import socket
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from engines import Command, children, runs, wait_until
from leftovers import Belongings
from phases import PHASES

RANKS = 4
PROGRAM = Path(__file__).with_name("phases.py")
# How the ranks are started: by `fuseau run`, where the kernel ends them with the first one, or each
# on its own as by an engine, where only the others can tell.
MODES = ("controller", "spmd", "engine")
TRANSPORTS = {"shm": {}, "tcp": {"UCX_TLS": "tcp,self"}}
# Seconds until all others know, as it is promised.
LIMITS = {signal.SIGKILL: 2.0, signal.SIGSTOP: 10.0}

_START_SECONDS = 60
# Until the ranks of such a job have met.
_BOOTSTRAP_SECONDS = 0.5
_LINGER_SECONDS = 1.0  # of a rank that runs again
_CRASH = re.compile(r"SIGABRT|SIGSEGV|SIGBUS|Assertion|Aborted|AssertionError|AddressSanitizer")


@dataclass
class Loss:
    """What is to happen, and what became of it."""

    phase: str
    transport: str
    mode: str
    victim: int
    signal: int = signal.SIGKILL
    leeway: float = 1  # times as long as promised: beside other work
    seconds: float = 0.0  # until the last one knew
    faults: list = field(default_factory=list)
    output: str = ""

    def __str__(self):
        name = signal.Signals(self.signal).name
        return f"{name} of rank {self.victim}: {self.phase}, {self.transport}, {self.mode}"


class Job:
    """The processes of a job, and what they have said."""

    def __init__(self, loss, folder):
        words = (PROGRAM, loss.phase, folder)
        more = dict(TRANSPORTS[loss.transport])
        if loss.mode == "engine":
            more |= {"FUSEAU_RANKS": str(RANKS), "FUSEAU_STORE": f"127.0.0.1:{_free_port()}"}
            more |= {"FUSEAU_TOKEN": secrets.token_hex(16), "FUSEAU_SPMD": "1"}
            self.commands = [
                Command(sys.executable, *words, FUSEAU_RANK=str(rank), **more)
                for rank in range(RANKS)
            ]
        else:
            spmd = ("--spmd",) if loss.mode == "spmd" else ()
            run = (sys.executable, "-m", "fuseau", "run", "-n", RANKS, *spmd)
            self.commands = [Command(*run, *words, **more)]
        self.pids = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for command in self.commands:
            command.__exit__()

    def find(self):
        """Fills `pids`."""
        if len(self.commands) == RANKS:
            self.pids = {r: command.process.pid for r, command in enumerate(self.commands)}
            return
        first = self.commands[0].process.pid
        self.pids = {0: first}

        def all_there():
            for pid in children(first):
                # Python before its exec has its parent's environment.
                with contextlib.suppress(OSError):
                    text = Path(f"/proc/{pid}/environ").read_text()
                    if found := re.search(r"(?:^|\0)FUSEAU_RANK=(\d+)\0", text):
                        self.pids[int(found[1])] = pid
            return len(self.pids) == RANKS

        wait_until(all_there, _START_SECONDS)

    def ready(self, seconds=0.0):
        out = self.commands[0].process.stdout
        return bool(select.select([out], [], [], seconds)[0]) and out.readline() == "ready\n"

    def end(self, seconds):
        """What was written to standard error, and exit statuses of what we have started."""
        ends = [command.end(seconds) for command in self.commands]
        return "".join(err for _, _, err in ends), [status for status, _, _ in ends]


def phases_of(mode, number=signal.SIGKILL):
    """Phases in which ranks can miss one.

    Before they have met they cannot, but for `fuseau run`, which sees the end of one.
    """
    early = mode != "engine" and number == signal.SIGKILL
    return [phase for phase in PHASES if phase != "bootstrap" or early]


def lose(loss, rng=random):
    """Lets it happen."""
    belongings = Belongings()
    with tempfile.TemporaryDirectory() as name, Job(loss, name) as job:
        folder = Path(name)
        job.find()
        if loss.phase == "bootstrap":
            time.sleep(rng.uniform(0, _BOOTSTRAP_SECONDS))
        else:
            assert job.ready(_START_SECONDS)
            time.sleep(rng.uniform(0, 0.3))
        for address in belongings.look(job.pids.values()):
            loss.faults.append(f"listens at {address}")
        if loss.signal == signal.SIGKILL:
            (folder / "end").touch()  # Nobody waits.
        at = time.monotonic()
        os.kill(job.pids[loss.victim], loss.signal)
        if loss.phase in ("bootstrap", "idle"):
            time.sleep(0.3)
            (folder / "go").touch()
        _watch(loss, job, folder, at)
        if loss.signal == signal.SIGSTOP:
            os.kill(job.pids[loss.victim], signal.SIGCONT)
            time.sleep(_LINGER_SECONDS)
            (folder / "end").touch()
        _judge(loss, job, folder)
    try:
        wait_until(lambda: not any(belongings.left()), 3)
    except AssertionError:
        loss.faults += [f"left: {what}" for what in belongings.left()]
    return loss


def _watch(loss, job, folder, at):
    """Waits until all others have ended, or know if they are to run on; when the last one knew."""
    survivors = set(range(RANKS)) - {loss.victim}
    told = {rank: folder / f"lost-{rank}" for rank in survivors}
    ends, limit = {}, LIMITS[loss.signal] * loss.leeway
    while len(ends) < len(survivors) and time.monotonic() < at + limit + 5:
        time.sleep(0.002)
        for rank in survivors - set(ends):
            lingers = loss.signal == signal.SIGSTOP and told[rank].exists()
            if lingers or not runs(job.pids[rank]):
                ends[rank] = time.monotonic()
    if late := survivors - set(ends):
        loss.faults.append(f"ranks {late} know nothing after {time.monotonic() - at:.1f} s")
        return
    # A rank that serves another says nothing: it ends.
    knew = [
        float(told[rank].read_text().split()[2]) if told[rank].exists() else ends[rank]
        for rank in survivors
    ]
    loss.seconds = max(knew) - at
    if loss.seconds > limit:
        loss.faults.append(f"took {loss.seconds:.2f} s")


def _judge(loss, job, folder):
    """What the survivors said, and how they ended."""
    loss.output, statuses = job.end(20)
    survivors = set(range(RANKS)) - {loss.victim}
    if crash := _CRASH.search(loss.output):
        loss.faults.append(f"a crash: {crash[0]}")
    if loss.mode == "engine":
        loss.faults += [
            f"rank {rank} has exit status {statuses[rank]}"
            for rank in survivors
            if statuses[rank] != 1
        ]
    if loss.victim == 0 and loss.mode != "engine" and loss.signal == signal.SIGKILL:
        return  # The others end with it.
    if "RankFailure" not in loss.output:
        loss.faults.append("there is no RankFailure")
    if loss.phase == "bootstrap":
        return  # Rank 0 ends the others.
    for rank in survivors if loss.mode != "controller" else survivors & {0}:
        path = folder / f"lost-{rank}"
        lost = path.read_text().split() if path.exists() else ["nobody"]
        if lost[0] != str(loss.victim):
            loss.faults.append(f"rank {rank} says that {lost[0]} is lost")


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
