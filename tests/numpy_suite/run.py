"""Runs test modules, each in a process of its own that may die or hang."""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time

from .modules import ROOT, path_of

HANG_SECONDS = 90.0
MODULE_SECONDS = 900.0
MAX_RESTARTS = 40


@dataclasses.dataclass
class Outcome:
    """What became of a test; `outcome` is pytest's word, or "crashed" or "hung"."""

    outcome: str
    reason: str = ""
    place: str = ""
    seconds: float = 0.0


def run_module(module, target):
    """The outcome of each test of a module, by name in the order of collection."""
    results = {}
    with tempfile.TemporaryDirectory(prefix="fuseau-suite") as folder:
        done_path = os.path.join(folder, "done.json")
        collected = None
        deadline = time.monotonic() + MODULE_SECONDS
        for attempt in range(MAX_RESTARTS):
            events_path = os.path.join(folder, f"events{attempt}.jsonl")
            with open(done_path, "w", encoding="utf-8") as file:
                json.dump([*results], file)
            ended = _run_once(module, target, folder, events_path, done_path, deadline)
            names, running = _read(events_path, results)
            collected = names if collected is None else collected
            if ended is None:
                break
            if running is None:
                results.setdefault("(module)", Outcome(ended, "outside of a test"))
                break
            results[running] = Outcome(ended)
            if time.monotonic() > deadline:
                break
    order = [name for name in collected or () if name in results]
    order += [name for name in results if name not in set(order)]
    return {name: results[name] for name in order}


def _run_once(module, target, folder, events_path, done_path, deadline):
    """Runs a process over the tests left; "crashed", "hung" or None for a normal end."""
    environment = {
        **os.environ,
        "FUSEAU_SUITE_EVENTS": events_path,
        "FUSEAU_SUITE_DONE": done_path,
        "FUSEAU_SUITE_MODULE": target,
        "FUSEAU_FALLBACK": "silent",
        "NPY_AVAILABLE_MEM": "1 GB",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-X", "faulthandler", "-m", "pytest", "-q", "-c", os.devnull]
    command += ["--rootdir", os.path.dirname(ROOT), "-p", "tests.numpy_suite.plugin"]
    command += ["-p", "no:cacheprovider", "-m", "not slow", path_of(module)]
    with open(os.path.join(folder, "output"), "ab") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            return _watch(process, events_path, deadline)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


def _watch(process, events_path, deadline):
    size, since = -1, time.monotonic()
    while True:
        try:
            code = process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            pass
        else:
            # 0: all passed, 1: some failed, 2: not collected, 5: nothing to run.
            return None if code in (0, 1, 2, 5) else "crashed"
        now = time.monotonic()
        grown = os.path.getsize(events_path) if os.path.exists(events_path) else 0
        if grown != size:
            size, since = grown, now
        if now - since > HANG_SECONDS or now > deadline:
            return "hung"


def _read(events_path, results):
    """Adds the events of a file to the results; the names collected and the test in progress."""
    collected, running = None, None
    if not os.path.exists(events_path):
        return collected, running
    with open(events_path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            if "collected" in event:
                collected = event["collected"]
            elif "broken" in event:
                results["(module)"] = Outcome("failed", event["broken"][-300:])
            elif "start" in event:
                running = event["start"]
            elif "end" in event:
                _note(event, results)
                running = None
    return collected, running


def _note(event, results):
    name = event["end"]
    outcome = event["outcome"]
    if event["when"] == "teardown" and outcome == "passed":
        return
    if outcome == "passed" and name in results:
        return
    results[name] = Outcome(outcome, event["reason"], event["place"], event["seconds"])
