"""Reductions: sums, extremes, truth, means and variances, as functions and as methods.

The formulas and types are NumPy's, since they decide the bits of the results.
"""

import math
import warnings

import numpy
from numpy.lib.array_utils import normalize_axis_index

from . import _fuseau
from ._base import NotNative, as_array, as_dtype, native, operand, refuse
from ._computed import method_by_numpy
from ._fuseau import UFUNCS, ndarray
from ._fuseau import reduce as _reduce

_NoValue = numpy._NoValue
_INTP = numpy.dtype(numpy.intp)


def reduce_with(name, a, axis, dtype, out, keepdims, initial, where):
    """One of the extension's reductions with the rest of NumPy's arguments."""
    a = as_array(a)
    if keepdims is _NoValue:
        keepdims = False
    if where is _NoValue:
        where = True
    if dtype is not None:
        dtype = as_dtype(dtype)
    if out is not None:
        out = _only(out)
        if dtype is None and name not in ("any", "all"):
            dtype = as_dtype(numpy.result_type(a.dtype, out.dtype))
        if a.dtype.kind == "c" and out.dtype.kind not in "cb":
            raise NotNative
        if name in ("sum", "prod") and dtype.kind in "fc" and dtype != out.dtype:
            # Elements go through a buffer, which cuts sums in other places.
            options = {"keepdims": keepdims, "initial": initial, "where": where}
            return _by_loop(name, a, axis, dtype, out, **options)
    if initial is _NoValue and where is True:
        result = _reduce(name, a, axis, keepdims, dtype, out)
    else:
        result = _with_initial(name, a, axis, dtype, keepdims, initial, where)
    return result if out is None else store(name, a, axis, keepdims, result, out)


def _only(out):
    """The array of an `out` argument, which may be a tuple of one."""
    if isinstance(out, tuple) and len(out) == 1:
        (out,) = out
    if type(out) is not ndarray:
        raise NotNative
    return out


_REDUCERS = {
    "sum": numpy.add,
    "prod": numpy.multiply,
    "max": numpy.maximum,
    "min": numpy.minimum,
    "any": numpy.logical_or,
    "all": numpy.logical_and,
}


def store(name, a, axis, keepdims, result, out):
    """Puts a result into `out` and returns that. NumPy's errors for a wrong shape."""
    if out.shape != result.shape:
        plain = numpy.empty(out.shape, out.dtype)
        refuse(_REDUCERS[name].reduce, a, axis=axis, out=plain, keepdims=keepdims)
    _fuseau.copyto(out, result, None, "unsafe")
    return out


def _with_initial(name, a, axis, dtype, keepdims, initial, where):
    """`initial=` and `where=`: by what is recorded where that rounds in NumPy's order, else by
    NumPy's loop.
    """
    try:
        return _recorded_with_initial(name, a, axis, dtype, keepdims, initial, where)
    except NotNative:
        return _by_loop(name, a, axis, dtype, keepdims=keepdims, initial=initial, where=where)


def _by_loop(name, *args, **kwargs):
    return method_by_numpy(_REDUCERS[name].__name__, "reduce")(*args, **kwargs)


def _recorded_with_initial(name, a, axis, dtype, keepdims, initial, where):
    if type(initial) not in (bool, int, float) and initial is not _NoValue:
        raise NotNative
    if name in ("max", "min"):
        return _extreme(name, a, axis, dtype, keepdims, initial, where)
    if name in ("any", "all"):
        if initial is not _NoValue:
            raise NotNative
        a = _fuseau.where(_mask(where, a), UFUNCS["not_equal"](a, 0), name == "all")
        return _reduce(name, a, axis, keepdims, None)
    neutral = 0 if name == "sum" else 1
    whole = (a.dtype if dtype is None else dtype).kind in "biu" and a.dtype.kind in "biu"
    if where is not True:
        # A masked sum of floats is rounded along the runs of the mask.
        if not whole:
            raise NotNative
        a = _fuseau.where(_mask(where, a), a, a.dtype.type(neutral))
    result = _reduce(name, a, axis, keepdims, dtype)
    if initial is _NoValue or (initial == 1 and name == "prod"):
        return result
    if not whole and (name == "prod" or initial != 0):
        raise NotNative
    if result.dtype.kind in "iu" and type(initial) is float:
        raise NotNative
    # Adding 0 turns the -0.0 of an empty or negative-zero sum into the 0.0 that NumPy gives.
    return UFUNCS[_REDUCERS[name].__name__](result, initial)


