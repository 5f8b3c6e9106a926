"""RESULTS.md, the list of expected failures, and the verdict of a run."""

import collections
import os
import re

import numpy

from .compare import totals
from .modules import EXCLUDED, is_core
from .reasons import reason_of

FOLDER = os.path.dirname(os.path.abspath(__file__))
EXPECTED = os.path.join(FOLDER, "expected_failures.txt")
RESULTS = os.path.join(FOLDER, "RESULTS.md")
_FOLDERS = re.compile(r"(/[\w.-]+)+/")


def _percent(passed, count):
    return f"{100 * passed / count:.2f} %" if count else "-"


def summary(comparisons):
    everything, core = totals(comparisons), totals(comparisons, core=True)
    return (
        f"{everything[0]} of {everything[1]} ({_percent(*everything)}), "
        f"core {core[0]} of {core[1]} ({_percent(*core)})"
    )


def as_json(comparisons):
    return {
        c.module: {
            name: [o.outcome, o.reason, o.place, is_core(c.module, name)]
            for name, o in c.failures().items()
        }
        for c in comparisons
    }


def read_expected():
    """The tests that are known to fail, as `module::test`."""
    if not os.path.exists(EXPECTED):
        return set()
    with open(EXPECTED, encoding="utf-8") as file:
        lines = (line.rstrip("\n") for line in file)
        return {line.encode().decode("unicode_escape") for line in lines if line and line[0] != "#"}


def write_expected(comparisons):
    """Writes the failures of these modules; what is known of others stays."""
    covered = {c.module for c in comparisons}
    names = {name for name in read_expected() if name.partition("::")[0] not in covered}
    names |= {f"{c.module}::{name}" for c in comparisons for name in c.failures()}
    with open(EXPECTED, "w", encoding="utf-8") as file:
        file.write("# Tests of NumPy that fail with fuseau; RESULTS.md has the reasons.\n")
        file.write("# Made by `python -m tests.numpy_suite`.\n")
        for name in sorted(names):
            file.write(name.encode("unicode_escape").decode() + "\n")


def check(comparisons):
    """Prints failures that are not expected; 1 if there are some."""
    expected = read_expected()
    new, mended = [], []
    for c in comparisons:
        for name, o in c.outcomes.items():
            full = f"{c.module}::{name}"
            if o.outcome != "passed" and full not in expected:
                new.append(f"{full}\n    {o.outcome}: {o.reason}\n    {o.place}")
            elif o.outcome == "passed" and full in expected:
                mended.append(full)
    if mended:
        print(f"{len(mended)} expected failures pass now (--update takes them from the list)")
    for line in new[:40]:
        print("FAILED", line)
    if len(new) > 40:
        print(f"... and {len(new) - 40} more")
    return 1 if new else 0


def write_results(comparisons):
    """The table of modules and every failure with its reason."""
    groups = collections.defaultdict(list)
    for c in comparisons:
        for name, o in c.failures().items():
            groups[reason_of(c.module, name, o)].append((c.module, name, o))
    lines = [
        "# NumPy's own tests",
        "",
        f"The tests of NumPy {numpy.__version__} with fuseau as their NumPy, against what NumPy",
        "itself passes here. Made by `python -m tests.numpy_suite`. Core: tests without arrays of",
        "objects, structures, strings or dates, without subclasses and C internals.",
        "",
        f"In all: {summary(comparisons)}.",
        "",
        "| module | passed | of | | core passed | of |",
        "|---|---|---|---|---|---|",
    ]
    for c in comparisons:
        passed, count = c.counts()
        core_passed, core_count = c.counts(core=True)
        lines.append(
            f"| {c.module} | {passed} | {count} | {_percent(passed, count)} "
            f"| {core_passed} | {core_count} |"
        )
    lines += [
        "",
        "Modules that do not run: " + "; ".join(f"{m} ({w})" for m, w in EXCLUDED.items()),
    ]
    lines += ["", "## Failures by reason", ""]
    for kind, failures in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"### {kind} ({len(failures)})")
        lines.append("")
        for (module, function), outcomes in _functions(failures).items():
            more = f" ({len(outcomes)})" if len(outcomes) > 1 else ""
            lines.append(f"- {module}::{function}{more}: {_first_words(outcomes[0])}")
        lines.append("")
    with open(RESULTS, "w", encoding="utf-8") as file:
        file.write("\n".join(_ascii(line) for line in lines))


def _functions(failures):
    """The outcomes of the failures of each test function."""
    functions = collections.defaultdict(list)
    for module, name, outcome in failures:
        functions[module, name.partition("[")[0]].append(outcome)
    return functions


def _first_words(outcome):
    text = _FOLDERS.sub("", outcome.reason.split(" / ")[0]) or outcome.outcome
    return "`" + text[:70].replace("`", "'") + "`"


def _ascii(text):
    return text.encode("ascii", "backslashreplace").decode()
