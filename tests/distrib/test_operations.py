"""Operations that ranks do in parts: NumPy's results, and no rank ever has an operand as a whole."""

import sys
import textwrap

import pytest
from engines import fuseau_run, run

HEAD = """
import numpy
import fuseau as np

n = 60_000
random = numpy.random.default_rng(0)

def check(function, *arrays):
    want = numpy.asarray(function(numpy, *arrays))
    got = numpy.asarray(function(np, *(np.array(a) for a in arrays)))
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    assert got.tobytes() == want.tobytes()
"""


@pytest.fixture(params=["threads", "controller", "spmd"])
def ranks(request, tmp_path):
    """Runs a program on ranks that cut every value and refuse to gather 100,000 bytes."""

    def start(text):
        words = ["-c", HEAD + textwrap.dedent(text)]
        more = {"FUSEAU_PARTITION_BYTES": "0", "FUSEAU_GATHER_BYTES": "100000"}
        if request.param == "threads":
            more |= {"FUSEAU_THREAD_RANKS": "3"}
            status, out, err = run(sys.executable, *words, cwd=tmp_path, **more)
        else:
            flags = ["--spmd"] if request.param == "spmd" else []
            status, out, err = fuseau_run("-n", "2", *flags, *words, cwd=tmp_path, **more)
        assert (status, err) == (0, ""), err
        return out

    return start


def test_places_of_extremes(ranks):
    ranks("""
        few = random.integers(0, 50, n)
        real = random.random(n)
        unknown = real.copy()
        unknown[[40_000, 50_000]] = numpy.nan
        for a in few, few.astype("int8"), few > 7, real, unknown, real + few * 1j:
            for name in "argmax", "argmin":
                check(lambda m, a: getattr(m, name)(a), a)
                check(lambda m, a: getattr(m, name)(a[::-1]), a)
                check(lambda m, a: getattr(m, name)(a[5:-7:3] + a[6:-6:3], keepdims=True), a)
                for axis in 0, 1:
                    check(lambda m, a: getattr(m, name)(a, axis=axis), a.reshape(600, 100))
                check(lambda m, a: getattr(m, name)(a, axis=0), a.reshape(6, 100, 100))
    """)


def test_counts(ranks):
    ranks("""
        a = random.integers(0, 1000, n)
        check(lambda m, a: m.bincount(a), a)
        check(lambda m, a: m.bincount(a[::-3], minlength=1200), a)
        check(lambda m, a: m.bincount(a.reshape(300, 200)[:, 7:60].ravel()), a)
    """)
