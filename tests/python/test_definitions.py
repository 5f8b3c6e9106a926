"""NumPy's definitions over fuseau's operations: NumPy's values, without the door."""

import pickle
import warnings

import fuseau
import numpy
import pytest

RNG = numpy.random.default_rng(0)
X = RNG.standard_normal(50)
M = RNG.standard_normal((6, 6))
POSITIVE = M @ M.T + 6 * numpy.eye(6)
TALL = RNG.standard_normal((5, 4))
STACK = RNG.standard_normal((3, 4, 4))
X_NAN, M_NAN = X.copy(), M.copy()
X_NAN[::7] = M_NAN[2, 3] = numpy.nan
K = RNG.integers(0, 10, 40)

CASES = """
    asarray_chkfinite(X)
    average(M, 0)
    average(M, 1, M[0] ** 2)
    bartlett(7)
    blackman(7)
    block([[M, M], [M, M]])
    corrcoef(M)
    cov(M)
    convolve(X, X[:5])
    cross(M[:, :3], M[:, 3:])
    cumulative_prod(X)
    cumulative_sum(X, include_initial=True)
    diag_indices(3)
    diag_indices_from(M)
    diagflat(X[:3])
    ediff1d(X)
    einsum('ij,jk->ik', M, M)
    einsum('ij,jk,kl', M, M, M, optimize=True)
    fix(X)
    geomspace(1, 100, 7)
    gradient(M)
    gradient(X, 0.5, edge_order=2)
    hamming(7)
    hanning(7)
    histogram_bin_edges(X)
    insert(X, 3, 9.0)
    intersect1d(K, K[:5])
    isneginf(X_NAN)
    isposinf(X_NAN)
    ix_([1, 2], [0, 1])
    kron(M, TALL)
    logspace(0, 2, 5)
    mask_indices(3, numpy.triu)
    mean(M, 0, where=M > 0)
    nan_to_num(X_NAN)
    nanargmax(X_NAN)
    nanargmin(M_NAN, 1)
    nancumprod(M_NAN, 1)
    nancumsum(X_NAN)
    nanmax(X_NAN)
    nanmax(M_NAN, 0)
    nanmean(M_NAN, 0)
    nanmedian(X_NAN)
    nanmedian(M_NAN, 0)
    nanmedian(M_NAN, 1, keepdims=True)
    nanmedian(X_NAN, 0)
    nanmedian(M_NAN, keepdims=True)
    nanmin(M_NAN, 0, keepdims=True)
    nanprod(M_NAN, 1)
    nanstd(X_NAN)
    nansum(X_NAN)
    nanvar(M_NAN, 1)
    polyadd([1, 2], X[:3])
    polyder([1, 2, 3])
    polydiv(X[:4], [3, 4])
    polyfit(X[:20], X[20:40], 3)
    polyint([1, 2, 3])
    polysub([1, 2], [3, 4, 5])
    polyval([1, 2, 3], X)
    real_if_close(X + 0j)
    resize(X, (3, 3))
    delete(X, [1, 2])
    histogram(X, 7)
    histogram2d(X, X * 2)
    histogramdd(TALL, 3)
    i0(X)
    isin(K, [1, 2])
    kaiser(7, 3.0)
    median(M, 0)
    pad(M, 2, 'reflect')
    pad(M, ((1, 0), (2, 3)), 'wrap')
    pad(X, 3, 'mean')
    pad(X, 3, 'linear_ramp', end_values=2)
    percentile(X, [25, 50])
    percentile(X, 30, method='midpoint')
    piecewise(X, [X < 0, X >= 0], [-1, 1])
    poly([1, 2, 3])
    polymul([1, 2], [3, 4, 5])
    quantile(M, 0.3, 0)
    setdiff1d(K, K[:5])
    unique(K, return_inverse=True, return_counts=True)
    unique_all(K)
    unique_inverse(K)
    roots([1, -3, 2])
    select([X < 0, X > 1], [X, X * 2], 0)
    setxor1d(K, K[:5])
    sinc(X)
    sort_complex(X)
    std(M, 1, where=M > 0)
    sum(M, 0, where=M > 0)
    trapezoid(X, dx=0.1)
    tril_indices(4)
    tril_indices_from(M)
    trim_zeros(K - K[0])
    triu_indices(4)
    union1d(K, K[:5] + 8)
    unique(K)
    unique_counts(K)
    unique_values(K)
    unwrap(X * 4)
    vander(X[:5])
    r_[1:4, X, 0]
    r_['0,2', X, X]
    c_[X, X]
    mgrid[0:3, 0:2]
    mgrid[0:1:5j]
    ogrid[0:3, 0:2]
    fromiter(range(4), float)
    shares_memory(X, X[1:])
    emath.sqrt(X)
    emath.power(X, 2)
    lib.scimath.arcsin(X)
    polynomial.polynomial.polyval(X, [1, 2, 3])
    polynomial.polynomial.polyfit(X, X**2, 2)
    polynomial.chebyshev.chebfit(X, X, 2)
    polynomial.legendre.leggauss(4)
    polynomial.hermite.hermval(X, [1, 2, 3])
    polynomial.Polynomial([1, 2, 3])(X)
    polynomial.Polynomial([1, 2]).__mul__([1, 2]).coef
    polynomial.Chebyshev([1, 2, 3]).convert().coef
    polynomial.Polynomial([1, 2, 3]).roots()
    polynomial.Polynomial.fit(X, X**2, 2).coef
    polynomial.Legendre.basis(3)(X)
    fft.fft(X)
    fft.fft2(M)
    fft.fftfreq(9)
    fft.fftn(STACK, axes=(0, 2))
    fft.fftshift(M)
    fft.hfft(X)
    fft.ifft(X, 64, norm='ortho')
    fft.ifftshift(X)
    fft.ihfft(X)
    fft.irfft(X + 0j)
    fft.irfft2(M + 0j)
    fft.rfft(X)
    fft.rfft2(STACK)
    fft.rfftfreq(9, 0.1)
    linalg.cholesky(POSITIVE)
    linalg.cond(M)
    linalg.cross(M[:, :3], M[:, 3:])
    linalg.det(M)
    linalg.det(STACK)
    linalg.eig(M)
    linalg.eigh(POSITIVE)
    linalg.eigvals(M)
    linalg.eigvalsh(POSITIVE)
    linalg.inv(M)
    linalg.inv(STACK)
    linalg.lstsq(TALL, X[:5])
    linalg.matrix_norm(M)
    linalg.matrix_power(M, 3)
    linalg.matrix_rank(M)
    linalg.multi_dot([M, M, M])
    linalg.norm(M)
    linalg.norm(M, 2)
    linalg.norm(X, 1)
    linalg.outer(X, X)
    linalg.pinv(TALL)
    linalg.qr(TALL)
    linalg.slogdet(STACK)
    linalg.solve(M, X[:6])
    linalg.svd(TALL, full_matrices=False)
    linalg.svdvals(M)
    linalg.tensordot(M, M)
    linalg.trace(STACK)
    linalg.vecdot(X, X)
    linalg.vector_norm(X)
"""


