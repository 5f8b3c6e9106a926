"""Basic indexing: the same parts as NumPy, as views of the same memory."""

import numpy
import pytest
from checks import agree, assert_same, np, values

KEYS_1D = (
    0, -1, 6, slice(None), slice(1, None), slice(None, -1), slice(2, 5), slice(None, None, 2), slice(1, 6, 3),
    slice(None, None, -1), slice(5, 1, -2), slice(-3, None), slice(4, 4), slice(5, 2), slice(-100, 100), slice(100, None),
    slice(None, -100, -1), Ellipsis, None, (None, 3), (slice(2, None), None), (Ellipsis, None), (), (Ellipsis, 2),
    numpy.int64(3), (numpy.int8(-2),), True, False,
)  # fmt: skip

KEYS_3D = (
    0, (1, 2), (1, 2, 3), (slice(None), 1), (slice(None), slice(None), -1), (Ellipsis, 0), (0, Ellipsis), (0, Ellipsis, 0),
    (slice(None, None, -1), Ellipsis, slice(None, None, 2)), (None, 1, None, slice(1, 3), None, 2), (slice(1, 1), 0),
    (slice(None), None, slice(None, None, -2), slice(3, 0, -1)), (slice(-2, None), slice(1, None), slice(None, -1)),
    (1, None), (Ellipsis,), (slice(None),) * 3, (0, 0, 0, Ellipsis), (Ellipsis, None, None), (-1, slice(0, 0)),
)  # fmt: skip


@pytest.mark.parametrize("key", KEYS_1D, ids=repr)
def test_read_1d(key):
    a = values("float64", (7,))
    agree(lambda np: np.array(a)[key])
    agree(lambda np: np.array(a)[::-1][key])
    agree(lambda np: np.array(numpy.repeat(a, 2))[::2][key])


@pytest.mark.parametrize("key", KEYS_3D, ids=repr)
def test_read_3d(key):
    a = values("int32", (2, 3, 4))
    agree(lambda np: np.array(a)[key])
    agree(lambda np: np.array(a.transpose(2, 0, 1)).transpose(1, 2, 0)[key])


@pytest.mark.parametrize("key", KEYS_3D, ids=repr)
def test_write_3d(key):
    a = values("float64", (2, 3, 4))

    def run(np, value):
        b = np.array(a)
        b[key] = value(np)
        return b

    agree(lambda np: run(np, lambda np: 3))
    agree(lambda np: run(np, lambda np: np.array(a)[key] * 2))
    agree(lambda np: run(np, lambda np: np.array([5], dtype="int8")))


@pytest.mark.parametrize("key", KEYS_1D, ids=repr)
def test_write_through_a_view(key):
    a = values("int64", (2, 7))

    def run(np):
        b = np.array(a)
        row = b[1]
        row[key] = -7
        return b, row

    agree(run)


@pytest.mark.parametrize("key", KEYS_3D, ids=repr)
def test_strides_are_numpys(key):
    a = values("float32", (2, 3, 4))
    got, want = np.array(a)[key], numpy.array(a)[key]
    if isinstance(want, numpy.ndarray) and want.size:
        assert tuple(got.strides) == want.strides
        assert got.flags["C_CONTIGUOUS"] == want.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize("key", (None, (None, None), (Ellipsis, None), Ellipsis), ids=repr)
def test_a_scalar_with_new_axes_is_a_view_of_an_array(key):
    def run(np):
        scalar = np.arange(3.0).sum()
        view = scalar[key]
        flags = [bool(view.flags[name]) for name in ("OWNDATA", "WRITEABLE")]
        view[...] = 7
        return view, scalar, list(view.strides), flags

    agree(run)


@pytest.mark.filterwarnings("ignore:Setting the strides")
def test_strides_that_are_set():
    def run(np):
        a = np.arange(12.0).reshape(3, 4)
        a.strides = (8, 24)
        return a, a.ravel(), a + 1, a.copy(), a.reshape(4, 3)

    agree(run)


def test_an_element_is_a_copy():
    def run(np):
        a = np.array([1.0, 2.0, 3.0])
        first = a[0]
        a[0] = a[2]
        a[2] = first
        return a, first

    agree(run)


def test_an_element_does_not_change_in_place():
    def run(np):
        a = np.array([1, 2, 3])
        x = a[1]
        x += 10
        return a, x

    agree(run)


def test_a_0d_view_changes_with_its_array():
    def run(np):
        a = np.array([1, 2, 3])
        x = a[1, ...]
        x[...] = 10
        a[1] += 1
        return a, x

    agree(run)


SHAPES = ((6,), (2, 3), (3, 2), (1, 6), (2, 1, 3), (-1,), (3, -1), (-1, 1, 2))


@pytest.mark.parametrize("shape", SHAPES, ids=repr)
def test_reshape_is_a_view_when_numpy_makes_one(shape):
    def run(np, make):
        a = make(np.array(numpy.arange(12.0)))
        b = a.reshape(shape)
        b[...] = b + 100
        return a, b

    agree(lambda np: run(np, lambda a: a[:6]))
    agree(lambda np: run(np, lambda a: a[::2]))
    agree(lambda np: run(np, lambda a: a[:6].reshape(2, 3)))
    agree(lambda np: run(np, lambda a: a[:6].reshape(2, 3).T))
    agree(lambda np: run(np, lambda a: a.reshape(2, 6)[:, ::2]))
    agree(lambda np: run(np, lambda a: a.reshape(2, 6)[:, :3]))


