"""Runs random programs in this process, for ranks that all run the program.

    FUSEAU_PARTITION_BYTES=0 fuseau run -n 2 --spmd -m tests.fuzz.here --programs 8000 --seed 1

The garbage collector runs at other moments on each rank. A failure is shrunk by `tests.fuzz.shrink`
in mode `ranks`, or printed by `tests.fuzz.generate`. A crash ends the run.
"""

import argparse
import gc
import random
import sys
import time
import warnings

from .execute import Options, check
from .generate import generate


def disturb(rank):
    """Makes the collector of each rank run at moments of its own."""
    if rank % 2:
        gc.disable()
        chance = random.Random(rank)
        return lambda: chance.random() < 0.05 and gc.collect()
    gc.set_threshold(50, 2, 2)
    return lambda: None


def main(arguments):
    """Returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    parser.add_argument("--seed", default="1")
    options = parser.parse_args(arguments)

    import fuseau

    warnings.simplefilter("ignore")
    collect = disturb(fuseau.ranks()["rank"])
    failed = 0
    start = report = time.monotonic()
    for number in range(options.first, options.first + options.programs):
        collect()
        failure = check(generate(f"{options.seed}:{number}"), fuseau, Options())
        if failure is not None:
            failed += 1
            print(f"program {number}: {failure.kind}\n{failure.message}", flush=True)
        if time.monotonic() - report > 30:
            report = time.monotonic()
            print(f"{number + 1 - options.first} programs, {report - start:.0f} s", flush=True)
    print(f"{options.programs - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
