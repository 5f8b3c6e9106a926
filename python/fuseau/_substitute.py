"""fuseau in the place of NumPy for chosen modules: what `import numpy` gives there.

`builtins.__import__` and `importlib.import_module` are replaced by functions that look whose import
it is. All other code of the process, NumPy's own and that of libraries, keeps NumPy.
"""

import builtins
import contextlib
import functools
import importlib
import importlib.util
import os
import sys
import sysconfig
import types

import numpy

_PARTS = ("", "linalg", "fft", "random", "lib", "lib.stride_tricks", "lib.scimath")
_chosen = []


def install(chosen):
    """From now on modules for whose globals `chosen` is true import fuseau as NumPy."""
    if not _chosen:
        builtins.__import__ = functools.partial(_import, builtins.__import__)
        importlib.import_module = _import_module(importlib.import_module)
    _chosen.append(chosen)


def install_as_numpy(packages=(), *, program=True):
    """From now on the program's `import numpy` gives fuseau.

    The program is `__main__` and the modules in its folder, without what is installed there in a
    `site-packages`. `packages` are names of other packages that shall see fuseau, too, for example
    `["skimage"]`; with `program=False` they alone do. Modules that imported NumPy before keep it,
    so call this before they are imported. `fuseau run --numpy` does, for a program as it is.
    """
    if isinstance(packages, str):
        raise TypeError("packages must be a list of names, not one string")
    install(Chosen(packages, program))


class Chosen:
    """Tells by its globals whether a module is of the program or of one of some packages."""

    def __init__(self, packages=(), program=True, folder=None):
        self._packages = frozenset(packages)
        unfit = sorted(self._packages & {"fuseau", "numpy"})
        if unfit:
            raise ValueError(f"{unfit[0]} itself cannot see fuseau as its NumPy")
        self._program = program
        if folder is None and program:
            file = getattr(sys.modules.get("__main__"), "__file__", None)
            folder = os.path.dirname(os.path.realpath(file)) if file else os.getcwd()
        self._folder = folder
        self._known = {}  # Answers by file.

    def __call__(self, names):
        name = names.get("__name__") or ""
        top = name.partition(".")[0]
        if top in ("fuseau", "numpy"):
            return False
        if top in self._packages:
            return True
        if not self._program:
            return False
        if name == "__main__":
            return True
        file = names.get("__file__")
        if file not in self._known:
            self._known[file] = self._is_in_folder(file)
        return self._known[file]

    def _is_in_folder(self, file):
        if not file:
            return False
        parts = os.path.relpath(os.path.realpath(file), self._folder).split(os.sep)
        if parts[0] == ".." or "site-packages" in parts or "dist-packages" in parts:
            return False
        return not file.startswith(sysconfig.get_path("stdlib") + os.sep)


# --- Imports -------------------------------------------------------------------


def _import(original, name, globals=None, locals=None, fromlist=(), level=0):
    """What stands for `builtins.__import__`."""
    if not (level or name == "numpy" or name.startswith("numpy.")) or not _is_chosen(globals):
        return original(name, globals, locals, fromlist, level)
    if level:
        package = (globals or {}).get("__package__") or ""
        full = importlib.util.resolve_name("." * level + name, package)
        if not full.startswith("numpy."):
            return original(name, globals, locals, fromlist, level)
    else:
        full = name
    module = original(full, fromlist=("__name__",))
    if not fromlist:
        # `import a.b as c` goes on from the first module by attributes.
        return substitute(sys.modules["numpy"])
    for part in fromlist:
        if part != "*" and not hasattr(module, part):
            with contextlib.suppress(ImportError):
                original(f"{full}.{part}")
    return substitute(module)


def _import_module(original):
    """What stands for `importlib.import_module`."""

    @functools.wraps(original)
    def import_module(name, package=None):
        module = original(name, package)
        if module.__name__.partition(".")[0] == "numpy" and _is_chosen(None):
            return substitute(module)
        return module

    return import_module


def _is_chosen(names):
    if names is None or "__name__" not in names:
        # Code of `exec` in a bare dict, and calls of `__import__`: whoever runs it.
        frame = sys._getframe(2)
        while frame.f_back is not None and "__name__" not in frame.f_globals:
            frame = frame.f_back
        names = frame.f_globals
    return any(chosen(names) for chosen in _chosen)


# --- What is given for NumPy's modules ------------------------------------------------


@functools.cache
def _counterparts():
    """NumPy's public objects that are others in fuseau, by identity."""
    import fuseau

    table = {}
    for path in _PARTS:
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


class View(types.ModuleType):
    """A module of NumPy as chosen modules see it: fuseau's, or for a private one NumPy's with
    fuseau's object wherever its own is a public one.
    """

    def __init__(self, module, ours=None):
        super().__init__(module.__name__, module.__doc__)
        super().__setattr__("_theirs", module)
        super().__setattr__("_ours", ours)

    def __getattr__(self, name):
        value = self._find(name)
        # The next time it is found at once.
        super().__setattr__(name, value)
        return value

    def _find(self, name):
        value = getattr(self._theirs, name, None)
        if isinstance(value, types.ModuleType):
            return substitute(value)
        if name == "__all__" and value is not None:
            # Fuseau has a few more.
            return value
        if self._ours is not None:
            return getattr(self._ours, name)
        value = getattr(self._theirs, name)
        return _counterparts().get(id(value), value)

    def __setattr__(self, name, value):
        setattr(self._ours or self._theirs, name, value)
        super().__setattr__(name, value)

    def __delattr__(self, name):
        delattr(self._ours or self._theirs, name)
        with contextlib.suppress(AttributeError):
            super().__delattr__(name)

    @property
    def __dict__(self):
        return {name: getattr(self, name) for name in vars(self._theirs)}

    def __dir__(self):
        return dir(self._ours or self._theirs)


_views = {}


def substitute(module):
    """What a chosen module gets for a module."""
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
