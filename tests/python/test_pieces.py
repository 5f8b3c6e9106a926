"""Arrays put together from pieces, and updates that swap buffers, at sizes where the passes act."""

import fuseau
import numpy as np
import pytest

SHAPES = [(60, 500), (300, 101), (201, 201)]


def diffuse(np, a, steps):
    """Periodic diffusion: each step rolls what the one before made."""
    for _ in range(steps):
        around = np.roll(a, 1, 0) + np.roll(a, -1, 0) + np.roll(a, 1, 1) + np.roll(a, -1, 1)
        a = a + 0.1 * (around - 4.0 * a)
    return a


def waves(np, a, steps):
    """Two arrays that read each other's rolled values, one of them in place."""
    e, h = a.copy(), a * 0.5
    for _ in range(steps):
        e += 0.3 * (h - np.roll(h, 1, 1))
        h += 0.3 * (np.roll(e, -2, 0) - e)
    return e + h


def life(np, a, steps):
    """Sums of windows of a padded array, with a comparison of the old value."""
    cells = a > 0.5
    for _ in range(steps):
        p = np.pad(cells, 1)
        count = p[:-2, 1:-1].astype(int) + p[2:, 1:-1] + p[1:-1, :-2] + p[1:-1, 2:] + p[2:, 2:]
        cells = (count == 2) | (cells & (count == 1))
    return cells


def edges(np, a, steps):
    """The edge values of an expensive expression, joined to it, and read again."""
    for _ in range(steps):
        p = np.pad(np.sqrt(np.abs(a) + 1.0), ((1, 2), (0, 3)), mode="edge")
        a = p[1:-2, :-3] + p[2:-1, :-3] * 0.5 - np.concatenate([p[:-3, 3:], p[:1, 3:]])[:-1]
    return a


def cavity(np, a, steps):
    """An update of the inside, then of the edges from it; what changed is measured."""
    p, total = a.copy(), 0.0
    for _ in range(steps):
        q = p.copy()
        p[1:-1, 1:-1] = 0.25 * (q[1:-1, 2:] + q[1:-1, :-2] + q[2:, 1:-1] + q[:-2, 1:-1])
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[-1, :] = 0.0
        total = total + np.abs(p - q).max()
    return p + total


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("program", [diffuse, waves, life, edges, cavity])
def test_same_bits_in_every_run(program, shape):
    a = np.random.default_rng(3).random(shape)
    want = program(np, a, 7)
    mine = fuseau.asarray(a)
    for _ in range(6):  # interpreted, then compiled
        np.testing.assert_array_equal(np.asarray(program(fuseau, mine, 7)), want)


def test_rolled_arrays_are_not_made():
    """Reading a rolled array moves what is read and written, and little else."""
    a = fuseau.asarray(np.random.default_rng(4).random((400, 500)))
    for _ in range(2000):
        before = fuseau.stats()
        diffuse(fuseau, a, 1).eval()
        after = fuseau.stats()
        if after["launches"] > before["launches"]:
            # Each of four rolled arrays would be written and read.
            assert after["bytes_moved"] - before["bytes_moved"] < 2.5 * a.nbytes
            break
