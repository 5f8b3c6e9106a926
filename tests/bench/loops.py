"""Python loops of operations on few elements, against NumPy in the same process.

    python loops.py --module fuseau

Sizes change from round to round, states stay pending while something else is read, and little is
ever computed twice: what costs here is everything but arithmetic. Times are of the calling thread,
the least of some rounds; "first" is the first call in the process. A ratio is NumPy's time over the
module's.
"""

import argparse
import importlib
import time
import warnings

import numpy


def elimination(np, n=60):
    """Gaussian elimination with pivots."""
    rng = numpy.random.default_rng(1)
    a, b = np.array(rng.random((n, n))), np.array(rng.random(n))
    for k in range(n - 1):
        pivot = k + int(np.argmax(np.abs(a[k:, k])))
        a[[k, pivot]] = a[[pivot, k]]
        b[[k, pivot]] = b[[pivot, k]]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i, k:] -= factor * a[k, k:]
            b[i] -= factor * b[k]
    x = np.zeros(n)
    for i in range(n - 1, -1, -1):
        x[i] = (b[i] - a[i, i + 1 :] @ x[i + 1 :]) / a[i, i]
    return x.sum()


def factors(np, n=60):
    """A matrix's lower and upper factors, element by element."""
    a = np.array(numpy.random.default_rng(2).random((n, n)) + n * numpy.eye(n))
    for i in range(n):
        for j in range(i):
            a[i, j] = (a[i, j] - a[i, :j] @ a[:j, j]) / a[j, j]
        for j in range(i, n):
            a[i, j] -= a[i, :i] @ a[:i, j]
    return a.sum()


def orthogonal(np, n=60):
    """Columns made orthogonal to those before."""
    a = np.array(numpy.random.default_rng(3).random((n, n)))
    q = np.zeros_like(a)
    for k in range(n):
        q[:, k] = a[:, k] / np.sqrt(np.dot(a[:, k], a[:, k]))
        for j in range(k + 1, n):
            a[:, j] -= q[:, k] * np.dot(q[:, k], a[:, j])
    return abs(q).sum()


def recursion(np, n=300):
    """Levinson's, over vectors that grow."""
    r = np.array(0.5 ** numpy.arange(1.0, n + 1))
    y = np.zeros(n)
    y[0], alpha, beta = -r[0], -r[0], 1.0
    for k in range(1, n):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return y.sum()


def sparse_rows(np, n=2000):
    """A sparse matrix times a vector, row by row."""
    rng = numpy.random.default_rng(4)
    ends = numpy.concatenate(([0], numpy.cumsum(rng.integers(1, 6, n)))).tolist()
    columns = np.array(rng.integers(0, n, ends[-1]).astype("uint32"))
    values, x, y = np.array(rng.random(ends[-1])), np.array(rng.random(n)), np.zeros(n)
    for i in range(n):
        part = slice(ends[i], ends[i + 1])
        y[i] = values[part] @ x[columns[part]]
    return y.sum()


def kalman(np, n=600):
    """A filter of two states."""
    noise = numpy.random.default_rng(5).normal(size=n).tolist()
    f, h = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    q, r = np.eye(2) * 1e-4, np.array([[0.5]])
    x, p, found = np.zeros((2, 1)), np.eye(2), []
    for k in range(n):
        x, p = f @ x, f @ p @ f.T + q
        gain = p @ h.T @ np.linalg.inv(h @ p @ h.T + r)
        x = x + gain @ (0.1 * k + noise[k] - h @ x)
        p = (np.eye(2) - gain @ h) @ p
        found.append(x[0, 0])
    return np.array(found).sum()


def runge_kutta(np, n=1000):
    """Lorenz's system, in vectors of three."""

    def f(y):
        return np.array([10 * (y[1] - y[0]), y[0] * (28 - y[2]) - y[1], y[0] * y[1] - 8 / 3 * y[2]])

    y, h = np.array([1.0, 1.0, 1.0]), 0.005
    for _ in range(n):
        a = f(y)
        b = f(y + h / 2 * a)
        c = f(y + h / 2 * b)
        d = f(y + h * c)
        y = y + h / 6 * (a + 2 * b + 2 * c + d)
    return y.sum()


def warping(np, n=60):
    """The distance of two series by dynamic programming over elements."""
    rng = numpy.random.default_rng(6)
    a, b = np.array(rng.random(n)), np.array(rng.random(n))
    d = np.full((n + 1, n + 1), np.inf)
    d[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            least = min(d[i - 1, j], d[i, j - 1], d[i - 1, j - 1])
            d[i, j] = abs(a[i - 1] - b[j - 1]) + least
    return d[n, n]


def sieve(np, n=200_000):
    """Primes, by strided writes."""
    prime = np.ones(n + 1, bool)
    prime[:2] = False
    for i in range(2, int(n**0.5) + 1):
        if prime[i]:
            prime[i * i :: i] = False
    return np.nonzero(prime)[0].sum()


def relaxation(np, n=60, rounds=5):
    """Gauss-Seidel: rows by slices, and along them element by element."""
    a = np.array(numpy.random.default_rng(7).random((n, n)))
    for _ in range(rounds):
        for i in range(1, n - 1):
            a[i, 1:-1] += a[i - 1, :-2] + a[i - 1, 1:-1] + a[i, 2:] + a[i + 1, 1:-1]
            for j in range(1, n - 1):
                a[i, j] = (a[i, j] + a[i, j - 1]) / 6.0
    return a.sum()


PROGRAMS = (
    elimination, factors, orthogonal, recursion, sparse_rows, kalman, runge_kutta, warping, sieve, relaxation,
)  # fmt: skip


def measure(program, np, rounds):
    """The value, and milliseconds of the first call and of the best."""
    times = []
    for _ in range(rounds):
        begin = time.thread_time()
        value = float(program(np))
        times.append(1e3 * (time.thread_time() - begin))
    return value, times[0], min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("words", nargs="*", help="only programs with one of these in their name")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    module = importlib.import_module(options.module)
    print("| program | NumPy, ms | first, ms | best, ms | NumPy / first | NumPy / best |")
    print("| --- | --- | --- | --- | --- | --- |")
    for program in PROGRAMS:
        name = program.__name__
        if options.words and not any(word in name for word in options.words):
            continue
        want, _, base = measure(program, numpy, options.rounds)
        got, first, best = measure(program, module, options.rounds)
        if abs(got - want) > 1e-9 * abs(want):
            raise SystemExit(f"{name}: {got!r} instead of {want!r}")
        print(
            f"| {name} | {base:.2f} | {first:.2f} | {best:.2f} | {base / first:.2f} | {base / best:.2f} |"
        )


if __name__ == "__main__":
    main()
