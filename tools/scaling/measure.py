"""Measures what the model needs, and real runs to compare it with.

Each run is a process of its own that prints the seconds of a step: `python measure.py PROGRAM
POINTS RANKS`. Ranks have one thread each.
"""

import os
import subprocess
import sys
import time

from programs import PROGRAMS

ROUNDS = 5


def run(program, points, ranks):
    """Seconds of a step here and now, by so many ranks; the best of some rounds."""
    import fuseau as np

    made = PROGRAMS[program]
    cluster = np.cluster("local", n=ranks, threads_per_rank=1) if ranks > 1 else None
    steps = made.make(np, points)

    def advance():
        for _ in range(made.steps - 1):
            next(steps)
        wanted = next(steps)
        np.eval(*(wanted if isinstance(wanted, tuple) else (wanted,)))

    advance()
    advance()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        advance()
        seconds.append((time.perf_counter() - start) / made.steps)
    if cluster is not None:
        cluster.shutdown()
    return min(seconds)


def start(program, points, ranks=1, disable=""):
    environment = dict(os.environ, FUSEAU_NUM_THREADS="1", FUSEAU_JIT="always")
    if disable:
        environment["FUSEAU_DISABLE"] = disable
    command = [sys.executable, __file__, program, str(points), str(ranks)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def result(process):
    text, _ = process.communicate(timeout=300)
    if process.returncode:
        raise RuntimeError(f"a measurement failed: {process.args}")
    return float(text.split()[-1])


def seconds(program, points, ranks=1):
    return result(start(program, points, ranks))


def busy_seconds(program, points, processors, disable=""):
    """The same for one rank while as many processes as there are processors do the same, each for
    itself: what a rank gets of the machine's memory when all compute.
    """
    return max([result(p) for p in [start(program, points, 1, disable) for _ in range(processors)]])


if __name__ == "__main__":
    print(run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
