"""Costly habits of a program, found in its profile: each with its line and the better form.

A rule is a function of a profile that yields findings. A rule speaks only where the habit took a
part of the program's time that is worth a change, so a program that is quick as it is gets none.
"""

import html
import itertools
import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass

_MANY = 500  # elements that are read or written one by one
_SHARE = 0.1  # of the program's time, below which nothing is said
_SMALL = 16 << 10  # bytes of an evaluation that is far below what a loop is worth
_TINY_NS = 5000  # to record, ask for and read a result of few elements, about
_GROWTHS = 8  # evaluations in a row of which each has more operations
_COMPILES = 8  # for one line


@dataclass(frozen=True)
class Finding:
    """A habit at a line of the program."""

    rule: str
    place: str  # "file:line"
    found: str  # what happens there
    advice: str  # the better form
    seconds: float = 0.0  # that it took, as far as is known


def examine(run):
    """The findings of all rules in a profile, the costliest first."""
    found = [finding for rule in RULES for finding in rule(run)]
    return sorted(found, key=lambda f: (-f.seconds, f.rule, f.place))


def element_loop(run):
    """Single elements are read in a loop of Python."""
    iterations = run.tallies.get("iterations", {})
    computed = Counter(e.line for e in _wanted(run))
    for place, count in run.tallies.get("element_reads", {}).items():
        if count < _MANY or not place:
            continue
        if computed[place] > count / 2:
            continue  # Results, each computed for its read.
        if place in iterations:
            yield Finding(
                "element-loop",
                place,
                f"a loop of Python goes through {count:,} elements",
                "compute with whole arrays, or go through `a.tolist()`, which reads all at once",
            )
        else:
            yield Finding(
                "element-reads",
                place,
                f"{count:,} elements are read one by one",
                "select with a slice, an index array or a mask and compute with the result; "
                "for Python's own work read all at once by `a.tolist()`",
            )


def element_writes(run):
    """Single elements are written in a loop of Python."""
    for place, count in run.tallies.get("element_writes", {}).items():
        if count >= _MANY and place:
            yield Finding(
                "element-writes",
                place,
                f"{count:,} elements are written one by one",
                "assign a slice or `a[indices] = values`; build small arrays from a list",
            )


def fallback(run):
    """A function that NumPy has to compute takes much of the time."""
    calls, times = Counter(), Counter()
    for event in _events(run, "numpy"):
        calls[event.line, event.name] += 1
        times[event.line, event.name] += event.time
    for (place, name), count in calls.items():
        time = times[place, name]
        if place and time >= _SHARE * run.time:
            yield Finding(
                "fallback",
                place,
                f"NumPy computes `{name}`, {count:,} times",
                "it waits for its operands and ends fusion; docs/coverage.md lists what is native",
                time / 1e9,
            )


def growing(run):
    """Each evaluation computes more than the one before."""
    by_line = defaultdict(list)
    for event in _wanted(run):
        by_line[event.line].append(event)
    for place, events in by_line.items():
        longest = streak = 0
        for before, after in itertools.pairwise(events):
            streak = streak + 1 if after.number > before.number else 0
            longest = max(longest, streak)
        time = sum(e.time for e in events)
        if longest >= _GROWTHS and place and time >= _SHARE * run.time:
            yield Finding(
                "growing",
                place,
                f"{longest + 1} evaluations in a row, each with more operations than the "
                f"one before ({events[0].number} to {events[-1].number})",
                "keep a running result (`total += x`) in place of a list that is summed anew",
                time / 1e9,
            )


def copied(run):
    """A write in place has to copy its array first."""
    writes = {
        node[3]
        for graph in run.graphs
        for node in graph["nodes"]
        if node[0] == "update" and node[3]
    }
    times, sizes = Counter(), Counter()
    for event in _events(run, "copy"):
        if event.name != "copy":
            continue
        lines = {line for line in event.lines if line in writes}
        for line in lines:
            times[line] += event.time / len(lines)
            sizes[line] += event.bytes / len(lines)
    for place, time in times.items():
        if time >= _SHARE * run.time:
            yield Finding(
                "copied",
                place,
                f"the write copies its array first ({sizes[place] / 1e6:,.1f} MB moved)",
                "its old value is still needed: drop the other name of it before, or compute what "
                "reads it first; `fuseau.explain` tells which value",
                time / 1e9,
            )


def compiles(run):
    """One line is compiled again and again."""
    count, time = Counter(), Counter()
    for event in _events(run, "compile"):
        for line in set(event.lines):
            count[line] += 1
            time[line] += event.time
    waits = sum(e.time for e in _events(run, "wait") if e.name == "compiler")
    reported = set()
    for place, times in count.most_common():
        if times < _COMPILES or waits < _SHARE * run.time or time[place] in reported:
            continue
        reported.add(time[place])
        yield Finding(
            "compiles",
            place,
            f"{times} compiles, {time[place] / 1e9:.2f} s",
            "the shapes or the formula change from run to run: use one size (pad, or a view of a "
            "larger array), or `FUSEAU_JIT=0` if each is seen once",
            time[place] / 1e9,
        )


def tiny(run):
    """Many evaluations of few elements."""
    count, time = Counter(), Counter()
    for event in _wanted(run):
        if event.bytes < _SMALL:
            count[event.line] += 1
            time[event.line] += event.time
    for place, times in count.items():
        if times < 2 * _MANY or max(time[place], times * _TINY_NS) < 2 * _SHARE * run.time:
            continue
        yield Finding(
            "tiny",
            place,
            f"{times:,} evaluations of few elements each",
            "do the work of many rounds of the loop by one operation with one more dimension",
            time[place] / 1e9,
        )


RULES = (element_loop, element_writes, fallback, growing, copied, compiles, tiny)


def _events(run, kind):
    return [e for t in run.threads for e in t.events if e.kind == kind]


def _wanted(run):
    return [e for e in _events(run, "evaluation") if e.line]


def text(findings):
    """The findings for people."""
    if not findings:
        return "no costly habits found"
    lines = []
    for finding in findings:
        took = f"  [{finding.seconds:.2f} s]" if finding.seconds >= 0.005 else ""
        lines += [f"{finding.place}: {finding.found}  ({finding.rule}){took}"]
        lines += [f"    {finding.advice}"]
    return "\n".join(lines)


def as_json(findings):
    """The findings as a list of objects, for programs."""
    return json.dumps([asdict(f) for f in findings], indent=2)


def as_html(findings):
    """The findings as a page."""
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(x))}</td>" for x in asdict(f).values()) + "</tr>"
        for f in findings
    )
    head = "".join(f"<th>{name}</th>" for name in ("rule", "line", "found", "better", "seconds"))
    body = f"<table><tr>{head}</tr>{rows}</table>" if findings else f"<p>{text(findings)}</p>"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>fuseau doctor</title>'
        "<style>body{font:14px system-ui,sans-serif;margin:20px}td,th{text-align:left;"
        "padding:3px 12px 3px 0;vertical-align:top}</style></head>"
        f"<body><h1>fuseau doctor</h1>{body}</body></html>"
    )
