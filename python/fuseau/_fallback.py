"""The one door to NumPy for everything that is not native.

A call through it converts fuseau arrays to NumPy arrays, calls NumPy, and turns the results back
into fuseau arrays. It warns once for each name and counts every call.
"""

import functools
import operator
import os
import sys
import warnings

import numpy

from ._base import NATIVE_DTYPES, as_function
from ._fuseau import as_strided, from_numpy, getenv, leave_definition, ndarray, profiling, to_numpy
from ._scalar import is_scalar

_counts = {}
_PACKAGE = os.path.dirname(__file__) + os.sep
_MAX_DEPTH = 64  # NumPy's arrays have no more dimensions.
_MODES = ("warn", "silent", "error")
# Arrays of types that fuseau lacks, such as strings, are NumPy's from the start.
_CREATION = frozenset(
    """
    array asarray asanyarray ascontiguousarray asfortranarray empty empty_like full full_like ones
    ones_like zeros zeros_like
    """.split()
)


class FallbackWarning(UserWarning):
    """A function was computed by NumPy because fuseau has no native form of it."""


class FallbackError(NotImplementedError):
    """A function would have been computed by NumPy, and `FUSEAU_FALLBACK=error` forbids it."""


def call(name, function, args, kwargs):
    """Calls a NumPy function on fuseau arrays, counted under `name`.

    `function` None means the NumPy function of that (dotted) name. Writes of NumPy into its
    arguments reach the fuseau arrays; a result that is a view of an argument is one here too.
    Errors of NumPy pass unchanged.
    """
    if STAND_INS and not STAND_INS.isdisjoint(map(type, args)):
        return _call_of_stand_in(function or lookup(name), args, kwargs)
    if name not in _CREATION:
        leave_definition()
        _note(name)
        if profiling():
            from ._profile import note_numpy

            return note_numpy(name, lambda: call_quietly(name, function, args, kwargs))
    return call_quietly(name, function, args, kwargs)


STAND_INS = set()
"""Types that stand for arrays while a function is traced, and see every ufunc (`_vectorize`)."""


def _call_of_stand_in(function, args, kwargs):
    stand_in = next(x for x in args if type(x) in STAND_INS)
    if isinstance(function, numpy.ufunc):
        return stand_in.__array_ufunc__(function, "__call__", *args, **kwargs)
    return stand_in.__array_function__(function, (), args, kwargs)


def call_quietly(name, function, args, kwargs):
    """As `call`, for functions that need values by their nature, such as printing and saving."""
    if name.startswith("ndarray.") and args and type(args[0]) is ndarray and is_scalar(args[0]):
        # NumPy's scalars have methods of their own.
        function = getattr(to_numpy(args[0])[()], name.partition(".")[2])
        args, name = args[1:], "scalar"
    if function is None:
        function = lookup(name)
    # A method needs an array even where a function would be given a NumPy scalar.
    exchange = _Exchange(scalars=not name.startswith(("ndarray.", "__")))
    args = [exchange.lower(x) for x in args]
    if kwargs:
        kwargs = {key: exchange.lower(x) for key, x in kwargs.items()}
    result = function(*args, **kwargs)
    exchange.write_back()
    return exchange.lift(result)


def ask_numpy(name, args, kwargs):
    """What NumPy makes of arguments for which its definition over our operations raised an error.

    Its own error, as a rule. A result counts as computed by NumPy.
    """
    result = call_quietly(name, None, args, kwargs)
    _note(name)
    return result


def door(name, function=None):
    """A function that calls NumPy's function of that (dotted) name through the door."""
    target = function or lookup(name)

    def through(*args, **kwargs):
        return call(name, target, args, kwargs)

    return _named(through, name, target)


def quiet_door(name):
    """As `door`, without warning and count."""
    target = lookup(name)

    def through(*args, **kwargs):
        return call_quietly(name, target, args, kwargs)

    return _named(through, name, target)


def _named(through, name, target):
    through.__doc__ = target.__doc__
    return as_function(name, through, target)


def lookup(name):
    """NumPy's object of a dotted name; dunder names are methods of its arrays."""
    if name.startswith("__"):
        name = "ndarray." + name
    return functools.reduce(getattr, name.split("."), numpy)


def lower(x):
    """`x` with the fuseau arrays in it, also inside lists, tuples and dicts, as NumPy arrays."""
    return _Exchange(scalars=True).lower(x)


def fallback_count(name=None):
    """How many calls went through the door: of one NumPy name, or of all."""
    return sum(_counts.values()) if name is None else _counts.get(name, 0)


def fallback_counts():
    """The calls through the door by NumPy name."""
    return dict(_counts)


def _note(name):
    mode = getenv("FUSEAU_FALLBACK") or "warn"
    if mode not in _MODES:
        raise ValueError(f"FUSEAU_FALLBACK must be one of {', '.join(_MODES)}, not {mode!r}")
    _counts[name] = _counts.get(name, 0) + 1
    if mode == "error":
        raise FallbackError(f"fuseau has no native {name} for these arguments")
    if mode == "warn" and _counts[name] == 1:
        warnings.warn(
            f"fuseau has no native {name} for these arguments; NumPy computes it",
            FallbackWarning,
            stacklevel=_level_of_caller(),
        )


