"""Runs NumPy's own tests with fuseau: `python -m tests.numpy_suite [--fast] [MODULE ...]`.

Without arguments: every module, and RESULTS.md and expected_failures.txt are written anew. With
`--fast`, and where modules are named, failures are compared with the expected ones instead, and a
new one makes the run fail.
"""

import argparse
import concurrent.futures
import json
import sys
import time

from . import report
from .compare import compare
from .modules import all_modules, fast_modules


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.numpy_suite", description=__doc__)
    parser.add_argument("modules", nargs="*", help="modules or folders, such as _core/test_umath")
    parser.add_argument("--fast", action="store_true", help="the modules of tools/test")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", help="a file for the failures with their reasons")
    parser.add_argument("--update", action="store_true", help="write the expected failures anew")
    parser.add_argument("--keep", action="store_true", help="go on with an earlier run")
    options = parser.parse_args()
    whole = not options.modules and not options.fast
    modules = fast_modules() if options.fast else all_modules()
    if options.modules:
        modules = [m for m in modules if any(m.startswith(name) for name in options.modules)]
    start = time.monotonic()
    comparisons = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for comparison in pool.map(lambda module: compare(module, options.keep), modules):
            passed, count = comparison.counts()
            print(f"{comparison.module:36} {passed:6} of {count:6}", flush=True)
            comparisons.append(comparison)
    print(report.summary(comparisons), f"in {time.monotonic() - start:.0f} s")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(report.as_json(comparisons), file, indent=1)
    if whole or options.update:
        report.write_expected(comparisons)
        if whole:
            report.write_results(comparisons)
        return 0
    return report.check(comparisons)


if __name__ == "__main__":
    sys.exit(main())
