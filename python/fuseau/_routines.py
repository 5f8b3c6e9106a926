"""Products, running sums, reads at indices, sorting: what the library's routines compute.

They are recorded like everything else. Where a shape or an error depends on values (masks, indices
out of range, counts), those values are computed by the call. What is not recorded is computed by
NumPy's routine at the call (`_computed.py`).
"""

import operator
import warnings

import numpy
from numpy.lib.array_utils import normalize_axis_index

from . import _fuseau
from ._base import NATIVE_FUNCTIONS, NotNative, as_array, as_dtype, native, refuse
from ._computed import by_numpy
from ._fuseau import UFUNCS, ndarray
from ._in_parts import has_zeros_of_both_signs, is_in_parts

_NoValue = numpy._NoValue
_INTP = numpy.dtype(numpy.intp)


def _axis(axis, a):
    """An axis argument as an index; None for all, which are then one."""
    if axis is None:
        return None
    return normalize_axis_index(operator.index(axis), a.ndim)


def _flat(a):
    from ._shape import ravel

    return ravel(a)


# --- Products ----------------------------------------------------------------


@native
def dot(a, b, out=None):
    """The product of two vectors or matrices; of a number with anything.

    For matrices of shapes (m, k) and (k, n) the result is (m, n); vectors lose their axis.
    ValueError for lengths that differ. More dimensions and `out` are NumPy's.
    """
    a, b = as_array(a), as_array(b)
    if out is not None:
        raise NotNative
    if a.ndim == 0 or b.ndim == 0:
        return UFUNCS["multiply"](a, b)
    if a.ndim > 2 or b.ndim > 2:
        raise NotNative
    if a.shape[-1] != b.shape[0]:
        refuse(numpy.dot, a, b)
    if a.shape[-1] == 1 and "c" in (a.dtype.kind, b.dtype.kind):
        # NumPy's dot has these products from BLAS, its matmul has not; the roundings differ.
        raise NotNative
    if a.size == b.size == 1 and numpy.result_type(a.dtype, b.dtype).char in "fd":
        # NumPy's dot multiplies these, its matmul adds the product to 0.0, and -0.0 is no more.
        shape = a.shape[:-1] + b.shape[1:]
        return UFUNCS["multiply"](a.reshape(shape), b.reshape(shape))
    return _fuseau.dot(a, b)


@native
def inner(a, b, /):
    """The products of the rows of `a` with the rows of `b`.

    The lengths of the last axes must agree, else it is a ValueError.
    """
    a, b = as_array(a), as_array(b)
    if a.ndim == 0 or b.ndim == 0:
        return UFUNCS["multiply"](a, b)
    if a.ndim > 2 or b.ndim > 2:
        raise NotNative
    if a.shape[-1] != b.shape[-1]:
        refuse(numpy.inner, a, b)
    return dot(a, b.T)


@native
def vdot(a, b, /):
    """The product of all elements as vectors, the first one conjugated.

    One number. ValueError for sizes that differ.
    """
    a, b = as_array(a), as_array(b)
    if any(x.dtype.kind in "fc" and not x.flags.c_contiguous for x in (a, b)):
        # The rounding depends on how the elements lie in memory.
        raise NotNative
    a, b = _flat(a), _flat(b)
    if a.size != b.size:
        refuse(numpy.vdot, a, b)
    return _fuseau.vdot(a, b)


@native
def tensordot(a, b, axes=2):
    """The sum of products over axes of both arrays."""
    a, b = as_array(a), as_array(b)
    try:
        first, second = axes
    except TypeError:
        first, second = list(range(-axes, 0)), list(range(axes))
    first = [first] if not hasattr(first, "__len__") else list(first)
    second = [second] if not hasattr(second, "__len__") else list(second)
    if len(first) != len(second) or len(first) > min(a.ndim, b.ndim):
        refuse(numpy.tensordot, a, b, axes)
    first = [normalize_axis_index(operator.index(d), a.ndim) for d in first]
    second = [normalize_axis_index(operator.index(d), b.ndim) for d in second]
    if len(set(first)) != len(first) or len(set(second)) != len(second):
        raise NotNative
    if any(a.shape[i] != b.shape[j] for i, j in zip(first, second, strict=True)):
        refuse(numpy.tensordot, a, b, axes)
    rows = [d for d in range(a.ndim) if d not in first]
    columns = [d for d in range(b.ndim) if d not in second]
    length = 1
    for d in first:
        length *= a.shape[d]
    outer = [a.shape[d] for d in rows], [b.shape[d] for d in columns]
    left = a.transpose(rows + first).reshape((_count(outer[0]), length))
    right = b.transpose(second + columns).reshape((length, _count(outer[1])))
    return dot(left, right).reshape((*outer[0], *outer[1]))


