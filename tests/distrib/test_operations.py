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
    same(function(np, *(np.array(a) for a in arrays)), function(numpy, *arrays))

def same(got, want):
    if type(want) is tuple:
        assert len(got) == len(want)
        for g, w in zip(got, want):
            same(g, w)
        return
    got, want = numpy.asarray(got), numpy.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    assert got.tobytes() == want.tobytes(), (got, want)

def stays_in_parts(function, *arrays):
    # What comes to this process is numbers: counts, extremes, edges of bins.
    arrays = [np.array(a) for a in arrays]
    before = np.stats()["bytes_fetched"]
    results = function(np, *arrays)
    np.synchronize()
    assert np.stats()["bytes_fetched"] - before < 2000
    del results
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


def test_sorts(ranks):
    ranks("""
        few = random.integers(0, 50, n)
        real = random.random(n)
        rough = numpy.where(few > 25, -0.0, numpy.where(few > 10, 0.0, real - 0.5))
        rough[::1000] = numpy.nan
        pairs = rough + 1j * rough[::-1]
        for a in few, few.astype("int8"), few.astype("u2"), few > 7, real, rough, pairs:
            for name in "sort", "argsort":
                check(lambda m, a: getattr(m, name)(a, kind="stable"), a)
                check(lambda m, a: getattr(m, name)(a[::-1], kind="stable"), a)
                check(lambda m, a: getattr(m, name)(m.roll(a, 5)[::3], kind="stable"), a)
                # NaNs are compared, which is no error of the sum before.
                check(lambda m, a: getattr(m, name)(a[5:-7:3] + a[6:-6:3], kind="stable"), a)
                for shape in (600, 100), (30_000, 2), (3, 20_000):
                    for axis in 0, 1:
                        check(
                            lambda m, a: getattr(m, name)(a, axis=axis, kind="stable"),
                            a.reshape(shape),
                        )
    """)


def test_sorts_that_need_not_be_stable(ranks):
    ranks("""
        whole = random.permutation(n) - 9
        real = whole / 7
        real[real == 0] = -0.0
        unknown = real.copy()
        unknown[100] = numpy.nan
        for a in whole, whole.astype("f4"), real, unknown:
            a = np.array(a)
            sorts = np.sort(a), np.argsort(a), np.sort(a.reshape(300, 200), axis=0)
            a.sort(kind="heapsort")
            before = np.stats()["bytes_fetched"]
            np.synchronize()
            assert np.stats()["bytes_fetched"] - before < 1000
        for a in whole, whole % 100, whole > 3, real, unknown:
            for function in (
                lambda m, a: m.sort(a),
                lambda m, a: m.argsort(a),
                lambda m, a: m.argsort(a, kind="heapsort"),
                lambda m, a: m.sort(a.reshape(300, 200), axis=0),
            ):
                check(function, a)
            inside = np.array(a)
            inside[10:-10].sort()
            a[10:-10].sort()
            assert numpy.asarray(inside).tobytes() == a.tobytes()
        # Equal elements that are not the same are sorted by NumPy itself.
        check(lambda m, a: m.sort(a), numpy.where(whole % 3 == 0, 0.0, -0.0))
    """)


def test_a_product_with_a_large_right_operand(ranks):
    ranks("""
        a = random.integers(-100, 100, (260, 250))
        b = random.integers(-100, 100, (250, 400))
        check(lambda m, a, b: a @ b, a, b)
        check(lambda m, a, b: m.matmul(a[::-1], b[:, ::-1]) + 1, a, b)
    """)


def test_indices_and_masks_are_checked_where_they_are(ranks):
    ranks("""
        table = random.random((7, 3))
        places = random.integers(-7, 7, n)
        check(lambda m, t, i: t[i], table, places)
        check(lambda m, t, i: m.take(t, i[::-1] + 0, axis=0), table, places)
        t, i = np.array(table), np.array(places)
        before = np.stats()["bytes_fetched"]
        rows = t[i + 0]
        few = np.arange(100)[(i == 3)[:100]]
        np.synchronize()
        assert np.stats()["bytes_fetched"] - before < 1000
        i[40_000] = 9
        try:
            t[i + 0]
        except IndexError as error:
            assert "index 9 is out of bounds for axis 0 with size 7" in str(error)
        else:
            raise AssertionError
    """)


