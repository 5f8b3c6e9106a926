"""Two ranks of one thread against Dask array on two worker processes of one thread, on this machine.

    python dask_peer.py [--rounds N] [CASE ...]

Both take turns, several rounds; the figure is the least of all calls, in milliseconds. Inputs lie on the workers before the
clock starts, in two chunks of rows, and a result stays there. What Dask refuses, or computes otherwise than NumPy since its slices
are no views, is listed with the reason.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import numpy

from measure import check, outputs
from ranks import run as run_ranks
from workloads import cases

CASES = (
    "chain/1e7",
    "chain_math/1e7",
    "triad/3e7",
    "black_scholes/4e6",
    "reduce_sum/all",
    "reduce_sum/axis0",
    "reduce_var/all",
    "zscore/4000x2500",
    "softmax/4096x4096-f32",
    "outer_reduce/4000",
    "transpose_add/4000",
    "dense_layer/2048-f32",
    "logreg/1e5x32x10",
    "kmeans/1e5x8x16x3",
    "moving_average/2e6-w16",
    "stencil/4000x20",
    "jacobi_2d/2800x5",
    "heat_3d/250x4",
    "cavity/1001x2x50",
)
WAY = "2 ranks of 1 thread"
CALLS = 4


def halves(value):
    middle = -(-value.shape[0] // 2)
    return value[:middle], value[middle:]


def child(name):
    """Times one case on a cluster of its own; prints milliseconds, and why not if there are none."""
    import dask
    import dask.array as da
    from distributed import Client, LocalCluster, wait

    case = next(c for c in cases() if c.id == name)

    def spread(value):
        """A chunk on each worker, under a new name: Dask does not compute anew what it still has."""
        if not isinstance(value, numpy.ndarray):
            return value
        parts = []
        for worker, part in zip(client.scheduler_info()["workers"], halves(value), strict=True):
            future = client.scatter(part, workers=[worker], direct=True, hash=False)
            parts.append(da.from_delayed(dask.delayed(future), part.shape, part.dtype))
        array = da.concatenate(parts).persist()
        wait(array)
        return array

    def compute(inputs):
        results = dask.persist(*outputs(case.workload.run(da, **inputs)))
        wait(results)
        return results

    here = {"host": "127.0.0.1", "dashboard_address": None, "silence_logs": 50}
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, memory_limit=0, **here)
    with cluster, Client(cluster) as client:
        times = []
        try:
            for _ in range(CALLS):
                results = None
                ours = {key: spread(value) for key, value in case.inputs().items()}
                start = time.perf_counter()
                results = compute(ours)
                times.append(time.perf_counter() - start)
            got = tuple(numpy.asarray(result) for result in results)
            right = check(case.workload, got, case.workload.run(numpy, **case.inputs()))[0]
        except Exception as error:
            reason = f"{type(error).__name__}: {str(error).splitlines()[0][:120]}"
        else:
            reason = None if right else "not NumPy's values"
    print(json.dumps([min(times, default=0) * 1e3, reason]))


def run(name):
    command = [sys.executable, os.path.abspath(__file__), "--child", name]
    out = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return json.loads(out.stdout.splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", metavar="CASE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child)
        return
    refused = {}
    print("| case | 2 ranks, ms | Dask, ms | times |")
    print("| --- | --- | --- | --- |")
    for name in options.cases:
        ours, theirs = float("inf"), float("inf")
        for _ in range(options.rounds):
            ms, reason = run(name)
            if reason is not None:
                refused[name] = reason
                break
            theirs = min(theirs, ms)
            ms, right = run_ranks(WAY, name)
            assert right, name
            ours = min(ours, ms)
        else:
            print(f"| {name} | {ours:.4g} | {theirs:.4g} | {theirs / ours:.1f} |", flush=True)
    for name, reason in refused.items():
        print(f"\nDask does not run {name}: `{reason}`")


if __name__ == "__main__":
    main()
