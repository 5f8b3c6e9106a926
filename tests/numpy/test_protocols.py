"""Values out and in: Python numbers, text, NumPy, buffers, DLPack, pickles and copies."""

import copy
import io
import pickle

import numpy
import pytest
from checks import DTYPES, agree, assert_same, needs_fuseau, np, values


@pytest.mark.parametrize("dtype", DTYPES)
def test_python_numbers(dtype):
    for x in (0, 1, 3):
        for make in (
            lambda np: np.array(x, dtype),
            lambda np: np.array([x], dtype)[0],
            lambda np: np.full((2,), x, dtype).max(),
        ):
            for kind in (int, float, complex, bool):
                agree(lambda np: kind(make(np)), label=f"{kind.__name__} of {x}", message=True)
            agree(lambda np: make(np).item(), label=f"item {x}")
            agree(
                lambda np: [10, 20, 30, 40][make(np)] if numpy.dtype(dtype).kind in "iu" else 0,
                label="as an index",
            )


def test_truth_of_arrays():
    for x in ([1], [0], [[5]], 0.0, numpy.nan, [False]):
        agree(lambda np: bool(np.array(x)), label=repr(x))
    for x in ([1, 2], []):
        agree(lambda np: bool(np.array(x)), message=True, label=repr(x))
        agree(lambda np: 1 if np.array(x) else 2, message=True, label=repr(x))
    for kind in (int, float, complex):
        agree(lambda np: kind(np.array([1, 2])), message=True, label=kind.__name__)
    agree(lambda np: float(np.array([1j])), message=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (3,), (0,), (2, 3), (2, 0), (2, 1, 2)])
def test_tolist_and_item(shape, dtype):
    a = values(dtype, shape)
    agree(lambda np: repr(np.array(a).tolist()))
    agree(lambda np: repr(np.array(a).T.tolist()))
    if a.size:
        agree(lambda np: repr(np.array(a).item(0)))
        agree(lambda np: repr(np.array(a).item(-1)))
    agree(lambda np: np.array(a).item(a.size), label="out of range")
    for index in (numpy.int64(0), numpy.array(0), (0,) * a.ndim, True, 1.0, [0], "0"):
        agree(lambda np: np.array(a).item(index), label=repr(index))
    agree(lambda np: np.array(a).item(np.argmin(np.array([2, 1]))), label="lazy")
    agree(lambda np: np.array(a).item(np.array(0)), label="no dimensions")


TEXTS = (
    [1, 2, 3], [1.5, -0.0, numpy.nan, numpy.inf], [[1.0, 1e10], [1e-10, 3]], [True, False], [1j, 2 - 3j], [], [[]], 5, 2.5,
    numpy.arange(2000), numpy.arange(2000.0).reshape(40, 50), numpy.arange(3, dtype="int8"), numpy.ones(2, "float32"),
    numpy.zeros((0, 3)), numpy.array([1e-5, 1.0]), numpy.full((2, 2, 2), 7, "uint16"), numpy.array(3, "float32"),
)  # fmt: skip


@pytest.mark.parametrize("content", TEXTS, ids=lambda c: repr(c)[:30])
def test_text_is_numpys(content):
    agree(lambda np: str(np.array(content)))
    agree(lambda np: repr(np.array(content)))
    agree(lambda np: f"{np.array(content)}")

    def printed(np):
        file = io.StringIO()
        print(np.array(content), file=file)
        return file.getvalue()

    agree(printed)


def test_format_of_a_number():
    agree(lambda np: f"{np.array([1.5, 2.5]).sum():.3f}")
    agree(lambda np: f"{np.array(2.25):8.2f}")
    agree(lambda np: f"{np.arange(5).max():d}")
    agree(lambda np: f"{np.ones(3):.2f}")
    agree(lambda np: "%g %d" % (np.ones(3).mean(), np.arange(4).sum()))  # noqa: UP031


@pytest.mark.parametrize("dtype", DTYPES)
def test_to_numpy(dtype):
    a = values(dtype, (4, 5), wild=False)
    for part in (np.array(a), np.array(a).T, np.array(a)[::-1, 1::2], np.array(a)[1, 2]):
        out = numpy.asarray(part)
        assert type(out) is numpy.ndarray
        assert out.dtype == a.dtype
    assert_same(numpy.array(np.array(a) + np.array(a)), a + a)
    assert numpy.asarray(np.array(a), dtype="complex128").dtype == numpy.complex128
    assert_same(numpy.add(np.array(a), 0), a + 0)
    assert_same(numpy.concatenate([numpy.asarray(np.array(a)), a]), numpy.concatenate([a, a]))


def test_an_exported_array_shares_its_memory():
    def run(np):
        a = np.arange(6.0)
        out = numpy.asarray(a)
        a[1] = 50
        out[2] = 60
        a += 1
        return out.copy(), a

    want = run(numpy)
    got = run(np)
    assert_same(got[0], want[0])
    assert_same(got[1], want[1])


