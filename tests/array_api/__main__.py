"""Runs the public test suite of the array API standard with NumPy and with fuseau.

    python -m tests.array_api SUITE [--examples N] [--seed N] [FILES ...]

SUITE is a checkout of data-apis/array-api-tests with its submodule. Prints a table and the tests
that fail with fuseau alone; the exit status is 1 if fuseau passes fewer tests than NumPy.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

MODULES = ("numpy", "fuseau")


def main():
    parser = argparse.ArgumentParser(prog="tests.array_api", description=__doc__.splitlines()[0])
    parser.add_argument("suite", type=pathlib.Path, help="a checkout of data-apis/array-api-tests")
    parser.add_argument("files", nargs="*", help="names such as linalg; all by default")
    parser.add_argument("--examples", type=int, default=20, help="examples of a property (20)")
    parser.add_argument("--seed", type=int, default=1, help="of the examples")
    options = parser.parse_args()
    names = options.files or sorted(
        path.stem.removeprefix("test_")
        for path in (options.suite / "array_api_tests").glob("test_*.py")
    )
    if not names:
        parser.error(f"{options.suite} has no array_api_tests/test_*.py")
    totals, only = {module: [0, 0] for module in MODULES}, []
    print(f"| {'file':40} | {'NumPy':>9} | {'fuseau':>9} |\n|{'-' * 42}|{'-' * 10}:|{'-' * 10}:|")
    for name in names:
        outcomes = {module: run(options, module, name) for module in MODULES}
        cells = []
        for module, tests in outcomes.items():
            passed = sum(outcome == "passed" for outcome in tests.values())
            counted = sum(outcome != "skipped" for outcome in tests.values())
            totals[module][0] += passed
            totals[module][1] += counted
            cells.append(f"{passed} of {counted}".rjust(11))
        print(f"| {name:40} |{cells[0]}|{cells[1]}|", flush=True)
        only += [
            f"test_{name}.py::{test}"
            for test, outcome in outcomes["fuseau"].items()
            if outcome == "failed" and outcomes["numpy"].get(test) != "failed"
        ]
    cells = [f"{passed} of {counted}".rjust(11) for passed, counted in totals.values()]
    print(f"| {'all':40} |{cells[0]}|{cells[1]}|")
    print("\nFailing with fuseau and not with NumPy:", *(only or ["none"]), sep="\n  ")
    return 1 if totals["fuseau"][0] < totals["numpy"][0] else 0


def run(options, module, name):
    """The outcome of each test of a file: "passed", "failed" or "skipped"."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += [f"--junitxml={report}", f"--max-examples={options.examples}"]
        command += ["--disable-deadline", f"--hypothesis-seed={options.seed}"]
        command.append(f"array_api_tests/test_{name}.py")
        environment = {
            **os.environ,
            "ARRAY_API_TESTS_MODULE": module,
            "FUSEAU_FALLBACK": "silent",
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path[1:])),
        }
        done = subprocess.run(
            command, cwd=options.suite, env=environment, capture_output=True, text=True
        )
        if not os.path.exists(report):
            sys.exit(done.stdout + done.stderr)
        return {
            f"{case.get('classname').rpartition('.')[2]}::{case.get('name')}": outcome(case)
            for case in xml.etree.ElementTree.parse(report).iter("testcase")
        }


def outcome(case):
    for child in case:
        if child.tag in ("failure", "error"):
            return "failed"
        if child.tag == "skipped":
            return "skipped"
    return "passed"


if __name__ == "__main__":
    sys.exit(main())