VIEWS = {
    "T": lambda np, a: a.T,
    "transpose": lambda np, a: a.transpose(1, 2, 0),
    "transpose none": lambda np, a: np.transpose(a),
    "transpose negative": lambda np, a: np.transpose(a, (-1, 0, 1)),
    "swapaxes": lambda np, a: a.swapaxes(0, -1),
    "moveaxis": lambda np, a: np.moveaxis(a, 0, 2),
    "ravel": lambda np, a: a.ravel(),
    "ravel of transposed": lambda np, a: a.T.ravel(),
    "flatten": lambda np, a: a.flatten(),
    "squeeze": lambda np, a: a[:, :1].squeeze(),
    "squeeze axis": lambda np, a: np.squeeze(a[:1], axis=0),
    "expand_dims": lambda np, a: np.expand_dims(a, 1),
    "flip": lambda np, a: np.flip(a, 1),
    "view": lambda np, a: a.view(),
    "copy": lambda np, a: a.copy(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_share_memory_as_numpys_do(name):
    a = values("float64", (2, 3, 4), wild=False)

    def run(np):
        base = np.array(a)
        view = VIEWS[name](np, base)
        before = view + 0
        base[0] = 9
        after = view + 0
        view[..., 0] = -1
        return before, after, view, base

    agree(run)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_real_and_imag_are_views(dtype):
    a = values(dtype, (3, 4))

    def run(np):
        b = np.array(a)
        b.real[0] = 5
        b.imag[:, 1] = b.real[:, 2]
        b.real *= 2
        return b, b.real, b.imag

    agree(run)


def test_broadcast_to():
    def run(np):
        a = np.array([1, 2, 3])
        wide = np.broadcast_to(a, (2, 3))
        a[0] = 7
        return wide, wide + a, wide.sum(axis=0)

    agree(run)
    assert not np.broadcast_to(np.array([1]), (3,)).flags.writeable


@pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (3, 1), (3, 2), (3, 2, 4)], ids=str)
@pytest.mark.parametrize(
    "mask", [(0,), (2,), (0, 3), (3, 0), (2, 0), (0, 5), (0, 0), (3, 2), (1, 3)], ids=str
)
def test_masks_that_do_not_fit(shape, mask):
    """Errors, or none: an axis of a mask without elements fits any axis where it is an index."""

    def write(np, value):
        a = np.ones(shape)
        a[np.zeros(mask, bool)] = value
        return a

    def copy(np):
        a = np.ones(shape)
        np.copyto(a, 3, where=np.zeros(mask, bool))
        return a

    agree(lambda np: np.ones(shape)[np.zeros(mask, bool)])
    agree(lambda np: write(np, 5))
    agree(copy)


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_boolean_masks(shape):
    a, b = values("float64", shape), values("bool", shape)

    def write(np, key, value):
        c = np.array(a)
        c[key(np, c)] = value
        return c

    agree(lambda np: write(np, lambda np, c: np.array(b), 3))
    agree(lambda np: write(np, lambda np, c: c > 0, -1))
    agree(lambda np: write(np, lambda np, c: c > 1e300, numpy.float32(2.5)))
    agree(lambda np: write(np, lambda np, c: np.array(b[:, 0]) if b.ndim > 1 else np.array(b), 3))
    agree(lambda np: np.array(a)[np.array(b)])
    agree(lambda np: np.array(a)[np.array(a) > 0] * 2)
    agree(lambda np: write(np, lambda np, c: numpy.array(b), 0))

    def in_place(np):
        c = np.array(a)
        c[c > 0] *= 2
        c[np.array(b)] += 1
        return c

    agree(in_place)


def test_index_arrays():
    a = values("float64", (4, 5))
    agree(lambda np: np.array(a)[np.array([0, 2, -1])])
    agree(lambda np: np.array(a)[[3, 3], [0, 4]])
    agree(lambda np: np.array(a)[:, np.array([1, 0])])

    def write(np):
        b = np.array(a)
        b[[0, 2]] = 1
        b[np.array([1]), np.array([3])] = 8
        return b

    agree(write)


def test_iteration_and_len():
    a = values("int16", (3, 4))
    agree(lambda np: tuple(np.array(a)))
    agree(lambda np: [x for x in np.array(a[0])])  # noqa: C416
    agree(lambda np: len(np.array(a)))
    agree(lambda np: len(np.array(1)), message=True)
    _, second, _ = np.array(a)
    assert_same(second, a[1])
    agree(lambda np: 3 in np.array([1, 2, 3]))


@pytest.mark.parametrize("bad", [-8, 7, 2**63 - 1, -(2**63), 2**62, -(2**62) - 1])
def test_indices_out_of_range(bad):
    index = numpy.zeros(300, numpy.int64)
    index[201] = bad
    message = f"index {bad} is out of bounds for axis 0 with size 7"
    for step in (1, 3):
        with pytest.raises(IndexError, match=message):
            np.arange(7.0)[np.array(index)[::step]]


@pytest.mark.parametrize("dtype", ["int8", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("share", [0.0, 0.003, 0.5, 1.0])
def test_masks_of_long_runs(dtype, share):
    a = values(dtype, (5000,))
    mask = numpy.random.default_rng(3).random(5000) < share
    agree(lambda np: np.array(a)[np.array(mask)])
    agree(lambda np: np.array(a)[::2][np.array(mask)[::2]], label="strided")
    agree(lambda np: np.array(a).reshape(50, 100)[np.array(mask).reshape(50, 100)], label="2-d")
    agree(lambda np: np.nonzero(np.array(mask))[0])
    agree(lambda np: np.nonzero(np.array(mask).reshape(50, 100))[0], label="rows")
