"""Results of one value behave as NumPy's scalars; single elements are read and written at once."""

import copy
import fractions
import math
import numbers
import pickle

import fuseau
import numpy
import pytest

MODULES = (numpy, fuseau)


def lazy(np, dtype="float64"):
    """A full reduction, which fuseau does not compute before it must."""
    return np.array([1, 2, 4], dtype).sum(dtype=dtype)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "uint8", "complex64", "bool"])
@pytest.mark.parametrize(
    "kind", [float, int, complex, numpy.floating, numpy.integer, numpy.generic]
)
def test_isinstance(dtype, kind):
    assert isinstance(lazy(fuseau, dtype), kind) == isinstance(lazy(numpy, dtype), kind)
    one, two = (np.array([1, 2], dtype)[1] for np in MODULES)
    assert type(one) is type(two)


def test_what_looks_like_a_scalar_has_a_value():
    s = lazy(fuseau)
    assert s.is_pending
    assert isinstance(s, float)
    assert not s.is_pending


def test_abstract_classes():
    assert isinstance(lazy(fuseau), numbers.Real)
    assert isinstance(lazy(fuseau, "int64"), numbers.Integral)
    assert fuseau.isscalar(lazy(fuseau))


@pytest.mark.parametrize(
    "text",
    [
        "round(s)",
        "round(s, 1)",
        "math.trunc(s)",
        "math.floor(s / 2)",
        "math.ceil(s / 2)",
        "s.is_integer()",
        "s.as_integer_ratio()",
        "s.hex()",
        "fractions.Fraction(s)",
        "divmod(s, 2)",
        "f'{s:.3f} {s}'",
        "'%d' % s",
        "hash(s)",
        "copy.deepcopy(s)",
        "pickle.loads(pickle.dumps(s))",
        "[0, 1] * int(s)",
        "s.hex",
        "s.bit_count()",
        "s * [1]",
    ],
)
def test_what_floats_can_do(text):
    results = []
    for np in MODULES:
        names = {
            "s": lazy(np),
            "math": math,
            "copy": copy,
            "pickle": pickle,
            "fractions": fractions,
        }
        try:
            results.append(eval(text, names))
        except Exception as error:
            results.append((type(error), str(error)))
    if not callable(results[0]):
        assert results[0] == results[1]


BASES = {
    "float32": (-math.inf, -0.0, 1.1, 7.3, 1e-30),
    "float64": (-math.inf, -0.0, 1.1, 7.3, 1e-300),
    "int32": (0, 5, -7),
    "uint8": (3,),
    "bool": (True,),
}
EXPONENTS = (0.5, 2, 2.5, -0.5, 3.0, numpy.float32(0.5), numpy.float64(-1.3), numpy.int8(3))


@pytest.mark.parametrize("exponent", EXPONENTS, ids=repr)
@pytest.mark.parametrize("dtype, base", [(d, base) for d in BASES for base in BASES[d]])
def test_powers_are_those_of_scalars(dtype, base, exponent):
    """NumPy raises its scalars by `pow`; the loops of its arrays differ at -inf and -0.0."""
    results = []
    for np in MODULES:
        scalar = np.array([base], dtype).max()
        power = scalar**exponent
        scalar **= exponent
        results.append((power, scalar))
    for got, want in zip(results[1], results[0], strict=True):
        assert got.dtype == want.dtype
        # The sign of a NaN is open.
        assert numpy.asarray(got).tobytes() == want.tobytes() or (want != want and got != got)


def test_arrays_have_no_methods_of_scalars():
    a = fuseau.array([1.0, 2.0])
    with pytest.raises(AttributeError, match="no attribute 'is_integer'"):
        a.is_integer  # noqa: B018
    with pytest.raises(TypeError, match="doesn't define __round__"):
        round(a)


@pytest.mark.parametrize("sequence", [[0, 1], (2,), "ab", b"x", bytearray(b"yz")])
def test_integers_repeat_sequences(sequence):
    count = fuseau.arange(4).max()
    assert sequence * count == count * sequence == sequence * 3


def test_elements_set_one_by_one():
    for np in MODULES:
        a = np.zeros((3, 4))
        for i in range(3):
            for j in range(4):
                a[i, j] = 10 * i + j
        a[1] = a[2]
        a[0, ::2] = -1
        a[2, 1:] = a[2, :-1]
        assert a.tolist() == [[-1, 1, -1, 3], [20, 21, 22, 23], [20, 20, 21, 22]]


def test_an_element_set_keeps_what_was_read_before():
    a = fuseau.array([1.0, 2.0, 3.0])
    view, later = a[1:], a + 0.0
    shared = fuseau.array(a)
    exported = numpy.asarray(a)
    a[1] = 9
    assert later.tolist() == shared.tolist() == [1, 2, 3]
    assert view.tolist() == [9, 3]
    assert exported.tolist() == [1, 9, 3]


def test_an_element_read_is_not_changed_later():
    a = fuseau.array([1.0, 2.0])
    first, pending = a[0], (a + 1)[0]
    a[0] = 5
    assert (first, float(pending)) == (1.0, 2.0)


def test_a_loop_of_element_writes_makes_no_plans():
    before = fuseau.stats()["plan_misses"]
    a = fuseau.zeros(5000)
    for i in range(2, 5000):
        a[i] = a[i - 1] * 0.5 + i
    assert fuseau.stats()["plan_misses"] == before
    assert float(a[-1]) == pytest.approx(9996.0)
