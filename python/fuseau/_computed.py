"""Functions that NumPy's own routines compute, at the call, on the memory of computed arrays.

They search, select, and write at places that depend on values: a well-kept routine does that as
well as a loop of ours, and its order of writes and its choice among equals are part of its result.
What they give is an array of ours in the memory that NumPy made. No formula goes through here.
Some of them have another way for arrays that lie in parts on many ranks (`_in_parts.py`).
"""

import functools

import numpy

from . import _in_parts
from ._base import as_function, native
from ._fuseau import computed

FUNCTIONS = {
    "argpartition": None,
    "argwhere": None,
    "choose": None,
    "convolve": None,
    "correlate": None,
    "digitize": None,
    "fill_diagonal": 0,
    "interp": None,
    "lexsort": None,
    "packbits": None,
    "partition": None,
    "place": 0,
    "put": 0,
    "put_along_axis": 0,
    "putmask": 0,
    "ravel_multi_index": None,
    "searchsorted": None,
    "take_along_axis": None,
    "unpackbits": None,
    "unravel_index": None,
}
"""Functions of the namespace, with the argument that each writes to."""

_IN_PARTS = {
    "argwhere": _in_parts.argwhere,
    "digitize": _in_parts.digitize,
    "partition": _in_parts.partition,
    "searchsorted": _in_parts.searchsorted,
}
_METHODS_IN_PARTS = {
    "partition": _in_parts.partition_in_place,
    "searchsorted": _in_parts.searchsorted,
}

_METHODS = {
    "argpartition": None,
    "choose": None,
    "partition": 0,
    "put": 0,
    "searchsorted": None,
}
"""The same for methods of arrays."""


def by_numpy(name, writes=None):
    """NumPy's routine of that dotted name on computed arrays, which writes to argument `writes`."""
    target = functools.reduce(getattr, name.split("."), numpy)
    return computed(name, target, 0 if writes is None else 1 << writes)


@functools.cache
def method_by_numpy(ufunc, method):
    """A method of a ufunc, both by name, by NumPy's loop on computed arrays."""
    return by_numpy(f"{ufunc}.{method}", writes=0 if method == "at" else None)


def _method(name, writes):
    by_routine = by_numpy(f"ndarray.{name}", writes)
    theirs = getattr(numpy.ndarray, name)
    if name in _METHODS_IN_PARTS:
        return as_function(name, _METHODS_IN_PARTS[name], theirs, otherwise=by_routine)
    return as_function(name, by_routine, theirs)


for _name, _writes in FUNCTIONS.items():
    if _name in _IN_PARTS:
        native(_IN_PARTS[_name], name=_name, otherwise=by_numpy(_name, _writes))
    else:
        native(by_numpy(_name, _writes), name=_name)

METHODS = {name: _method(name, writes) for name, writes in _METHODS.items()}
