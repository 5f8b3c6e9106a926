"""`vectorize`: what is recorded has NumPy's bits; what is more than arithmetic is NumPy's."""

import math

import fuseau as fnp
import numpy
import pytest

RNG = numpy.random.default_rng(3)
X = RNG.normal(size=(30, 40))
Y = RNG.normal(size=40) + 4.0


def same(function, *args):
    """Whether it was recorded; fails unless the result is NumPy's."""
    expected = numpy.vectorize(function)(*args)
    before = fnp.fallback_count("vectorize")
    own = [fnp.array(a) if isinstance(a, numpy.ndarray) else a for a in args]
    found = fnp.vectorize(function)(*own)
    for e, f in zip(*(x if type(x) is tuple else (x,) for x in (expected, found)), strict=True):
        assert type(f) is fnp.ndarray and f.dtype == e.dtype and f.shape == e.shape
        numpy.testing.assert_array_equal(numpy.asarray(f), e)
    return fnp.fallback_count("vectorize") == before


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x * 2.0 + y / 3,
        lambda x, y: (x - y) * (x + y),
        lambda x, y: numpy.sqrt(x * x + y * y),
        lambda x, y: numpy.exp(-x) + numpy.sin(y),
        lambda x, y: 1 / y - abs(-x),
        lambda x, y: x < y,
        lambda x, y: x == y,
        lambda x, y: numpy.maximum(x, 0.5),
        lambda x, y: (x, y * 2),
        lambda x, y: y,
        lambda x, y: fnp.cos(x),
    ],
)
def test_arithmetic_is_recorded(function):
    assert same(function, X, Y)


def test_numbers_and_arrays():
    assert same(lambda x, s: x * s, X, 2.5)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: x if x > y else y,
        lambda x, y: max(x, y),
        lambda x, y: math.sin(x),
        lambda x, y: x**2,
        lambda x, y: 1.0,
        lambda x, y: float(x) + 1,
        lambda x, y: x if isinstance(x, float) else 7.0,
        lambda x, y: len(str(x)) * 1.0,
        lambda x, y: round(x, 2),
        lambda x, y: x // y,
        lambda x, y: (x > 0) + 0,
        lambda x, y: x.real,
        lambda x, y: numpy.add.reduce([x, y]),
    ],
)
@pytest.mark.filterwarnings("ignore::fuseau.FallbackWarning")
def test_more_than_arithmetic_is_numpy_s(function):
    assert not same(function, X, Y)


@pytest.mark.filterwarnings("ignore::fuseau.FallbackWarning")
def test_a_refusal_that_the_function_catches():
    def odd(x):
        try:
            return math.floor(x) * 1.0
        except TypeError:
            return x * 0

    assert not same(odd, X)


@pytest.mark.filterwarnings("ignore::fuseau.FallbackWarning")
@pytest.mark.parametrize("dtype", ["float32", "int64", "bool", "complex128"])
def test_other_types_are_numpy_s(dtype):
    # NumPy calls the function with Python's numbers, which have more digits.
    assert not same(lambda x: x * 3 + 1, X.astype(dtype))


@pytest.mark.filterwarnings("ignore::fuseau.FallbackWarning")
def test_a_division_by_zero_raises_as_in_numpy():
    for module in (numpy, fnp):
        with pytest.raises(ZeroDivisionError):
            module.vectorize(lambda x: 1.0 / x)(module.array([1.0, 0.0, 2.0]))


@pytest.mark.filterwarnings("ignore::fuseau.FallbackWarning")
def test_options_and_empty_arrays():
    assert fnp.vectorize(lambda x: x + 1, otypes="f")(fnp.ones(3)).dtype == numpy.float32
    with pytest.raises(ValueError):
        fnp.vectorize(lambda x: x + 1)(fnp.ones(0))


def test_the_function_is_called_once():
    calls = []

    def function(x):
        calls.append(1)
        return x + 1.0

    assert float(fnp.vectorize(function)(fnp.ones(1000)).sum()) == 2000.0
    assert len(calls) == 1
