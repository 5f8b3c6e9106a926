"""Values for the arrays of generated programs: the same in every process, with the awkward ones
among them.
"""

import math

import numpy

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64", "complex64", "complex128",
)  # fmt: skip
POOL = 4096


def _integers(rng, dtype, wild):
    info = numpy.iinfo(dtype)
    values = rng.integers(max(info.min, -12), 13, POOL).astype(dtype)
    if wild:
        extremes = [info.min, info.min + 1, info.max, info.max - 1, 0, 1]
        if info.min < 0:
            extremes.append(-1)
        spots = rng.random(POOL) < 0.2
        values[spots] = rng.choice(numpy.array(extremes, dtype), spots.sum())
    return values


def _floats(rng, dtype, wild):
    values = rng.standard_normal(POOL) * rng.choice([0.1, 1.0, 10.0], POOL)
    simple = rng.random(POOL) < 0.3
    values[simple] = numpy.round(values[simple] * 2) / 2
    values = values.astype(dtype)
    if wild:
        info = numpy.finfo(dtype)
        extremes = [
            math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, -1.0, float(info.max), -float(info.max),
            float(info.tiny), float(info.smallest_subnormal), -float(info.smallest_subnormal),
        ]  # fmt: skip
        spots = rng.random(POOL) < 0.2
        values[spots] = rng.choice(numpy.array(extremes, dtype), spots.sum())
    return values


def _pool(dtype, wild):
    rng = numpy.random.default_rng(DTYPES.index(dtype.name))
    if dtype.kind == "b":
        return rng.random(POOL) < 0.5
    if dtype.kind in "iu":
        return _integers(rng, dtype, wild)
    if dtype.kind == "f":
        return _floats(rng, dtype, wild)
    part = numpy.dtype(f"float{dtype.itemsize * 4}")
    values = numpy.empty(POOL, dtype)
    values.real = _floats(rng, part, wild)
    values.imag = _floats(rng, part, wild)
    return values


_POOLS = {(name, wild): _pool(numpy.dtype(name), wild) for name in DTYPES for wild in (False, True)}


def data(dtype, shape, start, wild=False):
    """A new NumPy array of values from the pool of its dtype, beginning at element `start`.

    With `wild`, a fifth of the values are NaN, infinite, signed zeros, subnormal or the extremes of
    the dtype.
    """
    pool = _POOLS[dtype, wild]
    size = math.prod(shape)
    start %= POOL
    if start + size <= POOL:
        return pool[start : start + size].reshape(shape).copy()
    return numpy.resize(pool[start:], size).reshape(shape)


def literal(array):
    """Text of nested lists that gives the array's values when `inf` and `nan` are names."""
    return repr(array.tolist())
