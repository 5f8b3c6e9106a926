"""Sweeps over large arrays that the runtime advances together, band by band."""

import fuseau
import numpy
import pytest


def stencil(np, a, b):
    inner = a[1:-1, 1:-1]
    for _ in range(12):
        inner[:] = 0.2 * (inner + a[:-2, 1:-1] + a[2:, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2])
    return a


def two_grids(np, a, b):
    for _ in range(6):
        b[1:-1, 1:-1] = 0.25 * (a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1])
        a[1:-1, 1:-1] = 0.25 * (b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1])
    return a + b


def boundaries(np, p, b):
    for _ in range(10):
        q = p.copy()
        p[1:-1, 1:-1] = 0.25 * (
            q[1:-1, 2:] + q[1:-1, :-2] + q[2:, 1:-1] + q[:-2, 1:-1] - b[1:-1, 1:-1]
        )
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0.0
    return p


def periodic(np, a, b):
    for _ in range(8):
        a[1:-1, 1:-1] = 0.5 * a[1:-1, 1:-1] + 0.125 * (
            a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2]
        )
        a[0], a[-1] = a[-2].copy(), a[1].copy()
        a[:, 0], a[:, -1] = a[:, -2].copy(), a[:, 1].copy()
    return a


def upwards_and_downwards(np, a, b):
    for _ in range(5):
        a[1:] = 0.5 * (a[1:] + a[:-1])
        b[::-1] += a
        a[:-1] -= 0.25 * b[1:]
    return a - b


def red_and_black(np, a, b):
    for _ in range(5):
        a[1:-1:2, 1:-1] = 0.5 * (a[:-2:2, 1:-1] + a[2::2, 1:-1])
        a[2:-1:2, 1:-1] = 0.5 * (a[1:-2:2, 1:-1] + a[3::2, 1:-1])
    return a


@pytest.mark.parametrize(
    "program", [stencil, two_grids, boundaries, periodic, upwards_and_downwards, red_and_black]
)
@pytest.mark.parametrize("shape", [(2201, 1025), (31, 80001)])
def test_sweeps(program, shape):
    grids = numpy.random.default_rng(3).uniform(-1, 1, (2, *shape))
    expected = program(numpy, grids[0].copy(), grids[1].copy())
    groups = fuseau.stats()["band_groups"]
    result = program(fuseau, fuseau.array(grids[0]), fuseau.array(grids[1])).eval()
    assert numpy.array_equal(numpy.asarray(result), expected)
    if program in (stencil, two_grids, boundaries) and shape[0] > 100:
        assert fuseau.stats()["band_groups"] > groups
