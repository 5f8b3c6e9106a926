"""The part of the runner inside the process of one test module: a plugin of pytest.

Settings come by environment: FUSEAU_SUITE_EVENTS, the file to which what happens is written, a
line of JSON each; FUSEAU_SUITE_DONE, a file with the tests to leave out; FUSEAU_SUITE_MODULE, the
array module to test.
"""

import json
import os

import pytest

if os.environ.get("FUSEAU_SUITE_MODULE", "fuseau") == "fuseau":
    from . import substitution

    substitution.install()

_events = open(os.environ["FUSEAU_SUITE_EVENTS"], "a", encoding="utf-8")  # noqa: SIM115


def _write(**event):
    _events.write(json.dumps(event) + "\n")
    _events.flush()


def _name(nodeid):
    return nodeid.partition("::")[2]


def pytest_collection_modifyitems(config, items):
    _write(collected=[_name(item.nodeid) for item in items])
    path = os.environ.get("FUSEAU_SUITE_DONE")
    if path:
        with open(path, encoding="utf-8") as file:
            done = set(json.load(file))
        items[:] = [item for item in items if _name(item.nodeid) not in done]


def pytest_collectreport(report):
    if report.failed:
        _write(broken=str(report.longrepr)[-2000:])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart(nodeid, location):
    _write(start=_name(nodeid))


def _reason(report):
    """One line: the exception and where in the test it came up."""
    crash = getattr(report.longrepr, "reprcrash", None)
    text = (crash.message if crash else str(report.longrepr)).strip()
    entries = getattr(getattr(report.longrepr, "reprtraceback", None), "reprentries", [])
    place = ""
    for entry in entries:
        lines = getattr(entry, "lines", [])
        here = getattr(getattr(entry, "reprfileloc", None), "path", "")
        if "tests/test_" in str(here) and lines:
            marked = [line[1:].strip() for line in lines if line.startswith(">")]
            place = marked[0] if marked else place
    first = " / ".join(line.strip() for line in text.splitlines() if line.strip())[:300]
    return first, place[:160]


def pytest_runtest_logreport(report):
    if report.when == "call" or report.outcome != "passed":
        outcome = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "xpassed"
        reason, place = _reason(report) if report.failed else ("", "")
        _write(
            end=_name(report.nodeid),
            outcome=outcome,
            when=report.when,
            reason=reason,
            place=place,
            seconds=round(report.duration, 3),
        )
