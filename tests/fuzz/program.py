"""A program: a list of one-line statements, and the ways to print and to compile it."""

import functools
import math
import re

import numpy

from .data import data

INEXACT = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh"
    " arccosh arctanh cbrt power float_power arctan2 hypot logaddexp logaddexp2 cov corrcoef fft linalg"
).split()
_INEXACT = re.compile(rf"\bnp\.({'|'.join(INEXACT)})\b|\*\*")
_COMPLEX = re.compile(r"complex|\dj\b")
# Complex products too: NumPy fuses multiply and add for some layouts and not for others.
_COMPLEX_INEXACT = re.compile(
    r"\b(sqrt|abs|absolute|sign|reciprocal|multiply|square|(nan|cum)?prod|(nan)?(var|std))\b|\*"
)

GENERATORS = (numpy.random.Generator, numpy.random.RandomState)

HEADER = """\
from math import inf, nan

import numpy

import {module} as np

from tests.fuzz.data import data
from tests.fuzz.program import force

"""


def force(array):
    """Evaluates an array of a module that is lazy."""
    return array.eval() if hasattr(array, "eval") else array


def namespace(module):
    """The names a program starts with. `numpy` is NumPy itself also to a module under test: what a
    program sees of an array through it is NumPy's view of the same memory.
    """
    return {
        "np": module, "numpy": numpy, "data": data, "force": force, "inf": math.inf, "nan": math.nan,
    }  # fmt: skip


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