def _count(shape):
    n = 1
    for size in shape:
        n *= size
    return n


# --- Running sums ------------------------------------------------------------

_RUNNING = {
    "add": "cumsum",
    "multiply": "cumprod",
    "maximum": "running_max",
    "minimum": "running_min",
}


def accumulate(ufunc, a, axis, dtype, out=None):
    """The running results of a ufunc along an axis, or over all elements for None."""
    name = _RUNNING.get(ufunc)
    a = as_array(a)
    if name is None:
        raise NotNative
    if dtype is not None:
        dtype = as_dtype(dtype)
    elif ufunc in ("add", "multiply") and a.dtype.kind in "biu" and a.dtype.itemsize < 8:
        dtype = numpy.dtype(numpy.uint64 if a.dtype.kind == "u" else numpy.int64)
    else:
        dtype = a.dtype
    if a.dtype.kind == "c" and dtype.kind != "c":
        raise NotNative
    if axis is None or a.ndim == 0:
        a = _flat(a)
        axis = 0 if axis is None else axis
    result = _fuseau.along(name, a, _axis(axis, a), dtype)
    if out is None:
        return result
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if type(out) is not ndarray or out.shape != result.shape or out.dtype != result.dtype:
        raise NotNative
    _fuseau.copyto(out, result)
    return out


@native(otherwise=by_numpy("cumsum"))
def cumsum(a, axis=None, dtype=None, out=None):
    """The running sum along an axis, of all elements by default.

    The shape is that of `a`, flat without an axis; small integers are summed as int64 or uint64.
    """
    return accumulate("add", a, axis, dtype, out)


@native(otherwise=by_numpy("cumprod"))
def cumprod(a, axis=None, dtype=None, out=None):
    """The running product along an axis, of all elements by default.

    The shape is that of `a`, flat without an axis; small integers are taken as int64 or uint64.
    """
    return accumulate("multiply", a, axis, dtype, out)


# --- Reads at indices --------------------------------------------------------


def _indices(indices):
    """An index argument as an array of intp."""
    if type(indices) in (list, tuple) and not len(indices):
        raise NotNative
    indices = as_array(indices)
    if indices.dtype.kind not in "iu":
        raise NotNative
    return indices if indices.dtype == _INTP else indices.astype(_INTP)


@native(otherwise=by_numpy("take"))
def take(a, indices, axis=None, out=None, mode="raise"):
    """The elements at indices along an axis, of the flattened array by default.

    The axis is replaced by the shape of `indices`. IndexError for an index out of range.
    """
    if out is not None or mode != "raise" or type(axis) is bool:
        raise NotNative
    a, indices = as_array(a), _indices(indices)
    if axis is None:
        a, axis = _flat(a), 0
    if a.ndim == 0 or a.shape[_axis(axis, a)] == 0:
        raise NotNative
    axis = _axis(axis, a)
    if indices.ndim > 0:
        return _fuseau.take(a, indices, axis)
    place = int(indices)
    if not is_in_parts(a) or not -a.shape[axis] <= place < a.shape[axis]:
        raise NotNative
    taken = a[(slice(None),) * axis + (place,)]
    return taken.copy("C") if taken.ndim else taken


@native(otherwise=by_numpy("compress"))
def compress(condition, a, axis=None, out=None):
    """The slices along an axis where a condition is true."""
    if out is not None:
        raise NotNative
    condition, a = as_array(condition), as_array(a)
    if condition.ndim != 1:
        raise NotNative
    if axis is None:
        a, axis = _flat(a), 0
    axis = _axis(axis, a)
    mask = condition if condition.dtype.kind == "b" else UFUNCS["not_equal"](condition, 0)
    if axis != 0 or mask.shape[0] != a.shape[0]:
        raise NotNative
    return _fuseau.compress(a, mask).copy("C")


@native(otherwise=by_numpy("extract"))
def extract(condition, arr):
    """The elements of the flattened array where the condition, flattened, is true."""
    return compress(_flat(as_array(condition)), _flat(as_array(arr)))


