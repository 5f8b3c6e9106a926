"""Programs of many kinds, for many sizes, against NumPy."""

import fuseau as fs
import numpy
import pytest
from linked import same_bits


def chain(np, x, y):
    return (x * 2 + y * 3 - 1.5) * 0.25


def stencil(np, grid):
    center = grid[1:-1, 1:-1]
    for _ in range(3):
        center[:] = 0.2 * (
            center + grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, 2:] + grid[1:-1, :-2]
        )


def fresh(np, x):
    out = np.zeros((x.shape[0] + 2, x.shape[1]))
    out[1:-1] = x
    out[0] = 7.0
    return out


def sums(np, x):
    return x.sum(), x.sum(axis=0), x.sum(axis=1), (x * x).mean()


def softmax(np, x):
    shifted = x - x.max(axis=1, keepdims=True)
    return shifted / np.abs(shifted).sum(axis=1, keepdims=True)


def turned(np, x):
    return x.T[::-1], x[:, 1:] + 1


def both(np, x, y):
    old = x + 0
    x[:] = y
    y[:] = old


def where(np, x, k):
    return np.where(x > 0, x, -x).astype(np.float32), k + np.arange(x.shape[0])


def elements(np, x, w):
    x[1:-1] = x[:-2] * w[0] + x[1:-1] * w[1] + x[2:] * w[2]
    total = 0.0
    for i in range(3):
        total = total + w[i] * 2
    return x[0] if x.size else x.sum(), total


def running(np, x):
    return np.cumsum(x), np.cumsum(x * 2).sum()


def given_back(np, x):
    first = x
    kept = x + 0
    first += 1
    return x, kept, np.array([1.0, 2.0, 3.0])


def outer(np, x, y):
    return x[:, None] * y + np.minimum.outer(x, y)


def long_chain(np, x):
    for _ in range(30):
        x = x * 0.5 + 1.25
    return x


PROGRAMS = [
    (chain, "f64[n]", "f64[n]"),
    (stencil, "f64[n,m]"),
    (fresh, "f64[n,m]"),
    (sums, "f64[n,m]"),
    (softmax, "f64[n,m]"),
    (turned, "f32[n,m]"),
    (both, "f64[n]", "f64[n]"),
    (where, "f64[n]", "i64"),
    (elements, "f64[n]", "f64[3]"),
    (running, "f64[n]"),
    (given_back, "f64[n]"),
    (outer, "f64[n]", "f64[m]"),
    (long_chain, "f32[n]"),
]
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 64, 100, 129, 1000]


def inputs(program, sizes, seed=0):
    random = numpy.random.default_rng(seed)
    arrays = []
    for text in program[1:]:
        dtype, _, inner = text.partition("[")
        kind = {"f64": "f8", "f32": "f4", "i64": "i8"}[dtype]
        shape = [sizes[x] if x in sizes else int(x) for x in inner.rstrip("]").split(",") if x]
        arrays.append((random.standard_normal(shape) * 10).astype(kind))
    return arrays


def expected(program, arrays):
    """NumPy's results and the arguments afterwards; None if NumPy raises."""
    with numpy.errstate(all="ignore"):
        try:
            results = program[0](numpy, *arrays)
        except (ValueError, IndexError):
            return None
    if results is None:
        return []
    return list(results) if isinstance(results, tuple) else [results]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p[0].__name__)
def test_fixed_sizes(program, link):
    sizes = {"n": 33, "m": 21}
    letters = {x for text in program[1:] for x in "nm" if x in text.partition("[")[2]}
    function = link(
        lambda *arrays: program[0](fs, *arrays),
        *program[1:],
        sizes=[{x: sizes[x] for x in letters}],
    )
    mine, theirs = inputs(program, sizes), inputs(program, sizes)
    want = expected(program, theirs)
    for got, right in zip(function(*mine), want, strict=True):
        same_bits(got, right)
    for got, right in zip(mine, theirs, strict=True):
        same_bits(got, right)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p[0].__name__)
