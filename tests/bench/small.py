"""What a call costs on small arrays, its result computed, against NumPy in the same process.

    python small.py --module fuseau

NumPy and the module take turns, and the best of many rounds counts: the time of a call of a
microsecond has no other noise than interruptions. A ratio is the module's time over NumPy's.
"""

import argparse
import importlib
import json
import time
import warnings

import numpy

SETUP = """
    r = numpy.random.default_rng(5)
    a = np.array(r.random(n) + 0.5)
    b = np.array(r.random(n) + 0.5)
    i = np.array(r.integers(0, n, n))
    j = np.array(r.integers(1, 9, n))
    m = np.array(r.random(n) < 0.5)
    c = np.array(r.random(n) + 1j * r.random(n))
    s = int(n**0.5)
    q = np.array(r.random((s, s)))
    p = np.array(r.random((s, s)) + 3 * numpy.eye(s))
    l = r.random(n).tolist()
"""

CASES = """
a + b;  a * 2.0;  a / b;  -a;  a ** 2;  j // 3;  j % 5;  i & j;  a < b;  a == b;  ~m;  c * c
np.exp(a);  np.sqrt(a);  np.sin(a);  np.log(a);  np.abs(a);  np.floor(a);  np.isnan(a)
np.maximum(a, b);  np.hypot(a, b);  np.power(a, 1.5);  np.logical_and(m, m);  np.add(a, b, out=a)
a[1:] - a[:-1];  q[1:-1, 1:-1] + q[:-2, 1:-1];  a[::2] + 1.0;  a[None, :] + a[:, None]
a.sum();  np.sum(a);  np.sum(q, axis=0);  np.sum(q, axis=1);  a.mean();  np.mean(q, axis=0)
a.max();  np.max(q, axis=1);  a.min();  a.prod();  np.any(m);  np.all(m);  m.any();  np.var(a)
np.std(a);  np.count_nonzero(m);  np.ptp(a);  np.average(a);  np.median(a);  np.argmax(a);  a.argmin()
np.cumsum(a);  np.cumprod(a);  np.diff(a);  np.sort(a);  np.argsort(a);  np.unique(i);  np.searchsorted(b, a)
np.dot(a, b);  q @ p;  np.matmul(q, p);  np.outer(a[:9], b[:9]);  np.inner(a, b);  np.trace(q)
np.einsum("ij,jk->ik", q, p);  np.tensordot(q, p);  np.linalg.norm(a);  np.cross(a[:3], b[:3])
np.where(m, a, b);  np.where(a > 1.0, a, 0.0);  np.clip(a, 0.6, 0.9);  np.take(a, i);  a[i];  a[m]
np.nonzero(m)[0];  np.compress(m, a);  np.choose(m, (a, b));  np.bincount(i);  np.interp(a, a, b)
np.concatenate((a, b));  np.append(a, b);  np.stack((a, b));  np.vstack((a, b));  np.hstack((a, b))
np.repeat(a, 2);  np.tile(a, 2);  np.roll(a, 1);  np.flip(a);  np.transpose(q);  q.T.copy()
np.reshape(q, -1);  q.ravel();  q.flatten();  np.squeeze(q);  np.expand_dims(a, 0);  np.broadcast_to(a, (3, n))
np.zeros(n);  np.ones(n);  np.empty(n);  np.full(n, 1.5);  np.arange(n);  np.linspace(0, 1, n);  np.eye(s)
np.zeros_like(a);  np.ones_like(a);  np.array(l);  np.asarray(a);  np.copy(a);  a.copy();  a.astype("f4")
np.meshgrid(a[:9], b[:9])[0];  np.pad(a, 1);  np.round(a, 2);  np.isclose(a, b);  np.allclose(a, b)
np.array_equal(a, b);  np.real(c);  c.imag;  np.conj(c);  np.angle(c);  np.tril(q);  np.diag(q);  np.isin(i, j)
np.gradient(a);  np.trapezoid(a);  np.convolve(a, b[:5]);  np.split(a, 2)[0];  np.nan_to_num(a);  np.insert(a, 1, 2.0)
a[3];  float(a[3]);  a.sum() * 2.0;  len(a);  a.shape;  a.tolist();  a.item(3)
"""


def cases():
    """The statements of the table."""
    return [case.strip() for line in CASES.split("\n") for case in line.split(";") if case.strip()]


def compiled(module, statement, n):
    """A function count -> nanoseconds of one of so many calls."""
    forced = f"({statement}).eval()" if module is not numpy else statement
    source = f"""
def make(np, n):
{SETUP}
    def run(count):
        start = clock()
        for _ in range(count):
            {{}}
        return (clock() - start) / count
    return run
"""
    names = {"numpy": numpy, "clock": time.perf_counter_ns}
    run = None
    for body in (forced, statement):
        exec(source.format(body), names)
        run = names["make"](module, n)
        try:
            run(1)
            break
        except AttributeError:
            # What is known at once has nothing to evaluate.
            continue
    return run


def measure(module, statement, n, rounds):
    """Best nanoseconds of NumPy and of the module, in turns."""
    runs = [compiled(numpy, statement, n), compiled(module, statement, n)]
    best = [float("inf")] * 2
    for run in runs:
        run(200)
    counts = [max(5, int(100_000 / max(run(20), 1))) for run in runs]
    for _ in range(rounds):
        for k, run in enumerate(runs):
            best[k] = min(best[k], run(counts[k]))
    return best


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("words", nargs="*", help="only cases with one of these in their text")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    module = importlib.import_module(options.module)
    table = []
    for statement in cases():
        if options.words and not any(word in statement for word in options.words):
            continue
        row = [statement]
        for n in options.sizes:
            row.append(measure(module, statement, n, options.rounds))
        table.append(row)
    if options.json:
        print(json.dumps(table))
        return
    table.sort(key=lambda row: -max(own / base for base, own in row[1:]))
    for statement, *figures in table:
        text = "".join(f"{base:10.0f} {own:8.0f} {own / base:6.2f}" for base, own in figures)
        print(f"{statement:34s}{text}")
    for k, n in enumerate(options.sizes):
        slow = [row for row in table if row[1 + k][1] > row[1 + k][0]]
        print(f"n = {n}: {len(slow)} of {len(table)} cases are slower than NumPy")


if __name__ == "__main__":
    main()
