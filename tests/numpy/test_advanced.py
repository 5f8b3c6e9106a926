"""Indexing with arrays and masks: the same elements, the same writes in the same order, and the same
errors, after which nothing has changed.
"""

import numpy
import pytest
from checks import agree, assert_same, np, values

pytestmark = pytest.mark.usefixtures("no_door")

M, N = slice(None), None
ROWS = numpy.array([1, 0, -1, 1])
MIDDLE = numpy.array([[2, 0], [-3, 1]])
LAST = numpy.array([3, -4, 0, 2])
MASK = values("bool", (3, 4, 5))
FIRST_TWO = MASK[:, :, 0]
THREE_OF_FIRST_TWO = numpy.arange(12).reshape(3, 4) % 4 == 1
OF_LAST = numpy.array([True, False, True, True, False])
OF_MIDDLE = numpy.array([False, True, True, False])

# For an array of shape (3, 4, 5).
KEYS = (
    ROWS, [1, 0], [[0, 1], [2, 2]], ([0, 2], [1, 3]), (ROWS, LAST), (ROWS, LAST, LAST), (M, ROWS), (M, M, LAST),
    (M, ROWS, LAST), (ROWS, M, LAST), (0, M, LAST), (ROWS, M, 1), (Ellipsis, LAST), (ROWS, Ellipsis), (ROWS, Ellipsis, 1),
    (N, ROWS), (ROWS, N), (ROWS, N, LAST), (slice(1, None), ROWS), (slice(None, None, -1), LAST), (ROWS, slice(0, 0)),
    (MIDDLE,), (MIDDLE, [0, 1]), (MIDDLE[:, :1], [0, -1]), ([[0], [2]], MIDDLE, 1), (M, MIDDLE, slice(1, 4, 2)),
    numpy.ix_([0, 2], [3, 1], [4, 0, 0]), numpy.ix_([0, 2], [3, 1]), numpy.ix_([True, False, True], [2, 1]),
    MASK, FIRST_TWO, (M, M, OF_LAST), (M, OF_MIDDLE), (Ellipsis, OF_LAST), (THREE_OF_FIRST_TWO, OF_LAST), (0, OF_MIDDLE),
    ([0, 1], OF_MIDDLE), (OF_MIDDLE[:3], M, [1, 2]), (OF_MIDDLE[:3], M, 2), numpy.zeros((3, 4), bool), (N, FIRST_TWO, N),
    (ROWS.astype("int8"),), (LAST.astype("uint16") % 3,), [], (numpy.zeros((0, 3), int),), (True, ROWS), False, (True,),
    (numpy.array(1), LAST), (numpy.int32(2), M, [0, 1]), ROWS[::-1], (MIDDLE.T, MIDDLE.T), range(2), ([0, 1], (2, 3)),
)  # fmt: skip

WRONG = (
    [3], [0, -4], ([0, 1], [0, 4]), (M, [4]), (M, M, [5]), ([0, 1], [0, 1, 2]), (ROWS, M, [9, 0, 0, 0]), [0.5], ["a"],
    numpy.ones(4, bool), (M, numpy.ones(3, bool)), numpy.ones((3, 5), bool), (0, 0, 0, [0]), ([0], [0], [0], [0]),
    (Ellipsis, Ellipsis, [0]), numpy.ones((3, 4, 5, 1), bool), (OF_MIDDLE[:3], [0, 1, 2]),
)  # fmt: skip


def in_module(module, key):
    """The key with arrays of the module."""
    if isinstance(key, tuple):
        return tuple(in_module(module, part) for part in key)
    return module.array(key) if isinstance(key, numpy.ndarray) else key


LAYOUTS = {
    "C": lambda m, a: m.array(a),
    "transposed": lambda m, a: m.array(a.transpose(2, 0, 1).copy()).transpose(1, 2, 0),
    "steps": lambda m, a: m.array(numpy.repeat(a, 2, 1))[:, ::2],
    "back": lambda m, a: m.array(a[::-1, :, ::-1].copy())[::-1, :, ::-1],
    "pending": lambda m, a: m.array(a) + m.zeros((), a.dtype),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:60])
def test_read(key, layout):
    a = values("int32", (3, 4, 5))
    agree(lambda m: LAYOUTS[layout](m, a)[in_module(m, key)])
    agree(lambda m: LAYOUTS[layout](m, a)[key])


# Axes that do not move are the innermost of those that no index array takes, whatever their size.
UNMOVING = {
    "rows": lambda m: m.broadcast_to(m.ones((2, 1, 3)), (2, 4, 3)),
    "columns": lambda m: m.broadcast_to(m.ones((2, 4, 1)), (2, 4, 3))[:, ::-1],
    "transposed": lambda m: m.broadcast_to(m.ones((3, 1)), (2, 3, 4)).transpose(0, 2, 1),
    "new axis": lambda m: m.ones((3, 4))[:, None].T,
    "one element": lambda m: m.ones((4, 1, 1)).T,
}


@pytest.mark.parametrize("layout", UNMOVING)
@pytest.mark.parametrize(
    "key",
    (
        [0], [[0], [0]], (M, [0, 0, 0]), (M, [[0]]), (M, M, [0, 0]), ([0], [0]), (M, [0], [0]), (0, M, [0]), ([0], M, [0]),
        ([0], N), (N, [0]), (M, N, [0]), (M, 0, [0]), (M, M, MIDDLE.T % 1), (M, MIDDLE.T % 1, MIDDLE.T % 1),
    ),
    ids=repr,
)  # fmt: skip
def test_read_lies_as_numpys(key, layout):
    got, want = (UNMOVING[layout](m)[key] for m in (np, numpy))
    assert tuple(got.strides) == want.strides


