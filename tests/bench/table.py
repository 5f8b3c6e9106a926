"""The whole table: every workload at every size against NumPy, the hand-written limit and the peers.

    python table.py chain/1e6 --threads 1          single cases, one JSON object a line

`bars.py` runs it as one of its parts, a process a case, and writes the rows into RESULTS.md.
"""

import argparse
import dataclasses
import importlib
import json
import math
import os
import pathlib
import subprocess
import sys
import warnings

import numpy

import measure
import probe
import turns
import workloads

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ("numba", "numexpr", "jax")

LIMITS = {
    "stencil/4000x20": (20, ["stencil_swap/4000", "stencil_in_place/4000"]),
    "stencil/1000x100": (100, ["stencil_swap/1000", "stencil_in_place/1000"]),
    "chain/1e5": (1, ["chain/1e5"]),
    "chain/1e6": (1, ["chain/1e6"]),
    "chain/1e7": (1, ["chain/1e7"]),
    "triad/1e6": (1, ["triad/1e6"]),
    "reduce_sum/all": (1, ["sum/1e7"]),
    "black_scholes/1e6": (1, ["black_scholes/1e6"]),
    "softmax/2000x1000-f64": (1, ["softmax/2000x1000-f64"]),
}
"""The same work in limit.cc: how many of its units one call does, and its variants (the fastest
counts).
"""


MORE_SIZES = {
    "stencil": {"10x1000": dict(n=10, iterations=1000)},
    "cavity": {"201x10x50": dict(n=201, steps=10, sweeps=50)},
}
"""Sizes that a bar names and the workloads do not have."""


def cases():
    """All cases: the workloads' own and those of MORE_SIZES."""
    yield from workloads.cases()
    for name, sizes in MORE_SIZES.items():
        workload = dataclasses.replace(workloads.WORKLOADS[name], sizes=sizes)
        for size in sizes:
            yield workloads.Case(workload, size)


def limit_ms(case, limits):
    """The case's time in limit.cc, or None."""
    units, variants = LIMITS.get(case, (0, ()))
    known = [limits[variant] for variant in variants if variant in limits]
    return units * min(known) if known else None


def peak_of(call):
    """MiB by which the call's peak of resident memory exceeds what was resident before."""
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # sets the peak to what is resident now
    before = probe.status_kib("VmRSS")
    result = call()
    return result, (probe.status_kib("VmHWM") - before) / 1024


def time_case(case, module, rounds, budget):
    """Our first call, with its compiles and its memory, then ours and NumPy's calls in turns."""
    inputs = case.inputs()
    theirs = measure.convert(module, inputs)
    base = lambda: case.workload.run(numpy, **inputs)
    mine = lambda: measure.evaluate(case.workload.run(module, **theirs))

    before = probe.counters(module)
    record = {"case": case.id}
    first, record["peak_mib"] = peak_of(lambda: (measure.seconds(mine), None)[0])
    record["first_ms"] = 1e3 * first
    want, record["numpy_peak_mib"] = peak_of(base)
    record["right"], record["error"], record["note"] = measure.check(case.workload, mine(), want)
    del want
    numpy_time, module_time = turns.medians([base, mine], rounds, budget)
    record |= {
        "numpy_ms": 1e3 * numpy_time,
        "ms": 1e3 * module_time,
        "speedup": numpy_time / module_time,
    }
    if before is not None:
        record["compiles"] = probe.counters(module)["kernels_compiled"] - before["kernels_compiled"]
    return record


def run_case(case, threads, options, folder):
    """One case in processes of its own: the module beside NumPy, then each peer."""
    env = {
        **os.environ,
        "FUSEAU_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "FUSEAU_CACHE_DIR": str(pathlib.Path(folder) / "table-cache"),
    }
    tail = ["--rounds", str(options.rounds), case]
    commands = {
        options.module: [sys.executable, str(HERE / "table.py"), "--module", options.module, *tail]
    }
    for peer in PEERS if options.peers else ():
        commands[peer] = [
            options.peers,
            str(HERE / "peers.py"),
            peer,
            "--threads",
            str(threads),
            *tail,
        ]
    record = {"case": case, "threads": threads, "peers": {}}
    for name, command in commands.items():
        try:
            done = subprocess.run(
                command, cwd=HERE, env=env, capture_output=True, text=True, timeout=300
            )
            answer = (
                json.loads(done.stdout)
                if done.returncode == 0
                else {"problem": done.stderr.strip()[-200:]}
            )
        except subprocess.TimeoutExpired:
            answer = {"problem": "more than 300 s"}
        if name == options.module:
            record |= answer
        else:
            record["peers"][name] = answer
    return record


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else math.nan


def time_text(ms):
    return f"{ms:.3g}" if ms < 1000 else f"{ms:.0f}"


def markdown(records, limits):
    """The table as lines of Markdown. `limits` holds the milliseconds of limit.cc by threads."""
    header = [
        "case",
        "threads",
        "ms",
        "/NumPy",
        "/limit",
        *(f"/{p}" for p in PEERS),
        "first ms",
        "compiles",
        "peak MiB (NumPy)",
    ]
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join(["---"] * len(header)) + " |"]
    for r in records:
        start = [r["case"], str(r["threads"])]
        if "ms" not in r:
            lines.append(
                "| " + " | ".join([*start, r.get("problem", "no figure").replace("\n", " ")]) + " |"
            )
            continue
        limit = limit_ms(r["case"], limits.get(r["threads"], {}))
        against = [f"{limit / r['ms']:.2f}" if limit else ""]
        against += [
            f"{p['ms'] / r['ms']:.1f}" if "ms" in (p := r["peers"].get(name, {})) else ""
            for name in PEERS
        ]
        wrong = "" if r["right"] else " WRONG"
        memory = f"{r['peak_mib']:.0f} ({r['numpy_peak_mib']:.0f})"
        cells = [
            time_text(r["ms"]),
            f"{r['speedup']:.2f}{wrong}",
            *against,
            f"{r['first_ms']:.1f}",
            str(r.get("compiles", "")),
        ]
        lines.append("| " + " | ".join([*start, *cells, memory]) + " |")
    return lines


def refusals(records):
    """Which cases a peer cannot run, with its words: lines of Markdown."""
    lines = []
    for peer in PEERS:
        words = {}
        for r in records:
            problem = r["peers"].get(peer, {}).get("problem")
            if problem:
                words.setdefault(problem.splitlines()[0], []).append(r["case"])
        lines += [
            f"- {peer}: {', '.join(dict.fromkeys(cases))}: `{problem}`"
            for problem, cases in words.items()
        ]
    return lines


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=4.0, help="seconds for a case")
    options = parser.parse_args()
    module = importlib.import_module(options.module)
    known = {case.id: case for case in cases()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in options.cases:
            print(
                json.dumps(time_case(known[case], module, options.rounds, options.budget)),
                flush=True,
            )


if __name__ == "__main__":
    main()
