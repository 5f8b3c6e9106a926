"""What a job does when a rank of it is lost: `phases.py PHASE FOLDER`, the program of its ranks.

Rank 0 prints "ready" when it is at it. Who gets a RankFailure tells of it in FOLDER/lost-RANK. Then
it waits until FOLDER has a file "end", and looks whether anything has reached memory that has other
uses by then.
"""

import itertools
import random
import sys
import time
from pathlib import Path

import fuseau as np
import numpy


def idle(told):
    """Python is busy with something else until it is told to go on."""
    while not told("go"):
        time.sleep(0.005)
    return float((np.arange(1 << 18) * 0.5).sum())


def compile_kernels(_):
    """Kernels that nobody has seen before."""
    choice = random.Random(5)  # the same one on all ranks
    x = np.arange(1 << 12) * 0.5
    for _ in itertools.count():
        y = x
        for _ in range(12):
            y = choice.choice((np.sin, np.sqrt, np.negative, np.square, np.exp, np.abs))(y + x)
        (y * 1e-9).eval()


def transfer(_):
    """All ranks send each other large parts."""
    x = np.arange(1 << 18).reshape(1 << 9, 1 << 9) * 0.5
    while True:
        x = x.T + 1.0
        x.eval()


def collective(_):
    """Sums over all ranks, small ones."""
    x = np.arange(1 << 12) * 0.5
    while True:
        x = x + x.sum(axis=0) * 1e-12
        x.eval()


def host_read(_):
    """Elements and whole arrays come to Python."""
    x = np.arange(1 << 18) * 0.5
    for number in itertools.count():
        y = x + number
        assert float(y[number * 977 % len(x)]) == number * 977 % len(x) * 0.5 + number
        assert float(numpy.asarray(y)[-1]) == (len(x) - 1) * 0.5 + number


PHASES = {
    "bootstrap": idle,
    "compile": compile_kernels,
    "transfer": transfer,
    "collective": collective,
    "idle": idle,
    "host read": host_read,
}


def main(phase, folder):
    folder = Path(folder)
    rank = np.ranks()["rank"]
    float((np.arange(1 << 14) * 0.5).sum())
    if rank == 0:
        print("ready", flush=True)
    try:
        PHASES[phase](lambda word: (folder / word).exists())
    except np.RankFailure as error:
        memory = numpy.full(1 << 22, 0x5A, numpy.uint8)  # What the arrays had is free now.
        words = f"{error.rank} {error.phase} {time.monotonic()}"
        (folder / f"new-{rank}").write_text(words)
        (folder / f"new-{rank}").rename(folder / f"lost-{rank}")
        while not (folder / "end").exists():
            time.sleep(0.005)
        assert (memory == 0x5A).all(), "memory of this process was written to"
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
