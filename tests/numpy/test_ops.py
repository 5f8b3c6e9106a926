"""Every row of the table of operations against NumPy: dtypes, layouts, lengths, scalars, `out=`,
`where=`, `dtype=`, errors.
"""

import functools
import itertools
import json

import numpy
import pytest
from checks import DTYPES, IS_NUMPY, LENGTHS, agree, np, supported, values

KINDS = ("unary", "binary", "reduction")
OPEN_ZERO = {"maximum", "minimum", "fmax", "fmin", "max", "min", "amax", "amin"}
"""Where the sign of a zero depends on NumPy's vector width."""


def numpy_table():
    """A table of the same form from NumPy's ufuncs, to try these tests with NumPy itself."""
    rows = []
    for name, function in sorted(vars(numpy).items()):
        if not isinstance(function, numpy.ufunc) or name != function.__name__ or name == "isnat":
            continue
        if function.signature is None and function.nout == 1 and function.nin <= 2:
            kind = ("unary", "binary")[function.nin - 1]
            rows.append(
                {
                    "name": name,
                    "kind": kind,
                    "arity": function.nin,
                    "aliases": [],
                    "example": f"np.{name}",
                }
            )
    for name in ("sum", "prod", "min", "max", "any", "all", "mean", "argmin", "argmax"):
        rows.append(
            {"name": name, "kind": "reduction", "arity": 1, "aliases": [], "example": f"np.{name}"}
        )
    return rows


def load_table():
    if IS_NUMPY:
        return numpy_table()
    with open(np.ops_json_path()) as file:
        return json.load(file)


TABLE = load_table()
UNARY, BINARY, REDUCTIONS = (
    [row["name"] for row in TABLE if row["kind"] == kind] for kind in KINDS
)


# Layouts for which results equal NumPy's bit for bit; for others, NumPy's own bits of inexact
# functions depend on how its iterator walks the array.
EXACT_LAYOUTS = ("contiguous", "offset", "0-d", "one", "empty", "empty rows", "matrix")


def layout_bound(name, dtype, label):
    """As `bound`, for a layout; complex products of single numbers are not NumPy's vector loop."""
    single = label in ("0-d", "one", "length 1") and dtype.startswith("complex")
    return bound(name) if single or label not in EXACT_LAYOUTS else contiguous_bound(name)


def contiguous_bound(name):
    """Units in the last place by which an operation may differ where the loop is not NumPy's."""
    return next(row["vector_ulp"] for row in TABLE if row["name"] == name)


def bound(name):
    """Units in the last place by which an operation may differ for other layouts."""
    return next(row["ulp"] for row in TABLE if row["name"] == name)


def zero_sign(name):
    return name not in OPEN_ZERO


def inputs(name, dtype, shape, seed=0):
    """Values an operation is defined for."""
    array = values(dtype, shape, seed)
    if name == "reciprocal" and array.dtype.kind in "iu":
        array[array == 0] = 1  # 1 / 0 as an integer is undefined in C, and NumPy does not catch it
    return array


