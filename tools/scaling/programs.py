"""The programs whose scaling is modelled: generators that make a step each time."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "python/examples"))


def stencil(np, points):
    """The README's: every inner point becomes the average of itself and its four neighbours."""
    n = round(sqrt(points))
    grid = np.zeros((n + 2, n + 2))
    grid[:, 0] = grid[:, -1] = grid[-1, :] = -273.15
    grid[0, :] = 40.0
    center = grid[1:-1, 1:-1]
    north, south = grid[:-2, 1:-1], grid[2:, 1:-1]
    east, west = grid[1:-1, 2:], grid[1:-1, :-2]
    while True:
        average = center + north + east + west + south
        center[:] = 0.2 * average
        yield grid


def channel(np, points, sweeps=10):
    """A time step of python/examples/cfd.py, with fewer sweeps of the pressure."""
    import cfd

    n = round(sqrt(points))
    dx = dy = cfd.LENGTH / n
    dt = 0.1 * dx * dx / cfd.VISCOSITY
    u, v, p = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    while True:
        cfd.pressure(p, cfd.source(u, v, dx, dy, dt), dx, dy, sweeps)
        dpdx = (p[1:-1, 2:] - p[1:-1, :-2]) / (2 * dx)
        dpdy = (p[2:, 1:-1] - p[:-2, 1:-1]) / (2 * dy)
        old_u, old_v = u.copy(), v.copy()
        u[1:-1, 1:-1] = cfd.momentum(old_u, old_u, old_v, dpdx, dx, dy, dt) + dt * cfd.FORCE
        v[1:-1, 1:-1] = cfd.momentum(old_v, old_u, old_v, dpdy, dx, dy, dt)
        for w in (u, v):
            cfd.wrap(w)
            w[0, :] = 0.0
            w[-1, :] = 0.0
        yield u, v, p


def gradients(np, points):
    """Conjugate gradients for a five-point Laplacian: two sums in each step."""
    n = round(sqrt(points))
    x, r = np.zeros((n, n)), np.ones((n, n))
    p = r.copy()
    rr = np.sum(r * r)
    while True:
        ap = 4.0 * p
        ap[1:, :] -= p[:-1, :]
        ap[:-1, :] -= p[1:, :]
        ap[:, 1:] -= p[:, :-1]
        ap[:, :-1] -= p[:, 1:]
        alpha = rr / np.sum(p * ap)
        x = x + alpha * p
        r = r - alpha * ap
        rr, old = np.sum(r * r), rr
        p = r + (rr / old) * p
        yield x, r, p, rr


@dataclass(frozen=True)
class Program:
    make: Callable
    points: int  # of a rank, where the whole grows with the ranks
    fixed: int  # of the whole, where it does not
    steps: int  # that are timed
    planned: int  # steps: fewer, since a plan of many ranks takes its time


PROGRAMS = {
    "stencil": Program(stencil, 12_264_004, 16 * 12_264_004, 80, 6),
    "channel": Program(channel, 4_000_000, 64_000_000, 6, 1),
    "gradients": Program(gradients, 4_000_000, 64_000_000, 20, 2),
}