def test_copies_to_numpy_are_not_shared():
    a = np.arange(4.0)
    out = numpy.array(a)
    a[0] = 9
    assert out[0] == 0
    out[1] = 7
    assert float(a[1]) == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_buffer(dtype):
    a = values(dtype, (3, 4))
    view = memoryview(np.array(a))
    assert view.shape == (3, 4)
    assert view.format == memoryview(a).format
    assert view.itemsize == a.itemsize
    assert view.tobytes() == a.tobytes()
    assert memoryview(np.array(a).T).tobytes() == a.T.tobytes()


def test_buffer_can_be_written():
    a = np.zeros(4, "int32")
    memoryview(a)[2] = 7
    assert a.tolist() == [0, 0, 7, 0]
    fixed = np.broadcast_to(np.array([1.0]), (3,))
    assert memoryview(fixed).readonly


def test_bytes():
    a = values("int16", (3, 4))
    agree(lambda np: np.array(a).tobytes())
    agree(lambda np: np.array(a)[:, ::2].tobytes())


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_to_numpy(dtype):
    a = values(dtype, (4, 6), wild=False)
    source = np.array(a)
    out = numpy.from_dlpack(source)
    assert_same(out, a)
    assert source.__dlpack_device__() == (1, 0)
    assert_same(numpy.from_dlpack(np.array(a)[1:, ::-2]), a[1:, ::-2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_dlpack_from_numpy(dtype):
    a = values(dtype, (4, 6), wild=False)
    assert_same(np.from_dlpack(a), a)
    assert_same(np.from_dlpack(a.T[1:]), a.T[1:])
    assert_same(np.from_dlpack(np.array(a)) + np.array(a), a + a)


def test_dlpack_keeps_the_memory_alive():
    out = numpy.from_dlpack(np.arange(1000.0) + 1)
    other = [np.ones(1000) * k for k in range(10)]
    assert out.sum() == 500500
    assert len(other) == 10


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(protocol):
    for dtype in DTYPES:
        a = values(dtype, (3, 4))
        for part in (
            np.array(a),
            np.array(a)[::-1, 1:],
            np.array(a).T,
            np.array(a)[0, 0],
            np.array(a)[:0],
        ):
            back = pickle.loads(pickle.dumps(part, protocol))
            assert type(back) is type(part)
            assert_same(back, numpy.asarray(part) if isinstance(part, type(np.zeros(1))) else part)
    back = pickle.loads(pickle.dumps(np.zeros(3), protocol))
    back[0] = 1
    assert float(back.sum()) == 1


def test_copy_module():
    def run(np):
        a = np.arange(6.0).reshape(2, 3)
        b, c, d = copy.copy(a), copy.deepcopy(a), copy.deepcopy({"x": a[0]})
        a[...] = -1
        return b, c, d["x"], a

    agree(run)


def test_attributes():
    for a in (values("float32", (3, 4, 5)), values("int8", ()), values("complex128", (0, 2))):
        for name in ("shape", "ndim", "size", "itemsize", "nbytes"):
            agree(lambda np: getattr(np.array(a), name), label=name)
        if a.size:
            assert tuple(np.array(a).strides) == a.strides
        assert numpy.dtype(np.array(a).dtype) == a.dtype


def test_not_hashable_and_equality_is_elementwise():
    agree(lambda np: hash(np.ones(2)), message=False)
    agree(lambda np: np.array([1, 2]) == [1, 3])
    agree(lambda np: np.array([1, 2]) != np.array([1, 3]))
    agree(lambda np: np.array([1, 2]) == None)  # noqa: E711
    agree(lambda np: np.array([1, 2]) == "text")
    agree(lambda np: np.array([1, 2]) == np.array([1, 2, 3]))


def test_numpy_functions_take_the_arrays():
    a = values("float64", (4, 5), wild=False)
    assert_same(numpy.asarray(numpy.sin(np.array(a))), numpy.sin(a))
    assert_same(numpy.asarray(numpy.sum(np.array(a), axis=0)), a.sum(axis=0))
    assert_same(numpy.asarray(a + np.array(a)), a + a)
    target = numpy.zeros((4, 5))
    target[...] = np.array(a)
    assert_same(target, a)
    target += np.array(a)
    assert_same(target, a + a)


@needs_fuseau
def test_eval_returns_the_array():
    a = np.arange(10.0) * 2
    assert a.eval() is a
    b, c = a + 1, a - 1
    np.eval(b, c)
    np.synchronize()
    assert b.tolist()[3] == 7
    assert c.tolist()[3] == 5


@needs_fuseau
def test_numpy_names_that_are_not_native_still_work():
    a = values("float64", (6, 6), wild=False)
    agree(lambda np: np.percentile(np.array(a), 50))
    agree(lambda np: np.unique(np.array([3, 1, 3])))
    agree(lambda np: np.linalg.det(np.array(a) + 9 * np.eye(6)))


@needs_fuseau
def test_stats_counts():
    counters = np.stats()
    assert counters["kernels_compiled"] >= 0
    assert counters["plan_misses"] >= 0
    assert counters["kernel_cache_disk_hits"] >= 0
