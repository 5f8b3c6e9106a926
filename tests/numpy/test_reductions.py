"""Reductions bit for bit: NumPy's order of summation for every shape, layout, axis and dtype."""

import itertools

import numpy
import pytest
from checks import DTYPES, agree, values

NAMES = ("sum", "prod", "min", "max", "any", "all", "mean", "argmin", "argmax")
SUM_LENGTHS = (
    *range(18),
    63,
    64,
    65,
    127,
    128,
    129,
    130,
    255,
    256,
    257,
    1000,
    1023,
    1025,
    4097,
    8191,
    8192,
    8193,
    20000,
    100003,
)


def zero_sign(name):
    return name not in ("min", "max")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("n", SUM_LENGTHS)
def test_sum_of_a_vector(n, dtype):
    a = values(dtype, (n,), wild=False)
    agree(lambda np: np.sum(np.array(a)))
    agree(lambda np: np.array(a).mean())
    agree(lambda np: np.array(a)[::-1].sum(), label="reversed")
    agree(lambda np: np.array(a)[::2].sum(), label="strided")
    agree(lambda np: (np.array(a) * 2 + 1).sum(), label="of an expression")


SHAPES = (
    (3, 5),
    (130, 7),
    (7, 130),
    (129, 129),
    (2, 3, 4),
    (5, 1, 9),
    (33, 2, 17),
    (2, 3, 4, 5),
    (1, 1000),
    (1000, 1),
    (300, 400),
)


@pytest.mark.parametrize("dtype", ["int32", "float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_axis_and_layout(shape, dtype):
    a = values(dtype, shape, wild=False)
    axes = [
        None,
        *range(-len(shape), len(shape)),
        *itertools.combinations(range(len(shape)), 2),
        (),
    ]
    for axis, keepdims in itertools.product(axes, (False, True)):
        keywords = {"axis": axis, "keepdims": keepdims}
        for name in ("sum", "max", "mean"):
            same = {"zero_sign": zero_sign(name)}
            agree(
                lambda np: getattr(np, name)(np.array(a), **keywords),
                label=f"{name} {keywords}",
                **same,
            )
            agree(
                lambda np: getattr(np.array(a).T, name)(**keywords),
                label=f"{name} transposed {keywords}",
                **same,
            )
            agree(
                lambda np: getattr(np.array(a)[::-1], name)(**keywords),
                label=f"{name} reversed {keywords}",
                **same,
            )
            agree(
                lambda np: getattr(np.array(a)[..., ::2], name)(**keywords),
                label=f"{name} strided {keywords}",
                **same,
            )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_dtypes_with_special_values(name, dtype):
    for n in (1, 5, 40, 300):
        a = values(dtype, (n, 3), n)
        if numpy.dtype(dtype).kind == "c" and name in ("min", "max"):
            a = numpy.where(a == a, a, 1)  # which of several NaN comes out is open
        for axis in (None, 0, 1):
            agree(
                lambda np: getattr(np, name)(np.array(a), axis=axis),
                zero_sign=zero_sign(name),
                label=f"{n} {axis}",
            )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (0, 0), (2, 0, 3)])
def test_empty(name, shape):
    for axis in (None, *range(len(shape))):
        agree(
            lambda np: getattr(np, name)(np.zeros(shape), axis=axis),
            message=True,
            label=f"axis {axis}",
        )


@pytest.mark.parametrize("name", NAMES)
def test_0d_and_scalars(name):
    for x in (True, 3, -2.5, 1 + 2j):
        agree(lambda np: getattr(np, name)(np.array(x)), label=repr(x))
        agree(lambda np: getattr(np, name)(x), label=repr(x))
        agree(lambda np: getattr(np.array(x), name)(axis=None, keepdims=True), label=repr(x))


@pytest.mark.parametrize("name", ["argmin", "argmax"])
def test_first_of_equal_elements(name):
    for a in (
        [1, 0, 2, 0, 2],
        [numpy.nan, 1, numpy.nan],
        [0.0, -0.0],
        [True, True],
        [numpy.inf, numpy.nan, numpy.inf],
    ):
        agree(lambda np: getattr(np, name)(np.array(a * 40)), label=repr(a))
        agree(lambda np: getattr(np.array(a * 40)[::-1], name)(), label=repr(a))
    b = values("int8", (17, 33), wild=False) % 3
    for axis in (None, 0, 1, -1):
        agree(lambda np: getattr(np, name)(np.array(b), axis=axis))
        agree(lambda np: getattr(np, name)(np.array(b), axis=axis, keepdims=True))


@pytest.mark.parametrize("name", ["argmin", "argmax"])
@pytest.mark.parametrize("dtype", [t for t in DTYPES if not t.startswith("c")])
def test_first_extreme_across_rows(name, dtype):
    a = values(dtype, (70, 1100))
    agree(lambda np: getattr(np, name)(np.array(a), axis=0))
    agree(lambda np: getattr(np, name)(np.array(a)[:, ::3], axis=0), label="every third")
    agree(lambda np: getattr(np, name)(np.array(a).reshape(7, 10, 1100), axis=1), label="3-d")


def test_dtype_argument():
    for dtype, wanted in itertools.product(
        ("bool", "int8", "uint16", "float32"),
        ("int64", "float64", "float32", "complex128", "uint8"),
    ):
        a = abs(values(dtype, (300,), wild=False))
        if numpy.dtype(dtype).kind == "f" and numpy.dtype(wanted).kind in "iu":
            continue
        for name in ("sum", "prod", "mean"):
            agree(
                lambda np: getattr(np, name)(np.array(a), dtype=wanted),
                label=f"{name} of {dtype} as {wanted}",
            )


