"""Writes into arrays that later statements, views and unevaluated results still see: every
direction of overlap.
"""

import itertools

import numpy
import pytest
from checks import agree, values


def shifted(n, shift):
    """A destination and a source part of the same length, `shift` apart."""
    return (
        (slice(shift, None), slice(None, n - shift))
        if shift > 0
        else (slice(None, n + shift), slice(-shift, None))
    )


@pytest.mark.parametrize("dtype", ["int32", "float64", "complex64"])
@pytest.mark.parametrize("shift", [1, 2, 5, -1, -2, -5])
@pytest.mark.parametrize("n", [6, 9, 17, 100, 5000])
def test_shift_1d(n, shift, dtype):
    a = values(dtype, (n,), wild=False)
    to, of = shifted(n, shift)

    def run(np, write):
        b = np.array(a)
        write(np, b)
        return b

    def assign(np, b):
        b[to] = b[of]

    def compute(np, b):
        b[to] = b[of] * 2 + b[to]

    def operate(np, b):
        b[to] += b[of]

    def out(np, b):
        np.subtract(b[of], b[to], out=b[to])

    def flipped(np, b):
        b[to] = b[of][::-1]

    def again(np, b):
        for _ in range(4):
            b[to] = b[of] + 1

    for write in (assign, compute, operate, out, flipped, again):
        agree(lambda np, write=write: run(np, write), label=write.__name__)


@pytest.mark.parametrize("n", [1, 2, 7, 64, 1001])
def test_reverse(n):
    a = values("float64", (n,))

    def run(np):
        b = np.array(a)
        b[::-1] = b
        c = b.copy()
        c[:] = c[::-1] - c
        return b, c

    agree(run)


@pytest.mark.parametrize("step", [2, 3, -2, -3])
def test_strided(step):
    a = values("int64", (60,), wild=False)

    def run(np):
        b = np.array(a)
        part = b[::step]
        b[: len(part)] = part
        b[-len(part) :] += b[::step]
        b[::step] = b[: len(part)] * 2
        return b

    agree(run)


SHIFTS_2D = [s for s in itertools.product((-1, 0, 1), repeat=2) if s != (0, 0)]


@pytest.mark.parametrize("shape", [(5, 6), (33, 70), (257, 300)])
@pytest.mark.parametrize("shifts", SHIFTS_2D)
def test_shift_2d(shape, shifts):
    a = values("float64", shape, wild=False)
    pairs = [
        shifted(n, s) if s else (slice(None), slice(None))
        for n, s in zip(shape, shifts, strict=True)
    ]
    to, of = (tuple(p[k] for p in pairs) for k in (0, 1))

    def run(np):
        b = np.array(a)
        b[to] = b[of]
        b[to] += 0.5 * b[of]
        b[to] = b[of] - b[to]
        return b

    agree(run)


@pytest.mark.parametrize("shifts", list(itertools.product((-1, 0, 2), repeat=3)))
def test_shift_3d(shifts):
    shape = (5, 7, 9)
    a = values("float32", shape, wild=False)
    pairs = [
        shifted(n, s) if s else (slice(None), slice(None))
        for n, s in zip(shape, shifts, strict=True)
    ]
    to, of = (tuple(p[k] for p in pairs) for k in (0, 1))

    def run(np):
        b = np.array(a)
        b[to] = b[of] + 1
        b[to] *= b[of]
        return b

    agree(run)


@pytest.mark.parametrize("shape", [(3,), (4,), (66,), (1000,)])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_stencil_1d(shape, steps):
    a = values("float64", shape, wild=False)

    def run(np):
        u = np.array(a)
        for _ in range(steps):
            u[1:-1] = (u[:-2] + u[1:-1] + u[2:]) / 3
        return u

    agree(run)


@pytest.mark.parametrize("shape", [(3, 3), (4, 9), (18, 35), (130, 257)])
@pytest.mark.parametrize("steps", [1, 2, 3, 9])
def test_stencil_2d(shape, steps):
    a = values("float64", shape, wild=False)

    def run(np):
        grid = np.array(a)
        center, north, south = grid[1:-1, 1:-1], grid[:-2, 1:-1], grid[2:, 1:-1]
        east, west = grid[1:-1, 2:], grid[1:-1, :-2]
        for _ in range(steps):
            center[:] = 0.2 * (center + north + east + west + south)
        return grid

    agree(run)