def _level_of_caller():
    """The stack level of the first frame outside this package, as seen from `_note`."""
    level, frame = 1, sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    return level


class _Exchange:
    """Converts the arguments of one call and, knowing them, its results."""

    def __init__(self, scalars):
        self._scalars = scalars
        self._depth = 0  # of lists in lists
        self._lists = []  # Lists with arrays, what was given for them, and that as it was then.
        self._pairs = []  # Each array of the arguments with the NumPy object given for it.
        self._views = {}  # Those objects by the identity of the array, and
        self._owners = {}  # the arrays by the identity of the object.

    def lower(self, x):
        kind = type(x)
        if kind is ndarray:
            return self._lower_array(x)
        if kind is numpy.ndarray:
            return self._pair(x, x)
        if kind is list:
            return self._lower_list(x)
        if kind is tuple:
            return tuple(map(self.lower, x)) if _may_hold_arrays(x) else x
        if kind is dict:
            return {key: self.lower(value) for key, value in x.items()}
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return kind(*map(self.lower, x))
        if hasattr(kind, "__array__") and not isinstance(x, (numpy.generic, numpy.ndarray)):
            return self._lower_array_like(x)
        return x

    def _lower_list(self, x):
        if self._depth > _MAX_DEPTH or not _may_hold_arrays(x):
            return x
        self._depth += 1
        lowered = [self.lower(item) for item in x]
        self._depth -= 1
        if all(map(operator.is_, lowered, x)):
            return x
        self._lists.append((x, lowered, list(lowered)))
        return lowered

    def write_back(self):
        """Changes that the function made in lists reach the caller's lists."""
        for ours, lowered, before in self._lists:
            if len(lowered) != len(before) or not all(map(operator.is_, lowered, before)):
                ours[:] = map(self.lift, lowered)

    def _lower_array_like(self, x):
        """NumPy sees no array in what `__array__` gives if it is one of ours."""
        if hasattr(type(x), "__array_function__"):
            return x
        try:
            made = x.__array__()
        except Exception:
            return x  # NumPy will meet the error itself.
        return self._lower_array(made) if type(made) is ndarray else x

    def _lower_array(self, x):
        if id(x) in self._views:
            return self._views[id(x)]
        view = to_numpy(x)
        if view.ndim == 0 and self._scalars and is_scalar(x):
            view = view[()]
        return self._pair(x, view)

    def _pair(self, array, view):
        self._pairs.append((array, view))
        self._views[id(array)] = view
        self._owners[id(view)] = array
        return view

    def lift(self, x):
        kind = type(x)
        if kind is numpy.ndarray:
            return self._lift_array(x)
        if kind is list or kind is tuple:
            return kind(map(self.lift, x))
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return kind(*map(self.lift, x))
        return x

    def _lift_objects(self, x):
        """Arrays that came in a list and stayed whole are the caller's own."""
        if x.base is None:
            flat = x.reshape(-1)
            for i, item in enumerate(flat):
                if id(item) in self._owners:
                    flat[i] = self._owners[id(item)]
        return x

    def _lift_array(self, x):
        if id(x) in self._owners:
            return self._owners[id(x)]
        if x.dtype not in NATIVE_DTYPES:
            return self._lift_objects(x) if x.dtype == object and self._lists else x
        if x.base is None:
            # It owns its memory, so no argument has it.
            return from_numpy(x)
        for array, view in self._pairs:
            if type(view) is numpy.ndarray and numpy.may_share_memory(x, view):
                if array is view or x.dtype != view.dtype:
                    # A view of the caller's own array, or one under another type: only NumPy's
                    # view can share that storage.
                    return x
                offset = _address(x) - _address(view)
                view = as_strided(array, offset, x.shape, x.strides, x.flags.writeable)
                # Memory that came by way of a capsule is not the array's own to NumPy.
                view._foreign = not isinstance(x.base, numpy.ndarray)
                return view
        return _as_it_lies(x)


def _may_hold_arrays(x):
    return any(
        issubclass(kind, (list, tuple, dict))
        or (hasattr(kind, "__array__") and not issubclass(kind, numpy.generic))
        for kind in set(map(type, x))
    )


def _as_it_lies(x):
    """A copy of a part of an array of NumPy's with gaps where that has them: whether a reshape of
    it is a view depends on them.
    """
    whole = x.base
    if x.flags.forc or type(whole) is not numpy.ndarray or whole.dtype != x.dtype:
        return from_numpy(x)
    if whole.base is not None or not whole.flags.c_contiguous or whole.nbytes > 4 * x.nbytes:
        return from_numpy(x)
    offset = _address(x) - _address(whole)
    return as_strided(from_numpy(whole), offset, x.shape, x.strides, x.flags.writeable)


def _address(x):
    return x.__array_interface__["data"][0]
