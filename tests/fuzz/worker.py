"""A process that runs programs, so that a crash or a hang costs one program and not the run.

The parent knows at any time which program the child runs: the child writes its number and start
into shared memory before it begins. A child that dies, or that spends more than a minute on one
program, is replaced.
"""

import importlib
import multiprocessing
import os
import resource
import time
import warnings

from .execute import Failure, Invalid, check
from .generate import generate

HANG_SECONDS = 60.0
START_SECONDS = 300.0
"""The first use of a module may compile."""

MODES = {
    "default": {},
    "eager": {"FUSEAU_EAGER": "1"},
    "nopass": {"FUSEAU_DISABLE": "all", "FUSEAU_JIT": "always"},
    "window": {"FUSEAU_WINDOW": "1"},
    "interpreted": {"FUSEAU_JIT": "0"},
    "compiled": {"FUSEAU_JIT": "always"},
    "mixed": {"FUSEAU_JIT": "mixed"},
    # Groups of launches, and results stored past the caches, also for arrays of a few bytes; nothing is swapped.
    "bands": {
        "FUSEAU_BAND_MIN_BYTES": "0",
        "FUSEAU_STREAM_BYTES": "0",
        "FUSEAU_SWAP_BYTES": "0",
        "FUSEAU_NUM_THREADS": "1",
        "FUSEAU_JIT": "always",
    },
    # Tiles of sweeps, and arrays read piece by piece, likewise.
    "tiles": {
        "FUSEAU_TILE_BYTES": "128",
        "FUSEAU_LAUNCH_BYTES": "0",
        "FUSEAU_STREAM_BYTES": "0",
        "FUSEAU_JIT": "always",
    },
    # The whole way of a GPU, over a double of its driver whose streams are threads.
    "emulated": {"FUSEAU_DEVICE": "emulated"},
    # Every value in parts, however small; the ranks are threads.
    "ranks": {"FUSEAU_THREAD_RANKS": "3", "FUSEAU_PARTITION_BYTES": "0"},
    # Likewise; whatever can runs while exchanges are under way, however little it is. Messages take a while.
    "overlap": {
        "FUSEAU_THREAD_RANKS": "3",
        "FUSEAU_PARTITION_BYTES": "0",
        "FUSEAU_OVERLAP_NS": "0",
        "FUSEAU_THREAD_DELAY_US": "20",
        "FUSEAU_JIT": "mixed",
    },
}


def strict_check(statements, module, options):
    """`check` where a program that proves nothing passes."""
    try:
        return check(statements, module, options, strict=True)
    except Invalid:
        return None


def serve(pipe, progress, module_name, mode, options):
    """The child: answers requests until the pipe closes."""
    os.environ.update(MODES[mode])
    warnings.simplefilter("ignore")
    module = importlib.import_module(module_name)
    pipe.send(("ready",))
    try:
        while True:
            request = pipe.recv()
            if request[0] == "program":
                progress[:] = [0, time.monotonic(), 0]
                pipe.send(("result", strict_check(request[1], module, options)))
                progress[0] = -1
                continue
            _, seed, numbers, skip = request
            progress[2] = 0
            for number in numbers:
                progress[0], progress[1] = number, time.monotonic()
                statements = generate(f"{seed}:{number}", skip)
                failure = check(statements, module, options)
                if failure is not None:
                    pipe.send(("failure", number, failure))
                progress[2] += 1
            progress[0] = -1
            pipe.send(("done", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
    except (EOFError, KeyboardInterrupt):
        pass


class Worker:
    """The parent's side of one child process."""

    def __init__(self, module_name, mode, options):
        self.arguments = (module_name, mode, options)
        self.start()

    def start(self):
        context = multiprocessing.get_context("spawn")
        # The number of the program it runs (-1 when none), when it began, how many of the batch are finished.
        self.progress = context.RawArray("d", [-1, 0, 0])
        self.pipe, child = context.Pipe()
        self.process = context.Process(
            target=serve, args=(child, self.progress, *self.arguments), daemon=True
        )
        self.process.start()
        child.close()
        if not self.pipe.poll(START_SECONDS):
            raise RuntimeError(f"{self.arguments[0]} was not imported within {START_SECONDS:.0f} s")
        try:
            self.pipe.recv()
        except EOFError:
            self.process.join()
            raise RuntimeError(f"importing {self.arguments[0]} failed") from None

    def stop(self):
        self.pipe.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()

    def death(self):
        """The Failure when the child is dead or hangs, else None."""
        if not self.process.is_alive():
            return Failure("crash", f"the process ended with status {self.process.exitcode}")
        if self.progress[0] >= 0 and time.monotonic() - self.progress[1] > HANG_SECONDS:
            return Failure("hang", f"not finished after {HANG_SECONDS:.0f} s")
        return None

    def messages(self):
        """The messages that have come. The end of a dead child's pipe reads as no more messages."""
        try:
            while self.pipe.poll():
                yield self.pipe.recv()
        except (EOFError, OSError):
            return

    def run_program(self, statements):
        """Runs one program. Returns its Failure or None; replaces the child when the program killed
        it.
        """
        self.pipe.send(("program", statements))
        while True:
            try:
                if self.pipe.poll(0.2):
                    return self.pipe.recv()[1]
                failure = self.death()
            except (EOFError, OSError):
                self.process.join(5)
                failure = Failure("crash", f"the process ended with status {self.process.exitcode}")
            if failure is not None:
                self.stop()
                self.start()
                return failure