def _mask(where, a):
    """The mask of a reduction: one that NumPy does not spread over the array is left to it."""
    mask = as_array(where)
    if mask.dtype.kind != "b" or numpy.broadcast_shapes(mask.shape, a.shape) != a.shape:
        raise NotNative
    return mask


def _extreme(name, a, axis, dtype, keepdims, initial, where):
    if initial is _NoValue:
        refuse(_REDUCERS[name].reduce, a, where=as_array(where))
    if dtype is not None:
        raise NotNative
    if (type(initial) is float and a.dtype.kind != "f") or a.dtype.kind == "b":
        raise NotNative
    combine = UFUNCS[_REDUCERS[name].__name__]
    if where is not True:
        a = _fuseau.where(_mask(where, a), a, numpy.asarray(initial, a.dtype)[()])
    if 0 in a.shape:
        raise NotNative
    return combine(_reduce(name, a, axis, keepdims, None), initial)


@native
def sum(a, axis=None, dtype=None, out=None, keepdims=False, initial=_NoValue, where=True):
    """The sum over axes, all by default. Small integers are summed as int64 or uint64.

    The result has the shape of `a` without the axes, or with length 1 there for `keepdims`.
    AxisError for an axis out of range, ValueError for one that is there twice.
    """
    return reduce_with("sum", a, axis, dtype, out, keepdims, initial, where)


def _with_complex(name, a, axis, dtype, out, keepdims, initial, where):
    """A reduction that leaves complex numbers to NumPy's loop.

    Whether that fuses the multiply and the add of a product depends on how the array lies in
    memory, and the order of complex numbers has no compiled form.
    """
    a = as_array(a)
    if (a.dtype if dtype is None else numpy.dtype(dtype)).kind != "c":
        return reduce_with(name, a, axis, dtype, out, keepdims, initial, where)
    options = {"keepdims": keepdims, "initial": initial, "where": where}
    return method_by_numpy(_REDUCERS[name].__name__, "reduce")(a, axis, dtype, out=out, **options)


@native
def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=_NoValue, where=True):
    """The product over axes, all by default. Small integers are taken as int64 or uint64.

    Shapes and errors are those of `sum`.
    """
    return _with_complex("prod", a, axis, dtype, out, keepdims, initial, where)


@native
def max(a, axis=None, out=None, keepdims=False, initial=_NoValue, where=True):
    """The largest element over axes; NaN if there is one. ValueError if there is no element.

    The type is that of `a`; shapes and errors are else those of `sum`.
    """
    return _with_complex("max", a, axis, None, out, keepdims, initial, where)


@native
def min(a, axis=None, out=None, keepdims=False, initial=_NoValue, where=True):
    """The smallest element over axes; NaN if there is one. ValueError if there is no element.

    The type is that of `a`; shapes and errors are else those of `sum`.
    """
    return _with_complex("min", a, axis, None, out, keepdims, initial, where)


@native
def any(a, axis=None, out=None, keepdims=False, *, where=True):
    """Whether an element over axes is true.

    The type is bool; shapes and errors are those of `sum`.
    """
    if a is None and axis is None and out is None:
        # NumPy's own definitions ask this: the element of an array of objects is its own result.
        return None
    return reduce_with("any", a, axis, None, out, keepdims, _NoValue, where)


@native
def all(a, axis=None, out=None, keepdims=False, *, where=True):
    """Whether all elements over axes are true.

    The type is bool; shapes and errors are those of `sum`.
    """
    return reduce_with("all", a, axis, None, out, keepdims, _NoValue, where)


amax = native(max.body, name="amax")
amin = native(min.body, name="amin")


@native
def ptp(a, axis=None, out=None, keepdims=False):
    """The largest element minus the smallest over axes.

    The type is that of `a`. ValueError if there is no element.
    """
    a = as_array(a)
    result = UFUNCS["subtract"](max(a, axis, None, keepdims), min(a, axis, None, keepdims))
    return result if out is None else _store_same(result, out)


def _store_same(result, out):
    out = _only(out)
    if out.shape != result.shape or out.dtype != result.dtype:
        raise NotNative
    _fuseau.copyto(out, result, None, "unsafe")
    return out


@native
def count_nonzero(a, axis=None, *, keepdims=False):
    """The number of elements over axes that are not zero.

    The type is int64, and without an axis the result is one number.
    """
    a = as_array(a)
    if a.dtype.kind != "b":
        a = UFUNCS["not_equal"](a, 0)
    return _reduce("sum", a, axis, keepdims, _INTP)


# --- Means and variances -----------------------------------------------------


