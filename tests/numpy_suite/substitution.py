"""Answers `import numpy` inside NumPy's test modules with fuseau.

Only code whose globals are those of a test module sees the substitute: its `__builtins__` hold
another `__import__`. Private modules of NumPy, which tests import by the dozen, are answered with
views that show fuseau's object wherever NumPy's own is a public one.
"""

import builtins
import contextlib
import importlib
import importlib.machinery
import importlib.util
import sys
import types

import fuseau
import numpy

from .modules import ROOT

NAMESPACES = ("", "linalg", "fft", "random", "lib", "lib.stride_tricks", "lib.scimath")


def _public_objects():
    """NumPy's public objects that are others in fuseau, by identity."""
    table = {}
    for path in NAMESPACES:
        ours, theirs = fuseau, numpy
        for part in path.split("."):
            if part:
                ours, theirs = getattr(ours, part), getattr(theirs, part)
        for name in dir(theirs):
            if name.startswith("_"):
                continue
            value = getattr(theirs, name)
            if isinstance(value, (types.ModuleType, int, float, str)):
                continue
            mine = getattr(ours, name, value)
            if mine is not value:
                table[id(value)] = mine
    return table


_TABLE = _public_objects()


class View(types.ModuleType):
    """A module of NumPy as test modules see it."""

    def __init__(self, module, ours=None):
        super().__init__(module.__name__, module.__doc__)
        super().__setattr__("_theirs", module)
        super().__setattr__("_ours", ours)

    def __getattr__(self, name):
        value = getattr(self._theirs, name, None)
        if isinstance(value, types.ModuleType):
            return substitute(value)
        if self._ours is not None:
            return getattr(self._ours, name)
        value = getattr(self._theirs, name)
        return _TABLE.get(id(value), value)

    def __setattr__(self, name, value):
        setattr(self._ours or self._theirs, name, value)

    def __delattr__(self, name):
        delattr(self._ours or self._theirs, name)

    @property
    def __dict__(self):
        return {name: getattr(self, name) for name in vars(self._theirs)}

    def __dir__(self):
        return dir(self._ours or self._theirs)


_views = {}


def substitute(module):
    """What a test module gets for a module of NumPy."""
    name = module.__name__
    if name != "numpy" and not name.startswith("numpy."):
        return module
    if ".tests" in name or name.startswith("numpy.testing._private"):
        return module
    if name not in _views:
        private = any(part.startswith("_") for part in name.split("."))
        ours = None if private else importlib.import_module("fuseau" + name.removeprefix("numpy"))
        _views[name] = View(module, ours)
    return _views[name]


def _import(name, globals=None, locals=None, fromlist=(), level=0):
    if level:
        package = (globals or {}).get("__package__") or ""
        full = importlib.util.resolve_name("." * level + name, package)
    else:
        full = name
    if full != "numpy" and not full.startswith("numpy."):
        return builtins.__import__(name, globals, locals, fromlist, level)
    module = importlib.import_module(full)
    if not fromlist:
        # `import a.b as c` goes on from the first module by attributes.
        return substitute(sys.modules[full.partition(".")[0]])
    for part in fromlist:
        if part != "*" and not hasattr(module, part):
            with contextlib.suppress(ImportError):
                importlib.import_module(f"{full}.{part}")
    return substitute(module)


class _Loader(importlib.machinery.SourceFileLoader):
    def exec_module(self, module):
        names = {**vars(builtins), "__import__": _import}
        module.__dict__["__builtins__"] = names
        super().exec_module(module)


class _Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.rpartition(".")[2].startswith("test_"):
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or not (spec.origin or "").startswith(ROOT):
            return None
        return importlib.util.spec_from_loader(name, _Loader(name, spec.origin))


def install():
    """From now on NumPy's test modules are imported with fuseau as their NumPy."""
    sys.meta_path.insert(0, _Finder)
