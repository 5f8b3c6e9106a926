"""Measures every bar the project has set itself and writes RESULTS.md and results.json.

    python bars.py                       all of it: some minutes on a quiet machine
    python bars.py --module numpy --rounds 1 --output DIR

Each measurement runs in a process of its own (probe.py), since it depends on the number of threads,
on an empty cache or on what was imported before. Text in RESULTS.md after the line of NOTES is
kept.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass

import table

HERE = pathlib.Path(__file__).resolve().parent
NOTES = "<!-- notes below this line are kept -->"
COMPILER_FLAGS = [
    "-std=c++20",
    "-O3",
    "-march=native",
    "-ffp-contract=off",
    "-lmvec",
    "-lm",
    "-pthread",
]

SPEED_BARS = {
    "stencil/4000x20": 10.0,
    "stencil/1000x100": 6.0,
    "stencil/10x1000": 2.0,
    "jacobi_2d/1000x50": 10.0,
    "jacobi_2d/2800x5": 10.0,
    "heat_3d/120x20": 10.0,
    "heat_3d/250x4": 10.0,
    "cavity/201x10x50": 6.0,
    "cavity/1001x2x50": 6.0,
    "chain/1e5": 4.0,
    "chain/1e6": 6.0,
    "chain/1e7": 6.0,
    "black_scholes/1e6": 5.0,
    "tiny_ops/10x1000": 2.0,
    "tiny_sync/10x200": 0.67,
}
"""Times NumPy's speed, on one thread."""

MEAN_BARS = {1: 4.0, 2: 6.0}
"""Times NumPy's speed, geometric mean over the table, by threads."""

LIMIT_BAR = 0.9
"""Share of the hand-written limit, geometric mean, and for what memory bounds."""

BANDWIDTH_BOUND = ("chain/1e7", "reduce_sum/all")
COMPUTE_BOUND = ("chain_math/1e6", "black_scholes/1e6", "mandelbrot/800x40", "outer_reduce/4000")
SCALING_BAR = 1.8


@dataclass
class Row:
    case: str
    bar: str
    measured: str
    met: bool | None = None
    """None where there is a figure but no bar."""


