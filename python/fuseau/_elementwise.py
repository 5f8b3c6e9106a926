"""Elementwise functions that are composed of the table's operations."""

import math
import operator

import numpy
from numpy.lib.array_utils import normalize_axis_index

from . import _fuseau
from ._base import NotNative, as_array, as_dtype, composed, from_foreign, native, operand
from ._fuseau import UFUNCS, ndarray
from ._layout import is_f_contiguous
from ._reductions import all as all_
from ._scalar import is_scalar

_NoValue = numpy._NoValue


@native
def where(condition, x=_NoValue, y=_NoValue, /):
    """Elements of `x` where the condition holds, of `y` elsewhere; all three broadcast.

    With the condition alone: the indices of its true elements, which computes the condition.
    """
    if (x is _NoValue) != (y is _NoValue):
        raise ValueError("either both or neither of x and y should be given")
    if x is _NoValue:
        from ._routines import nonzero

        return nonzero.body(condition)
    condition, x, y = as_array(condition), operand(x), operand(y)
    return _fuseau.where(condition, _wrapped(x, y), _wrapped(y, x))


def _wrapped(x, other):
    """A Python integer as an element of the other choice's type: here NumPy lets it wrap around."""
    if type(x) is int and type(other) is ndarray and other.dtype.kind in "biu":
        dtype = numpy.result_type(other.dtype, 0)
        least, most = _limits(dtype)
        if not least <= x <= most:
            return from_foreign(x).astype(dtype)
    return x


# --- Limits and rounding -----------------------------------------------------


@native
def clip(a, a_min=_NoValue, a_max=_NoValue, out=None, *, min=_NoValue, max=_NoValue, **kwargs):
    """The elements limited to an interval; None or nothing leaves an end open."""
    if a_min is _NoValue and a_max is _NoValue:
        low = None if min is _NoValue else min
        high = None if max is _NoValue else max
    elif a_min is _NoValue:
        raise TypeError("clip() missing 1 required positional argument: 'a_min'")
    elif a_max is _NoValue:
        raise TypeError("clip() missing 1 required positional argument: 'a_max'")
    elif min is not _NoValue or max is not _NoValue:
        raise ValueError(
            "Passing `min` or `max` keyword argument when `a_min` and `a_max` are provided "
            "is forbidden."
        )
    else:
        low, high = a_min, a_max
    a = as_array(a)
    if a.dtype.kind in "iu":
        least, most = _limits(a.dtype)
        low = None if type(low) is int and low <= least else low
        high = None if type(high) is int and high >= most else high
    if out is not None:
        kwargs["out"] = out
    if low is None and high is None:
        if a.dtype.kind == "b":
            raise NotNative
        return UFUNCS["positive"](a, **kwargs)
    if low is None:
        return UFUNCS["minimum"](a, operand(high), **kwargs)
    if high is None:
        return UFUNCS["maximum"](a, operand(low), **kwargs)
    return _between(a, operand(low), operand(high), kwargs)


def _between(a, low, high, kwargs):
    """`minimum(maximum(a, low), high)` in the type that all three promote to."""
    if not kwargs and _takes(a.dtype.kind, low) and _takes(a.dtype.kind, high):
        raised = _limited(a, low, "less", "maximum")
        return _limited(raised, high, "greater", "minimum")
    if set(kwargs) - {"out", "dtype", "casting"}:
        raise NotNative
    dtype = kwargs.pop("dtype", None)
    if dtype is None:
        dtype = numpy.result_type(*[x.dtype if type(x) is ndarray else x for x in (a, low, high)])
    dtype = as_dtype(dtype)
    inner = {"casting": kwargs["casting"]} if "casting" in kwargs else {}
    if dtype.kind in "iu":
        # NumPy looks at both limits before it computes anything.
        for limit in (low, high):
            if type(limit) is int:
                numpy.asarray(0, dtype) + limit
    raised = UFUNCS["maximum"](a, low, dtype=dtype, **inner)
    return UFUNCS["minimum"](raised, high, dtype=dtype, **kwargs)


def _limited(a, number, beyond, extreme):
    """The array with a number in place of what lies beyond it; zeros of the other sign stay."""
    if number == 0 and a.dtype.kind == "f":
        return _fuseau.where(UFUNCS[beyond](a, number), number, a)
    return UFUNCS[extreme](a, number)


def _takes(kind, limit):
    """Whether a Python number leaves an array's type as it is."""
    return (kind == "f" and type(limit) in (float, int)) or (kind in "iu" and type(limit) is int)