@native(otherwise=by_numpy("nonzero"))
def nonzero(a):
    """The indices of the elements that are not zero: a vector for each axis.

    A tuple of vectors of int64, in C order. ValueError for an array without dimensions.
    """
    a = as_array(a)
    if a.ndim == 0:
        raise NotNative
    places = _fuseau.nonzero(a if a.dtype.kind == "b" else UFUNCS["not_equal"](a, 0))
    if len(places) == 1:
        return places
    # As in NumPy, the vectors are columns of one array.
    joined = _fuseau.empty((len(places[0]), len(places)), _INTP, "C")
    for axis, place in enumerate(places):
        joined[:, axis] = place
    return tuple(joined[:, axis] for axis in range(len(places)))


@native(otherwise=by_numpy("flatnonzero"))
def flatnonzero(a):
    """The indices of the elements of the flattened array that are not zero."""
    return nonzero(_flat(as_array(a)))[0]


@native(otherwise=by_numpy("bincount"))
def bincount(x, /, weights=None, minlength=0):
    """How often each number occurs in a vector of small non-negative integers.

    A vector of int64 with `max(x) + 1` elements, or `minlength`. ValueError for negative numbers.
    """
    if weights is not None:
        raise NotNative
    x = as_array(x)
    if x.ndim != 1 or x.size == 0 or x.dtype.kind not in "iu" or x.dtype == numpy.uint64:
        raise NotNative
    least, most = _fuseau.reduce("min", x, None, False), _fuseau.reduce("max", x, None, False)
    _fuseau.evaluate([x, least, most])
    minlength = operator.index(minlength)
    if int(least) < 0 or minlength < 0:
        raise NotNative
    bins = max(int(most) + 1, minlength)
    return _fuseau.bincount(x if x.dtype == _INTP else x.astype(_INTP), bins)


# --- Sorting and places ------------------------------------------------------


def _sorted(name, a, axis, kind, order, stable):
    a = as_array(a)
    if order is not None or (kind is not None and stable is not None):
        raise NotNative
    if kind is not None and not isinstance(kind, str):
        raise NotNative
    letter = (kind or ("stable" if stable else "quicksort"))[:1].lower()
    if a.ndim == 0 and axis is not None:
        raise NotNative
    if axis is None:
        a, axis = _flat(a), -1
    if letter not in "sm" and not (letter in "qh" and _is_as_if_stable(name, a, _axis(axis, a))):
        # NumPy's default sorts have vector code that its types' functions lack.
        if name == "argsort":
            return _fuseau.from_numpy(_fuseau.snapshot(a).argsort(axis, kind))
        result = a.copy("K")
        _fuseau.to_numpy(result).sort(axis, kind)
        return result
    return _fuseau.along(f"stable_{name}", a, _axis(axis, a))


def _is_as_if_stable(name, a, axis):
    """Whether an array lies in parts and every sort of it gives what a stable one does.

    Ranks of a job do stable sorts each in its part; the others are done by one process. Elements
    that are equal but not the same are zeros of both signs (NaNs' bits are not kept); places tell
    all equal ones apart.
    """
    if not _fuseau.is_large(a.nbytes) or a.dtype.kind not in "biuf":
        return False
    if name == "sort":
        return not has_zeros_of_both_signs(a)
    line = _fuseau.along("stable_sort", a, axis)
    outer = (slice(None),) * axis
    before, after = line[(*outer, slice(None, -1))], line[(*outer, slice(1, None))]
    # NaNs are behind all others: where there are two, one is followed by another.
    ties = UFUNCS["logical_or"](UFUNCS["equal"](before, after), UFUNCS["not_equal"](before, before))
    return not bool(_fuseau.reduce("any", ties, None, False))


@native(otherwise=by_numpy("sort"))
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    """A sorted copy; NaN comes last. Stable sorts are lazy."""
    return _sorted("sort", a, axis, kind, order, stable)


@native(otherwise=by_numpy("argsort"))
def argsort(a, axis=-1, kind=None, order=None, *, stable=None):
    """The indices that would sort along an axis. Stable sorts are lazy."""
    return _sorted("argsort", a, axis, kind, order, stable)


_sort_by_numpy = by_numpy("ndarray.sort", writes=0)