def layouts(array):
    """Named ways to lay out the values of an array: functions module -> array."""
    n = array.size
    wide = numpy.repeat(array.reshape(-1), 3)
    yield "contiguous", lambda np: np.array(array)
    yield "offset", lambda np: np.array(numpy.concatenate([array[:1], array]))[1:]
    yield "strided", lambda np: np.array(wide)[::3]
    yield "reversed", lambda np: np.array(array)[::-1]
    yield "reversed strided", lambda np: np.array(wide)[::-3]
    yield "0-d", lambda np: np.array(array[0])
    yield "one", lambda np: np.array(array[:1]).reshape(1, 1, 1)
    yield "empty", lambda np: np.array(array[:0])
    yield "empty rows", lambda np: np.array(array[:0]).reshape(3, 0)
    square = array[: n // 6 * 6].reshape(6, -1)
    yield "matrix", lambda np: np.array(square)
    yield "transposed", lambda np: np.array(square).T
    yield "inner part", lambda np: np.array(square)[1:-1, 2:-1]
    yield "inner part reversed", lambda np: np.array(square)[::-2, ::-1]
    yield "broadcast", lambda np: np.broadcast_to(np.array(array[:5]), (3, 5))
    yield "broadcast column", lambda np: np.broadcast_to(np.array(array[:5])[:, None], (5, 9))
    cube = array[: n // 12 * 12].reshape(2, 3, -1, 2)
    yield "4-d permuted", lambda np: np.array(cube).transpose(2, 0, 3, 1)


@functools.cache
def both(name):
    """The function of a name in either module, found when it runs."""
    return lambda np: getattr(np, name)


def test_table_has_numpy_functions_only():
    for row in TABLE:
        if row["kind"] in KINDS:
            for name in (row["name"], *row["aliases"]):
                assert hasattr(numpy, name), name
                assert hasattr(np, name), name
            assert row["arity"] == {"unary": 1, "binary": 2, "reduction": 1}[row["kind"]]
    assert UNARY and BINARY and REDUCTIONS


@pytest.mark.parametrize(
    "row", [r for r in TABLE if "(" in r["example"]], ids=lambda row: row["name"]
)
def test_example(row):
    names = {"inf": numpy.inf, "nan": numpy.nan}
    agree(
        lambda np: eval(row["example"], {"np": np, **names}),
        zero_sign=zero_sign(row["name"]),
        label=row["example"],
    )


@pytest.mark.parametrize("row", [r for r in TABLE if r["aliases"]], ids=lambda row: row["name"])
def test_aliases_are_the_same_function(row):
    first = inputs(row["name"], "float64", (9,))
    for alias in row["aliases"]:
        agree(
            lambda np, alias=alias: getattr(np, alias)(*[np.array(first)] * row["arity"]),
            zero_sign=zero_sign(row["name"]),
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    call = both(name)
    for label, make in layouts(inputs(name, dtype, (84,))):
        agree(
            lambda np, make=make: call(np)(make(np)),
            zero_sign=zero_sign(name),
            label=label,
            ulp=layout_bound(name, dtype, label),
        )
    for n in LENGTHS:
        array = inputs(name, dtype, (n,), n)
        agree(
            lambda np, array=array: call(np)(np.array(array)),
            zero_sign=zero_sign(name),
            label=f"length {n}",
            ulp=contiguous_bound(name),
        )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    call = both(name)
    first, second = inputs(name, dtype, (84,)), inputs(name, dtype, (84,), 1)
    if name in ("power", "float_power") and first.dtype.kind == "i":
        second = abs(second) % 7
    for (label, one), (_, two) in zip(layouts(first), layouts(second), strict=True):
        agree(
            lambda np, one=one, two=two: call(np)(one(np), two(np)),
            zero_sign=zero_sign(name),
            label=label,
            ulp=layout_bound(name, dtype, label),
        )
    for n in LENGTHS:
        a, b = inputs(name, dtype, (n,), n), inputs(name, dtype, (n,), n + 1)
        agree(
            lambda np, a=a, b=b: call(np)(np.array(a), np.array(b)),
            zero_sign=zero_sign(name),
            label=f"length {n}",
            ulp=contiguous_bound(name),
        )
    shapes = (
        ((6, 1), (1, 7)),
        ((3, 1, 4), (5, 4)),
        ((), (9,)),
        ((1,), (0,)),
        ((2, 3), (2, 3)),
        ((4, 1), (4,)),
    )
    for one, two in shapes:
        a, b = inputs(name, dtype, one, 3), inputs(name, dtype, two, 4)
        agree(
            lambda np, a=a, b=b: call(np)(np.array(a), np.array(b)),
            zero_sign=zero_sign(name),
            label=f"{one} {two}",
            ulp=bound(name),
        )
    a, b = inputs(name, dtype, (5, 6)), inputs(name, dtype, (6, 5), 1)
    agree(
        lambda np: call(np)(np.array(a), np.array(b).T),
        zero_sign=zero_sign(name),
        label="one transposed",
        ulp=bound(name),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_mixed_dtypes(name, dtype):
    call, a = both(name), inputs(name, dtype, (17,))
    for other in DTYPES:
        b = inputs(name, other, (17,), 1)
        agree(
            lambda np, b=b: call(np)(np.array(a), np.array(b)),
            zero_sign=zero_sign(name),
            label=f"{dtype} {other}",
        )


SCALARS = (
    True,
    False,
    0,
    1,
    2,
    -1,
    3,
    300,
    2**40,
    2**63,
    -(2**63),
    0.0,
    -0.0,
    0.5,
    2.0,
    -1.5,
    1e300,
    numpy.inf,
    numpy.nan,
    1j,
    1 + 2j,
)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_python_scalars(name, dtype):
    call, a = both(name), inputs(name, dtype, (19,))
    for x in SCALARS:
        agree(
            lambda np, x=x: call(np)(np.array(a), x),
            zero_sign=zero_sign(name),
            label=f"array, {x!r}",
        )
        agree(
            lambda np, x=x: call(np)(x, np.array(a)),
            zero_sign=zero_sign(name),
            label=f"{x!r}, array",
        )


@pytest.mark.parametrize("dtype", ("int32", "float64", "complex64"))
@pytest.mark.parametrize("name", BINARY)
def test_numpy_operands(name, dtype):
    """NumPy's scalars and arrays as the other operand; their dtype is a full one, unlike a Python
    number's.
    """
    call, a, b = both(name), inputs(name, dtype, (7,)), inputs(name, dtype, (7,), 1)
    for other in (numpy.float64(0.5), numpy.int8(3), numpy.float32(2), b):
        agree(
            lambda np, other=other: call(np)(np.array(a), other),
            zero_sign=zero_sign(name),
            label=repr(other),
        )


OUT_DTYPES = ("bool", "int32", "uint8", "float32", "float64", "complex128")


def operands(name, dtype, arity, shape):
    return [inputs(name, dtype, shape, seed) for seed in range(arity)]


def into_out(call, arrays, out, where=None, place=Ellipsis):
    """A function module -> the array written through `out=`."""

    def run(np):
        target = np.array(out)
        keywords = {} if where is None else {"where": np.array(where)}
        result = call(np)(*(np.array(a) for a in arrays), out=target[place], **keywords)
        return target, result

    return run


@pytest.mark.parametrize("dtype", ("bool", "int16", "uint64", "float32", "float64", "complex128"))
@pytest.mark.parametrize(("name", "arity"), [(n, 1) for n in UNARY] + [(n, 2) for n in BINARY])
def test_out_and_where(name, arity, dtype):
    call, zero = both(name), zero_sign(name)
    arrays = operands(name, dtype, arity, (5, 7))
    mask = values("bool", (5, 7), 9)
    for target in OUT_DTYPES:
        out = numpy.full((5, 7), 1, target)
        agree(into_out(call, arrays, out), zero_sign=zero, label=f"out {target}")
        agree(into_out(call, arrays, out, mask), zero_sign=zero, label=f"out {target}, where")
        agree(
            into_out(call, arrays, out, mask[0]),
            zero_sign=zero,
            label=f"out {target}, where of a row",
        )
    wide = numpy.full((11, 16), 1, "complex128" if dtype == "complex128" else "float64")
    agree(
        into_out(call, arrays, wide, None, (slice(1, 6), slice(2, 16, 2))),
        zero_sign=zero,
        label="strided out",
    )
    agree(
        into_out(call, arrays, wide, mask, (slice(9, 4, -1), slice(7))),
        zero_sign=zero,
        label="reversed out",
    )
    agree(
        into_out(call, arrays, numpy.zeros((2, 5, 7), wide.dtype)),
        zero_sign=zero,
        label="larger out",
    )
    agree(into_out(call, arrays, numpy.zeros(7, wide.dtype)), zero_sign=zero, label="smaller out")

    def in_place(np):
        a = np.array(arrays[0])
        return call(np)(a, *(np.array(b) for b in arrays[1:]), out=a), a

    agree(in_place, zero_sign=zero, label="out is an input")

    def overlapping(np):
        a = np.array(arrays[0])
        call(np)(*[a[:-1]] * arity, out=a[1:])
        return a

    agree(overlapping, zero_sign=zero, label="out overlaps an input")


@pytest.mark.parametrize(("name", "arity"), [(n, 1) for n in UNARY] + [(n, 2) for n in BINARY])
def test_dtype_argument(name, arity):
    call = both(name)
    for dtype, wanted in itertools.product(
        ("bool", "int8", "int32", "float32", "float64"),
        ("bool", "int64", "float32", "float64", "complex128"),
    ):
        arrays = [values(dtype, (9,), seed, wild=False) for seed in range(arity)]
        if name in ("power", "reciprocal"):
            arrays = [abs(a) + a.dtype.type(1) for a in arrays]
        agree(
            lambda np, arrays=arrays, wanted=wanted: call(np)(
                *(np.array(a) for a in arrays), dtype=wanted
            ),
            zero_sign=zero_sign(name),
            label=f"{dtype} as {wanted}",
        )


@pytest.mark.parametrize(("name", "arity"), [(n, 1) for n in UNARY] + [(n, 2) for n in BINARY])
def test_wrong_arguments(name, arity):
    call = both(name)
    agree(lambda np: call(np)(), message=True)
    agree(lambda np: call(np)(*[np.ones(3)] * (arity + 2)), message=True)
    agree(lambda np: call(np)(*[np.ones(3)] * arity, no_such=1), label="unknown keyword")
    agree(lambda np: call(np)(*[np.ones(3)] * arity, out=3), label="out is no array")
    agree(lambda np: call(np)(*[np.ones(3)] * arity, dtype="no such type"), label="unknown dtype")
    agree(lambda np: call(np)(*[np.ones(3)] * arity, where="text"), label="where is text")
    if arity == 2:
        agree(lambda np: call(np)(np.ones(3), np.ones(4)), message=True)
        agree(lambda np: call(np)(np.ones((2, 3)), np.ones((3, 2))), message=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reduction(name, dtype):
    call, zero = both(name), zero_sign(name)
    for label, make in layouts(values(dtype, (84,), wild=False)):
        agree(lambda np, make=make: call(np)(make(np)), zero_sign=zero, label=label)
        agree(
            lambda np, make=make: call(np)(make(np), axis=0),
            zero_sign=zero,
            label=f"{label}, axis 0",
        )
        agree(
            lambda np, make=make: call(np)(make(np), axis=-1),
            zero_sign=zero,
            label=f"{label}, last axis",
        )
    for n in LENGTHS:
        array = values(dtype, (n,), n, wild=False)
        agree(
            lambda np, array=array: call(np)(np.array(array)), zero_sign=zero, label=f"length {n}"
        )


def test_supported_is_not_vacuous():
    """Most pairs of operation and dtype are really compared."""
    results = [
        outcome for n in UNARY for d in DTYPES if (outcome := numpy_result(n, d)) is not None
    ]
    assert sum(map(supported, results)) > len(results) // 2


def numpy_result(name, dtype):
    with numpy.errstate(all="ignore"):
        try:
            return getattr(numpy, name)(inputs(name, dtype, (3,)))
        except TypeError:
            return None


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", "complex128"])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 7])
def test_short_rows(dtype, width):
    a, w, c = values(dtype, (700, width)), values(dtype, (700,)), values(dtype, (width,))
    for _ in range(3):
        agree(lambda np: (np.array(a) + np.array(c)) * np.array(w)[:, None])
        agree(lambda np: np.array(a)[::-1, ::-1] + np.array(c), label="backwards")
        agree(lambda np: np.repeat(np.array(w), width), label="repeat")
        agree(lambda np: np.exp(np.array(a) + np.array(c)), label="with a call")