def _limits(dtype):
    """The least and the greatest integer of a type."""
    bits = 8 * dtype.itemsize
    return (0, (1 << bits) - 1) if dtype.kind == "u" else (-(1 << bits - 1), (1 << bits - 1) - 1)


@native
def round(a, decimals=0, out=None):
    """The elements rounded to a number of decimals, halves to even."""
    a = as_array(a)
    decimals = operator.index(decimals)
    kind = a.dtype.kind
    if kind == "b" or (out is not None and type(out) is not ndarray):
        raise NotNative
    if kind in "iu" and decimals >= 0:
        result = _fuseau.astype(a, a.dtype, "K", "unsafe", True)
    elif kind == "c":
        result = _round_complex(a, decimals)
    elif decimals == 0:
        return UFUNCS["rint"](a) if out is None else UFUNCS["rint"](a, out=out)
    else:
        result = _round_scaled(a, decimals)
        if kind in "iu":
            result = result.astype(a.dtype)
    if out is None:
        return result
    if out.shape != result.shape or out.dtype != result.dtype:
        raise NotNative
    _fuseau.copyto(out, result, None, "unsafe")
    return out


def _round_scaled(a, decimals):
    if abs(decimals) > 308:
        raise NotNative
    if not is_f_contiguous(a):  # NumPy's result is in C order.
        a = _fuseau.astype(a, a.dtype, "C", "unsafe", False)
    factor = _power_of_ten(abs(decimals))
    first, last = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    return UFUNCS[last](UFUNCS["rint"](UFUNCS[first](a, factor)), factor)


def _power_of_ten(n):
    """10.0**n by repeated multiplication, as in NumPy, which decides the last bit."""
    return math.prod([10.0] * n, start=1.0)


def _round_complex(a, decimals):
    result = _fuseau.astype(a, a.dtype, "K", "unsafe", True)
    result.real[...] = round(a.real, decimals)
    result.imag[...] = round(a.imag, decimals)
    return result


around = native(round.body, name="around")


# --- Complex numbers ---------------------------------------------------------


@native(view=True)
def real(val):
    """The real part: a view of a complex array, the array itself otherwise.

    The type of a complex64 is float32, of a complex128 float64.
    """
    return val.real if hasattr(val, "real") else as_array(val).real


@native(view=True)
def imag(val):
    """The imaginary part: a view of a complex array, zeros otherwise.

    The type of a complex64 is float32, of a complex128 float64.
    """
    return val.imag if hasattr(val, "imag") else as_array(val).imag


@native
def angle(z, deg=False):
    """The angle of each complex number in radians, or in degrees."""
    z = as_array(z)
    imaginary = z.imag if z.dtype.kind == "c" else 0
    result = UFUNCS["arctan2"](imaginary, z.real)
    return result * (180 / math.pi) if deg else result


@native
def isreal(x):
    """True where the imaginary part is zero."""
    return imag(as_array(x)) == 0


@native
def iscomplex(x):
    """True where the imaginary part is not zero."""
    x = as_array(x)
    if x.dtype.kind == "c":
        return x.imag != 0
    return _fuseau.zeros(x.shape, numpy.dtype(bool), "C")


@composed
def iscomplexobj(x):
    """Whether the type is complex, whatever the values are."""
    return numpy.iscomplexobj(_typed(x))


@composed
def isrealobj(x):
    """Whether the type is not complex."""
    return not iscomplexobj(x)


def _typed(x):
    return numpy.empty((), x.dtype) if type(x) is ndarray else x


# --- Types -------------------------------------------------------------------


@composed
def result_type(*arrays_and_dtypes):
    """The type that an operation on these operands has."""
    return numpy.result_type(*[x.dtype if type(x) is ndarray else x for x in arrays_and_dtypes])


@composed
def can_cast(from_, to, casting="safe"):
    """Whether a cast between types is allowed under a rule."""
    return numpy.can_cast(from_.dtype if type(from_) is ndarray else from_, to, casting)


@composed
def common_type(*arrays):
    """The inexact type that holds all the arrays' types."""
    return numpy.common_type(*map(_typed, arrays))


@composed
def isfortran(a):
    """Whether the array lies in Fortran order and not in C order."""
    return a.flags.fnc


@composed
def isscalar(element):
    """Whether the element is a number or string and no array."""
    return is_scalar(element) if type(element) is ndarray else numpy.isscalar(element)


# --- Comparison --------------------------------------------------------------


