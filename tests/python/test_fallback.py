"""The door to NumPy: conversion, views, writes, warnings, counts, and its modes."""

import warnings

import fuseau
import numpy
import pytest
from agreement import same_bits
from fuseau import _fallback

# Through the door whether or not there is a native form.
median, unique = _fallback.door("median"), _fallback.door("unique")


@pytest.fixture
def fresh(monkeypatch):
    """The door as in a new process."""
    monkeypatch.setattr(_fallback, "_counts", {})
    monkeypatch.delenv("FUSEAU_FALLBACK", raising=False)


def test_one_warning_for_each_name(fresh):
    a = fuseau.arange(4.0)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        median(a)
        median(a)
        unique(a)
    ours = [w for w in seen if issubclass(w.category, fuseau.FallbackWarning)]
    assert ["median" in str(w.message) for w in ours] == [True, False]
    assert all(w.filename == __file__ for w in ours)
    assert fuseau.fallback_count("median") == 2
    assert fuseau.fallback_count() == 3
    assert fuseau.coverage()["calls"] == {"median": 2, "unique": 1}


def test_the_warning_is_a_user_warning():
    assert issubclass(fuseau.FallbackWarning, UserWarning)


def test_silent(fresh, monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "silent")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        median(fuseau.arange(4.0))
    assert fuseau.fallback_count("median") == 1


def test_error(fresh, monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "error")
    with pytest.raises(fuseau.FallbackError, match="median"):
        median(fuseau.arange(4.0))
    with pytest.raises(fuseau.FallbackError, match="ndarray.byteswap"):
        fuseau.arange(4.0).byteswap()
    assert float(fuseau.arange(4.0).sum()) == 6.0


def test_unknown_mode(fresh, monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "maybe")
    with pytest.raises(ValueError, match="warn, silent, error"):
        median(fuseau.arange(4.0))


def test_results_are_wrapped_also_inside_tuples():
    a = fuseau.array(numpy.array([3.0, 1.0, 3.0]))
    values, counts = fuseau.unique(a, return_counts=True)
    assert type(values) is type(counts) is fuseau.ndarray
    result = fuseau.unique_counts(a)
    assert type(result.values) is fuseau.ndarray
    same_bits(numpy.array([1.0, 3.0]), result.values, "values")
    assert all(type(part) is fuseau.ndarray for part in fuseau.histogram(a))


@pytest.mark.parametrize("dtype", ["f2", "g", "O", "U3", "M8[s]", "i4,f8"])
def test_other_types_stay_numpy(dtype):
    assert type(fuseau.zeros(3, dtype)) is numpy.ndarray
    assert fuseau.zeros(3, dtype).dtype == numpy.dtype(dtype)


def test_float16_operands():
    result = fuseau.sin(numpy.ones(3, "f2"))
    assert type(result) is numpy.ndarray and result.dtype == "f2"
    mixed = fuseau.ones(3, "f4") + numpy.ones(3, "f2")
    assert type(mixed) is fuseau.ndarray and mixed.dtype == "f4"


def test_arguments_inside_containers():
    a = fuseau.arange(4.0)
    same_bits(
        numpy.block([[numpy.arange(4.0)], [numpy.arange(4.0)]]), fuseau.block([[a], [a]]), "block"
    )
    same_bits(numpy.r_[numpy.arange(4.0), 5, 6], fuseau.r_[a, 5, 6], "r_")
    same_bits(
        numpy.select([numpy.arange(4.0) > 1], [numpy.arange(4.0)], -1),
        fuseau.select([a > 1], [a], -1),
        "select",
    )


def test_in_place_functions_reach_the_array():
    a = fuseau.arange(5.0)
    half = a[::2]
    fuseau.put(a, [0, 1], [9.0, 8.0])
    fuseau.add.at(a, [2, 2], 1.0)
    fuseau.fill_diagonal(a[:4].reshape(2, 2), -1.0)
    a[1:].sort()
    same_bits(numpy.array([-1.0, -1.0, 4.0, 4.0, 8.0]), a, "in place")
    same_bits(numpy.array([-1.0, 4.0, 8.0]), half, "view")


def test_out_reaches_the_array_and_is_returned():
    a, out = fuseau.arange(4.0), fuseau.zeros(4)
    assert fuseau.cumsum(a, out=out) is out
    same_bits(numpy.cumsum(numpy.arange(4.0)), out, "out")
    part = out[::2]
    fuseau.cumsum(a[:2], out=part)
    same_bits(numpy.array([0.0, 1.0, 1.0, 6.0]), out, "part")


