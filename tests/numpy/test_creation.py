"""Arrays from nothing, from Python and from other arrays."""

import itertools

import numpy
import pytest
from checks import DTYPES, agree, np, values

SHAPES = ((), 0, 3, (0, 4), (2, 3), [2, 2], numpy.int64(4), (2, 1, 3))


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
@pytest.mark.parametrize(
    "dtype", [None, *DTYPES, float, int, bool, complex, numpy.float32, numpy.dtype("i2"), "f4", "d"]
)
def test_filled(shape, dtype):
    keywords = {} if dtype is None else {"dtype": dtype}
    agree(lambda np: np.zeros(shape, **keywords))
    agree(lambda np: np.ones(shape, **keywords))
    agree(lambda np: np.full(shape, 3, **keywords))
    agree(lambda np: np.full(shape, True, **keywords))
    want, got = numpy.empty(shape, **keywords), np.empty(shape, **keywords)
    assert (tuple(got.shape), numpy.dtype(got.dtype)) == (want.shape, want.dtype)


@pytest.mark.parametrize("number", [2, 2.0, True])
def test_shapes_that_are_computed(number):
    for lazy in (lambda np: np.array(number), lambda np: np.array([number, number]).max()):
        agree(lambda np: np.zeros(lazy(np)))
        agree(lambda np: np.ones((lazy(np), 3)))
        agree(lambda np: np.arange(4.0).reshape(lazy(np), 2))
        agree(lambda np: np.arange(4.0).reshape(lazy(np) * lazy(np)))
        agree(lambda np: np.broadcast_to(np.arange(2.0), (lazy(np), 2)))
        agree(lambda np: np.tile(np.arange(2.0), lazy(np) + 1))


LISTS = (
    [], [[]], [[], []], [1, 2, 3], [1, 2.5], [True, 2], [True, False], [1, 2j], [[1, 2], [3, 4]], (1, (2)), [(1, 2), [3, 4]], 5, 2.5, True, 1j,
    [[1], [2], [3]], [2**31], [2**63], [-(2**63)], [numpy.float32(1), 2], [numpy.int8(1), numpy.int16(2)], range(4), [numpy.nan, -0.0],
    [[[]]], [numpy.array([1, 2]), numpy.array([3.5, 4])],
)  # fmt: skip


@pytest.mark.parametrize("content", LISTS, ids=repr)
def test_array_of_python_objects(content):
    agree(lambda np: np.array(content))
    agree(lambda np: np.asarray(content))
    for dtype in DTYPES:
        if numpy.asarray(content).dtype.kind == "f" and numpy.dtype(dtype).kind in "iu":
            continue  # NaN in an integer
        agree(lambda np: np.array(content, dtype=dtype), label=dtype)
        agree(lambda np: np.array(content, dtype=dtype).flags.writeable, label=dtype)


def test_array_of_our_numbers():
    """Known ones and ones to be computed, alone and among Python's."""
    for known in (False, True):

        def numbers(np, known=known):
            a = np.array([0.5, -1.5, 2.0])
            x, y, i = a[0] * 3, a.sum(), np.arange(4)[2] + 1
            for v in (x, y, i):
                if known:
                    float(v)
            return x, y, i

        for pick in (
            lambda x, y, i: [x, y],
            lambda x, y, i: (x, y, x),
            lambda x, y, i: [x, 2, y, 0.25],
            lambda x, y, i: [1, x],
            lambda x, y, i: [i, i],
            lambda x, y, i: [i, 3],
            lambda x, y, i: [x, i],
            lambda x, y, i: [x, True],
            lambda x, y, i: [x, 2**63, -1],
            lambda x, y, i: [x, 1j],
            lambda x, y, i: [[x, y], [y, x]],
            lambda x, y, i: [x] * 100,
        ):
            agree(lambda np, pick=pick: np.array(pick(*numbers(np))))
            agree(lambda np, pick=pick: np.asarray(pick(*numbers(np))).flags.writeable)


def test_ragged_lists_are_refused():
    agree(lambda np: np.array([[1, 2], [3]]), message=True)
    agree(lambda np: np.array([1, [2]]), message=True)


