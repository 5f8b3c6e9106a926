"""Functions that `fuseau compile` turns into code for the programs beside this file."""

import fuseau as np


def heat(grid, rate, steps=4):
    """Some steps of the heat equation, in place. Returns the largest change of the last one."""
    center = grid[1:-1, 1:-1]
    for _ in range(steps):
        north, south = grid[:-2, 1:-1], grid[2:, 1:-1]
        west, east = grid[1:-1, :-2], grid[1:-1, 2:]
        change = rate * (north + south + west + east - 4.0 * center)
        center += change
    return np.abs(change).max()


def normalize(points):
    """Points around their mean, scaled to a variance of 1, and that mean."""
    mean = points.mean(axis=0)
    rest = points - mean
    return rest / np.sqrt((rest * rest).mean(axis=0)), mean
