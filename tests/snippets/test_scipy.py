"""SciPy with our arrays as arguments and our functions as callbacks."""

import pytest

scipy = pytest.importorskip("scipy", reason="SciPy is not installed: tools/requirements.txt")


def test_minimize(same):
    from scipy import optimize

    def snippet(np):
        def rosen(x):
            return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

        found = optimize.minimize(rosen, np.array([1.3, 0.7, 0.8]), method="BFGS")
        root = optimize.brentq(lambda t: np.cos(t) - t, 0, 1)
        x = np.linspace(0, 4, 30)
        fit, _ = optimize.curve_fit(lambda x, a, b: a * np.exp(-b * x), x, 2.5 * np.exp(-1.3 * x))
        zero = optimize.fsolve(
            lambda v: [v[0] + v[1] - 3, np.exp(v[0]) - v[1]], np.array([1.0, 1.0])
        )
        return found.success, found.x.round(3), root, fit.round(8), zero

    same(snippet, rtol=1e-7)


def test_integrate(same):
    from scipy import integrate

    def snippet(np):
        area, _ = integrate.quad(lambda x: np.exp(-(x**2)), 0, np.inf)

        def predators(t, z):
            x, y = z
            return np.array([1.5 * x - x * y, -3 * y + x * y])

        path = integrate.solve_ivp(
            predators, (0, 5), np.array([10.0, 5.0]), t_eval=np.linspace(0, 5, 20)
        )
        x = np.linspace(0, np.pi, 101)
        return (
            area,
            path.y,
            integrate.simpson(np.sin(x), x=x),
            integrate.cumulative_trapezoid(np.sin(x), x),
        )

    same(snippet, rtol=1e-9)


def test_linalg(same):
    from scipy import linalg

    def snippet(np):
        a = np.array([[4.0, 2.0, 1.0], [2.0, 5.0, 3.0], [1.0, 3.0, 6.0]])
        lu = linalg.lu_factor(a)
        return (
            linalg.solve(a, np.arange(3.0)),
            linalg.lu_solve(lu, np.ones(3)),
            linalg.cholesky(a, lower=True),
            linalg.expm(a / 10),
            linalg.eigh(a, eigvals_only=True),
            linalg.toeplitz(np.arange(3)),
        )

    same(snippet, rtol=1e-12)


def test_signal(same):
    from scipy import ndimage, signal

    def snippet(np):
        t = np.arange(0, 1, 0.01)
        x = np.sin(2 * np.pi * 3 * t) + 0.3 * np.sin(2 * np.pi * 30 * t)
        b, a = signal.butter(3, 0.2)
        _, density = signal.welch(x, fs=100, nperseg=50)
        image = np.outer(np.hanning(12), np.hanning(12))
        return (
            signal.filtfilt(b, a, x),
            signal.find_peaks(x)[0],
            signal.convolve(x, np.ones(5) / 5, mode="same"),
            density,
            ndimage.gaussian_filter(image, 1.0),
            ndimage.label(image > 0.5)[0],
        )

    same(snippet, rtol=1e-9)


def test_sparse(same):
    from scipy import sparse
    from scipy.sparse import linalg

    def snippet(np):
        n = 20
        a = sparse.diags(
            [-np.ones(n - 1), 2 * np.ones(n), -np.ones(n - 1)], [-1, 0, 1], format="csr"
        )
        row, column = np.array([0, 1, 2, 2]), np.array([0, 2, 1, 1])
        m = sparse.coo_matrix((np.array([1.0, 2.0, 3.0, 4.0]), (row, column)), shape=(3, 3))
        x = linalg.spsolve(a.tocsc(), np.ones(n))
        return (
            x,
            a @ np.arange(float(n)),
            m.toarray(),
            sparse.csr_matrix(np.eye(3)).nnz,
            (a @ x).sum(),
        )

    same(snippet, rtol=1e-10)


def test_stats(same):
    from scipy import interpolate, spatial, special, stats

    def snippet(np):
        rng = np.random.default_rng(4)
        a, b = rng.normal(size=80), rng.normal(0.4, 1.2, 80)
        points = rng.random((30, 2))
        distance, place = spatial.cKDTree(points).query(np.array([[0.5, 0.5]]), k=3)
        x = np.linspace(0, 3, 10)
        return (
            tuple(stats.ttest_ind(a, b)),
            tuple(stats.pearsonr(a, b)),
            stats.norm.pdf(a[:5]),
            stats.linregress(a, b).slope,
            stats.zscore(a),
            tuple(stats.describe(a))[:4],
            special.erf(a[:5]) + special.gamma(b[:5]),
            distance,
            place,
            interpolate.CubicSpline(x, np.sin(x))(x + 0.1),
            spatial.distance.pdist(points[:4]),
        )

    same(snippet, rtol=1e-10)
