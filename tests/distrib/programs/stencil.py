"""Heat in a plate: neighbours exchange edges. `stencil.py MODULE` computes with that module."""

import hashlib
import importlib
import sys

np = importlib.import_module(sys.argv[1])


def plate(rows, columns, steps):
    grid = np.zeros((rows + 2, columns + 2))
    grid[:, 0] = grid[:, -1] = grid[-1, :] = -273.15
    grid[0, :] = 40.0
    center = grid[1:-1, 1:-1]
    north, south = grid[:-2, 1:-1], grid[2:, 1:-1]
    east, west = grid[1:-1, 2:], grid[1:-1, :-2]
    for step in range(steps):
        new = 0.2 * (center + north + east + west + south)
        change = abs(new - center).sum()
        center[:] = new
        if step % 5 == 0:
            print(step, float(change).hex())
    return grid


print(hashlib.sha256(plate(301, 257, 20).tobytes()).hexdigest())