def test_integer_sums_widen_and_wrap():
    for dtype in DTYPES[:9]:
        a = values(dtype, (200,))
        agree(
            lambda np: (np.array(a).sum(), np.array(a).prod(), np.sum(np.array(a)[:7], axis=0)),
            label=dtype,
        )


def test_out():
    a = values("float64", (4, 6), wild=False)

    def run(np, name, out, **keywords):
        out = np.array(out)
        result = getattr(np, name)(np.array(a), out=out, **keywords)
        return result is out, out

    for name in ("sum", "prod", "min", "max", "mean"):
        same = {"zero_sign": zero_sign(name)}
        agree(lambda np: run(np, name, numpy.zeros(6), axis=0), label=name, **same)
        agree(lambda np: run(np, name, numpy.zeros(4), axis=1), label=name, **same)
        agree(lambda np: run(np, name, numpy.zeros(())), label=name, **same)
        agree(lambda np: run(np, name, numpy.zeros(6, "float32"), axis=0), label=name, **same)
        agree(lambda np: run(np, name, numpy.zeros(6, "int32"), axis=0), label=name, **same)
        agree(lambda np: run(np, name, numpy.zeros(5), axis=0), label=name, **same)
        agree(
            lambda np: run(np, name, numpy.zeros((1, 6)), axis=0, keepdims=True), label=name, **same
        )
    agree(lambda np: run(np, "argmax", numpy.zeros(6, "int64"), axis=0))


def test_where_and_initial():
    a, mask = values("float64", (5, 40), wild=False), values("bool", (5, 40))
    for axis in (None, 0, 1):
        agree(lambda np: np.sum(np.array(a), axis=axis, where=np.array(mask)))
        agree(lambda np: np.prod(np.array(a), axis=axis, where=np.array(mask[0])))
        agree(lambda np: np.max(np.array(a), axis=axis, where=np.array(mask), initial=-5.0))
        agree(lambda np: np.max(np.array(a), axis=axis, where=np.array(mask)), message=True)
        agree(lambda np: np.min(np.array(a), axis=axis, initial=0.25))
        agree(lambda np: np.sum(np.array(a), axis=axis, initial=10))
        agree(lambda np: np.mean(np.array(a), axis=axis, where=np.array(mask)))
        agree(lambda np: np.any(np.array(a) > 1, axis=axis, where=np.array(mask)))
    agree(lambda np: np.max(np.zeros((0, 3)), axis=0, initial=1.0))


def test_reduction_back_into_an_expression():
    a = values("float64", (37, 129), wild=False)

    def softmax(np):
        shifted = np.exp(np.array(a) - np.max(np.array(a), axis=1, keepdims=True))
        return shifted / np.sum(shifted, axis=1, keepdims=True)

    def standardised(np):
        b = np.array(a)
        return (b - b.mean(axis=0)) / np.sqrt(((b - b.mean(axis=0)) ** 2).mean(axis=0))

    agree(softmax)
    agree(standardised)
    agree(lambda np: np.sqrt(np.sum((np.array(a) - 1) ** 2)))
    agree(lambda np: np.array(a).sum(axis=0).sum() - np.array(a).sum())


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("axis", [None, 0, 1, (0, 2)])
def test_numpys_own_broadcast_array(dtype, axis):
    """It is not copied along the axes that it repeats: that would be another order of additions."""
    a = values(dtype, (20, 19), wild=False)
    for part, shape in ((a, (3, 20, 19)), (a[:, None], (20, 3, 19)), (a[..., None], (20, 19, 3))):
        repeated = numpy.broadcast_to(part, shape)
        agree(lambda np, x=repeated: np.sum(x, axis=axis))
        agree(lambda np, x=repeated: list(np.add(x, 1).strides))


def test_axes_of_an_array_without_dimensions():
    """An axis of 0 or -1 is none; a tuple of one is an error."""
    for axis in (None, 0, -1, (), (0,), (-1,), 1):
        for name in ("sum", "max", "all", "mean", "var"):
            agree(lambda np, name=name, axis=axis: getattr(np, name)(np.array(3.0), axis=axis))


INTO = {
    "sum": [("float64", "float64"), ("float32", "float64"), ("float64", "float32"), ("complex128", "complex128")],
    "prod": [("float64", "float64"), ("float64", "float32")],
    "mean": [("float32", "float32"), ("complex128", "complex128")],
    "var": [("float64", "float64"), ("complex128", "float64")],
}  # fmt: skip


@pytest.mark.parametrize("out_order", ["C", "F"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 4, 2), (17, 9, 33), (3, 4000, 2)])
@pytest.mark.parametrize("name", INTO)
def test_where_the_result_goes_decides_the_order_of_a_sum(name, shape, order, out_order):
    def reduce_into(np, dtype, out_dtype, axis):
        a = np.array(values(dtype, shape, wild=False), order=order)
        out = np.zeros(a.sum(axis).shape, out_dtype, order=out_order)
        return getattr(np, name)(a, axis=axis, out=out)

    for (dtype, out_dtype), axis in itertools.product(INTO[name], (0, 1, 2, (0, 1))):
        agree(
            lambda np: reduce_into(np, dtype, out_dtype, axis), label=f"{dtype} {out_dtype} {axis}"
        )
