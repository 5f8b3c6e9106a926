"""Answers `import numpy` inside NumPy's test modules with fuseau."""

from fuseau import _substitute

from .modules import ROOT


def _is_test_module(names):
    name = names.get("__name__") or ""
    file = names.get("__file__") or ""
    return name.rpartition(".")[2].startswith("test_") and file.startswith(ROOT)


def install():
    """From now on NumPy's test modules are imported with fuseau as their NumPy."""
    _substitute.install(_is_test_module)
