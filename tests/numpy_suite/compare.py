"""What NumPy passes and fuseau does not."""

import dataclasses
import itertools
import json
import os
import platform

import numpy

from .modules import is_core
from .run import Outcome, run_module

STORE = os.path.join("build", "numpy_suite")


@dataclasses.dataclass
class Comparison:
    """The outcomes of one module: of every test that NumPy passes, what fuseau made of it."""

    module: str
    outcomes: dict
    seconds: float

    def failures(self):
        return {name: o for name, o in self.outcomes.items() if o.outcome != "passed"}

    def counts(self, core=False):
        """(passed, all) of the tests that NumPy passes."""
        chosen = [o for name, o in self.outcomes.items() if not core or is_core(self.module, name)]
        return sum(o.outcome == "passed" for o in chosen), len(chosen)


def baseline(module):
    """NumPy's own outcomes, from an earlier run if there was one on this machine."""
    return _stored(f"numpy-{numpy.__version__}-py{platform.python_version()}", module)


def _stored(name, module, again=False):
    """The outcomes of a module that are kept under a name, or those of a run now."""
    folder = os.path.join(STORE, name)
    path = os.path.join(folder, module.replace("/", "-") + ".json")
    if not again and os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return {name: Outcome(**fields) for name, fields in json.load(file).items()}
    outcomes = run_module(module, name.partition("-")[0])
    os.makedirs(folder, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({name: dataclasses.asdict(o) for name, o in outcomes.items()}, file)
    return outcomes


def compare(module, keep=False):
    """Runs a module with NumPy, unless it is known, and with fuseau.

    With `keep`, what an earlier run found with fuseau is taken too.
    """
    wanted = baseline(module)
    ours = _stored("fuseau", module, again=not keep)
    pairs = _pairs(wanted, ours)
    outcomes = {}
    for name, outcome in wanted.items():
        if outcome.outcome != "passed":
            continue
        missing = Outcome("missing", _why_missing(ours))
        outcomes[name] = ours.get(pairs.get(name, name), missing)
    return Comparison(module, outcomes, sum(o.seconds for o in ours.values()))


def _why_missing(ours):
    whole = ours.get("(module)")
    return whole.reason if whole else "not collected"


def _pairs(wanted, ours):
    """The names in `ours` for names in `wanted` where parameters have another text.

    Parameters of a test are then taken in their order.
    """
    pairs = {}
    left, right = _by_function(wanted), _by_function(ours)
    for function, names in left.items():
        others = right.get(function, [])
        if names != others and len(names) == len(others):
            pairs.update(zip(names, others, strict=True))
    return pairs


def _by_function(outcomes):
    groups = {}
    for name in outcomes:
        groups.setdefault(name.partition("[")[0], []).append(name)
    return groups


def totals(comparisons, core=False):
    counts = [c.counts(core) for c in comparisons]
    return tuple(map(sum, itertools.zip_longest(*counts))) if counts else (0, 0)