def test_any_size(program, link):
    function = link(lambda *arrays: program[0](fs, *arrays), *program[1:])
    two = any("m]" in text for text in program[1:])
    pairs = (
        [(n, m) for n in SIZES for m in (SIZES if n < 10 else SIZES[-3:])]
        if two
        else [(n, 0) for n in SIZES]
    )
    for n, m in pairs:
        sizes = {"n": n, "m": m}
        mine, theirs = inputs(program, sizes), inputs(program, sizes)
        want = expected(program, theirs)
        if want is None:
            continue
        for got, right in zip(function(*mine), want, strict=True):
            same_bits(got, right)
        for got, right in zip(mine, theirs, strict=True):
            same_bits(got, right)


def test_large_arrays_use_all_threads_and_bands(link):
    program = (stencil, "f64[n,m]")
    function = link(lambda grid: stencil(fs, grid), "f64[n,m]")
    sizes = {"n": 1501, "m": 1203}
    mine, theirs = inputs(program, sizes), inputs(program, sizes)
    expected(program, theirs)
    function(*mine)
    same_bits(mine[0], theirs[0])


def test_other_sizes_are_an_error(link):
    function = link(lambda x: x + 1, "f64[n]", sizes=[{"n": 4}, {"n": 6}])
    same_bits(function(numpy.arange(6.0))[0], numpy.arange(6.0) + 1)
    code, message = function.call([5], [numpy.zeros(5)], [numpy.zeros(5)])
    assert code == 1
    assert message == "given n = 5, expected n = 4, or n = 6"


def test_null_and_overlapping_memory_are_errors(link):
    function = link(lambda x: x + 1, "f64[n]")
    code, message = function.call([3], [None], [numpy.zeros(3)])
    assert code == 1 and message == "the address of x is null; expected 24 bytes there"
    memory = numpy.zeros(4)
    code, message = function.call([3], [memory[:3]], [memory[1:]])
    assert code == 1 and "overlaps" in message
    same_bits(function(numpy.zeros(3))[0], numpy.ones(3))


def test_negative_sizes_are_an_error(link):
    function = link(lambda x: x + 1, "f64[n]")
    code, message = function.call([-1], [numpy.zeros(1)], [numpy.zeros(1)])
    assert code == 1 and "n = -1" in message


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * 2 if x[0] > 0 else x,
        lambda x: x[: int(x.sum())],
        lambda x: x[x > 0],
        lambda x: fs.linalg.inv(x.reshape(1, -1)),
    ],
)
def test_values_of_arguments_are_not_known(function, link):
    with pytest.raises(Exception, match="depends on an argument"):
        link(function, "f64[n]", sizes=[{"n": 3}])


def test_constants_may_be_evaluated(link):
    def function(x):
        factor = float(fs.arange(4.0).sum())
        return x * factor if factor > 1 else x

    same_bits(link(function, "f64[n]")(numpy.arange(5.0))[0], numpy.arange(5.0) * 6.0)


def test_a_program_that_depends_on_its_sizes_otherwise(link):
    def steps(x):
        for _ in range(x.shape[0]):
            x = x * 2
        return x

    with pytest.raises(ValueError, match="no code for any n: .* --size n="):
        link(steps, "f64[n]")
    function = link(steps, "f64[n]", sizes=[{"n": 3}])
    same_bits(function(numpy.ones(3))[0], numpy.full(3, 8.0))


def test_sizes_that_are_halved(link):
    """Not a polynomial: for an odd size it is another formula than for an even one."""
    with pytest.raises(ValueError, match="no code for any n"):
        link(lambda x: x[::2] + 1, "f64[n]")


def test_after_a_trace_the_process_computes_as_ever(link):
    link(lambda x: x + 1, "f64[n]")
    assert (fs.zeros(3) + 1).tolist() == [1, 1, 1]
