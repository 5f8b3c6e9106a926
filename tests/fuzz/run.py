"""Runs many random programs with NumPy and with a module under test, and reports where they differ.

    python -m tests.fuzz.run --module fuseau --programs 5000 --seed 1 --mode all --jobs 2

The last line is `N passed, M failed`; the exit status is 1 when any failed.
"""

import argparse
import sys
import time
from collections import deque

from .execute import Options
from .generate import generate
from .program import script
from .shrink import as_test, shrink
from .state import RULES
from .worker import MODES, Worker

BATCH = 50


class Campaign:
    """The programs of one mode, shared out to workers."""

    def __init__(self, options, mode):
        self.options, self.mode = options, mode
        self.skip = tuple(options.skip.split(",")) if options.skip else ()
        self.todo = deque()
        first = options.first
        for start in range(first, first + options.programs, BATCH):
            self.todo.append(range(start, min(start + BATCH, first + options.programs)))
        self.failures = {}
        self.finished = 0
        self.memory = 0

    def give(self, worker):
        """Sends the worker its next batch. Returns whether there was one."""
        worker.batch = self.todo.popleft() if self.todo else None
        if worker.batch is None:
            return False
        request = ("seed", self.options.seed, list(worker.batch), self.skip)
        try:
            worker.pipe.send(request)
        except OSError:  # it died between two batches
            worker.stop()
            worker.start()
            worker.pipe.send(request)
        return True

    def listen(self, worker):
        """Takes a worker's messages. Returns whether it still has work."""
        dead = worker.death()
        for message in worker.messages():
            if message[0] == "failure":
                self.fail(message[1], message[2])
            elif message[0] == "done":
                self.finished += len(worker.batch)
                self.memory = max(self.memory, message[1])
                if not self.give(worker):
                    return False
                dead = None
        if dead is not None:
            number = max(int(worker.progress[0]), worker.batch.start)
            self.fail(number, dead)
            rest = range(number + 1, worker.batch.stop)
            self.finished += rest.start - worker.batch.start
            if rest:
                self.todo.appendleft(rest)
            worker.stop()
            worker.start()
            return self.give(worker)
        return True

    def fail(self, number, failure):
        self.failures[number] = failure
        print(
            f"\nprogram {number} in mode {self.mode}: {failure.kind}\n{failure.message}", flush=True
        )

    def run(self):
        workers = [
            Worker(self.options.module, self.mode, comparison(self.options))
            for _ in range(self.options.jobs)
        ]
        start = report = time.monotonic()
        busy = [w for w in workers if self.give(w)]
        try:
            while busy and len(self.failures) < self.options.max_failures:
                busy = [w for w in busy if self.listen(w)]
                if time.monotonic() - report > self.options.report_every:
                    report = time.monotonic()
                    self.print_rate(report - start)
                time.sleep(0.02)
        finally:
            self.finished += sum(int(w.progress[2]) for w in busy)
            for worker in workers:
                worker.stop()
        self.print_rate(time.monotonic() - start)

    @property
    def passed(self):
        return max(0, self.finished - len(self.failures))

    def print_rate(self, seconds):
        done = self.finished
        print(
            f"{self.mode}: {done} of {self.options.programs} programs, {done / seconds:.0f}/s,"
            f" {len(self.failures)} failed, {self.memory} MiB at most",
            flush=True,
        )


def comparison(options):
    return Options(options.ulp, options.signed_zero, options.strides)


def show(campaign):
    """Shrinks and prints the first failures."""
    options = campaign.options
    for number, failure in list(campaign.failures.items())[: options.shrink]:
        statements = generate(f"{options.seed}:{number}", campaign.skip)
        worker = Worker(options.module, campaign.mode, comparison(options))
        try:
            small, last = shrink(statements, failure, worker.run_program)
        finally:
            worker.stop()
        print(
            f"\n# program {number}, seed {options.seed}, mode {campaign.mode}, shrunk: {last.kind}"
        )
        print("\n".join(f"# {line}" for line in last.message.splitlines()))
        print(as_test(small, f"seed_{options.seed}_{number}_{campaign.mode}"), flush=True)
        print(f"# as a script:\n{script(small, options.module)}", flush=True)


def parse(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--programs", type=int, default=5000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    parser.add_argument("--mode", choices=[*MODES, "all"], default="default")
    parser.add_argument("--jobs", type=int, default=1, help="worker processes")
    parser.add_argument(
        "--ulp", type=int, help="bound for inexact programs; default: a relative error"
    )
    parser.add_argument("--signed-zero", action="store_true", help="tell -0.0 from 0.0")
    parser.add_argument("--strides", action="store_true", help="compare strides and contiguity too")
    parser.add_argument(
        "--skip", default="", help=f"rules to leave out, with commas: {' '.join(RULES)}"
    )
    parser.add_argument("--max-failures", type=int, default=20, help="stop a mode after so many")
    parser.add_argument(
        "--shrink", type=int, default=3, metavar="N", help="shrink the first N failures of a mode"
    )
    parser.add_argument("--report-every", type=float, default=10.0, metavar="SECONDS")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse(arguments)
    passed = failed = 0
    for mode in MODES if options.mode == "all" else [options.mode]:
        campaign = Campaign(options, mode)
        campaign.run()
        show(campaign)
        passed += campaign.passed
        failed += len(campaign.failures)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
