"""Makes random NumPy programs as lists of one-line statements.

    python -m tests.fuzz.generate --seed 1 --program 7        prints one program as a script

A statement is proposed by a rule, then run with NumPy, so that the next rule knows every name's
shape and dtype. A program depends on its seed alone.
"""

import argparse
import itertools
import re
import warnings

import numpy

from . import (  # noqa: F401
    rules_arrange,
    rules_compute,
    rules_error,
    rules_index,
    rules_make,
    rules_memory,
    rules_python,
    rules_random,
    rules_routine,
    rules_statistics,
    rules_ufunc,
    rules_view,
    rules_write,
)
from .data import DTYPES
from .program import GENERATORS, compiled, is_inexact, script
from .state import RULES, State

MAX_STATEMENTS = 22


class Rejected(Exception):
    """The statement made something that programs leave out, such as a float16 array."""


class Undefined(Exception):
    """The statement cast a number to an integer type that cannot hold it: undefined in C."""


def statement_table(skip):
    names = [n for n in RULES if n not in skip]
    return [RULES[n][1] for n in names], list(itertools.accumulate(RULES[n][0] for n in names))


def supported(value, limit):
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return value.dtype.name in DTYPES and value.size <= limit and value.ndim <= 5
    return isinstance(value, (bool, int, float, complex, str, list, tuple, *GENERATORS))


def attempt(state, statement):
    """Runs a statement in the state. Returns whether it raised; raises Rejected with the names as
    they were.
    """
    before = dict(state.env)
    raised = False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compiled(statement), state.env)
        except Exception:
            raised = True
    if any("in cast" in str(w.message) for w in caught):
        # NumPy may have written before it warned, so nothing of this program is of use any more.
        raise Undefined
    changed = [
        n for n, v in state.env.items() if before.get(n) is not v and n not in ("__builtins__", "_")
    ]
    if not all(supported(state.env[n], state.limit) for n in changed):
        state.env.clear()
        state.env.update(before)
        raise Rejected
    for name in changed:
        value = state.env[name]
        if name[0] != "a":
            continue
        if isinstance(value, (numpy.ndarray, numpy.generic)):
            state.values[name] = value
        else:
            state.values.pop(name, None)
            if isinstance(value, (int, float)):
                state.numbers.append(name)
    for name in before:
        if name not in state.env:
            state.values.pop(name, None)
    return raised


_MASKED_OUT = re.compile(r"out=(a\d+)\b")


_NAME = re.compile(r"\ba\d+\b")


def is_masked_overlap(statement, env):
    """Whether a call with `where=` writes to memory that it reads. There NumPy passes the elements
    that stay through the loop's type.
    """
    out = _MASKED_OUT.search(statement)
    if out is None or "where=" not in statement:
        return False
    names = _NAME.findall(statement)
    names.remove(out[1])
    target = env.get(out[1])
    return any(numpy.may_share_memory(target, env[n]) for n in names if n in env)


_APART = re.compile(
    r"\b(unique\w*|union1d|intersect1d|setdiff1d|setxor1d|isin|remainder|mod|fmod|floor_divide|divmod"
    r"|floor|ceil|trunc|rint|round|around|fix|modf|heaviside)\(| (%|//)=? "
)
_DRAWN_INDEX = re.compile(r"\(data\([^%]*\) % \d+\)")


def tells_roundings_apart(statement, statements, env):
    """Whether a statement asks which numbers are equal or whole, of numbers that inexact functions
    may have rounded: the last bits of those depend on how NumPy's arrays lie in memory, and how many
    elements a set has, or what a division leaves, would depend on them.
    """
    text = _DRAWN_INDEX.sub("", statement)
    if _APART.search(text) is None or not is_inexact([*statements, statement]):
        return False
    names = set(_NAME.findall(statement))
    return any(numpy.asarray(env[n]).dtype.kind in "fc" for n in names if n in env)


def may_have_effects(statement):
    """Whether a statement can raise after it has changed something."""
    return ";" in statement or statement.startswith(("for ", "with "))


def generate(seed, skip=()):
    """The statements of the program of this seed."""
    state = State(seed)
    functions, weights = statement_table(skip)
    length = 8 if state.large else state.rng.randint(4, MAX_STATEMENTS)
    statements = []
    with numpy.errstate(all="ignore", invalid="warn"):
        for _ in range(4 * length):
            if len(statements) >= length:
                break
            function = (
                RULES["make_data"][1]
                if len(statements) < 2
                else state.rng.choices(functions, cum_weights=weights)[0]
            )
            statement = function(state)
            if (
                statement is None
                or is_masked_overlap(statement, state.env)
                or tells_roundings_apart(statement, statements, state.env)
            ):
                continue
            try:
                raised = attempt(state, statement)
            except Rejected:
                continue
            except Undefined:
                break
            # Errors that happen by chance are many and alike: keep a few.
            if (
                raised
                and not may_have_effects(statement)
                and function.__name__ != "error"
                and not state.chance(0.15)
            ):
                continue
            statements.append(statement)
    return statements


def main():
    parser = argparse.ArgumentParser(description="Prints a generated program.")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--program", type=int, default=0)
    parser.add_argument("--module", default="numpy")
    options = parser.parse_args()
    print(script(generate(f"{options.seed}:{options.program}"), options.module), end="")


if __name__ == "__main__":
    main()