def leaves(x):
    if isinstance(x, (tuple, list)):
        for item in x:
            yield from leaves(item)
    else:
        yield x


def moving(a):
    """The strides of the axes that have more than one element."""
    return [step for step, n in zip(a.strides, a.shape, strict=True) if n > 1]


def names(convert):
    arrays = {k: v for k, v in globals().items() if isinstance(v, numpy.ndarray)}
    return {"numpy": numpy, **{name: convert(a) for name, a in arrays.items()}}


@pytest.mark.parametrize("text", CASES.strip().splitlines())
def test_equals_numpy_without_the_door(text):
    text = text.strip()
    want = eval(f"numpy.{text}", names(numpy.copy))
    doors = fuseau.fallback_count()
    got = eval(f"fuseau.{text}", {"fuseau": fuseau, **names(fuseau.asarray)})
    assert fuseau.fallback_count() == doors
    assert not isinstance(want, tuple) or type(want).__name__ == type(got).__name__
    for mine, theirs in zip(leaves(got), leaves(want), strict=True):
        if isinstance(theirs, numpy.ndarray):
            assert type(mine) is fuseau.ndarray
            assert moving(mine) == moving(theirs)
        mine = numpy.asarray(mine)
        assert mine.dtype == numpy.asarray(theirs).dtype
        numpy.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    "text",
    [
        "median(a, 7)",
        "linalg.inv(a[0])",
        "linalg.inv(a * 0)",
        "linalg.cholesky(-a)",
        "fft.fft(a, 0)",
        "percentile(a, 101)",
        "cov(a[None])",
        "polyfit(a[0], a[0], -1)",
        "gradient(a[:1])",
    ],
)
def test_errors_are_numpys(text):
    doors = fuseau.fallback_count()
    messages = []
    for module, a in ((numpy, M), (fuseau, fuseau.asarray(M))):
        with pytest.raises(Exception) as caught:
            eval(f"module.{text}", {"module": module, "a": a})
        messages.append((caught.type, str(caught.value)))
    assert messages[0] == messages[1]
    assert fuseau.fallback_count() == doors


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("shape", [(3,), (4,), (3, 2), (2, 2), (601, 2)], ids=str)
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_nanmedian_overflows_where_numpys_does(shape, axis):
    a = numpy.full(shape, numpy.finfo("f4").max)
    want = numpy.nanmedian(a, axis)
    got = fuseau.nanmedian(fuseau.asarray(a), axis)
    numpy.testing.assert_array_equal(numpy.asarray(got), want)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_nanmedian_warns_of_every_slice_of_nan(axis):
    warned = []
    for np in (numpy, fuseau):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            np.nanmedian(np.full((2, 3), numpy.nan), axis)
        warned.append([str(each.message) for each in caught])
    assert warned[0] == warned[1]


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3)], ids=str)
@pytest.mark.parametrize("name", ["median", "quantile", "percentile", "nanquantile"])
def test_kept_dimensions_are_those_of_an_array(name, shape):
    arguments = () if name == "median" else (0.5,)
    got = getattr(fuseau, name)(fuseau.ones(shape), *arguments, keepdims=True)
    want = getattr(numpy, name)(numpy.ones(shape), *arguments, keepdims=True)
    assert type(got) is fuseau.ndarray
    got[...] = want[...] = 2
    assert got.strides == want.strides
    numpy.testing.assert_array_equal(numpy.asarray(got), want)


