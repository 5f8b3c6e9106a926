"""A program: a list of one-line statements, and the ways to print and to compile it."""

import functools
import math
import re

from .data import data

INEXACT = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh"
    " arccosh arctanh cbrt power float_power arctan2 hypot logaddexp logaddexp2"
).split()
_INEXACT = re.compile(rf"\bnp\.({'|'.join(INEXACT)})\b|\*\*")
_COMPLEX = re.compile(r"complex|\dj\b")
# Complex products too: NumPy fuses multiply and add for some layouts and not for others.
_COMPLEX_INEXACT = re.compile(r"\b(sqrt|abs|absolute|sign|reciprocal|multiply|square|c?prod)\b|\*")

HEADER = """\
from math import inf, nan

import {module} as np

from tests.fuzz.data import data

"""


def namespace(module):
    """The names a program starts with."""
    return {"np": module, "data": data, "inf": math.inf, "nan": math.nan}


@functools.lru_cache(maxsize=4096)
def compiled(statement):
    return compile(statement, "<program>", "exec")


def is_inexact(statements):
    """Whether a program calls functions that NumPy itself does not round correctly."""
    text = "\n".join(statements)
    if _INEXACT.search(text):
        return True
    return bool(_COMPLEX.search(text) and _COMPLEX_INEXACT.search(text))


def script(statements, module="numpy"):
    """The program as a script that runs from the repository's root."""
    return HEADER.format(module=module) + "\n".join(statements) + "\n"
