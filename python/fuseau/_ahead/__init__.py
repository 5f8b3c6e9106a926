"""Programs compiled ahead of time: what `fuseau compile` is made of.

`compile_function` traces a Python function and gives a `Compiled`, whose code a C or C++ program
links without Python; `write` writes it as files.
"""

from .artifacts import EMITS, write
from .program import Compiled, compile_function
from .signature import SignatureError, parse_argument, parse_sizes

__all__ = [
    "EMITS",
    "Compiled",
    "SignatureError",
    "compile_function",
    "parse_argument",
    "parse_sizes",
    "write",
]
