"""What people write with NumPy alone: simulations, statistics, small models, puzzles."""

import pytest


def life(np):
    """The game of life on a torus: a glider after eight generations."""
    board = np.zeros((12, 12), dtype=np.uint8)
    board[1:4, 1:4] = [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
    history = []
    for _ in range(8):
        turns = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
        around = sum(np.roll(board, turn, axis=(0, 1)) for turn in turns)
        board = ((around == 3) | ((board == 1) & (around == 2))).astype(np.uint8)
        history.append(int(board.sum()))
    return board, history, np.argwhere(board)


def life_by_slices(np):
    """The same game with neighbours as slices and indexed writes."""
    z = np.zeros((20, 20), dtype=int)
    z[5, 4:9] = z[10:15, 12] = 1
    for _ in range(6):
        n = np.zeros(z.shape, dtype=int)
        n[1:-1, 1:-1] += z[:-2, :-2] + z[:-2, 1:-1] + z[:-2, 2:] + z[1:-1, :-2]
        n[1:-1, 1:-1] += z[1:-1, 2:] + z[2:, :-2] + z[2:, 1:-1] + z[2:, 2:]
        birth = np.logical_and(n == 3, z == 0)
        survive = np.logical_and(np.logical_or(n == 2, n == 3), z == 1)
        z[...] = 0
        z[np.logical_or(birth, survive)] = 1
    return z


def mandelbrot(np):
    """How fast points escape, with a mask of those that have not."""
    x, y = np.meshgrid(np.linspace(-2.0, 0.6, 40), np.linspace(-1.2, 1.2, 30))
    c = x + 1j * y
    z = np.zeros_like(c)
    count = np.full(c.shape, 30, dtype=np.int32)
    inside = np.ones(c.shape, dtype=bool)
    for step in range(30):
        z[inside] = z[inside] ** 2 + c[inside]
        gone = inside & (np.abs(z) > 2)
        count[gone] = step
        inside[gone] = False
    return count, inside.sum()


def kmeans(np):
    """Lloyd's iteration on three clouds."""
    rng = np.random.default_rng(5)
    points = np.concatenate([rng.normal(m, 0.3, (60, 2)) for m in ((0, 0), (3, 0), (0, 3))])
    centers = points[[0, 70, 150]].copy()
    for _ in range(8):
        distance = np.linalg.norm(points[:, None, :] - centers[None, :, :], axis=2)
        label = distance.argmin(axis=1)
        centers = np.array([points[label == k].mean(axis=0) for k in range(3)])
    return label, np.bincount(label), centers


def pca(np):
    """Principal components by a singular value decomposition."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((50, 4)) @ rng.standard_normal((4, 4))
    data = data - data.mean(axis=0)
    u, s, vt = np.linalg.svd(data, full_matrices=False)
    share = s**2 / np.sum(s**2)
    sign = np.sign(vt[np.arange(4), np.abs(vt).argmax(axis=1)])
    return share, (data @ vt.T[:, :2]) * sign[:2], np.allclose(data, u * s @ vt)


def moving_average(np):
    """In three ways: by running sums, by windows, by convolution."""
    x = np.sin(np.arange(50) / 5.0) + np.arange(50) % 3
    n = 5
    total = np.cumsum(np.insert(x, 0, 0.0))
    windows = np.lib.stride_tricks.sliding_window_view(x, n)
    return (
        (total[n:] - total[:-n]) / n,
        windows.mean(axis=-1),
        np.convolve(x, np.ones(n) / n, "valid"),
    )


def sudoku(np):
    """Whether a square of 81 numbers is a solution, and what is wrong with another."""
    first = np.arange(9)
    board = (first[:, None] * 3 + first[:, None] // 3 + first) % 9 + 1

    def groups(b):
        boxes = b.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
        return np.stack([b, b.T, boxes])

    wrong = board.copy()
    wrong[0, [0, 4]] = wrong[0, [4, 0]]
    wanted = np.arange(1, 10)
    good = bool((np.sort(groups(board), axis=-1) == wanted).all())
    bad = ~(np.sort(groups(wrong), axis=-1) == wanted).all(axis=-1)
    return good, board, np.argwhere(bad), [np.unique(row).size for row in wrong.T]


def monte_carlo(np):
    """Pi as the share of points in a circle, and its error over time."""
    rng = np.random.default_rng(42)
    x, y = rng.random((2, 20000))
    inside = x * x + y * y <= 1.0
    estimate = 4 * np.cumsum(inside) / np.arange(1, inside.size + 1)
    return 4 * inside.mean(), estimate[[9, 99, 999, -1]], abs(estimate[-1] - np.pi) < 0.05


def linear_regression(np):
    """Gradient descent on a mean of squares."""
    rng = np.random.RandomState(1)
    x = np.c_[np.ones(100), rng.rand(100, 2)]
    y = x @ np.array([1.0, -2.0, 3.0]) + 0.01 * rng.randn(100)
    w, losses = np.zeros(3), []
    for _ in range(200):
        error = x @ w - y
        w -= 0.5 * (x.T @ error) / len(y)
        losses.append(float(np.mean(error**2)))
    return w, losses[::40], np.linalg.lstsq(x, y, rcond=None)[0]


def image_filter(np):
    """An image convolved with an edge filter and clipped to bytes."""
    y, x = np.mgrid[:24, :32]
    image = ((x * 8 + y * 3) % 256).astype(np.uint8)
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    padded = np.pad(image.astype(np.int32), 1, mode="edge")
    out = np.zeros(image.shape, np.int32)
    for i in range(3):
        for j in range(3):
            out += kernel[i, j] * padded[i : i + 24, j : j + 32]
    return out, np.clip(out, 0, 255).astype(np.uint8), np.abs(out).max()


def fft_filter(np):
    """Noise removed from a signal in the frequency domain."""
    t = np.arange(0, 1, 0.002)
    signal = np.sin(2 * np.pi * 50 * t) + np.sin(2 * np.pi * 120 * t)
    noisy = signal + np.random.default_rng(7).normal(0, 1.5, t.size)
    spectrum = np.fft.rfft(noisy)
    power = np.abs(spectrum) ** 2 / t.size
    cleaned = np.fft.irfft(np.where(power > 60, spectrum, 0), t.size)
    frequency = np.fft.rfftfreq(t.size, 0.002)
    return frequency[power > 60], cleaned, np.corrcoef(cleaned, signal)


def power_iteration(np):
    """The largest eigenvalue, and page ranks of a small web."""
    a = np.array([[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]])
    v = np.ones(3)
    while True:
        w = a @ v
        w /= np.linalg.norm(w)
        if np.linalg.norm(w - v) < 1e-12:
            break
        v = w
    links = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [1, 1, 0, 1], [0, 1, 0, 0]], dtype=float)
    links /= links.sum(axis=0)
    rank = np.full(4, 0.25)
    for _ in range(50):
        rank = 0.85 * links.dot(rank) + 0.15 / 4
    return v @ a @ v, np.linalg.eigvalsh(a)[-1], rank, np.argsort(-rank)


def sieve(np):
    """Primes by a sieve, their gaps, and a factorisation."""
    n = 2000
    prime = np.ones(n + 1, dtype=bool)
    prime[:2] = False
    for k in range(2, int(n**0.5) + 1):
        if prime[k]:
            prime[k * k :: k] = False
    primes = np.nonzero(prime)[0]
    gaps = np.diff(primes)
    return primes, np.unique(gaps, return_counts=True), primes[360360 % primes == 0]


def random_walks(np):
    """Many walks at once: extremes, first crossings, spread."""
    rng = np.random.default_rng(12345)
    steps = np.where(rng.integers(0, 2, size=(300, 200)) > 0, 1, -1)
    walks = steps.cumsum(axis=1)
    hits = (np.abs(walks) >= 15).any(axis=1)
    crossing = (np.abs(walks[hits]) >= 15).argmax(axis=1)
    return (
        walks.max(),
        walks.min(),
        hits.sum(),
        crossing.mean(),
        np.percentile(walks[:, -1], [5, 50, 95]),
    )


def softmax_classifier(np):
    """A linear classifier with softmax, trained by gradients on a spiral."""
    rng = np.random.default_rng(2)
    n, classes = 60, 3
    x, y = np.zeros((n * classes, 2)), np.zeros(n * classes, dtype="uint8")
    for j in range(classes):
        place = range(n * j, n * (j + 1))
        r = np.linspace(0.0, 1, n)
        t = np.linspace(j * 4, (j + 1) * 4, n) + rng.standard_normal(n) * 0.2
        x[place] = np.c_[r * np.sin(t), r * np.cos(t)]
        y[place] = j
    w, b = 0.01 * rng.standard_normal((2, classes)), np.zeros((1, classes))
    for _ in range(60):
        scores = x @ w + b
        p = np.exp(scores - scores.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.log(p[range(len(y)), y]).mean() + 0.5e-3 * np.sum(w * w)
        p[range(len(y)), y] -= 1
        p /= len(y)
        w -= 1.0 * (x.T @ p + 1e-3 * w)
        b -= 1.0 * p.sum(axis=0, keepdims=True)
    return loss, w, np.mean(np.argmax(x @ w + b, axis=1) == y)


def neural_network(np):
    """Two layers learn xor by back-propagation."""
    rng = np.random.default_rng(3)
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
    first, second = rng.uniform(-1, 1, (2, 4)), rng.uniform(-1, 1, (4, 1))
    for _ in range(300):
        hidden = 1 / (1 + np.exp(-(x @ first)))
        out = 1 / (1 + np.exp(-np.dot(hidden, second)))
        d_out = (y - out) * out * (1 - out)
        d_hidden = d_out.dot(second.T) * hidden * (1 - hidden)
        second += hidden.T.dot(d_out)
        first += x.T.dot(d_hidden)
    return out, first


def n_body(np):
    """Gravity between bodies, by leapfrog steps."""
    rng = np.random.default_rng(8)
    place, speed, mass = rng.normal(size=(20, 3)), rng.normal(size=(20, 3)), rng.random((20, 1))

    def acceleration():
        d = place[None, :, :] - place[:, None, :]
        r3 = ((d**2).sum(-1) + 0.01) ** -1.5
        return (d * r3[..., None] * mass[None, :, :]).sum(axis=1)

    a = acceleration()
    for _ in range(10):
        speed += a * 0.005
        place += speed * 0.01
        a = acceleration()
        speed += a * 0.005
    return place, 0.5 * (mass * speed**2).sum()


def heat(np):
    """Heat in a rod, explicit, and a tridiagonal solve for its end."""
    u = np.zeros(50)
    u[20:30] = 1.0
    for _ in range(100):
        u[1:-1] = u[1:-1] + 0.25 * (u[2:] - 2 * u[1:-1] + u[:-2])
    a = np.diag(np.full(50, 2.5)) + np.diag(np.full(49, -1.0), 1) + np.diag(np.full(49, -1.0), -1)
    return u, np.linalg.solve(a, u), np.trapezoid(u, dx=0.1), np.gradient(u)


def text_statistics(np):
    """Letters counted, sorted by frequency, run lengths, a histogram."""
    text = np.frombuffer(b"the quick brown fox jumps over the lazy dog and the cat", dtype=np.uint8)
    counts = np.bincount(text[text != 32] - 97, minlength=26)
    order = np.argsort(-counts, kind="stable")
    value = np.array([1, 1, 2, 2, 2, 3, 1, 1])
    edge = np.flatnonzero(np.concatenate(([True], value[1:] != value[:-1], [True])))
    return counts, order[:5], np.diff(edge), value[edge[:-1]], np.histogram(counts, bins=4)


def classic_puzzles(np):
    """A chessboard, a bordered matrix, nearest values, one-hot rows, ranks, group sums."""
    board = np.zeros((8, 8), dtype=int)
    board[1::2, ::2] = 1
    board[::2, 1::2] = 1
    border = np.ones((5, 5))
    border[1:-1, 1:-1] = 0
    x = np.random.default_rng(1).random(10)
    labels = np.array([0, 2, 1, 2, 0])
    groups = np.zeros(3)
    np.add.at(groups, labels, [1.0, 2.0, 3.0, 4.0, 5.0])
    angle = np.arctan2(*np.array([[1.0, -1.0], [0.5, 0.25]]))
    return {
        "board": board,
        "border": border,
        "tile": np.tile(np.array([[0, 1], [1, 0]]), (4, 4)),
        "nearest": x[np.abs(x - 0.5).argmin()],
        "one hot": np.eye(3)[labels],
        "rank": x.argsort().argsort(),
        "groups": groups,
        "angle": angle,
        "cauchy": 1.0 / (np.arange(3.0)[:, None] - np.arange(3.0) - 0.5),
        "unravel": np.unravel_index(100, (6, 7, 8)),
        "einsum": np.einsum("ij,jk->ik", border, border),
        "where": np.where(x > 0.5, x, -x),
        "nan": np.nanmean(np.array([1.0, np.nan, 3.0])),
        "digits": np.digitize(x, [0.25, 0.5, 0.75]),
        "interp": np.interp([0.5, 1.5], [0, 1, 2], [0.0, 10.0, 0.0]),
    }


EXACT = [
    life,
    life_by_slices,
    mandelbrot,
    sudoku,
    image_filter,
    sieve,
    random_walks,
    text_statistics,
    monte_carlo,
    moving_average,
]
CLOSE = [
    kmeans,
    pca,
    linear_regression,
    fft_filter,
    power_iteration,
    softmax_classifier,
    neural_network,
    n_body,
    heat,
    classic_puzzles,
]


@pytest.mark.parametrize("snippet", EXACT, ids=lambda f: f.__name__)
def test_exact(snippet, same):
    same(snippet)


@pytest.mark.parametrize("snippet", CLOSE, ids=lambda f: f.__name__)
def test_close(snippet, same):
    same(snippet, rtol=1e-10)
