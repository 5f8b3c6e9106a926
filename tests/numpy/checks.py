"""What the tests of this folder share: the module under test, awkward values, and comparison with
NumPy.
"""

import importlib
import os
import warnings

import numpy
import pytest

MODULE = os.environ.get("FUSEAU_TEST_MODULE", "fuseau")
np = importlib.import_module(MODULE)
IS_NUMPY = np is numpy

needs_fuseau = pytest.mark.skipif(
    IS_NUMPY, reason="about fuseau's own interface; the module under test is NumPy"
)

DTYPES = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float32", "float64", "complex64", "complex128",
)  # fmt: skip

LENGTHS = (1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 63, 65, 127, 129, 1000, 8193)
"""Around the widths of vectors and the block lengths of NumPy's sums."""


def values(dtype, shape, seed=0, wild=True):
    """A NumPy array of small and, with `wild`, extreme values."""
    dtype = numpy.dtype(dtype)
    n = int(numpy.prod(shape))
    rng = numpy.random.default_rng([seed, n, DTYPES.index(dtype.name)])
    if dtype.kind == "b":
        out = rng.random(n) < 0.5
    elif dtype.kind in "iu":
        info = numpy.iinfo(dtype)
        out = rng.integers(max(info.min, -20), 21, n).astype(dtype)
        special = numpy.array([info.min, info.max, info.max - 1, 0, 1], dtype)
    elif dtype.kind == "f":
        out = (rng.standard_normal(n) * rng.choice([0.1, 1, 100], n)).astype(dtype)
        info = numpy.finfo(dtype)
        special = numpy.array(
            [
                numpy.nan,
                numpy.inf,
                -numpy.inf,
                0.0,
                -0.0,
                info.max,
                info.min,
                info.tiny,
                info.smallest_subnormal,
            ],
            dtype,
        )
    else:
        part = f"f{dtype.itemsize // 2}"
        out = numpy.empty(n, dtype)
        out.real = values(numpy.dtype(part).name, n, seed + 1, wild)
        out.imag = values(numpy.dtype(part).name, n, seed + 2, wild)
    if wild and dtype.kind in "iuf":
        spots = rng.random(n) < 0.15
        out[spots] = rng.choice(special, int(spots.sum()))
    return out.reshape(shape)


def supported(result):
    """Whether the module promises the dtype of a NumPy result; float16 and the like come back as
    NumPy's own.
    """
    parts = result if isinstance(result, tuple) else (result,)
    return all(numpy.asarray(part).dtype.name in DTYPES for part in parts)


def as_bits(array):
    """A flat array of floats without payloads: any NaN is one NaN."""
    array = numpy.ascontiguousarray(array).reshape(-1)
    if array.dtype.kind == "c":
        array = array.view(f"f{array.dtype.itemsize // 2}")
    return array


def within(got, want, ulp):
    """Where two arrays differ by at most `ulp` units in the last place of the wanted number; a
    complex number counts as one.
    """
    with numpy.errstate(all="ignore"):
        scale = numpy.spacing(abs(want)) if want.dtype.kind in "fc" else 0
        close = abs(got - want) <= ulp * scale
        # Where a complex product overflows, infinities and NaNs depend on the order of roundings.
        if want.dtype.kind == "c":
            close |= ~numpy.isfinite(got) & ~numpy.isfinite(want)
    if want.dtype.kind == "c":
        close = numpy.repeat(close.reshape(-1), 2)
    return close.reshape(-1)


def assert_same(got, want, zero_sign=True, label="", ulp=0):
    """The same dtype, shape and bits. NaN equals NaN; with zero_sign=False -0.0 equals 0.0; numbers
    may differ by `ulp` units in the last place.
    """
    if isinstance(want, (tuple, list)):
        assert type(got) is type(want), f"{label}: {type(got).__name__}"
        assert len(got) == len(want), label
        for g, w in zip(got, want, strict=True):
            assert_same(g, w, zero_sign, label, ulp)
        return
    if not isinstance(want, (numpy.ndarray, numpy.generic)):
        assert type(got) is type(want), (
            f"{label}: {type(got).__name__} instead of {type(want).__name__}"
        )
        assert got == want or repr(got) == repr(want), f"{label}: {got!r} instead of {want!r}"
        return
    assert hasattr(got, "dtype"), f"{label}: {type(got).__name__} is no array"
    assert numpy.dtype(got.dtype) == want.dtype, f"{label}: {got.dtype} instead of {want.dtype}"
    assert tuple(got.shape) == want.shape, f"{label}: {got.shape} instead of {want.shape}"
    got = numpy.asarray(got)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    g, w = as_bits(got), as_bits(want)
    same = g == w
    if g.dtype.kind == "f":
        with numpy.errstate(invalid="ignore"):
            nan = (g != g) & (w != w)
            if zero_sign:
                same &= numpy.signbit(g) == numpy.signbit(w)
            same |= nan
            if ulp:
                same |= within(got, want, ulp)
    if not same.all():
        spot = int(numpy.argmin(same))
        raise AssertionError(
            f"{label}: {int((~same).sum())} of {same.size} values differ, first at {spot}: {g[spot]!r} instead of {w[spot]!r}"
        )


def public_type(problem):
    """The nearest public class of an exception: NumPy's private ones count as what they derive
    from.
    """
    for base in type(problem).__mro__:
        if not base.__name__.startswith("_") and base.__name__ != "UFuncTypeError":
            return base.__name__
    return None


def outcome(function, module):
    """What a function returns, with every array evaluated, or the exception that it raises."""
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result = function(module)
            for part in result if isinstance(result, tuple) else (result,):
                if hasattr(part, "eval"):
                    part.eval()
            return result, None
        except Exception as problem:
            return None, problem.with_traceback(None)


def agree(function, *, message=False, zero_sign=True, label="", ulp=0):
    """Runs function(module) on NumPy and on the module under test: the same result, or the same
    exception.

    With `message`, the exceptions' texts are compared too. Returns NumPy's exception or None.
    """
    want, want_problem = outcome(function, numpy)
    if want_problem is None and not supported(want):
        return None
    got, problem = outcome(function, np)
    if want_problem is not None:
        assert problem is not None, f"{label}: no exception instead of {want_problem!r}"
        assert public_type(problem) == public_type(want_problem), (
            f"{label}: {problem!r} instead of {want_problem!r}"
        )
        if message:
            assert str(problem) == str(want_problem), label
        return want_problem
    if problem is not None:
        raise AssertionError(f"{label}: {problem!r}") from problem
    assert_same(got, want, zero_sign, label, ulp)
    return None
