"""Two ranks of one thread against one process of two threads, and of one, on this machine.

    python ranks.py [--json FILE] [CASE ...]

Processes take turns, several rounds; the figure is the least of all rounds, in milliseconds a call. Every result is
compared with NumPy's. `window` is what a window that the ranks know costs: 4,096 float64 in parts, one addition.
"""

import argparse
import json
import os
import subprocess
import sys

CASES = (
    "chain/1e7",
    "black_scholes/4e6",
    "outer_reduce/4000",
    "transpose_add/4000",
    "softmax/2000x1000-f64",
    "stencil/4000x20",
    "jacobi_2d/2800x5",
    "heat_3d/250x4",
    "cavity/1001x2x50",
)
ROUNDS = 5
WAYS = {
    "1 process, 1 thread": ([], "1"),
    "1 process, 2 threads": ([], "2"),
    "2 ranks of 1 thread": (["-m", "fuseau", "run", "-n", "2", "--cpus", "1"], "1"),
}


def child(name):
    """Times one case in this process; prints milliseconds and whether the result is NumPy's."""
    import time

    import fuseau
    import numpy

    from measure import check, convert, evaluate
    from workloads import cases

    if name == "window":
        values = (fuseau.arange(4096.0) * 1).eval()
        times = []
        for _ in range(2000):
            start = time.perf_counter()
            values = (values + 1).eval()
            times.append(time.perf_counter() - start)
        right = bool(values[7] == 2007)
    else:
        case = next(c for c in cases() if c.id == name)
        inputs = case.inputs()
        ours = convert(fuseau, inputs)
        times = []
        for _ in range(4):
            start = time.perf_counter()
            result = evaluate(case.workload.run(fuseau, **ours))
            times.append(time.perf_counter() - start)
        fresh = convert(fuseau, case.inputs())
        right = check(
            case.workload,
            case.workload.run(fuseau, **fresh),
            case.workload.run(numpy, **case.inputs()),
        )[0]
        del result
    print(json.dumps([min(times) * 1e3, bool(right)]))


def run(way, name):
    flags, threads = WAYS[way]
    environment = {**os.environ, "FUSEAU_NUM_THREADS": threads}
    if flags:
        del environment["FUSEAU_NUM_THREADS"]
    if name == "window":
        environment["FUSEAU_PARTITION_BYTES"] = "0"
    command = [sys.executable, *flags, os.path.abspath(__file__), "--child", name]
    out = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    return json.loads(out.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=[*CASES, "window"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--child", metavar="CASE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    table = {}
    print("| case | " + " | ".join(f"{way}, ms" for way in WAYS) + " | ranks / threads | right |")
    print("|" + " --- |" * (len(WAYS) + 3))
    for name in options.cases:
        least = dict.fromkeys(WAYS, float("inf"))
        right = True
        for _ in range(options.rounds):
            for way in WAYS:
                ms, same = run(way, name)
                least[way] = min(least[way], ms)
                right &= same
        threads, ranks = least["1 process, 2 threads"], least["2 ranks of 1 thread"]
        table[name] = {**least, "right": right}
        row = " | ".join(f"{ms:.4g}" for ms in least.values())
        print(
            f"| {name} | {row} | {threads / ranks:.2f} | {'yes' if right else '**no**'} |",
            flush=True,
        )
    if options.json:
        with open(options.json, "w") as file:
            json.dump(table, file, indent=1)


if __name__ == "__main__":
    main()