def sort_in_place(self, axis=-1, kind=None, order=None, *, stable=None):
    """Sorts the array along an axis."""
    if (
        order is None
        and stable is None
        and str(kind or "q")[:1].lower() not in "sm"
        and not _fuseau.is_large(self.nbytes)
    ):
        _fuseau.to_numpy(self).sort(axis, kind)
        return
    try:
        if not self.flags.writeable or axis is None:
            raise NotNative
        result = _sorted("sort", self, axis, kind, order, stable)
    except NotNative:
        _sort_by_numpy(self, axis, kind, order, stable=stable)
        return
    _fuseau.copyto(self, result)


@native(otherwise=by_numpy("argmax"))
def argmax(a, axis=None, out=None, *, keepdims=False):
    """The index of the first largest element, or of the first NaN, along an axis.

    The type is int64; without an axis it is the index in the flattened array. ValueError if there
    is no element.
    """
    return _place("argmax", a, axis, out, keepdims)


@native(otherwise=by_numpy("argmin"))
def argmin(a, axis=None, out=None, *, keepdims=False):
    """The index of the first smallest element, or of the first NaN, along an axis.

    The type is int64; without an axis it is the index in the flattened array. ValueError if there
    is no element.
    """
    return _place("argmin", a, axis, out, keepdims)


def _place(name, a, axis, out, keepdims):
    a = as_array(a)
    keepdims = keepdims is not _NoValue and bool(keepdims)
    if axis is not None:
        # NumPy takes a number for a vector here.
        axis = normalize_axis_index(operator.index(axis), a.ndim or 1)
    shape = [1] * a.ndim
    if axis is not None and a.ndim > 0:
        shape = [*a.shape[:axis], 1, *a.shape[axis + 1 :]]
    if a.ndim == 0 or axis is None:
        a, axis = _flat(a), 0
    if a.shape[axis] == 0:
        raise ValueError(f"attempt to get {name} of an empty sequence")
    if keepdims and shape:
        # One more axis: the result is an array even where it is one number.
        result = _fuseau.along(name, a[None], axis + 1).reshape(shape)
    else:
        result = _fuseau.along(name, a, axis)
    return result if out is None else _store(result, out)


def _store(result, out):
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if type(out) is not ndarray or out.shape != result.shape or out.dtype != result.dtype:
        raise NotNative
    _fuseau.copyto(out, result, None, "unsafe")
    return out


def nonzero_method(self):
    """The indices of the elements that are not zero: a vector for each axis."""
    return nonzero(self)


METHODS = {
    "argmax": argmax,
    "argmin": argmin,
    "argsort": argsort,
    "cumprod": cumprod,
    "cumsum": cumsum,
    "dot": dot,
    "nonzero": nonzero_method,
    "sort": sort_in_place,
    "take": take,
}


@native
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=_NoValue):
    """The median of the elements along an axis that are not NaN; of all by default.

    NaN, with a RuntimeWarning, where there is no such element.
    """
    a = as_array(a)
    whole = axis is None
    if a.dtype.kind != "f" or a.size == 0 or out is not None or isinstance(axis, tuple):
        raise NotNative
    rank = a.ndim
    if whole:
        a, axis = _flat(a), 0
    axis = _axis(axis, a)
    # NumPy's median of a masked array adds the middle element to itself, which may overflow.
    doubled = not whole and a.ndim > 1 and a.shape[axis] < 600
    # NaNs are sorted behind everything else, so that a place of one gives NaN.
    ordered = sort(a, axis)
    count = _fuseau.reduce("sum", UFUNCS["logical_not"](UFUNCS["isnan"](a)), axis, True, _INTP)
    for _ in range(int((count == 0).sum())):
        warnings.warn("All-NaN slice encountered", RuntimeWarning, stacklevel=2)
    take = NATIVE_FUNCTIONS["take_along_axis"]
    low, high = take(ordered, (count - 1) // 2, axis), take(ordered, count // 2, axis)
    parts = 2
    if not doubled:
        odd = count % 2 == 1
        high, parts = _fuseau.where(odd, 0, high), _fuseau.where(odd, 1, 2).astype(a.dtype)
    pair = _fuseau.concatenate([low, high], axis)
    middle = _fuseau.reduce("sum", pair, axis, True, None) / parts
    result = middle[0] if a.ndim == 1 else middle.reshape(a.shape[:axis] + a.shape[axis + 1 :])
    if keepdims is _NoValue or not keepdims:
        return result
    return result[(None,) * rank if whole else (slice(None),) * axis + (None,)]
