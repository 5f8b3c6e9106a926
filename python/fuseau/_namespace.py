"""NumPy's names that are not native: what each of them is in this package, found at first use."""

import functools
import importlib
import importlib.util
import sys
import types

import numpy

from . import _definitions, _errstate, _fallback
from ._base import NATIVE_FUNCTIONS, as_function
from ._fuseau import UFUNCS, computed, function, ndarray, ufunc

# Functions that neither take nor return arrays, or give NumPy's own array over memory that
# somebody else has too.
SHARED = frozenset(
    """
    ctypeslib.as_array
    base_repr binary_repr broadcast_shapes busdaycalendar datetime_data errstate
    format_float_positional format_float_scientific get_include get_printoptions getbufsize geterr
    geterrcall info isdtype issubdtype iterable mintypecode printoptions promote_types
    set_printoptions setbufsize seterr seterrcall show_config show_runtime test typename
    random.get_bit_generator random.get_state random.set_bit_generator random.set_state
    """.split()
)
# Functions that need values by their nature, so that calling NumPy for them is no fallback.
QUIET = frozenset(
    """
    array2string array_repr array_str from_dlpack fromfile fromiter fromregex fromstring genfromtxt
    load loadtxt may_share_memory min_scalar_type save savetxt savez savez_compressed shares_memory
    """.split()
)
# Those among them that ranks of a job do in parts.
FILES = frozenset("load save savez savez_compressed".split())
_CHECKS = ("assert_a", "assert_equal", "build_err_msg", "print_assert_equal")
# Modules without functions of arrays.
SHARED_MODULES = frozenset("core dtypes exceptions f2py typing version matlib".split())
GRIDS = ("r_", "c_", "mgrid", "ogrid")


def is_public(path):
    """Whether a dotted name is one of NumPy's public names."""
    return not any(part.startswith("_") for part in path.split("."))


def public_names():
    """All public names of NumPy's main namespace."""
    return sorted({name for name in (*dir(numpy), *numpy.__all__) if not name.startswith("_")})


def kind_of(path, value):
    """How a public name of NumPy is served: "native", "fallback" or "shared"."""
    if (
        _definitions.is_defined(path)
        or _native_function(path, value)
        or value is numpy.ndarray
        or value is numpy.ufunc
    ):
        return "native"
    if isinstance(value, numpy.ufunc):
        return "native" if _native_ufunc(value) else "fallback"
    if isinstance(value, types.ModuleType):
        return "shared" if path in SHARED_MODULES else "fallback"
    if path in GRIDS:
        return "native"
    if path == "vectorize":
        return "fallback"
    if isinstance(value, type) or not callable(value) or path in SHARED or path in QUIET:
        return "shared"
    return "fallback"


def resolve(path):
    """The object of this package for a public name of NumPy. AttributeError if there is none."""
    value = _fallback.lookup(path)
    if isinstance(value, types.ModuleType):
        if path in SHARED_MODULES or not is_public(path):
            return value
        return importlib.import_module(f"fuseau.{path}")
    if path.split(".")[0] in SHARED_MODULES:  # Also callable ones: NDArray is a generic alias.
        return value
    special = _special(path)
    if special is not None:
        return special
    if path in FILES:
        return _of_files(path)
    if _definitions.is_defined(path):
        return _definitions.define(path)
    if isinstance(value, type) or not callable(value) or path in SHARED:
        return value
    if isinstance(value, numpy.ufunc):
        return _native_ufunc(value) or _other_ufunc(value)
    if "." not in path and _native_function(path, value):
        return _native_function(path, value)
    if path.startswith("ma.") and isinstance(value, numpy.ma.core._MaskedUFunc):
        # It takes our arrays, and gives masked ones, which are NumPy's.
        return value
    if path in QUIET:
        return _fallback.quiet_door(path)
    if path.startswith("random."):
        return _fallback.quiet_door(path) if path == "random.shuffle" else computed(path, value, 0)
    if path.startswith("testing."):
        checks = path.split(".")[-1].startswith(_CHECKS)
        return _fallback.quiet_door(path) if checks else value
    return _fallback.door(path)


def _native_function(path, value):
    """The native function of a name; NumPy's aliases such as `concat` share the function."""
    name = getattr(value, "__name__", path)
    if vars(numpy).get(name) is not value:
        name = path
    return NATIVE_FUNCTIONS.get(name)


def _native_ufunc(value):
    """The extension's form of a ufunc; NumPy's aliases share the name of their ufunc."""
    found = UFUNCS.get(value.__name__)
    return found if getattr(numpy, value.__name__, None) is value else None


def _other_ufunc(value):
    from ._ufunc import COMPOSED, ComposedUfunc

    name = value.__name__
    if getattr(numpy, name, None) is not value:
        return value
    return COMPOSED.get(name) or COMPOSED.setdefault(name, ComposedUfunc(name))


