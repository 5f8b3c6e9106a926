"""Runs a snippet with NumPy and with fuseau and compares what it gives."""

import os
import sys

import fuseau
import numpy
import pytest

sys.path.insert(0, os.path.dirname(__file__))


def compare(ours, theirs, rtol):
    """The same values and types. `rtol` 0: the same bits."""
    if isinstance(theirs, dict):
        assert ours.keys() == theirs.keys()
        for key in theirs:
            compare(ours[key], theirs[key], rtol)
    elif isinstance(theirs, (list, tuple)):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            compare(a, b, rtol)
    elif isinstance(theirs, (numpy.ndarray, numpy.generic)):
        a, b = numpy.asarray(ours), numpy.asarray(theirs)
        assert a.dtype == b.dtype and a.shape == b.shape
        if rtol and b.dtype.kind in "fc":
            numpy.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * float(abs(b).max(initial=0)))
        else:
            numpy.testing.assert_array_equal(a, b)
    else:
        assert ours == theirs


@pytest.fixture(autouse=True)
def silent(monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "silent")
    with numpy.errstate(all="ignore"):
        yield


@pytest.fixture
def same():
    """`same(snippet)` calls it with each module; `rtol=` where sums are added in another order."""

    def run(snippet, *args, rtol=0):
        compare(snippet(fuseau, *args), snippet(numpy, *args), rtol)

    return run