def test_what_masks_select(ranks):
    ranks("""
        few = random.integers(0, 50, n)
        real = random.random(n)
        square = real.reshape(300, 200)
        cube = few.reshape(100, 60, 10)
        for function, a in (
            (lambda m, a: a[a > 0.3], real),
            (lambda m, a: a[a > 2], real),
            (lambda m, a: a[m.arange(n) > 50_000] + 1, few.astype("i1")),
            (lambda m, a: a[a > 0.3], square),
            (lambda m, a: a[a[:, 0] > 0.3], square),
            (lambda m, a: a[::-1][a > 0.3], real),
            (lambda m, a: a.T[a.T > 0.3], square),
            (lambda m, a: a[:, 5:60][a[:, 5:60] > 0.9], square),
            (lambda m, a: a[a[:, :, 0] > 20], cube),
            (lambda m, a: a[a[:, 0, 0] > 20].sum(axis=0), cube),
            (lambda m, a: m.compress(a % 2, a), few),
            (lambda m, a: m.extract(a > 20, a * 2), cube),
            (lambda m, a: m.nonzero(a > 40), few),
            (lambda m, a: m.nonzero(a), cube),
            (lambda m, a: m.flatnonzero(a > 0.5), square),
            (lambda m, a: m.argwhere(a > 45), cube),
            (lambda m, a: m.argwhere(a > 45), few),
            (lambda m, a: m.where(a < 0.25), square),
            (lambda m, a: m.count_nonzero(a), few),
            (lambda m, a: m.count_nonzero(a, axis=0), cube),
            (lambda m, a: m.diff(a[a > 0.5]), real),
            (lambda m, a: a[a > 0.5][a[a > 0.5] > 0.75], real),
        ):
            check(function, a)
        stays_in_parts(lambda m, a: a[a > 0.3], real)
        stays_in_parts(lambda m, a: m.nonzero(a > 0.3), square)
        stays_in_parts(lambda m, a: m.argwhere(a > 0.3), square)
        # What is selected is stored where it is wanted.
        a = np.array(real)
        kept = int((real > 0.5).sum())
        a[:kept] = a[a > 0.5]
        real[:kept] = real[real > 0.5]
        assert numpy.asarray(a).tobytes() == real.tobytes()
    """)


def test_histograms_and_searches(ranks):
    ranks("""
        few = random.integers(0, 50, n)
        real = random.random(n) - 0.5
        unknown = real.copy()
        unknown[::1000] = numpy.nan
        edges = numpy.sort(real)[::500]
        for a in few, few.astype("u2"), real, real.astype("f4"):
            for function in (
                lambda m, a: m.histogram(a),
                lambda m, a: m.histogram(a, 13, range=(0.1, 0.4)),
                lambda m, a: m.histogram(a, 7, density=True),
                lambda m, a: m.histogram(a, [-0.1, 0, 0.25, 3, 3, 49]),
                lambda m, a: m.histogram(a.reshape(300, 200), 1000),
                lambda m, a: m.searchsorted(edges, a),
                lambda m, a: m.searchsorted(edges, a, side="right"),
                lambda m, a: m.searchsorted(numpy.arange(7), a.reshape(300, 200)),
                lambda m, a: m.digitize(a, [-0.2, 0.1, 0.1, 9]),
                lambda m, a: m.digitize(a, [9, 0.3, 0.1, -0.2], right=True),
            ):
                check(function, a)
        check(lambda m, a: m.histogram(a, 9, range=(-0.3, 0.3)), unknown)
        check(lambda m, a: m.searchsorted(edges, a, side="right"), unknown)
        stays_in_parts(lambda m, a: m.histogram(a, 20), real)
        stays_in_parts(lambda m, a: m.searchsorted(numpy.arange(7) / 7, a), real)
    """)