class Bench:
    """The measurements. `folder` holds the compiled limit.cc and the kernel caches, so that no
    user's cache is read.
    """

    def __init__(self, options, folder):
        self.options, self.folder = options, pathlib.Path(folder)
        self.raw = {}

    def probe(self, *arguments, environment=(), module=None):
        """What probe.py prints for these arguments."""
        command = [
            sys.executable,
            str(HERE / "probe.py"),
            *arguments,
            "--module",
            module or self.options.module,
        ]
        env = {**os.environ, "FUSEAU_CACHE_DIR": str(self.folder / "cache"), **dict(environment)}
        done = subprocess.run(command, cwd=HERE, env=env, capture_output=True, text=True)
        if done.returncode:
            print(f"{' '.join(arguments)} failed:\n{done.stderr}", file=sys.stderr)
            return None
        result = json.loads(done.stdout)
        self.raw.setdefault(" ".join(arguments), []).append(
            {"environment": dict(environment), "result": result}
        )
        return result

    def limits(self, threads):
        """Milliseconds of each case of limit.cc, or {} without a compiler."""
        program = self.folder / "limit"
        if not program.exists():
            compiler = os.environ.get("CXX") or shutil.which("c++")
            if compiler is None:
                return {}
            subprocess.run(
                [compiler, str(HERE / "limit.cc"), "-o", str(program), *COMPILER_FLAGS], check=True
            )
        done = subprocess.run(
            [str(program), "--threads", str(threads)], capture_output=True, text=True, check=True
        )
        records = [json.loads(line) for line in done.stdout.splitlines()]
        self.raw.setdefault(f"limit {threads}", []).append(records)
        return {r["case"]: r["ms"] for r in records}

    def table(self):
        """Measures the whole table and yields what its bars say of it."""
        self.records, self.limit_times = [], {}
        for threads in self.options.threads:
            # Before and after, since a shared machine's speed drifts.
            before = self.limits(threads)
            for case in table.cases():
                if self.options.cases and case.workload.name not in self.options.cases:
                    continue
                self.records.append(table.run_case(case.id, threads, self.options, self.folder))
                print(table.markdown(self.records[-1:], {threads: before})[-1], flush=True)
            after = self.limits(threads)
            self.limit_times[threads] = {c: (before[c] + after[c]) / 2 for c in before}
        self.raw["table"] = self.records
        measured = [r for r in self.records if "ms" in r]
        yield from table_rows(measured, self.limit_times)

    def recording(self):
        result = self.probe("recording", environment={"FUSEAU_NUM_THREADS": "1"})
        if result is None:
            return
        bars = {
            "one op, chained": 60,
            "one op, dropped": 60,
            "one slice 1-d": 120,
            "one slice 2-d": 120,
            "stencil step of 11 ops": 1200,
        }
        for name, value in result["module"].items():
            bar = bars.get(name)
            yield Row(
                f"recording: {name}",
                f"<= {bar} ns" if bar else "-",
                f"{value:.0f} ns (NumPy computes it in {result['numpy'][name]:.0f} ns)",
                value <= bar if bar else None,
            )

    def first_runs(self):
        cache = {"FUSEAU_CACHE_DIR": str(self.folder / "new-cache")}
        for label, bar in (("cold cache", 15.0), ("warm disk cache", 2.0)):
            result = self.probe("first", environment=cache)
            if result is None:
                continue
            counts = ""
            if result["after"]:
                counts = "; " + ", ".join(
                    f"{name} +{result['after'][name] - result['before'][name]}"
                    for name in result["after"]
                )
            yield Row(
                f"first run of a new 10-op expression, {label}",
                f"<= {bar:.0f} ms",
                f"{result['median_ms']:.2f} ms (slowest of {len(result['first_ms'])}: {result['max_ms']:.2f};"
                f" later runs {result['steady_ms']:.2f}; the process's first {result['process_first_ms']:.1f}{counts})",
                result["median_ms"] <= bar,
            )

    def again(self):
        result = self.probe("again")
        if result is None:
            return
        for label, counts in result.items():
            compiled = counts["kernels_compiled"]
            bar = "0 compiles" if label in ("shapes", "scalars") else "-"
            met = compiled == 0 if bar != "-" else None
            yield Row(
                f"same expression, other {label}",
                bar,
                f"{compiled} compiles, {counts['plan_misses']} new plans",
                met,
            )

    def imports(self):
        """In turns, in processes that have imported nothing else."""
        module = self.options.module
        times = {"numpy": [], "module": []}
        for _ in range(2 * self.options.rounds + 1):
            for name, values in (("numpy", times["numpy"]), (module, times["module"])):
                program = f"import time; t = time.perf_counter(); import {name}; print(time.perf_counter() - t)"
                done = subprocess.run(
                    [sys.executable, "-c", program], capture_output=True, text=True
                )
                if done.returncode:
                    print(f"import {name} failed:\n{done.stderr}", file=sys.stderr)
                    return
                values.append(1e3 * float(done.stdout))
        self.raw["import"] = times
        base, mine = statistics.median(times["numpy"]), statistics.median(times["module"])
        yield Row(
            "import",
            "<= 2x import numpy",
            f"{mine / base:.2f}x ({mine:.0f} ms, NumPy {base:.0f} ms)",
            mine <= 2 * base,
        )

    def memory(self):
        for steps in (5, 20):
            mine = self.probe("memory", "--steps", str(steps))
            theirs = self.probe("memory", "--steps", str(steps), module="numpy")
            if mine is None or theirs is None:
                continue
            bar = mine["output_mib"] + 32
            yield Row(
                f"peak memory above the inputs, chain of {3 * steps + 1} temporaries of {mine['output_mib']:.0f} MiB",
                f"<= {bar:.0f} MiB",
                f"{mine['peak_mib']:.0f} MiB (NumPy {theirs['peak_mib']:.0f} MiB)",
                mine["peak_mib"] <= bar and mine["checksum"] == theirs["checksum"],
            )

    def long_loop(self):
        result = self.probe("loop")
        if result is None:
            return
        compiled = result["kernels_compiled"]
        yield Row(
            f"loop of {result['iterations']} iterations with a changing scalar",
            "<= 1 compile, constant memory",
            f"{compiled} compiles, {result['grown_mib']:.1f} MiB more after the second half than after the first",
            compiled <= 1 and result["grown_mib"] < 2,
        )

    def rows(self):
        parts = (
            self.table, self.recording, self.first_runs, self.again, self.long_loop, self.imports, self.memory,
        )  # fmt: skip
        for part in parts:
            yield from part()


