"""Which pending values are computed although another one was asked for."""

import fuseau as np
import numpy
import pytest


@pytest.fixture
def values():
    np.synchronize()
    return np.array(numpy.random.default_rng(3).normal(size=100_000)).eval()


def windows():
    return np.stats()["windows"]


def test_reductions_of_one_array_are_one_evaluation(values):
    results = values.mean(), values.std(), values.max(), values.min(), values.sum()
    before = windows()
    got = [float(r) for r in results]
    assert windows() == before + 1
    theirs = numpy.asarray(values)
    assert got == [theirs.mean(), theirs.std(), theirs.max(), theirs.min(), theirs.sum()]


def test_they_share_a_pass_through_memory(values):
    low, high = values.min(), values.max()
    why = np.explain(low)
    kernels = [s for s in why.steps if s["what"] == "kernel"]
    assert len(kernels) == 1
    assert why.bytes == pytest.approx(values.nbytes, rel=0.01)
    assert low.is_pending and high.is_pending


def test_results_along_an_axis(values):
    table = values.reshape(1000, 100)
    low, high = table.min(axis=0), table.max(axis=0)
    low.eval()
    assert not high.is_pending
    assert high.tolist() == numpy.asarray(table).max(axis=0).tolist()


def test_results_of_a_value_that_is_computed_with_them(values):
    doubled = values * 2.0
    low, high = doubled.min(), doubled.max()
    float(low)
    assert not high.is_pending and not doubled.is_pending


def test_large_results_wait(values):
    other, high = values * 2.0, values.max()
    float(high)
    assert other.is_pending


def test_results_of_other_arrays_wait(values):
    other = np.ones(100_000).eval()
    total, high = other.sum(), values.max()
    float(high)
    assert total.is_pending


def test_expensive_results_wait(values):
    energy, high = np.exp(values).sum(), values.max()
    long = values
    for _ in range(20):
        long = long * values + 1.0
    last = long.sum()
    del long
    float(high)
    assert energy.is_pending and last.is_pending
    theirs = numpy.asarray(values)
    assert float(energy) == numpy.exp(theirs).sum()


def test_more_than_what_is_read_waits(values):
    first, total = values[:100].sum(), values.sum()
    float(first)
    assert total.is_pending


def test_a_value_that_was_overwritten_meanwhile(values):
    theirs = numpy.array(values)
    total, high = values.sum(), values.max()
    values[:50_000] = 7.0
    low = values.min()
    assert float(total) == theirs.sum()
    assert float(high) == theirs.max()
    theirs[:50_000] = 7.0
    assert float(low) == theirs.min()
