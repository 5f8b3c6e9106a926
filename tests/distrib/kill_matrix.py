"""Loses ranks of jobs in every phase, over every transport, and prints what became of the others.

kill_matrix.py [--repeat 20] [--signal KILL|STOP] [--modes ...] [--phases ...] [--transports ...]
"""

import argparse
import random
import signal
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from losses import LIMITS, MODES, RANKS, TRANSPORTS, Loss, lose, phases_of
from phases import PHASES


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--signal", choices=("KILL", "STOP"), default="KILL")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=list(PHASES))
    parser.add_argument("--transports", nargs="+", choices=TRANSPORTS, default=list(TRANSPORTS))
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    number = signal.Signals[f"SIG{options.signal}"]
    choice = random.Random(options.seed)
    losses = [
        Loss(phase, transport, mode, choice.randrange(RANKS), number)
        for mode in options.modes
        for phase in options.phases
        for transport in options.transports
        if phase in phases_of(mode, number)
        for _ in range(options.repeat)
    ]
    cells = defaultdict(list)
    print("| mode | phase | transport | jobs | median, s | most, s | faults |", flush=True)
    print("|---|---|---|---|---|---|---|")
    with ThreadPoolExecutor(options.jobs) as pool:
        for loss in pool.map(lambda loss: lose(loss, choice), losses):
            cell = cells[loss.mode, loss.phase, loss.transport]
            cell.append(loss)
            if len(cell) == options.repeat:
                print(row(cell), flush=True)
    failed = [loss for loss in losses if loss.faults]
    for loss in failed:
        print(f"\n{loss}: {'; '.join(loss.faults)}\n{loss.output}")
    print(f"\nThe limit is {LIMITS[number]:g} s.")
    print(f"{len(losses) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def row(cell):
    """Seconds until the last survivor knew: the median and the most."""
    first, seconds = cell[0], sorted(loss.seconds for loss in cell)
    faults = sum(bool(loss.faults) for loss in cell)
    return (
        f"| {first.mode} | {first.phase} | {first.transport} | {len(cell)} "
        f"| {seconds[len(seconds) // 2]:.2f} | {seconds[-1]:.2f} | {faults} |"
    )


if __name__ == "__main__":
    sys.exit(main())