def test_values_that_do_not_fit_are_refused():
    for dtype, x in itertools.product(
        ("int8", "uint8", "uint64", "int64"), (300, -1, 2**64, -(2**70))
    ):
        agree(lambda np: np.array([x], dtype=dtype), message=True, label=f"{dtype} {x}")
        agree(lambda np: np.full(3, x, dtype=dtype), label=f"full {dtype} {x}")


def test_ndmin_and_copy():
    a = values("float64", (3,))
    agree(lambda np: np.array(a, ndmin=3))

    def run(np):
        b = np.array(a)
        c, d = np.array(b), np.asarray(b)
        b[0] = 100
        return c, d, d is b

    agree(run)


def test_a_numpy_array_given_is_copied():
    a = numpy.arange(4.0)
    b = np.array(a)
    c = b * 2
    a[:] = -1
    assert numpy.asarray(b).tolist() == [0, 1, 2, 3]
    assert numpy.asarray(c).tolist() == [0, 2, 4, 6]


def test_a_numpy_operand_may_change_afterwards():
    a = numpy.arange(4.0)
    b = np.ones(4) + a
    a[:] = -1
    assert numpy.asarray(b).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "full_like", "empty_like"])
def test_like(name):
    for dtype, wanted, shape in itertools.product(
        DTYPES, (None, "int8", "complex64"), (None, (2, 2), ())
    ):
        a = values(dtype, (2, 3))

        def run(np):
            fill = (3,) if name == "full_like" else ()
            b = getattr(np, name)(np.array(a), *fill, dtype=wanted, shape=shape)
            if name == "empty_like":
                b[...] = 1
            return b

        agree(run, label=f"{dtype} {wanted} {shape}")


def test_like_keeps_the_order_of_axes():
    a, b = np.zeros_like(np.zeros((3, 4)).T), numpy.zeros_like(numpy.zeros((3, 4)).T)
    assert tuple(a.strides) == b.strides


RANGES = (
    (5,), (0,), (-3,), (2, 7), (7, 2), (0, 10, 3), (10, 0, -3), (5.0,), (0.5, 4), (0, 1, 0.1), (1, 0, -0.25), (0, -1), (2.5,), (1, 2, 0.3),
    (0, 5, 10), (numpy.int8(5),), (numpy.float32(3),), (100000,), (0, 1, 1e-5),
)  # fmt: skip


@pytest.mark.parametrize("arguments", RANGES, ids=repr)
def test_arange(arguments):
    agree(lambda np: np.arange(*arguments))
    for dtype in ("int8", "int32", "uint16", "float32", "float64", "complex64"):
        agree(lambda np: np.arange(*arguments, dtype=dtype), label=dtype)


def test_arange_errors():
    agree(lambda np: np.arange(0, 3, 0), message=True)
    agree(lambda np: np.arange(0, 1, numpy.nan))
    agree(lambda np: np.arange())
    agree(lambda np: np.arange("text"))


@pytest.mark.parametrize(
    "arguments",
    [
        (0, 1),
        (1, 0),
        (-2.5, 7),
        (0, 10, 11),
        (0, 1, 1),
        (0, 1, 0),
        (3, 3, 4),
        (0, 1j, 5),
        (0, 1, 1000),
        (0.1, 0.7, 129),
    ],
)
def test_linspace(arguments):
    agree(lambda np: np.linspace(*arguments))
    agree(lambda np: np.linspace(*arguments, endpoint=False))
    agree(
        lambda np: np.linspace(*arguments, dtype="float32") if arguments[1] != 1j else np.zeros(1)
    )
    agree(lambda np: np.linspace(*arguments, retstep=True))
    agree(lambda np: np.linspace(0, 1, -1), message=True)


def test_eye_and_identity():
    for arguments in ((3,), (0,), (2, 4), (4, 2), (3, 3, 1), (3, 4, -2), (2, 2, 7)):
        agree(lambda np: np.eye(*arguments), label=repr(arguments))
    agree(lambda np: np.eye(3, dtype="int8"))
    agree(lambda np: np.identity(4))


def test_fromfunction():
    agree(lambda np: np.fromfunction(lambda i, j: i + 2 * j, (3, 4)))
    agree(lambda np: np.fromfunction(lambda i, j: i == j, (3, 3), dtype=int))
    agree(lambda np: np.fromfunction(lambda i: i * 0.5, (5,)))


