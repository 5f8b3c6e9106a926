"""Searches, selections and writes at places that depend on values."""

import numpy
import pytest
from checks import DTYPES, agree, values

pytestmark = pytest.mark.usefixtures("no_door")

I4 = numpy.array([0, 2, 2, 1])


def arrays(m, seed=0):
    """Vectors a and b, a matrix q, sorted s and small integers k."""
    a, b = values("float64", (12,), seed), values("float64", (12,), seed + 1, wild=False)
    q = values("float64", (3, 4), seed + 2, wild=False)
    return [m.array(x) for x in (a, b, q, numpy.sort(b), numpy.arange(12) * 7 % 5)]


def written(change):
    """A case that changes one of the arrays and gives all of them."""

    def run(m):
        all_arrays = arrays(m)
        before = [x * 1 for x in all_arrays]
        change(m, *all_arrays)
        return (*all_arrays, *before)

    return run


CASES = {
    "add.at": written(lambda m, a, b, q, s, k: m.add.at(a, k, b)),
    "add.at scalar": written(lambda m, a, b, q, s, k: m.add.at(a, k, 0.1)),
    "add.at two axes": written(lambda m, a, b, q, s, k: m.add.at(q, (m.array(I4) % 3, m.array(I4)), 0.1)),
    "add.at slices": written(lambda m, a, b, q, s, k: m.add.at(q, (slice(None), m.array(I4)), 0.1)),
    "add.at keyed by mask": written(lambda m, a, b, q, s, k: m.add.at(b, k > 2, 1.0)),
    "subtract.at": written(lambda m, a, b, q, s, k: m.subtract.at(b, k, b)),
    "multiply.at": written(lambda m, a, b, q, s, k: m.multiply.at(b, k, 1.1)),
    "maximum.at": written(lambda m, a, b, q, s, k: m.maximum.at(a, k, b)),
    "logical_or.at": written(lambda m, a, b, q, s, k: m.bitwise_or.at(k, [0, 0, 1], 8)),
    "negative.at": written(lambda m, a, b, q, s, k: m.negative.at(a, m.array(I4))),
    "divide.at out of range": written(lambda m, a, b, q, s, k: m.divide.at(a, [99], 2.0)),
    "add.at a float to integers": written(lambda m, a, b, q, s, k: m.add.at(k, [0], 0.5)),
    "reduceat": lambda m: m.add.reduceat(arrays(m)[1], [0, 4, 1, 8]),
    "reduceat axis": lambda m: m.maximum.reduceat(arrays(m)[2], m.array([0, 2]), axis=1),
    "reduceat out": lambda m: m.add.reduceat(arrays(m)[1], [0, 4], out=m.zeros(2)),
    "reduceat dtype": lambda m: m.add.reduceat(arrays(m)[4], [0, 4], dtype="float32"),
    "reduceat wrong": lambda m: m.add.reduceat(arrays(m)[1], [99]),
    "subtract.accumulate": lambda m: m.subtract.accumulate(arrays(m)[2], axis=1),
    "take_along_axis": lambda m: m.take_along_axis(arrays(m)[2], m.argsort(arrays(m)[2], axis=1), axis=1),
    "take_along_axis all": lambda m: m.take_along_axis(arrays(m)[2], m.array(I4), axis=None),
    "put_along_axis": written(lambda m, a, b, q, s, k: m.put_along_axis(q, m.array([[0], [2], [1]]), 9.0, axis=1)),
    "take clip": lambda m: m.take(arrays(m)[0], m.array([-5, 3, 40]), mode="clip"),
    "take wrap": lambda m: arrays(m)[2].take(m.array([-5, 3, 40]), axis=1, mode="wrap"),
    "take out": lambda m: m.take(arrays(m)[0], [1, 2], out=m.zeros(2)),
    "take scalar": lambda m: m.take(arrays(m)[0], 3, mode="clip"),
    "take wrong": lambda m: m.take(arrays(m)[0], [1, 12]),
    "put": written(lambda m, a, b, q, s, k: m.put(a, m.array([1, 1, -1]), m.array([5.0, 6.0]))),
    "put clip": written(lambda m, a, b, q, s, k: q.put([1, 99], 4, mode="clip")),
    "put by name": written(lambda m, a, b, q, s, k: m.put(a=a, ind=[1], v=b)),
    "put wrong": written(lambda m, a, b, q, s, k: m.put(a, [1, 12], 5.0)),
    "putmask": written(lambda m, a, b, q, s, k: m.putmask(b, k > 2, a)),
    "putmask short": written(lambda m, a, b, q, s, k: m.putmask(q, q > 0, [1.0, 2.0, 3.0])),
    "place": written(lambda m, a, b, q, s, k: m.place(a, k > 2, m.array([1.0, 2.0]))),
    "copyto where": written(lambda m, a, b, q, s, k: m.copyto(a, b, where=k > 2)),
    "choose": lambda m: m.choose(arrays(m)[4] % 3, arrays(m)[:2] + [7.0]),
    "choose method": lambda m: (arrays(m)[4]).choose(arrays(m)[:2], mode="wrap"),
    "choose wrong": lambda m: m.choose(arrays(m)[4], arrays(m)[:2]),
    "fill_diagonal": written(lambda m, a, b, q, s, k: m.fill_diagonal(q, b[:3])),
    "fill_diagonal wrap": lambda m: (x := m.zeros((7, 3)), m.fill_diagonal(x, 5, wrap=True))[0],
    "searchsorted": lambda m: m.searchsorted(arrays(m)[3], arrays(m)[0]),
    "searchsorted right": lambda m: arrays(m)[3].searchsorted(arrays(m)[1], side="right"),
    "searchsorted sorter": lambda m: m.searchsorted(arrays(m)[1], 0.5, sorter=m.argsort(arrays(m)[1])),
    "digitize": lambda m: m.digitize(arrays(m)[1], m.array([-1.0, 0.0, 2.0])),
    "digitize wrong": lambda m: m.digitize(arrays(m)[1], m.array([0.0, 2.0, 1.0])),
    "bincount weights": lambda m: m.bincount(arrays(m)[4], weights=arrays(m)[1], minlength=9),
    "bincount empty": lambda m: m.bincount(m.array([], "int64"), minlength=3),
    "bincount negative": lambda m: m.bincount(m.array([1, -1])),
    "lexsort": lambda m: m.lexsort((arrays(m)[1], arrays(m)[4])),
    "lexsort array": lambda m: m.lexsort(arrays(m)[2]),
    "partition": lambda m: m.partition(arrays(m)[1], 4),
    "partition axis": lambda m: m.partition(arrays(m)[2], (0, 2), axis=0),
    "argpartition": lambda m: m.argpartition(arrays(m)[1], 4),
    "argpartition method": lambda m: arrays(m)[2].argpartition(1, axis=None),
    "partition in place": written(lambda m, a, b, q, s, k: b.partition(4)),
    "partition view": written(lambda m, a, b, q, s, k: b[::2].partition(2)),
    "partition wrong": lambda m: m.partition(arrays(m)[1], 40),
    "sort wrong kind": lambda m: m.sort(arrays(m)[1], kind="unknown"),
    "interp": lambda m: m.interp(arrays(m)[0], arrays(m)[3], arrays(m)[1]),
    "interp ends": lambda m: m.interp(3.5, m.arange(3.0), m.arange(3.0), left=-1, right=9),
    "interp period": lambda m: m.interp(arrays(m)[1], m.arange(4.0), m.arange(4.0), period=4),
    "interp complex": lambda m: m.interp(m.array([0.5, 1.5]), m.arange(3.0), m.arange(3.0) * 1j),
    "interp wrong": lambda m: m.interp([1.0], m.arange(3.0), m.arange(2.0)),
    **{f"convolve {mode}": lambda m, mode=mode: m.convolve(arrays(m)[1], m.arange(5.0), mode) for mode in ("full", "same", "valid")},
    **{f"correlate {mode}": lambda m, mode=mode: m.correlate(arrays(m)[1], m.arange(5.0), mode) for mode in ("full", "same", "valid")},
    "convolve wrong": lambda m: m.convolve(arrays(m)[1], m.array([])),
    "unravel_index": lambda m: m.unravel_index(m.array([3, 7]), (2, 4)),
    "unravel_index number": lambda m: m.unravel_index(m.argmax(arrays(m)[2]), (3, 4)),
    "unravel_index wrong": lambda m: m.unravel_index([8], (2, 4)),
    "ravel_multi_index": lambda m: m.ravel_multi_index((m.array([1, 5]), m.array([3, 0])), (2, 4), mode="clip"),
    "ravel_multi_index wrong": lambda m: m.ravel_multi_index(([1, 5], [3, 0]), (2, 4)),
    "argwhere": lambda m: m.argwhere(arrays(m)[2] > 0),
    "packbits": lambda m: m.packbits(arrays(m)[2] > 0, axis=1, bitorder="little"),
    "unpackbits": lambda m: m.unpackbits(m.array([3, 200], "uint8"), count=11),
    "compress axis": lambda m: m.compress([True, False, True], arrays(m)[2], axis=1),
    "cumsum out": lambda m: m.cumsum(arrays(m)[1], out=m.zeros(12)),
    "nonzero number": lambda m: m.nonzero(m.array(3)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    problem = agree(CASES[name], message=True, label=name)
    assert (problem is not None) == ("wrong" in name.split() or name in RAISES), problem


RAISES = ("divide.at out of range", "bincount negative", "nonzero number")


@pytest.mark.parametrize("dtype", DTYPES)
def test_types(dtype):
    x, y = values(dtype, (40,)), values(dtype, (40,), 1)
    places = numpy.arange(40) * 7 % 11

    def run(m):
        a = m.array(x)
        m.maximum.at(a, m.array(places), m.array(y))
        b = m.array(x)
        b[m.array(places)] = m.array(y)
        m.place(b, m.array(places) > 8, m.array(y))
        return a, b, m.sort(m.partition(a, 7)[:7]), m.searchsorted(m.sort(a), m.array(y))

    agree(run)


@pytest.mark.parametrize("n", [100, 40_000])
def test_results_are_ordinary_arrays(n):
    """Results keep NumPy's memory where they are large: what is done with them is as ever."""
    x = numpy.random.default_rng(n).random(n)

    def run(m):
        a = m.array(x)
        places = m.argpartition(a, n // 2)
        found = m.searchsorted(m.sort(a), a)
        copy, view = found.copy(), found[1:-1]
        found += 1
        view *= 2
        pairs = m.argwhere(a.reshape(2, -1) > 0.5)
        pairs[:, 0] += 10
        return copy, found, view, a[places][: n // 2].sum() < a[places][n // 2 :].sum(), pairs

    agree(run)


def test_a_result_outlives_its_source():
    def run(m):
        a = m.arange(100_000.0)
        part = m.partition(a, 50_000)[::2]
        del a
        return part[:10] + 1, part.sum()

    agree(run)


@pytest.mark.parametrize("n", [10, 100_000])
def test_sums_at_indices_in_numpys_order(n):
    rng = numpy.random.default_rng(n)
    places, terms = rng.integers(0, max(n // 50, 2), n), rng.standard_normal(n)

    def run(m):
        sums = m.zeros(max(n // 50, 2), "float32")
        m.add.at(sums, m.array(places), m.array(terms, "float32"))
        return sums, m.bincount(m.array(places), weights=m.array(terms))

    agree(run)


@pytest.mark.parametrize(
    "key", [2, -1, slice(1, 9, 3), [1, 5, 5], numpy.array([0, 3]), slice(None)], ids=repr
)
def test_flat(key):
    x = values("float64", (3, 4))

    def run(m):
        a = m.array(x).T
        a.flat[m.array(key) if isinstance(key, numpy.ndarray) else key] = m.array([7.0, 8.0])
        a.flat[key] = a.flat[key]
        return a, m.array(a.flat[key])

    agree(run)


def test_lists_of_arrays():
    def run(m):
        a = m.arange(4)
        return m.choose([0, 1, 0, 1], [a, [a[0] + 1, a[1], a[2], a[3] * 2]])

    agree(run)


def test_what_a_failed_call_leaves():
    """What NumPy wrote before it met the wrong index, if it did."""

    def run(m):
        a = [m.arange(4.0) for _ in range(3)]
        for call in (
            lambda: m.put(a[0], [0, 99], -1.0),
            lambda: m.add.at(a[1], [0, 99], -1.0),
            lambda: m.put_along_axis(a[2], m.array([0, 99]), -1.0, 0),
        ):
            with pytest.raises(IndexError):
                call()
        return tuple(a)

    agree(run)
