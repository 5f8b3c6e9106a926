"""Child processes that end when this process does."""

import ctypes
import os
import selectors
import signal
import subprocess
import threading
from dataclasses import dataclass, field

from .output import Output

_PR_SET_PDEATHSIG = 1


def tie_to_parent():
    """The kernel ends this process when the one that started it has ended.

    The parent gave its number; if it has another now, the parent is gone already.
    """
    parent = os.environ.pop("FUSEAU_PARENT", None)
    if parent is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Child:
    """A process to start, and what became of it."""

    command: list
    environ: dict
    prefix: str | None = None  # of each line that it writes; None: lines as they are
    process: subprocess.Popen | None = field(default=None, repr=False)
    output: Output | None = field(default=None, repr=False)
    status: int | None = None  # once it has ended

    @property
    def alive(self):
        return self.process is not None and self.status is None


class Processes:
    """A thread that starts children, shows what they write, and waits for them.

    The kernel ties a child to the thread that started it, so that thread has to live as long as the
    children. A Ctrl-C of the terminal is for the program: it does not reach them.
    """

    def __init__(self, children, on_end):
        """`on_end(child)` is called by the thread when a child has ended."""
        self._children = children
        self._on_end = on_end
        self._started = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._run, name="fuseau-ranks", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error

    def wait(self, seconds=None):
        """Waits until all children have ended, or for that time."""
        self._thread.join(seconds)

    def stop(self):
        """Ends the children that still run."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._thread.is_alive():
                self._signal(number)
                self._thread.join(1)
        self._thread.join()

    def _signal(self, number):
        for child in self._children:
            if child.alive:
                child.process.send_signal(number)

    def _run(self):
        # A child inherits what its thread blocks.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with selectors.DefaultSelector() as selector:
            try:
                for child in self._children:
                    self._start(child, selector)
            except OSError as error:
                self._error = error
                self._signal(signal.SIGKILL)
            self._started.set()
            while any(child.alive for child in self._children):
                for key, _ in selector.select():
                    key.data(key.fileobj)

    def _start(self, child, selector):
        shown = child.prefix is not None
        child.process = subprocess.Popen(
            child.command,
            env={**child.environ, "FUSEAU_PARENT": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if shown else 2,  # Ours is the program's.
            stderr=subprocess.STDOUT if shown else None,
        )
        if shown:
            child.output = Output(child.process.stdout, child.prefix)

            def show(pipe):
                if not child.output.copy():
                    selector.unregister(pipe)

            selector.register(child.output.pipe, selectors.EVENT_READ, show)

        def end(handle):
            selector.unregister(handle)
            os.close(handle)
            if shown:
                if child.output.pipe in selector.get_map():
                    selector.unregister(child.output.pipe)
                child.output.close()
            child.status = child.process.wait()
            self._on_end(child)

        selector.register(os.pidfd_open(child.process.pid), selectors.EVENT_READ, end)