def table_rows(records, limits):
    """The rows of the bars that the table's records are held against."""
    for r in records:
        bar = SPEED_BARS.get(r["case"])
        if bar and r["threads"] == 1:
            yield Row(
                f"{r['case']}, 1 thread",
                f">= {bar:g}x NumPy",
                f"{r['speedup']:.2f}x ({r['ms']:.3f} ms, NumPy {r['numpy_ms']:.3f} ms)",
                r["speedup"] >= bar and r["right"],
            )
    for threads, group in by_threads(records):
        label = f"{threads} thread{'s' if threads > 1 else ''}"
        mean, bar = table.geometric_mean(r["speedup"] for r in group), MEAN_BARS.get(threads)
        yield Row(
            f"geometric mean of {len(group)} cases, {label}",
            f">= {bar:g}x NumPy" if bar else "-",
            f"{mean:.2f}x",
            mean >= bar if bar else None,
        )
        slower = [f"{r['case']} {r['speedup']:.2f}" for r in group if r["speedup"] < 1]
        yield Row(
            f"never slower than NumPy, {label}", "0 cases", ", ".join(slower) or "none", not slower
        )
        wrong = [r["case"] for r in group if not r["right"]]
        yield Row(f"right results, {label}", "all", ", ".join(wrong) or "all", not wrong)
        shares = {
            r["case"]: limit / r["ms"]
            for r in group
            if (limit := table.limit_ms(r["case"], limits.get(threads, {})))
        }
        if shares:
            mean = table.geometric_mean(shares.values())
            yield Row(
                f"share of the C++ limit, geometric mean of {len(shares)} cases, {label}",
                f">= {LIMIT_BAR}", f"{mean:.2f}", mean >= LIMIT_BAR,
            )  # fmt: skip
        for case in BANDWIDTH_BOUND:
            if case in shares:
                yield Row(
                    f"{case} against C++, {label}",
                    f">= {LIMIT_BAR}", f"{shares[case]:.2f}", shares[case] >= LIMIT_BAR,
                )  # fmt: skip
        for peer in table.PEERS:
            known = {
                r["case"]: r["peers"][peer]["ms"] / r["ms"]
                for r in group
                if "ms" in r["peers"].get(peer, {})
            }
            if known:
                slower = ", ".join(
                    f"{case} {ratio:.2f}" for case, ratio in known.items() if ratio < 1
                )
                yield Row(
                    f"faster than {peer} in {len(known)} cases, {label}",
                    "all",
                    f"geometric mean {table.geometric_mean(known.values()):.2f}x; slower: {slower or 'none'}",
                    not slower,
                )
    times = {(r["case"], r["threads"]): r["ms"] for r in records}
    for case in COMPUTE_BOUND:
        if (case, 1) in times and (case, 2) in times:
            ratio = times[case, 1] / times[case, 2]
            yield Row(
                f"{case}, 1 -> 2 threads",
                f">= {SCALING_BAR}x",
                f"{ratio:.2f}x",
                ratio >= SCALING_BAR,
            )


def by_threads(records):
    for threads in sorted({r["threads"] for r in records}):
        yield threads, [r for r in records if r["threads"] == threads]


def machine():
    """One line about the machine."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as file:
            name = next(
                line.split(":", 1)[1].strip() for line in file if line.startswith("model name")
            )
    except (OSError, StopIteration):
        pass
    import numpy

    return f"{name}, {os.cpu_count()} CPUs; Python {platform.python_version()}, NumPy {numpy.__version__}"


def markdown(rows, bench, notes):
    words = {True: "yes", False: "**no**", None: ""}
    lines = [
        "# Results against the bars",
        "",
        f"Written by `bars.py` for the module `{bench.options.module}`. {machine()}.",
        'Medians; NumPy and the module take turns in one process. "against C++" is the time of `limit.cc` over the module\'s.',
        "",
        "| case | bar | measured | met |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {r.case} | {r.bar} | {r.measured} | {words[r.met]} |" for r in rows]
    missed = sum(r.met is False for r in rows)
    lines += ["", f"{sum(r.met is True for r in rows)} bars met, {missed} missed.", ""]
    lines += [
        "## The table",
        "",
        "Milliseconds of a call; then how many times our time NumPy, `limit.cc` and the peers take (above 1 we are faster).",
        "First ms: the first call, with an empty kernel cache. Peak: memory of the first call above what was resident before.",
        "",
        *table.markdown(bench.records, bench.limit_times),
        "",
        "What a peer does not run, and why, in its own words:",
        "",
        *table.refusals(bench.records),
        "",
        NOTES,
    ]
    return "\n".join(lines) + (notes if notes else "\n")


def kept_notes(path):
    text = path.read_text() if path.exists() else ""
    return text.split(NOTES, 1)[1] if NOTES in text else ""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--module", default="fuseau")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--cases", nargs="*", help="workloads of the table; all by default")
    parser.add_argument("--peers", help="an interpreter that has the packages of peers.txt")
    parser.add_argument("--output", type=pathlib.Path, default=HERE, help="folder of the two files")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        for row in bench.rows():
            rows.append(row)
            print(
                f"{row.case:60s} {row.bar:20s} {row.measured}  {'' if row.met is None else row.met}",
                flush=True,
            )
    options.output.mkdir(parents=True, exist_ok=True)
    page = options.output / "RESULTS.md"
    page.write_text(markdown(rows, bench, kept_notes(page)))
    record = {
        "module": options.module,
        "machine": machine(),
        "rows": [vars(r) for r in rows],
        "raw": bench.raw,
    }
    (options.output / "results.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