def test_warnings_name_the_callers_line():
    with pytest.warns(RuntimeWarning, match="Mean of empty slice") as seen:
        fuseau.nanmean(fuseau.asarray([numpy.nan, numpy.nan]))
    assert seen[0].filename == __file__


def test_other_types_go_to_numpy_once_and_under_the_name_that_was_called():
    doors = fuseau.fallback_count("nansum")
    words = numpy.array([1, 2, None], dtype=object)
    assert fuseau.nansum(words[:2]) == 3
    assert fuseau.fallback_count("nansum") == doors + 1


def test_the_steps_are_recorded():
    a = fuseau.asarray(X_NAN)
    fuseau.synchronize()
    windows = fuseau.stats()["windows"]
    result = fuseau.gradient(a)
    assert fuseau.stats()["windows"] == windows
    numpy.testing.assert_array_equal(numpy.asarray(result), numpy.gradient(X_NAN))


def test_polynomials_are_classes_of_their_own_with_numpys_text():
    ours, theirs = fuseau.polynomial.Polynomial([1, 2.5]), numpy.polynomial.Polynomial([1, 2.5])
    assert type(ours.coef) is fuseau.ndarray
    assert isinstance(ours.deriv(), fuseau.polynomial.Polynomial)
    assert (repr(ours), str(ours)) == (repr(theirs), str(theirs))
    assert pickle.loads(pickle.dumps(ours)) == ours
    squared = ours * ours
    assert type(squared) is fuseau.polynomial.Polynomial and str(squared) == str(theirs * theirs)
    chebyshev = fuseau.polynomial.Chebyshev([1, 2, 3]).convert(kind=fuseau.polynomial.Polynomial)
    assert chebyshev == fuseau.polynomial.Polynomial([-2.0, 2.0, 6.0])
    with pytest.raises(ValueError, match="Coefficient array is empty"):
        fuseau.polynomial.Polynomial([])


def test_random_streams_are_numpys():
    ours, theirs = fuseau.random.default_rng(7), numpy.random.default_rng(7)
    doors = fuseau.fallback_count()
    for draw in (
        lambda r: r.random((3, 4)),
        lambda r: r.normal(X[:5], 2.0),
        lambda r: r.integers(0, 9, 12),
        lambda r: r.permutation(8),
        lambda r: r.choice(5, 3, replace=False),
    ):
        mine = draw(ours)
        assert type(mine) is fuseau.ndarray
        numpy.testing.assert_array_equal(numpy.asarray(mine), draw(theirs))
    fuseau.random.seed(3)
    numpy.testing.assert_array_equal(
        numpy.asarray(fuseau.random.rand(4)), numpy.random.RandomState(3).rand(4)
    )
    assert fuseau.fallback_count() == doors


def test_an_array_has_the_type_that_definitions_ask_for():
    """`type(a) is np.ndarray` decides how NumPy forms a nanmax, and so how the result lies."""
    rows = numpy.linspace(0, 1, 6)
    theirs = numpy.nanmax(numpy.broadcast_to(rows, (2, 2, 6)), axis=1, keepdims=True)
    ours = fuseau.nanmax(fuseau.broadcast_to(fuseau.array(rows), (2, 2, 6)), axis=1, keepdims=True)
    assert ours.strides == theirs.strides
    with pytest.warns(RuntimeWarning, match="All-NaN slice encountered"):
        fuseau.nanmax(fuseau.full((3, 4), numpy.nan)).item()


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 3)])
def test_arrays_without_elements_have_the_strides_of_numpy(shape):
    ours, theirs = fuseau.zeros(shape), numpy.zeros(shape)
    assert ours.strides == theirs.strides
    assert (ours + 1).strides == (theirs + 1).strides
    assert ours[..., ::2].strides == theirs[..., ::2].strides
