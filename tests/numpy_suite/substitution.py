"""Answers `import numpy` inside NumPy's test modules with fuseau."""

from fuseau import _substitute
from numpy._core import _multiarray_tests

from .modules import ROOT


def _is_test_module(names):
    name = names.get("__name__") or ""
    file = names.get("__file__") or ""
    return name.rpartition(".")[2].startswith("test_") and file.startswith(ROOT)


# Functions of NumPy's C tests that read the struct of NumPy's array without asking what they got,
# and end the process.
UNCHECKED = ("incref_elide", "incref_elide_l")


def _refuse(*args):
    raise TypeError("unchecked C code that takes NumPy's own arrays only")


def install():
    """From now on NumPy's test modules are imported with fuseau as their NumPy."""
    for name in UNCHECKED:
        setattr(_multiarray_tests, name, _refuse)
    _substitute.install(_is_test_module)