@native
def isclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """True where `|a - b| <= atol + rtol * |b|` or both are equal; NaN equals NaN on request.

    The type is bool, the shape the common one. ValueError if there is none.
    """
    x, y, atol, rtol = (operand(value) for value in (a, b, atol, rtol))
    if type(y) is ndarray:
        inexact = as_dtype(numpy.result_type(y.dtype, 1.0))
        y = y if y.dtype == inexact else y.astype(inexact)
    elif type(y) in (int, bool):
        y = float(y)
    if any(type(t) is ndarray or not math.isfinite(t) for t in (atol, rtol)) or not any(
        type(value) is ndarray for value in (x, y)
    ):
        raise NotNative
    with numpy.errstate(invalid="ignore"):
        close = UFUNCS["less_equal"](
            UFUNCS["absolute"](UFUNCS["subtract"](x, y)), atol + rtol * abs(y)
        )
        result = (close & UFUNCS["isfinite"](y)) | UFUNCS["equal"](x, y)
        if equal_nan:
            result = result | (UFUNCS["isnan"](x) & UFUNCS["isnan"](y))
    return result


@composed
def allclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """Whether all elements are close, as a Python bool: this computes the arrays."""
    return bool(all_(isclose(a, b, rtol, atol, equal_nan)))


@native
def array_equal(a1, a2, equal_nan=False):
    """Whether two arrays have one shape and equal elements, as a Python bool."""
    try:
        a1, a2 = as_array(a1), as_array(a2)
    except (TypeError, ValueError):
        return False
    if a1.shape != a2.shape:
        return False
    same = UFUNCS["equal"](a1, a2)
    if equal_nan:
        same = same | (UFUNCS["isnan"](a1) & UFUNCS["isnan"](a2))
    return bool(all_(same))


@native
def array_equiv(a1, a2):
    """Whether two arrays broadcast to each other with equal elements, as a Python bool."""
    a1, a2 = as_array(a1), as_array(a2)
    try:
        numpy.broadcast_shapes(a1.shape, a2.shape)
    except ValueError:
        return False
    return bool(all_(UFUNCS["equal"](a1, a2)))


# --- Differences and products ------------------------------------------------


@native
def diff(a, n=1, axis=-1, prepend=_NoValue, append=_NoValue):
    """The n-th differences of neighbours along an axis; of truth values, where they differ.

    The axis is shorter by `n`; the type is that of the differences, bool for truth values.
    ValueError for a negative `n` and for a number in the place of an array.
    """
    if n == 0:
        return a
    if n < 0:
        raise ValueError("order must be non-negative but got " + repr(n))
    a = as_array(a)
    if a.ndim == 0:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = normalize_axis_index(axis, a.ndim)
    ends = [None if x is _NoValue else as_array(x) for x in (prepend, append)]
    if any(end is not None for end in ends):
        from ._shape import broadcast_to, concatenate

        shape = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
        ends = [broadcast_to(x, shape) if x is not None and x.ndim == 0 else x for x in ends]
        a = concatenate([x for x in (ends[0], a, ends[1]) if x is not None], axis)
    lead = (slice(None),) * axis
    difference = UFUNCS["not_equal" if a.dtype.kind == "b" else "subtract"]
    for _ in range(n):
        a = difference(a[(*lead, slice(1, None))], a[(*lead, slice(None, -1))])
    return a


@native
def outer(a, b, out=None):
    """The products of each element of `a` with each of `b`, as a matrix.

    The shape is `(a.size, b.size)`, the type the common one.
    """
    from ._shape import ravel

    a, b = ravel(as_array(a)), ravel(as_array(b))
    keywords = {} if out is None else {"out": out}
    return UFUNCS["multiply"](a[:, None], b[None, :], **keywords)


# --- Writing -----------------------------------------------------------------


@native
def copyto(dst, src, casting="same_kind", where=True):
    """Writes `src` into `dst`, where the mask holds; both broadcast to its shape.

    TypeError for a cast that `casting` forbids; ValueError for shapes that do not fit and for a
    destination that is read-only.
    """
    if type(dst) is not ndarray:
        from ._fallback import call_quietly

        # Values that leave for NumPy's memory are needed anyway.
        return call_quietly("copyto", None, (dst, src), {"casting": casting, "where": where})
    if type(src) in (int, float, complex) and casting in ("no", "equiv", "safe"):
        raise NotNative
    if isinstance(where, (list, tuple)):
        where = numpy.asarray(where, bool)
    return _fuseau.copyto(dst, operand(src), None if where is True else as_array(where), casting)


@native
def astype(x, dtype, /, *, copy=True, device=None):
    """The array cast to a type."""
    if type(x) is not ndarray:
        raise NotNative
    return x.astype(dtype, copy=copy)