def test_stencil_2d_nine_points_and_boundaries():
    a = values("float64", (20, 31), wild=False)

    def run(np):
        u = np.array(a)
        for _ in range(4):
            u[1:-1, 1:-1] = (
                sum(u[1 + i : 19 + i, 1 + j : 30 + j] for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
            )
            u[0, :] = u[1, :]
            u[-1, :] = u[-2, :]
            u[:, 0] = u[:, -2]
            u[:, -1] = u[:, 1]
        return u

    agree(run)


def test_stencil_3d():
    a = values("float64", (8, 9, 10), wild=False)

    def run(np):
        u = np.array(a)
        for _ in range(3):
            c = u[1:-1, 1:-1, 1:-1]
            c += 0.1 * (
                u[2:, 1:-1, 1:-1]
                + u[:-2, 1:-1, 1:-1]
                + u[1:-1, 2:, 1:-1]
                + u[1:-1, 1:-1, :-2]
                - 4 * c
            )
        return u

    agree(run)


def test_transposed_in_place():
    a = values("int32", (17, 17))

    def run(np):
        b = np.array(a)
        b[...] = b.T
        c = np.array(a)
        c += c.T
        d = np.array(a)
        d.T[1:] = d[:-1]
        return b, c, d

    agree(run)


def test_one_row_into_all():
    a = values("float64", (6, 5))

    def run(np):
        b = np.array(a)
        b[...] = b[2]
        c = np.array(a)
        c -= c[0]
        d = np.array(a)
        d[1:] += d[0] * d[:, :1][1:]
        return b, c, d

    agree(run)


def test_reduced_into_itself():
    a = values("float64", (6, 5), wild=False)

    def run(np):
        b = np.array(a)
        b -= b.mean(axis=0)
        b /= b.sum(axis=1, keepdims=True)
        b[0] = b.sum(axis=0)
        b[:, 0] = b.max(axis=1)
        b[...] = b.sum()
        return b

    agree(run)


def test_unevaluated_results_keep_the_values_they_saw():
    a = values("float64", (50,), wild=False)

    def run(np):
        b = np.array(a)
        before = b * 2
        view = b[10:20]
        seen = view + 0
        b[:] = 1
        between = view.sum() + before
        b[15] = 100
        view *= 3
        old = b
        b = b + before
        old[:5] = -1
        return before, seen, between, b, old, view

    agree(run)


def test_swap_through_a_temporary():
    a = values("int64", (4, 6))

    def run(np):
        b = np.array(a)
        row = b[0].copy()
        b[0] = b[3]
        b[3] = row
        b[1], b[2] = b[2] + 0, b[1] + 0
        return b

    agree(run)


def test_two_names():
    def run(np):
        a = np.arange(5)
        b = a
        b += 1
        a = a * 2
        b[0] = 50
        return a, b

    agree(run)


OPERATORS = ("+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", "<<=", ">>=")


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("dtype", ["bool", "int16", "uint32", "float32", "complex128"])
def test_operators(operator, dtype):
    a = values(dtype, (4, 6), wild=False)
    for other in (
        2,
        True,
        0.5,
        1j,
        values("int8", (6,), wild=False) % 5,
        values("float64", (6,), wild=False),
    ):

        def run(np, other=other):
            names = {
                "a": np.array(a),
                "b": np.array(other) if isinstance(other, numpy.ndarray) else other,
            }
            exec(f"a {operator} b; a[1:, ::-1] {operator} a[:-1]", names)
            return names["a"]

        if operator == "**=" and dtype in ("int16", "uint32"):
            continue  # a power by itself: negative exponents are an error that depends on the data
        # The bits of NumPy's powers depend on how the array lies in memory.
        agree(run, label=f"{operator} {other!r}", ulp=4 if operator == "**=" else 0)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "float32", "complex64"])
def test_setitem_casts_as_numpy(dtype):
    for other in ("bool", "int8", "int64", "uint8", "float32", "float64", "complex128"):
        b = (
            abs(values(other, (5,), wild=False)) % 100
            if other not in ("bool", "complex128")
            else values(other, (5,), wild=False)
        )
        if other == "complex128" and dtype in ("int8", "uint16"):
            continue  # a negative real part in an unsigned type is undefined in C

        def run(np, b=b):
            a = np.zeros((3, 5), dtype)
            a[1:] = np.array(b)
            a[0, ::-2] = np.array(b)[:3]
            return a

        agree(run, label=other)


def test_out_is_returned_and_views_see_it():
    def run(np):
        a, b = np.arange(6.0), np.zeros((2, 3))
        view = b.T
        result = np.add(a.reshape(2, 3), 1, out=b)
        return result is b, view, b

    agree(run)


def test_parts_of_a_complex_number():
    """A known number of which one half is written, by a value that is computed."""

    def run(np):
        z, step = np.array(3 + 2j), np.arange(3.0).sum()
        z.imag[...] = step
        w = np.array(3 + 2j, "complex64")
        w.real[...] += step.astype("f4") * 2
        return z, w

    agree(run)