def test_reads_before_a_write_keep_their_values():
    a = fuseau.arange(4.0)
    before = a * 2
    a[::-1].sort()
    same_bits(numpy.arange(4.0) * 2, before, "before")
    same_bits(numpy.arange(4.0)[::-1], a, "after")


def test_views_made_by_numpy_are_views():
    a = fuseau.arange(10.0)
    windows = fuseau.lib.stride_tricks.sliding_window_view(a, 3)
    assert type(windows) is fuseau.ndarray
    a[4] = 100.0
    assert float(windows.max()) == 100.0
    bits = fuseau.arange(3.0).view("i8")
    assert bits.dtype == "i8"


def test_a_view_under_another_type_shares_the_storage():
    a = fuseau.zeros(3)
    bits = a.view("i8")
    bits[1] = numpy.float64(2.5).view("i8")
    same_bits(numpy.array([0.0, 2.5, 0.0]), a, "bits")
    a[2] = 1.0
    assert bits[2] == numpy.float64(1.0).view("i8")


def test_errors_pass_unchanged():
    with pytest.raises(numpy.linalg.LinAlgError, match="Singular matrix"):
        fuseau.linalg.inv(fuseau.zeros((2, 2)))
    with pytest.raises(ValueError, match="matmul"):
        fuseau.ones((2, 3)) @ fuseau.ones((2, 3))


def test_masked_arrays_keep_their_meaning():
    x = numpy.ma.array([1.0, 2.0, 3.0], mask=[False, True, False])
    assert fuseau.sum(x) == 4.0
    assert isinstance(fuseau.ma.array(fuseau.arange(3.0)), numpy.ma.MaskedArray)


def test_random_streams_are_numpys():
    same_bits(
        numpy.random.default_rng(5).normal(size=4),
        fuseau.random.default_rng(5).normal(size=4),
        "normal",
    )
    fuseau.random.seed(3)
    ours = fuseau.random.rand(3)
    numpy.random.seed(3)
    same_bits(numpy.random.rand(3), ours, "rand")
    rng = fuseau.random.default_rng(1)
    assert isinstance(rng, fuseau.random.Generator) and isinstance(rng, numpy.random.Generator)
    a = fuseau.arange(10)
    rng.shuffle(a)
    expected = numpy.arange(10)
    numpy.random.default_rng(1).shuffle(expected)
    same_bits(expected, a, "shuffle")


def test_submodules_can_be_imported():
    import fuseau.linalg
    import fuseau.polynomial.polynomial as poly
    from fuseau.fft import fft

    a = fuseau.arange(4.0)
    same_bits(numpy.fft.fft(numpy.arange(4.0)), fft(a), "fft")
    same_bits(numpy.linalg.norm(numpy.arange(4.0)), fuseau.linalg.norm(a), "norm")
    same_bits(
        numpy.polynomial.polynomial.polyval(numpy.arange(4.0), [1, 2]),
        poly.polyval(a, [1, 2]),
        "poly",
    )
    with pytest.raises(ImportError):
        import fuseau.no_such_module


def test_testing_functions_need_no_door(fresh, monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "error")
    a = fuseau.arange(3.0)
    fuseau.testing.assert_allclose(a, [0, 1, 2])
    fuseau.testing.assert_array_equal(a, a)
    with pytest.raises(AssertionError):
        fuseau.testing.assert_array_equal(a, a + 1)
    fuseau.testing.assert_raises(ValueError, a.reshape, 5)


def test_saving_and_loading(tmp_path, fresh, monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "error")
    a = fuseau.arange(6.0).reshape(2, 3)
    fuseau.save(tmp_path / "a.npy", a)
    loaded = fuseau.load(tmp_path / "a.npy")
    assert type(loaded) is fuseau.ndarray
    same_bits(numpy.arange(6.0).reshape(2, 3), loaded, "load")


def test_grids():
    same_bits(numpy.mgrid[0:3, 0:2], fuseau.mgrid[0:3, 0:2], "mgrid")
    same_bits(numpy.ogrid[0:3, 0:2], fuseau.ogrid[0:3, 0:2], "ogrid")
    same_bits(
        numpy.vectorize(abs)(numpy.arange(-2, 2)),
        fuseau.vectorize(abs)(fuseau.arange(-2, 2)),
        "vectorize",
    )
