"""The loops that programs have in place of NumPy's: the same bits where nothing rounds twice."""

import fuseau as fs
import numpy
import pytest
from linked import same_bits

EXACT_FLOATS = ("floor_divide remainder fmod fmax fmin heaviside nextafter maximum minimum").split()
EXACT_INTEGERS = "floor_divide remainder fmod gcd lcm maximum minimum".split()
ROUNDED = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh "
    "arccosh arctanh cbrt degrees radians"
).split()
ROUNDED_PAIRS = "power arctan2 hypot logaddexp logaddexp2 float_power".split()
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 7.0, 1e300, -1e-300, numpy.inf, -numpy.inf, numpy.nan]


def pairs(values, dtype):
    with numpy.errstate(all="ignore"):
        values = numpy.asarray(values).astype(dtype)
    x, y = numpy.meshgrid(values, values)
    return x.ravel().copy(), y.ravel().copy()


def apply(np, names, *arrays):
    return tuple(getattr(np, name)(*arrays) for name in names)


@pytest.mark.parametrize("code", ["f4", "f8"])
def test_exact_functions_of_floats(code, link):
    dtype = numpy.dtype(code).name
    x, y = pairs([*SPECIAL, *numpy.linspace(-9, 9, 37)], code)
    function = link(lambda x, y: apply(fs, EXACT_FLOATS, x, y), f"{dtype}[n]", f"{dtype}[n]")
    for name, got, want in zip(
        EXACT_FLOATS, function(x, y), apply(numpy, EXACT_FLOATS, x, y), strict=True
    ):
        # Of two zeros NumPy's vector code may give either.
        if name in ("fmax", "fmin", "maximum", "minimum"):
            got, want = got + 0.0, want + 0.0
        same_bits(got, want)


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
)
def test_exact_functions_of_integers(dtype, link):
    info = numpy.iinfo(dtype)
    x, y = pairs([0, 1, 2, 3, 5, 7, 12, 100, info.max, info.min, info.max - 1, info.min + 1], dtype)
    if info.min < 0:
        x = numpy.concatenate([x, -x])
        y = numpy.concatenate([y, y])
    function = link(lambda x, y: apply(fs, EXACT_INTEGERS, x, y), f"{dtype}[n]", f"{dtype}[n]")
    for name, got, want in zip(
        EXACT_INTEGERS, function(x, y), apply(numpy, EXACT_INTEGERS, x, y), strict=True
    ):
        assert got.tolist() == want.tolist(), name


def test_shifts_and_bit_counts(link):
    x, y = pairs([0, 1, -1, 5, 63, 64, 65, 2**62, -(2**63)], "i8")
    y = numpy.abs(y)

    def bits(np, x, y):
        return np.left_shift(x, y), np.right_shift(x, y), np.bitwise_count(x)

    function = link(lambda x, y: bits(fs, x, y), "i64[n]", "i64[n]")
    for got, want in zip(function(x, y), bits(numpy, x, y), strict=True):
        same_bits(got, want)


def ulps(got, want):
    """The largest distance in units in the last place; NaNs and infinities must be the same."""
    finite = numpy.isfinite(want)
    numpy.testing.assert_array_equal(got[~finite], want[~finite])
    if not finite.any():
        return 0
    return (numpy.abs(got - want)[finite] / numpy.spacing(numpy.abs(want))[finite]).max()


@pytest.mark.parametrize(("code", "bound"), [("f8", 4), ("f4", 4)])
def test_rounded_functions(code, bound, link):
    dtype = numpy.dtype(code).name
    random = numpy.random.default_rng(0)
    x = numpy.concatenate([random.standard_normal(3000) * 3, random.uniform(-1, 1, 3000)]).astype(
        code
    )
    y = numpy.abs(x[::-1]).copy()
    function = link(
        lambda x, y: (*apply(fs, ROUNDED, x), *apply(fs, ROUNDED_PAIRS, y, x)),
        f"{dtype}[n]",
        f"{dtype}[n]",
    )
    with numpy.errstate(all="ignore"):
        want = (*apply(numpy, ROUNDED, x), *apply(numpy, ROUNDED_PAIRS, y, x))
    worst = {
        name: ulps(got, right)
        for name, got, right in zip(ROUNDED + ROUNDED_PAIRS, function(x, y), want, strict=True)
    }
    assert max(worst.values()) <= bound, worst


def test_complex_functions(link):
    random = numpy.random.default_rng(0)
    x = random.standard_normal(500) + 1j * random.standard_normal(500)

    def some(np, x):
        return x * x + 1, np.abs(x), x / (x + 2), np.exp(x), np.sqrt(x), np.log(x)

    function = link(lambda x: some(fs, x), "c128[n]")
    for got, want in zip(function(x), some(numpy, x), strict=True):
        numpy.testing.assert_allclose(got, want, rtol=2e-15)


def test_products(link):
    random = numpy.random.default_rng(0)
    a, b = random.integers(-99, 99, (7, 5)), random.integers(-99, 99, (5, 3))
    same_bits(link(lambda a, b: a @ b, "i64[n,k]", "i64[k,m]")(a, b)[0], a @ b)
    x, y = random.standard_normal((17, 11)), random.standard_normal((11, 6))
    product = link(lambda a, b: a @ b, "f64[n,k]", "f64[k,m]")(x, y)[0]
    numpy.testing.assert_allclose(product, x @ y, rtol=1e-13)


def test_a_loop_that_is_not_there_is_an_error(link):
    with pytest.raises(
        NotImplementedError, match="arccosh is computed by NumPy's loop arccosh.D->D"
    ):
        link(lambda x: fs.arccosh(x), "c128[n]")