def test_different_elements_and_quantiles(ranks):
    ranks("""
        few = random.integers(0, 50, n)
        real = random.random(n) - 0.5
        real[real == 0] = 0.25
        unknown = real.copy()
        unknown[::1000] = numpy.nan
        rough = numpy.where(few > 25, 0.0, -0.0)
        for a in few, few.astype("i1"), few > 7, real, real.astype("f4"), unknown:
            check(lambda m, a: m.unique(a), a)
            check(lambda m, a: m.unique(a.reshape(300, 200)[:, 7:60]), a)
        for a in few, few.astype("i1"), real, real.astype("f4"), unknown:
            check(lambda m, a: m.unique(a, return_counts=True), a)
            for function in (
                lambda m, a: m.median(a),
                lambda m, a: m.median(a.reshape(300, 200), axis=1),
                lambda m, a: m.median(a.reshape(300, 200), axis=0),
                lambda m, a: m.percentile(a.reshape(300, 200), [3, 50, 99.5], axis=1),
                lambda m, a: m.quantile(a, 0.3),
            ):
                check(function, a)
        check(lambda m, a: m.unique(a, equal_nan=False), unknown)
        # Of elements that are equal and not the same NumPy itself finds its own.
        for function in np.unique, np.median:
            try:
                function(np.array(rough) * 1)
            except MemoryError as error:
                assert "more than the 100000 of FUSEAU_GATHER_BYTES" in str(error), error
            else:
                raise AssertionError
        check(lambda m, a: m.take(a.reshape(300, 200), -3, axis=1), real)
        check(lambda m, a: m.take(a.reshape(30, 10, 200), 7, axis=1), real)
        stays_in_parts(lambda m, a: m.unique(a), few)
        stays_in_parts(lambda m, a: m.median(a.reshape(300, 200), axis=1), real)
    """)


def test_sums_of_columns_go_from_rank_to_rank(ranks):
    ranks("""
        for shape in (600, 100), (60, 1000), (6, 100, 100), (300, 2, 100):
            for dtype in "f4", "f8", "c16":
                a = (random.random(n) - 0.5).astype(dtype).reshape(shape)
                check(lambda m, a: a.sum(axis=0), a)
                check(lambda m, a: (a * 2).mean(axis=0), a)
                check(lambda m, a: a.prod(axis=0), a)
                check(lambda m, a: a[5:, ..., ::3].sum(axis=0), a)
    """)


def test_transforms_along_an_axis(ranks):
    ranks("""
        real = random.random(n) - 0.5
        for a in real, real.astype("f4"), real + 1j * real[::-1], random.integers(0, 50, n):
            for shape in (300, 200), (30, 10, 200):
                a = a.reshape(shape)
                for function in (
                    lambda m, a: m.fft.fft(a),
                    lambda m, a: m.fft.fft(a, axis=0),
                    lambda m, a: m.fft.ifft(a, axis=0, norm="ortho"),
                    lambda m, a: m.fft.fft(a, 150, norm="forward"),
                    lambda m, a: m.fft.fft(a, 331, axis=0),
                    lambda m, a: m.fft.irfft(a, axis=1),
                    lambda m, a: m.fft.irfft(a, 77, axis=0),
                    lambda m, a: m.fft.fft2(a),
                    lambda m, a: m.fft.ifftn(a, norm="ortho"),
                    lambda m, a: m.fft.fft(a.T, axis=0) * 2,
                    lambda m, a: m.fft.fftshift(m.fft.fft(a[::2] + 1)),
                ):
                    check(function, a)
                if a.dtype.kind != "c":
                    check(lambda m, a: m.fft.rfft(a), a)
                    check(lambda m, a: m.fft.rfft(a, 151), a)
                    check(lambda m, a: m.fft.rfft(a, axis=0), a)
                    check(lambda m, a: m.fft.irfft2(m.fft.rfft2(a)), a)
        square = real.reshape(300, 200)
        stays_in_parts(lambda m, a: m.fft.fft2(a), square)
        stays_in_parts(lambda m, a: m.fft.rfft(a, axis=0), square)
    """)


def test_a_transform_of_one_line_is_computed_whole(ranks):
    ranks("""
        few = random.random(5000)
        check(lambda m, a: m.fft.fft(a), few)
        check(lambda m, a: m.fft.rfft(a + 1), few)
        try:
            np.fft.fft(np.array(random.random(n)) * 1).eval()
        except MemoryError as error:
            assert "fft needs" in str(error), error
        else:
            raise AssertionError
    """)
