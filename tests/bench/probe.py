"""Single measurements that need a fresh process each. Prints one JSON object.

python probe.py first --module fuseau            with FUSEAU_CACHE_DIR set to a new or a filled
directory python probe.py again --module fuseau            compiles for other shapes and scalars of
a known expression python probe.py memory --module fuseau --steps 10
"""

import argparse
import importlib
import json
import statistics
import sys
import time

COUNTERS = ("kernels_compiled", "plan_misses", "kernel_cache_disk_hits")

NEW_EXPRESSIONS = (
    lambda np, a, b: np.sqrt(a * a + b * b) * 2.5 - a / (b + 3.0) + (a - b),
    lambda np, a, b: (a + b) * (a - b) / (a * 2.0 + 1.0) + np.sqrt(b) * np.abs(a) - 0.5 * b,
    lambda np, a, b: np.maximum(a, b) * 3.0 - np.minimum(a * b, 1.5) + (a / 2.0 + b) * (b - a),
    lambda np, a, b: np.floor(a * 7.0) + np.sqrt(a + b) * (b * 0.25 - a) / (a + 2.0) - np.abs(b),
    lambda np, a, b: np.where(a > b, a * a - 1.0, b * b + 1.0) / (a + b) * 0.5 + np.sqrt(a),
)
"""Ten operations each, none of which is a part of another."""


def vectors(np, n, seed=0):
    import numpy

    rng = numpy.random.default_rng(seed)
    return np.array(rng.uniform(0.1, 2.0, n)), np.array(rng.uniform(0.1, 2.0, n))


def counters(np):
    return {name: np.stats()[name] for name in COUNTERS} if hasattr(np, "stats") else None


def recording(options):
    import numpy

    from record import measure_recording

    module = importlib.import_module(options.module)
    return {"module": measure_recording(module), "numpy": measure_recording(numpy)}


def first(options):
    """Milliseconds of the first run of new expressions, after the process has compiled something
    else.
    """
    from measure import evaluate

    np = importlib.import_module(options.module)
    a, b = vectors(np, 100_000)
    evaluate((a, b))
    start = time.perf_counter()
    evaluate(a * 2.0 + 1.0)
    warm_up = time.perf_counter() - start
    # What the first compile left for other threads to do is not part of the next one.
    time.sleep(0.3)
    before, times = counters(np), []
    for expression in NEW_EXPRESSIONS:
        start = time.perf_counter()
        evaluate(expression(np, a, b))
        times.append(1e3 * (time.perf_counter() - start))
        time.sleep(0.1)
    again = []
    for expression in NEW_EXPRESSIONS:
        start = time.perf_counter()
        evaluate(expression(np, a, b))
        again.append(1e3 * (time.perf_counter() - start))
    return {
        "process_first_ms": 1e3 * warm_up,
        "first_ms": times,
        "median_ms": statistics.median(times),
        "max_ms": max(times),
        "steady_ms": statistics.median(again),
        "before": before,
        "after": counters(np),
    }


def again(options):
    """Compiles when a known expression comes with other shapes, or with other Python scalars."""
    from measure import evaluate

    np = importlib.import_module(options.module)

    def run(a, b, x=2.5, y=3.0):
        evaluate(np.sqrt(a * a + b * b) * x - a / (b + y) + (a - b))

    def settle():
        """Runs the expression until no thread compiles a better kernel for it."""
        for _ in range(10):
            before = counters(np)
            for _ in range(5):
                run(*vectors(np, 100_000))
            time.sleep(0.2)
            if counters(np) == before:
                return

    if counters(np) is None:
        return None
    settle()
    start = counters(np)
    for n in (100_001, 50_000, 65_537, 1_000_000, 123_456):
        run(*vectors(np, n))
    time.sleep(0.2)
    shapes = counters(np)
    for x, y in ((1.5, 3.0), (2.5, -7.25), (0.1, 1e9)):
        run(*vectors(np, 100_000), x, y)
    time.sleep(0.2)
    scalars = counters(np)
    small, matrix = vectors(np, 100), [v.reshape(250, 400) for v in vectors(np, 100_000)]
    run(*small)
    run(*matrix)
    time.sleep(0.2)
    rest = counters(np)
    difference = lambda late, early: {name: late[name] - early[name] for name in COUNTERS}  # noqa: E731
    return {
        "shapes": difference(shapes, start),
        "scalars": difference(scalars, shapes),
        "small and 2-d": difference(rest, scalars),
    }


def loop(options):
    """Compiles and memory of a long loop whose scalar changes in every iteration."""
    np = importlib.import_module(options.module)
    iterations = 100_000
    x, a = np.ones(1000), np.full(1000, 0.5)
    before, resident = counters(np), []
    for half in range(2):
        for i in range(iterations // 2):
            x = x * (1.0 / (half + i + 2)) + a
        float(x[0])
        resident.append(status_kib("VmRSS"))
    after = counters(np)
    return {
        "iterations": iterations,
        "kernels_compiled": after["kernels_compiled"] - before["kernels_compiled"] if after else 0,
        "grown_mib": (resident[1] - resident[0]) / 1024,
    }


def status_kib(field):
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise KeyError(field)


def memory(options):
    """The peak of resident memory, above inputs, of a chain with `steps` temporaries of 64 MiB."""
    from measure import evaluate

    np = importlib.import_module(options.module)
    n = 8 << 20
    a, b = np.ones(n), np.full(n, 0.5)

    def chain(a, b):
        x = a + b
        for _ in range(options.steps):
            x = np.sqrt(x * b + 1.0)
        return x

    # The compiler's own memory is not part of the figure: the kernel exists before.
    evaluate(chain(np.ones(1 << 16), np.ones(1 << 16)))
    evaluate((a, b))
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # sets the peak to what is resident now
    before = status_kib("VmRSS")
    result = evaluate(chain(a, b))
    return {
        "steps": options.steps,
        "output_mib": n * 8 / 2**20,
        "peak_mib": (status_kib("VmHWM") - before) / 1024,
        "checksum": float(result[123]),
    }


PROBES = {
    "recording": recording, "first": first, "again": again,
    "loop": loop, "memory": memory,
}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("probe", choices=list(PROBES))
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    json.dump(PROBES[options.probe](options), sys.stdout)


if __name__ == "__main__":
    main()