def _count(a, axis):
    """How many elements meet in one element of a reduction over the axes."""
    if axis is None:
        return a.size
    axes = axis if isinstance(axis, tuple) else (axis,)
    return math.prod(a.shape[normalize_axis_index(d, a.ndim)] for d in axes)


def _float_by_default(a, dtype):
    if dtype is not None:
        return as_dtype(dtype)
    return numpy.dtype("f8") if a.dtype.kind in "biu" else None


def _divided(total, count):
    """A sum divided by a count in the type of the sum.

    NumPy divides by an int64, so that float32 is divided as float64 and rounded once more. A
    Python number gives the same bits where the type holds the count exactly.
    """
    kind = total.dtype.char
    if kind in "dD" or (kind == "f" and count <= 2**24):
        return UFUNCS["divide"](total, float(count))
    quotient = UFUNCS["divide"](total, numpy.float64(count))
    return quotient.astype(total.dtype, copy=False)


@native
def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=True):
    """The mean over axes, all by default; integers are averaged as float64.

    Warns (RuntimeWarning) where there is no element.
    """
    a = as_array(a)
    if where is not True and where is not _NoValue:
        return _numpys_mean(a, axis, dtype, out, keepdims is not _NoValue and keepdims, where=where)
    count = _count(a, axis)
    dtype = _float_by_default(a, dtype)
    if out is not None:
        out = _only(out)
        if (dtype or a.dtype) != out.dtype:
            raise NotNative
    result = _reduce("mean", a, axis, keepdims is not _NoValue and keepdims, dtype, out)
    if count == 0:
        warnings.warn("Mean of empty slice", RuntimeWarning, stacklevel=2)
    return result if out is None else store("sum", a, axis, keepdims, result, out)


def _numpys_mean(*args, **kwargs):
    from ._definitions import over_ours

    return over_ours(numpy._core._methods._mean)(*args, **kwargs)


def _numpys_variance(root, *args, **kwargs):
    from ._definitions import over_ours

    methods = numpy._core._methods
    return over_ours(methods._std if root else methods._var)(*args, **kwargs)


@native
def var(
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    *,
    where=True,
    mean=_NoValue,
    correction=_NoValue,
):
    """The mean of the squared distances from the mean over axes; `ddof` is taken off the count.

    The type is float64 for integers, else that of `a`, its real one for complex numbers.
    """
    return _variance(a, axis, dtype, out, ddof, keepdims, where, mean, correction, False)


@native
def std(
    a,
    axis=None,
    dtype=None,
    out=None,
    ddof=0,
    keepdims=False,
    *,
    where=True,
    mean=_NoValue,
    correction=_NoValue,
):
    """The square root of the variance over axes.

    The type is that of `var`.
    """
    return _variance(a, axis, dtype, out, ddof, keepdims, where, mean, correction, True)


def _variance(a, axis, dtype, out, ddof, keepdims, where, mean, correction, root):
    if correction is not _NoValue:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    a = as_array(a)
    if where is not True and where is not _NoValue:
        keepdims = keepdims is not _NoValue and keepdims
        mean = None if mean is _NoValue else mean
        options = {"where": where, "mean": mean}
        return _numpys_variance(root, a, axis, dtype, out, ddof, keepdims, **options)
    count = _count(a, axis)
    dtype = _float_by_default(a, dtype)
    if dtype is not None and dtype.kind not in "fc":
        raise NotNative
    if out is not None:
        out = _only(out)
    if mean is _NoValue or mean is None:
        center = _reduce("mean", a, axis, True, dtype)
    else:
        center = operand(mean)
    if ddof >= count:
        warnings.warn("Degrees of freedom <= 0 for slice", RuntimeWarning, stacklevel=3)
    squares = _squares(a, UFUNCS["subtract"](a, center))
    total = _reduce("sum", squares, axis, keepdims is not _NoValue and keepdims, dtype, out)
    freedom = numpy.maximum(numpy.intp(count) - ddof, 0)
    result = _divided(total, freedom)
    if root:
        result = UFUNCS["sqrt"](result)
    if out is None:
        return result
    if out.dtype != result.dtype:
        raise NotNative
    return store("sum", a, axis, keepdims, result, out)


def _squares(a, distance):
    """The squared absolute values of distances."""
    if a.dtype.kind == "c":
        square = UFUNCS["square"]
        return UFUNCS["add"](square(distance.real), square(distance.imag))
    return UFUNCS["square"](distance)


METHODS = {
    "sum": sum,
    "prod": prod,
    "max": max,
    "min": min,
    "any": any,
    "all": all,
    "mean": mean,
    "var": var,
    "std": std,
}
