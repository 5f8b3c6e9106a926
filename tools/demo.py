"""Runs the stencil of the README on NumPy and on fuseau, in turns, and compares them."""

import statistics
import time

import fuseau
import numpy

CASES = ((1000, 100), (4000, 20))
ROUNDS = 3


def stencil(np, n, iterations):
    """Five-point averaging over a hot plate: the program of the README."""
    grid = np.zeros((n + 2, n + 2))
    grid[:, 0] = grid[:, -1] = grid[-1, :] = -273.15
    grid[0, :] = 40.0
    center = grid[1:-1, 1:-1]
    north = grid[:-2, 1:-1]
    south = grid[2:, 1:-1]
    east = grid[1:-1, 2:]
    west = grid[1:-1, :-2]
    for _ in range(iterations):
        average = center + north + east + west + south
        center[:] = 0.2 * average
    del average
    return grid


def timed(np, *arguments):
    """A result and the seconds it took, evaluation included."""
    start = time.perf_counter()
    result = stencil(np, *arguments)
    if np is fuseau:
        result.eval()
    return result, time.perf_counter() - start


def launches_of(kernels, name):
    """How often a kernel of an earlier report had run."""
    return kernels[name]["launches"] if name in kernels else 0


def main():
    for n, iterations in CASES:
        seconds = {numpy: [], fuseau: []}
        timed(fuseau, n, iterations)  # compiles
        before = {k["name"]: k for k in fuseau.kernels()}
        for _ in range(ROUNDS):
            for module in (numpy, fuseau):
                result, taken = timed(module, n, iterations)
                seconds[module].append(taken)
                if module is numpy:
                    expected = result
        same = numpy.asarray(result).tobytes() == expected.tobytes()
        ours, theirs = (statistics.median(seconds[m]) for m in (fuseau, numpy))
        print(
            f"stencil N={n} I={iterations}: numpy {1e3 * theirs:.1f} ms, "
            f"fuseau {1e3 * ours:.1f} ms, ratio {theirs / ours:.2f}, bitwise equal: {same}"
        )
        kernel = max(fuseau.kernels(), key=lambda k: k["launches"] - launches_of(before, k["name"]))
        launches = kernel["launches"] - launches_of(before, kernel["name"])
        moved = kernel["bytes"] - before.get(kernel["name"], {"bytes": 0})["bytes"]
        print(
            f"  kernel {kernel['name']}: {launches} launches in {ROUNDS} runs, "
            f"{moved / launches / 1e6:.1f} MB moved by each"
        )
        if not same:
            raise SystemExit("the results differ")


if __name__ == "__main__":
    main()