@functools.cache
def _of_files(path):
    """A function of files. What it needs of Python's library is not for all programs."""
    from . import _npy

    return as_function(path, _npy.FUNCTIONS[path], _fallback.lookup(path))


@functools.cache
def _special(path):
    """An object that is neither a function nor a plain class, or None. Each is made when it is
    asked for: they need more of NumPy and of Python's library than the rest.
    """
    if path in GRIDS:
        return Grid(path)
    if path in _SPECIAL:
        return _SPECIAL[path]()
    if path.startswith("random."):
        from . import _random

        name = path.removeprefix("random.")
        if name in ("Generator", "RandomState", "default_rng", "seed", *_random.SEEDED):
            return getattr(_random, name)
    return None


class Grid:
    """One of NumPy's objects that make arrays from an index, such as `mgrid`."""

    def __init__(self, name):
        theirs = getattr(numpy, name)
        get = _definitions.class_over_ours(type(theirs))().__getitem__
        self._numpy = theirs
        self._get = function(f"{name}.__getitem__", get, False, None, None, True)
        self.__doc__ = theirs.__doc__

    def __getitem__(self, key):
        if isinstance(key, str):
            # A matrix whose parts are named.
            frame = sys._getframe(1)
            return _bmat(key, frame.f_locals, frame.f_globals)
        return self._get(key)

    def __len__(self):
        return len(self._numpy)


def _bmat(obj, ldict=None, gdict=None):
    """A matrix of parts, which a string names as the caller's variables."""
    if not isinstance(obj, str):
        return _fallback.call("bmat", numpy.bmat, (obj,), {})
    if gdict is None:
        frame = sys._getframe(1)
        ldict, gdict = frame.f_locals, frame.f_globals
    return _fallback.call("bmat", functools.partial(numpy.bmat, obj, ldict, gdict), (), {})


@functools.cache
def _pointer_type(theirs):
    """A type of NumPy's `ndpointer` that takes our arrays too."""

    def from_param(cls, obj):
        return super(ours, cls).from_param(_fallback.lower(obj))

    ours = type(theirs.__name__, (theirs,), {"from_param": classmethod(from_param)})
    return ours


def _ndpointer(dtype=None, ndim=None, shape=None, flags=None):
    """A type for the arrays among the arguments of foreign functions."""
    return _pointer_type(numpy.ctypeslib.ndpointer(dtype, ndim, shape, flags))


def _vectorize():
    from ._vectorize import vectorize

    return vectorize


_SPECIAL = {
    "ndarray": lambda: ndarray,
    "ufunc": lambda: ufunc,
    "vectorize": _vectorize,
    "errstate": lambda: _errstate.errstate,
    "seterr": lambda: _errstate.seterr,
    "bmat": lambda: as_function("bmat", _bmat, numpy.bmat),
    "ctypeslib.ndpointer": lambda: as_function(
        "ctypeslib.ndpointer", _ndpointer, numpy.ctypeslib.ndpointer
    ),
}


class Submodule(types.ModuleType):
    """A module of NumPy whose functions go through the door, such as `fuseau.linalg`."""

    def __init__(self, path):
        target = _fallback.lookup(path)
        super().__init__(f"fuseau.{path}", target.__doc__)
        self.__path__ = []
        self.__dict__["_path"] = path
        self.__dict__["_numpy"] = target

    def __getattr__(self, name):
        if name.startswith("__"):
            if name == "__all__":
                return list(self._numpy.__all__)
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        try:
            value = resolve(f"{self._path}.{name}")
        except AttributeError:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None
        self.__dict__[name] = value
        return value

    def __dir__(self):
        return dir(self._numpy)


class SubmoduleFinder:
    """Finds `fuseau.linalg` and the like, so that they can be imported as NumPy's modules are."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        package, _, rest = name.partition(".")
        if package != "fuseau" or not rest or not is_public(rest) or _numpy_module(rest) is None:
            return None
        return importlib.util.spec_from_loader(name, SubmoduleFinder, is_package=True)

    @staticmethod
    def create_module(spec):
        return Submodule(spec.name.partition(".")[2])

    @staticmethod
    def exec_module(module):
        """Nothing to do: names are found when they are used."""


def _numpy_module(path):
    try:
        return importlib.import_module(f"numpy.{path}")
    except ImportError:
        value = _fallback.lookup(path) if hasattr(numpy, path.split(".")[0]) else None
        return value if isinstance(value, types.ModuleType) else None


def coverage():
    """How NumPy's public names are served, and which calls went through the door.

    A dict with the lists "native" (recorded and fused, or computed by a routine such as LAPACK's),
    "fallback" (computed by NumPy through the door) and "shared" (NumPy's own types, constants and
    settings), and "calls": name to count.
    """
    lists = {"native": [], "fallback": [], "shared": []}
    for name in public_names():
        lists[kind_of(name, getattr(numpy, name))].append(name)
    return {**lists, "calls": _fallback.fallback_counts()}
