"""Result dtypes as NEP 50 has them: Python numbers are weak, NumPy scalars and 0-d arrays are
not.
"""

import itertools
import operator

import numpy
import pytest
from checks import DTYPES, agree, np

OPERATORS = (
    operator.add,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.lt,
    operator.and_,
    operator.pow,
)
PYTHON = (True, 1, 2.0, 1j)


@pytest.mark.parametrize("first", DTYPES)
def test_pairs_of_arrays(first):
    for second, op in itertools.product(DTYPES, OPERATORS):
        agree(lambda np: op(np.ones(3, first), np.ones(3, second)), label=f"{op.__name__} {second}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_numbers_are_weak(dtype):
    for x, op in itertools.product(PYTHON, OPERATORS):
        agree(lambda np: op(np.ones(3, dtype), x), label=f"{op.__name__} {x!r}")
        agree(lambda np: op(x, np.ones(3, dtype)), label=f"{x!r} {op.__name__}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_0d_arrays_are_strong(dtype):
    for other, op in itertools.product(DTYPES, OPERATORS):
        agree(lambda np: op(np.ones(3, dtype), np.ones((), other)), label=f"{op.__name__} {other}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_elements_and_reductions_are_strong(dtype):
    for other in DTYPES:
        agree(lambda np: np.ones(3, dtype) * np.ones(3, other)[0], label=f"element {other}")
        agree(lambda np: np.ones(3, dtype) * np.ones(3, other).max(), label=f"maximum {other}")
    agree(lambda np: np.ones(3, dtype)[0] + 1)
    agree(lambda np: np.ones(3, dtype)[0] + 1.5)
    agree(lambda np: np.ones(3, dtype).sum() * 2)


@pytest.mark.parametrize(
    "scalar",
    [
        numpy.float32(3),
        numpy.float64(3),
        numpy.int8(3),
        numpy.uint64(3),
        numpy.complex64(3),
        numpy.bool_(True),
    ],
    ids=repr,
)
def test_numpy_scalars_are_strong(scalar):
    for dtype, op in itertools.product(DTYPES, OPERATORS):
        agree(lambda np: op(np.ones(3, dtype), scalar), label=f"{op.__name__} {dtype}")
        agree(lambda np: op(scalar, np.ones(3, dtype)), label=f"{dtype} {op.__name__}")


OUT_OF_RANGE = (
    (numpy.int8, 200),
    (numpy.uint8, -1),
    (numpy.uint8, 256),
    (numpy.int64, 2**63),
    (numpy.uint64, -1),
    (numpy.int32, 2**31),
)


@pytest.mark.parametrize(("dtype", "x"), OUT_OF_RANGE)
def test_python_integers_out_of_range(dtype, x):
    agree(lambda np: np.ones(3, dtype) + x, message=True)
    agree(lambda np: x * np.ones(3, dtype), message=True)
    agree(lambda np: np.maximum(np.ones(3, dtype), x), message=True)
    for op in (operator.lt, operator.ge, operator.eq, operator.ne):  # comparisons take any integer
        agree(lambda np: op(np.ones(3, dtype), x))
        agree(lambda np: op(x, np.ones(3, dtype)))

    def assign(np):
        a = np.zeros(3, dtype)
        a[1] = x
        return a

    agree(assign)


def test_float32_stays_float32():
    def run(np):
        a = np.ones(5, np.float32)
        return (
            a * 0.1 + 2,
            np.sqrt(a) / 3,
            np.where(a > 0, a, 0.5),
            a**2,
            a**0.5,
            a.mean(),
            np.sum(a * 1e-3),
        )

    agree(run)


def test_large_python_floats_overflow_float32():
    agree(lambda np: np.ones(2, np.float32) * 1e300)
    agree(lambda np: np.ones(2, np.float32) + 1e39)


@pytest.mark.parametrize("dtype", DTYPES)
def test_in_place_keeps_the_dtype_or_is_refused(dtype):
    for other, name in itertools.product(
        (True, 1, 2.5, 1j, *DTYPES), ("iadd", "itruediv", "ifloordiv", "iand")
    ):

        def run(np):
            a = np.ones(3, dtype)
            return getattr(operator, name)(
                a, np.ones(3, other) if isinstance(other, str) else other
            )

        agree(run, message=True, label=f"{name} {other}")


def test_result_type_functions():
    for pair in itertools.product(
        ("int8", "uint8", "int64", "uint64", "float32", "complex64", "bool"), repeat=2
    ):
        assert numpy.dtype(np.result_type(*pair)) == numpy.result_type(*pair)
        assert np.can_cast(*pair) == numpy.can_cast(*pair)
    assert numpy.dtype(np.result_type(np.ones(2, "float32"), 1.0)) == numpy.dtype("float32")
    assert numpy.dtype(np.promote_types("int32", "float32")) == numpy.dtype("float64")
