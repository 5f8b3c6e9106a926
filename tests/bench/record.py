"""What it costs to record an operation, without computing it: nanoseconds per statement.

    python record.py --module fuseau

The arrays have ten elements. Values are computed between the timed parts, so that a lazy module
only records inside them; for NumPy the same statements compute, which gives the figure to compare
with.
"""

import argparse
import importlib
import json
import statistics
import time

from measure import evaluate

UNROLL = 10
REPEATS = 15
"""Statements between two evaluations: UNROLL * REPEATS operations, well below the length at which a
trace is cut.
"""

CASES = {
    "one op, chained": ("x = np.ones(10); a = np.ones(10)", "x = x + a", 1),
    "one op, dropped": ("x = np.ones(10); a = np.ones(10)", "a + x", 1),
    "one op with a scalar": ("x = np.ones(10)", "x = x * 0.5", 1),
    "one ufunc call": ("x = np.ones(10); f = np.sqrt", "x = f(x)", 1),
    "one slice 1-d": ("x = np.ones(10)", "x[1:]", 1),
    "one slice 2-d": ("x = np.ones((10, 10))", "x[1:-1, 1:-1]", 1),
    "one in-place op": ("x = np.ones(10); a = np.ones(10)", "x += a", 1),
    "stencil step of 11 ops": (
        "x = np.ones((10, 10))",
        "c = x[1:-1, 1:-1]; c[:] = 0.2 * (c + x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, 2:] + x[1:-1, :-2])",
        0,
    ),
}
EMPTY = "pass"


def compiled(setup, statement, repeats):
    """A function module -> (nanoseconds of the repeated statements, an array to evaluate)."""
    body = "; ".join([statement] * UNROLL)
    source = f"""
def run(np):
    {setup}
    evaluate(x)
    start = clock()
    for _ in range({repeats}):
        {body}
    return clock() - start, x
"""
    names = {"evaluate": evaluate, "clock": time.perf_counter_ns}
    exec(source, names)
    return names["run"]


def nanoseconds(module, setup, statement, repeats, rounds):
    """The median over rounds of the time of one statement."""
    run, times = compiled(setup, statement, repeats), []
    for _ in range(rounds):
        elapsed, array = run(module)
        evaluate(array)
        times.append(elapsed / (repeats * UNROLL))
    return statistics.median(times)


def measure_recording(module, rounds=200):
    """Nanoseconds of each case, without the loop around it."""
    loop = nanoseconds(module, "x = np.ones(1)", EMPTY, REPEATS, rounds)
    out = {}
    for name, (setup, statement, whole) in CASES.items():
        repeats = REPEATS if whole else 2
        out[name] = nanoseconds(module, setup, statement, repeats, rounds) - loop
    return out


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure_recording(importlib.import_module(options.module), options.rounds)
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:28s} {value:9.0f} ns")


if __name__ == "__main__":
    main()
