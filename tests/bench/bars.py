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
    "stencil/4000x20": 4.0,
    "stencil/1000x100": 6.0,
    "chain/1e5": 4.0,
    "chain/1e6": 6.0,
    "chain/1e7": 6.0,
    "black_scholes/1e6": 5.0,
}
"""Times NumPy's speed, on one thread."""

LIMITS = {
    "stencil/4000x20": (20, ["stencil_swap/4000", "stencil_in_place/4000"]),
    "stencil/1000x100": (100, ["stencil_swap/1000", "stencil_in_place/1000"]),
    "chain/1e5": (1, ["chain/1e5"]),
    "chain/1e6": (1, ["chain/1e6"]),
    "chain/1e7": (1, ["chain/1e7"]),
    "black_scholes/1e6": (1, ["black_scholes/1e6"]),
}
"""The same work in limit.cc: how many of its units one call does, and its variants (the fastest
counts).
"""

LIMIT_BAR = 0.8


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

    def speed(self, threads):
        # Before and after, since a shared machine's speed drifts.
        before = self.limits(threads)
        records = self.probe(
            "speed",
            *SPEED_BARS,
            "--rounds",
            str(self.options.rounds),
            environment={"FUSEAU_NUM_THREADS": str(threads)},
        )
        after = self.limits(threads)
        limits = {case: (before[case] + after[case]) / 2 for case in before}
        for record in records or ():
            yield from speed_rows(record, threads, limits)

    def recording(self):
        result = self.probe("recording", environment={"FUSEAU_NUM_THREADS": "1"})
        if result is None:
            return
        bars = {
            "one op, chained": 100,
            "one op, dropped": 100,
            "one slice 1-d": 200,
            "one slice 2-d": 200,
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

    def rows(self):
        for threads in self.options.threads:
            yield from self.speed(threads)
        for part in (self.recording, self.first_runs, self.again, self.imports, self.memory):
            yield from part()


def speed_rows(record, threads, limits):
    """The rows of one case: against NumPy, and against the hand-written loop where there is one."""
    case, mine, theirs = record["case"], record["module_ms"]["median"], record["numpy_ms"]["median"]
    label = f"{case}, {threads} thread{'s' if threads > 1 else ''}"
    bar = SPEED_BARS[case]
    ratio = theirs / mine
    right = "" if record["right"] else ", WRONG RESULTS"
    yield Row(
        label,
        f">= {bar:.0f}x NumPy" if threads == 1 else "-",
        f"{ratio:.2f}x ({mine:.3f} ms, NumPy {theirs:.3f} ms; largest relative deviation {record['error']:.1e}{right})",
        ratio >= bar and record["right"] if threads == 1 else None,
    )
    units, variants = LIMITS[case]
    known = [limits[v] for v in variants if v in limits]
    if known:
        share = units * min(known) / mine
        is_bar = case.startswith("stencil")
        yield Row(
            f"{label}, against C++",
            f">= {LIMIT_BAR} of C++" if is_bar else "-",
            f"{share:.2f} ({units * min(known):.3f} ms in C++)",
            share >= LIMIT_BAR if is_bar else None,
        )


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


def markdown(rows, module, notes):
    words = {True: "yes", False: "**no**", None: ""}
    lines = [
        "# Results against the bars",
        "",
        f"Written by `bars.py` for the module `{module}`. {machine()}.",
        'Medians; NumPy and the module take turns in one process. "against C++" is the time of `limit.cc` over the module\'s.',
        "",
        "| case | bar | measured | met |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {r.case} | {r.bar} | {r.measured} | {words[r.met]} |" for r in rows]
    missed = sum(r.met is False for r in rows)
    lines += ["", f"{sum(r.met is True for r in rows)} bars met, {missed} missed.", "", NOTES]
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
    table = options.output / "RESULTS.md"
    table.write_text(markdown(rows, options.module, kept_notes(table)))
    record = {
        "module": options.module,
        "machine": machine(),
        "rows": [vars(r) for r in rows],
        "raw": bench.raw,
    }
    (options.output / "results.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