def test_copies():
    a = values("int32", (3, 4))

    def run(np):
        b = np.array(a)
        copies = (
            b.copy(),
            np.copy(b),
            b.flatten(),
            b.astype("int32"),
            np.array(b),
            b[:, ::-1].copy(),
            b.T.copy(),
        )
        b[...] = 0
        return copies

    agree(run)


@pytest.mark.parametrize("dtype", DTYPES)
def test_astype(dtype):
    for wanted in DTYPES:
        a = values(dtype, (50,))
        if a.dtype.kind in "fc" and numpy.dtype(wanted).kind in "iu":
            a = numpy.where((a.real >= 0) & (a.real < 100), a, 5).astype(dtype)
        agree(lambda np: np.array(a).astype(wanted), label=wanted)
        agree(lambda np: np.array(a)[::-2].astype(wanted), label=f"{wanted} strided")
        agree(
            lambda np: np.array(a).astype(wanted, casting="safe"),
            message=True,
            label=f"{wanted} safe",
        )
        agree(lambda np: np.array(a).astype(wanted, copy=False) * 1, label=f"{wanted} no copy")


def test_concatenate_and_stack():
    a, b, c = values("int32", (2, 3)), values("float32", (2, 3)), values("int8", (4, 3))
    for axis in (0, 1, -1, None):
        agree(
            lambda np: np.concatenate([np.array(a), np.array(b)], axis=axis), label=f"axis {axis}"
        )
    agree(lambda np: np.concatenate((np.array(a), np.array(c), np.array(b)[::-1])))
    agree(lambda np: np.concatenate([np.array(a), numpy.zeros((1, 3)), [[1, 2, 3]]]))
    agree(lambda np: np.concatenate([np.array(a), np.array(b)], dtype="complex64"))
    agree(lambda np: np.concatenate([np.array(a)[:0], np.array(b)]))
    for axis in (0, 1, 2, -1, -3):
        agree(
            lambda np: np.stack([np.array(a), np.array(b), np.array(a)], axis=axis),
            label=f"axis {axis}",
        )
    agree(lambda np: np.vstack([np.array(a), np.array(c)]))
    agree(lambda np: np.hstack([np.array(a), np.array(b)]))

    def out(np):
        target = np.zeros((2, 6))
        np.concatenate([np.array(a), np.array(b)], axis=1, out=target)
        return target

    agree(out)

    def aliased(np):
        x = np.arange(6.0)
        y = np.concatenate([x[3:], x[:3]])
        x[:] = y
        return x, y

    agree(aliased)


def test_where():
    a, b, m = values("int16", (4, 5)), values("float32", (5,)), values("bool", (4, 1))
    agree(lambda np: np.where(np.array(m), np.array(a), np.array(b)))
    agree(lambda np: np.where(np.array(a) > 0, np.array(a), 0))
    agree(lambda np: np.where(np.array(a), 1, 2.5))
    agree(lambda np: np.where(True, np.array(a), np.array(b)))
    agree(lambda np: np.where(np.array(b), np.array(b), -1))
    agree(lambda np: np.where(np.array(m)))
    agree(lambda np: np.where(np.ones(3, bool), np.ones(4), 0), message=True)


@pytest.mark.parametrize("order", ["C", "F", "A", "K"])
@pytest.mark.parametrize("transposed", [False, True])
def test_order_of_a_copy_of_an_array_of_numpy(order, transposed):
    plain = numpy.arange(24.0).reshape(2, 3, 4)
    plain = plain.T if transposed else plain
    for dtype in (None, "float32"):
        want, got = (m.array(plain, dtype, order=order) for m in (numpy, np))
        assert got.strides == want.strides
        assert np.asarray(plain, dtype, order=order).strides == want.strides
    assert np.asfortranarray(plain).strides == numpy.asfortranarray(plain).strides
    assert np.ascontiguousarray(plain).strides == numpy.ascontiguousarray(plain).strides


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
def test_layout_of_rounded_numbers(axes):
    plain = numpy.arange(24.0).reshape(2, 3, 4).transpose(axes)
    for decimals in (-1, 0, 1):
        want = numpy.round(plain, decimals)
        assert np.round(np.array(plain), decimals).strides == want.strides
        assert np.array(plain).round(decimals).strides == want.strides