@pytest.mark.parametrize("layout", UNMOVING)
def test_masked_read_lies_as_numpys(layout):
    arrays = (UNMOVING[layout](m) for m in (np, numpy))
    got, want = (a[numpy.arange(len(a)) < 1] for a in arrays)
    assert tuple(got.strides) == want.strides


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:60])
def test_write(key, layout):
    a = values("float64", (3, 4, 5))
    size = numpy.zeros((3, 4, 5))[key].shape

    def written(m, value):
        whole = LAYOUTS[layout](m, a)
        before = whole * 1
        whole[in_module(m, key)] = value(m)
        return whole, before

    agree(lambda m: written(m, lambda m: 7))
    agree(lambda m: written(m, lambda m: m.array(values("float64", size))))
    agree(lambda m: written(m, lambda m: m.array(values("int16", size)) + m.ones((), "int16")))
    agree(lambda m: written(m, lambda m: m.array([3.5], "float32")))
    agree(lambda m: written(m, lambda m: m.array([1.0, 2.0, 3.0])))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key)[:60])
def test_write_in_place(key):
    a = values("int64", (3, 4, 5), wild=False)

    def run(m):
        whole = m.array(a)
        view = whole[1]
        whole[in_module(m, key)] += m.array(5)
        whole[in_module(m, key)] *= 3
        return whole, view

    agree(run)


@pytest.mark.parametrize("key", WRONG, ids=lambda key: repr(key)[:60])
def test_errors(key):
    a = values("float64", (3, 4, 5))

    def write(m):
        m_array[m][in_module(m, key)] = 1.0

    m_array = {m: m.array(a) for m in (numpy, np)}
    agree(lambda m: m.array(a)[in_module(m, key)], message=True)
    agree(write, message=True)
    assert_same(m_array[np], a)


@pytest.mark.parametrize("shape", [(3,), (4, 5), (2, 4, 5), (4, 1, 5, 1)])
def test_values_that_do_not_fit(shape):
    a = values("float64", (3, 4, 5))

    def write(m):
        m_array[m][m.array(ROWS)] = m.array(values("float64", shape))
        return m_array[m]

    m_array = {m: m.array(a) for m in (numpy, np)}
    agree(write, message=True)
    assert_same(m_array[np], numpy.asarray(m_array[numpy]))


@pytest.mark.parametrize("n", [10, 5000, 300_000])
def test_the_last_of_equal_indices_wins(n):
    rng = numpy.random.default_rng(n)
    places, new = rng.integers(0, n // 3, n), rng.random(n)

    def run(m):
        a = m.zeros(n)
        a[m.array(places)] = m.array(new)
        b = m.zeros((n // 3, 2), "int32")
        b[m.array(places), m.array(places % 2)] = m.array(places)
        return a, b

    agree(run)


def test_source_and_target_share_memory():
    a = values("float64", (20,))
    places = numpy.array([3, 0, 1, 19, 2, 2])

    def run(m):
        x = m.array(a)
        x[m.array(places)] = x[:6]
        x[m.array(places)] = x[::-1][:6]
        x[m.array([True, False] * 10)] = x[10:]
        k = m.arange(6)
        k[k] = k[::-1]
        k[k > 2] = k[:3]
        return x, k

    agree(run)


def test_a_copy_and_a_reader_keep_what_they_saw():
    def run(m):
        x = m.arange(10.0)
        copy, doubled, view = x.copy(), x * 2, x[2:5]
        x[m.array([1, 3])] = m.array([-1.0, -3.0])
        return x, copy, doubled, view

    agree(run)


def test_nothing_is_written_before_all_indices_are_right():
    def run(m):
        x = m.arange(5.0)
        try:
            x[m.array([0, 1, 99])] = -1.0
        except IndexError as problem:
            return x, str(problem)

    agree(run)


def test_a_read_only_array_is_refused():
    def run(m):
        x = m.arange(5.0)
        x.flags.writeable = False
        x[m.array([0, 1])] = 1.0

    agree(run, message=True)


@pytest.mark.parametrize("dtype", ["bool", "int16", "float32", "float64", "complex128"])
@pytest.mark.parametrize("step", [1, 2, -1, -3])
def test_vectors(dtype, step):
    x, new = values(dtype, (60,)), values(dtype, (5,), 1)
    places = numpy.array([3, -1, 0, 3, -20])

    def run(m):
        a = m.array(x)
        part = a[::step]
        before, copy = part * part, a.copy()
        part[m.array(places)] = m.array(new)
        part[m.array(places[:2])] = m.array(new)[3]
        a[m.array(places)] = a[m.array(places)][::-1]
        return a, before, copy, part

    agree(run)


@pytest.mark.parametrize("index", [-(2**63), -61, 60, 2**62, 2**63 - 1])
def test_far_out_of_range(index):
    def read(m):
        return m.arange(60.0)[m.array([0, index])]

    def write(m):
        m.arange(60.0)[m.array([0, index])] = 1.0

    def two(m):
        m.zeros((60, 60))[m.array([[0], [1]]), m.array([0, index])] = 1.0

    for function in (read, write, two):
        assert agree(function, message=True) is not None
