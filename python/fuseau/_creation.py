"""Functions that make arrays."""

import math
import operator

import numpy

from . import _fuseau
from ._base import (
    NATIVE_DTYPES,
    NotNative,
    as_array,
    as_dtype,
    as_shape,
    check_device,
    from_foreign,
    holds_arrays,
    made_by_us,
    native,
    refuse,
)
from ._fallback import lower
from ._fuseau import UFUNCS, ndarray
from ._layout import is_c_contiguous, is_f_contiguous, sorted_axes
from ._scalar import as_plain

_INT64 = numpy.dtype("int64")
_FLOAT64 = numpy.dtype("float64")


# --- From other objects ------------------------------------------------------


@native
def array(object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, ndmax=0, like=None):
    """An array with the values of `object`: a nested sequence, an array, a number.

    Fuseau arrays inside a sequence stay lazy. Errors: ValueError for ragged sequences and for
    `copy=False` when a copy cannot be avoided.
    """
    if like is not None or ndmax:
        raise NotNative
    copy = _copy_mode(copy)
    if subok and isinstance(object, numpy.ndarray) and type(object) not in (ndarray, numpy.ndarray):
        raise NotNative
    if type(object) is ndarray and dtype is None and copy and order == "K" and not ndmin:
        return _fuseau.astype(object, object.dtype, "K", "unsafe", True)
    dtype = None if dtype is None else as_dtype(dtype)
    if order not in ("K", "C", "F", "A", None):
        refuse(numpy.array, 0, order=order)
    if type(object) is ndarray:
        result = _from_array(object, dtype, copy, order or "K")
    elif type(object) in (list, tuple) and holds_arrays(object):
        result = as_array(object)
        if dtype is not None:
            result = _fuseau.astype(result, dtype, "C", "unsafe", False)
    else:
        result = _from_object(object, dtype, copy, order or "K")
    if result.ndim < ndmin:
        result = result.reshape((1,) * (ndmin - result.ndim) + result.shape)
    return result


def _copy_mode(copy):
    """True for always, None for where needed, False for never."""
    if copy is True or copy is None or copy is False:
        return copy
    if isinstance(copy, numpy._CopyMode):
        return None if copy is numpy._CopyMode.IF_NEEDED else copy is numpy._CopyMode.ALWAYS
    if isinstance(copy, str):
        refuse(numpy.array, 0, copy=copy)
    return bool(copy)


def _from_array(a, dtype, copy, order):
    dtype = a.dtype if dtype is None else dtype
    if order == "A":
        order = "F" if is_f_contiguous(a) and not is_c_contiguous(a) else "C"
    fits = dtype == a.dtype and (
        order == "K" or (is_c_contiguous(a) if order == "C" else is_f_contiguous(a))
    )
    if copy is False and not fits:
        refuse(numpy.array, [0], dtype=dtype, copy=False)
    if fits and not copy:
        return as_plain(a)
    return as_plain(_fuseau.astype(a, dtype, order, "unsafe", True))


def _from_object(x, dtype, copy, order):
    if type(x) is numpy.ndarray and x.dtype in NATIVE_DTYPES:
        # The values are always copied: the owner of a NumPy array may change it at any time.
        return _from_array(_fuseau.from_numpy(x), dtype, None, order)
    if isinstance(x, numpy.ndarray) and type(x) is not numpy.ndarray:
        raise NotNative
    own = made_by_us(x)
    if own is not None:
        return _from_array(own, dtype, copy, order)
    if copy is False and isinstance(x, (bool, int, float, complex, list, tuple)):
        refuse(numpy.array, x, dtype=dtype, copy=False)
    if type(x) in (list, tuple):
        x = lower(x)
    return from_foreign(numpy.array(x, dtype=dtype, order=order))


@native
def asarray(a, dtype=None, order=None, *, device=None, copy=None, like=None):
    """`a` as an array: a fuseau array of that type and order is returned itself.

    `copy=True` copies always, `copy=False` never: it is a ValueError if a copy cannot be avoided,
    as for another type. ValueError for another device than "cpu".
    """
    if type(a) is ndarray and dtype is order is copy is device is like is None:
        return as_plain(a)
    check_device(device)
    return array(a, dtype, copy=copy, order=order or "K", like=like)


@native
def asanyarray(a, dtype=None, order=None, *, device=None, copy=None, like=None):
    """As `asarray`; instances of NumPy's subclasses, such as masked arrays, keep their class."""
    if isinstance(a, numpy.ndarray) and type(a) not in (ndarray, numpy.ndarray):
        return numpy.asanyarray(a, dtype, order, copy=copy)
    return asarray(a, dtype, order, device=device, copy=copy, like=like)


@native
def frombuffer(buffer, dtype=float, count=-1, offset=0, *, like=None):
    """The elements in a buffer. Of bytes, a read-only fuseau array; else NumPy's array over the
    memory, which the buffer's owner shares.
    """
    if like is not None:
        raise NotNative
    result = numpy.frombuffer(buffer, dtype, count, offset)
    if type(buffer) is not bytes or result.dtype not in NATIVE_DTYPES:
        return result
    result = _fuseau.from_numpy(result)
    result._writeable = False
    result._foreign = True
    return result


@native
def ascontiguousarray(a, dtype=None, *, like=None):
    """`a` in C order, with at least one dimension."""
    return array(a, dtype, copy=None, order="C", ndmin=1, like=like)


@native
def asfortranarray(a, dtype=None, *, like=None):
    """`a` in Fortran order, with at least one dimension."""
    return array(a, dtype, copy=None, order="F", ndmin=1, like=like)


@native
def copy(a, order="K", subok=False):
    """A new array with the values of `a`."""
    return array(a, order=order, copy=True, subok=subok)


# --- Filled arrays -----------------------------------------------------------


def _order(order):
    if order in ("C", "F"):
        return order
    if order in ("K", "A"):
        raise ValueError("only 'C' or 'F' order is permitted")
    if order is None:
        return "C"
    return refuse(numpy.empty, 0, order=order)


@native
def empty(shape, dtype=float, order="C", *, device=None, like=None):
    """A new array of a shape and type whose values are not set.

    `shape` is a number or a sequence of numbers; the type is float64 by default. ValueError for
    negative lengths, MemoryError if there is not enough memory.
    """
    check_device(device)
    if like is not None:
        raise NotNative
    return _fuseau.empty(as_shape(shape), as_dtype(dtype), _order(order))


@native
def zeros(shape, dtype=None, order="C", *, device=None, like=None):
    """A new array of a shape and type (float64 by default) filled with zeros.

    `shape` is a number or a sequence of numbers. ValueError for negative lengths.
    """
    check_device(device)
    if like is not None:
        raise NotNative
    return _fuseau.zeros(as_shape(shape), as_dtype(dtype), _order(order))


@native
def ones(shape, dtype=None, order="C", *, device=None, like=None):
    """A new array of a shape and type (float64 by default) filled with ones.

    `shape` is a number or a sequence of numbers. ValueError for negative lengths.
    """
    check_device(device)
    if like is not None:
        raise NotNative
    return _fuseau.full(as_shape(shape), 1, as_dtype(dtype), _order(order))


@native
def full(shape, fill_value, dtype=None, order="C", *, device=None, like=None):
    """A new array of a shape filled with a value, or with an array that broadcasts to it.

    The type is that of the value by default. ValueError for a value that does not broadcast.
    """
    check_device(device)
    if like is not None:
        raise NotNative
    shape = as_shape(shape)
    if dtype is None:
        dtype = _dtype_of(fill_value)
    return _filled(shape, fill_value, as_dtype(dtype), _order(order))


def _dtype_of(value):
    return value.dtype if type(value) is ndarray else numpy.asarray(value).dtype


def _filled(shape, value, dtype, order):
    if type(value) in (bool, int, float, complex):
        # NumPy's check of the range, and its conversion.
        value = numpy.full((), value, dtype).item()
        return _fuseau.full(shape, value, dtype, order)
    result = _fuseau.empty(shape, dtype, order)
    _fuseau.copyto(result, as_array(value), None, "unsafe")
    return result


def _like(a, dtype, order, shape, device):
    """Prototype, shape, type and the order of axes of a `*_like` function's result."""
    check_device(device)
    a = as_array(a)
    dtype = a.dtype if dtype is None else as_dtype(dtype)
    new_shape = a.shape if shape is None else as_shape(shape)
    if order in ("K", None) and len(new_shape) != a.ndim:
        order = "C"
    if order == "A" or order in ("K", None):
        if is_c_contiguous(a):
            order = "C"
        elif is_f_contiguous(a):
            order = "F"
        elif order == "A":
            order = "C"
        else:
            return a, dtype, new_shape, sorted_axes(a.strides)
    return a, dtype, new_shape, _order(order)


def _make_like(make, shape, dtype, order):
    """Calls `make(shape, dtype, order)`; an order of axes means memory sorted by it."""
    if isinstance(order, str):
        return make(shape, dtype, order)
    inner = make(tuple(shape[axis] for axis in order), dtype, "C")
    back = sorted(range(len(order)), key=order.__getitem__)
    return _fuseau.as_strided(inner, 0, shape, tuple(inner.strides[axis] for axis in back), True)


@native
def empty_like(prototype, /, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """A new array like another one, whose values are not set.

    Shape, type and order are those of `prototype` where they are not given.
    """
    _, dtype, shape, order = _like(prototype, dtype, order, shape, device)
    return _make_like(_fuseau.empty, shape, dtype, order)


@native
def zeros_like(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """A new array of zeros like another one.

    Shape, type and order are those of `a` where they are not given.
    """
    _, dtype, shape, order = _like(a, dtype, order, shape, device)
    return _make_like(_fuseau.zeros, shape, dtype, order)


@native
def ones_like(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """A new array of ones like another one.

    Shape, type and order are those of `a` where they are not given.
    """
    return full_like(a, 1, dtype, order, subok, shape, device=device)


@native
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    """A new array like another one, filled with a value.

    Shape, type and order are those of `a` where they are not given.
    """
    _, dtype, shape, order = _like(a, dtype, order, shape, device)
    return _make_like(
        lambda shape, dtype, order: _filled(shape, fill_value, dtype, order), shape, dtype, order
    )


# --- Ranges ------------------------------------------------------------------


def _signed_by_numpy(body):
    """`inspect.signature` gives the signature of NumPy's function."""
    body.__wrapped__ = getattr(numpy, body.__name__)
    return body


@native
@_signed_by_numpy
def arange(*args, dtype=None, device=None, like=None, **kwargs):
    """`arange([start,] stop[, step])`: evenly spaced values; integers stay integers.

    The elements are NumPy's: the first two are `start` and `start + step` in the result's type,
    the others `start + i * (second - first)`.
    """
    if len(args) < 3 and dtype is device is like is None and not kwargs:
        start, stop = args if len(args) == 2 else (0, *args) if args else (0, None)
        if type(start) is type(stop) is int and -(2**62) < start <= stop < 2**62:
            result = _fuseau.iota(stop - start, _INT64)
            return UFUNCS["add"](result, start) if start else result
    check_device(device)
    if like is not None:
        raise NotNative
    start, stop, step, dtype = _range_arguments(args, dtype, kwargs)
    if type(start) is type(stop) is type(step) is int and step and abs(stop - start) < 2**62:
        length = max(-((start - stop) // step), 0)
        natural = _INT64
    else:
        length, natural = _range_length(start, stop, step, dtype)
    dtype = natural if dtype is None else as_dtype(dtype)
    if dtype.kind not in "iuf":
        raise NotNative
    if length <= 0:
        # NumPy does not even ask whether the type can hold the start.
        return _fuseau.empty((0,), dtype, "C")
    head = numpy.empty(2, dtype)
    head[0] = start
    if length > 1:
        head[1] = start + step
    return _progression(head, length, dtype)


def _range_arguments(args, dtype, kwargs):
    names = ("start", "stop", "step", "dtype")
    given = dict(zip(names, args, strict=False))
    if len(args) > 4 or given.keys() & kwargs.keys() or kwargs.keys() - set(names):
        refuse(numpy.arange, *args, **kwargs)
    given.update(kwargs)
    if given.get("stop") is None:
        if not args:
            refuse(numpy.arange, **kwargs)
        given["start"], given["stop"] = 0, given["start"]
    dtype = given.get("dtype", dtype)
    step = given.get("step")
    parts = [given.get("start"), given["stop"], 1 if step is None else step]
    # The length must be known now, so lazy bounds are computed.
    parts = [_fuseau.to_numpy(x)[()] if type(x) is ndarray else x for x in parts]
    return *(0 if x is None else x for x in parts), dtype


def _range_length(start, stop, step, dtype):
    """The length NumPy gives the range, and the type it has if none is asked for."""
    for x in (start, stop, step):
        if not isinstance(x, (int, float, numpy.integer, numpy.floating)):
            raise NotNative
        if isinstance(x, numpy.timedelta64):
            raise NotNative  # NumPy counts it among the integers.
    natural = numpy.result_type(numpy.intp, *[numpy.asarray(x).dtype for x in (start, stop, step)])
    with numpy.errstate(all="ignore"):
        try:
            quotient = (stop - start) / step
        except (ArithmeticError, ValueError):
            return refuse(numpy.arange, start, stop, step)
    if not -(2.0**62) < quotient < 2.0**62:
        refuse(numpy.arange, start, stop, step)
    if quotient == 0.0 and stop != start:
        raise NotNative  # The quotient vanished in rounding: NumPy counts by signs.
    return math.ceil(quotient), natural


def _progression(head, length, dtype):
    first, second = head
    if length == 1:
        return _fuseau.full((1,), first.item(), dtype, "C")
    with numpy.errstate(all="ignore"):
        delta = second - first
        exact = bool(first + delta == second and first + 0 * delta == first)
    if dtype.kind == "f" and (not exact or (first == 0 and math.copysign(1, first) < 0)):
        return _by_hand(first, second, delta, length, dtype)
    result = _fuseau.iota(length, dtype)
    if delta != 1:
        result = UFUNCS["multiply"](result, delta.item())
    if first != 0:
        result = UFUNCS["add"](result, first.item())
    return result


def _by_hand(first, second, delta, length, dtype):
    """A range whose first two elements do not follow from the formula of the rest."""
    result = UFUNCS["multiply"](_fuseau.iota(length, dtype), delta.item())
    result = UFUNCS["add"](result, first.item())
    result[0] = first.item()
    result[1] = second.item()
    return result


@native
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    """`num` evenly spaced values from `start` to `stop`, along a new axis for array bounds.

    With `retstep` also the step. Errors: ValueError for a negative `num`.
    """
    check_device(device)
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    divisions = num - 1 if endpoint else num
    start, stop = _bound(start), _bound(stop)
    kind = as_dtype(numpy.result_type(_type_of(start), _type_of(stop), 1.0))
    target = kind if dtype is None else as_dtype(dtype)
    lazy = type(start) is ndarray or type(stop) is ndarray
    delta = _difference(start, stop, kind, lazy)
    result = _fuseau.iota(num, _real_part(kind))
    if kind.kind == "c":
        result = result.astype(kind)
    if lazy:
        result = result[(slice(None),) + (None,) * delta.ndim]
    if divisions > 0:
        with numpy.errstate(all="ignore"):
            step = delta / divisions
        result = _spaced(result, delta, step, divisions, lazy)
    else:
        step = numpy.nan
        result = result * delta
    result = UFUNCS["add"](result, start, out=result)
    if endpoint and num > 1:
        result[-1, ...] = stop
    if axis != 0:
        from ._shape import moveaxis

        result = moveaxis(result, 0, axis)
    if target.kind in "iu":
        result = UFUNCS["floor"](result, out=result)
    if target != result.dtype:
        result = result.astype(target)
    return (result, step) if retstep else result


def _bound(x):
    """A bound: an array stays one, everything else becomes a NumPy or Python number."""
    if type(x) in (int, float, complex):
        return x
    if isinstance(x, numpy.generic) and x.dtype in NATIVE_DTYPES:
        return x
    return as_array(x)


def _type_of(x):
    return x.dtype if type(x) is ndarray else x


def _real_part(dtype):
    return {"F": numpy.dtype("f4"), "D": _FLOAT64}.get(dtype.char, dtype)


def _difference(start, stop, kind, lazy):
    if lazy:
        return UFUNCS["subtract"](stop, start, dtype=kind)
    with numpy.errstate(all="ignore"):
        return numpy.subtract(stop, start, dtype=kind)


def _spaced(index, delta, step, divisions, lazy):
    """`index * step`, or `index / divisions * delta` where a step underflows to zero."""
    if not lazy:
        return index / divisions * delta if step == 0 else index * step
    from ._reductions import any as any_

    vanished = any_(step == 0)
    return _fuseau.where(vanished, index / divisions * delta, index * step)


# --- Matrices and grids ------------------------------------------------------


@native
def eye(N, M=None, k=0, dtype=float, order="C", *, device=None, like=None):
    """An N x M matrix of zeros with ones on the k-th diagonal."""
    check_device(device)
    if like is not None:
        raise NotNative
    rows = operator.index(N)
    columns = rows if M is None else operator.index(M)
    k = operator.index(k)
    result = _fuseau.zeros(as_shape((rows, columns)), as_dtype(dtype), _order(order))
    if -rows < k < columns:
        _diagonal_of(result, k)[...] = 1
    return result


def _diagonal_of(a, k):
    """The k-th diagonal of a matrix as a writable view."""
    rows, columns = a.shape
    down, right = a.strides
    offset = k * right if k >= 0 else -k * down
    length = min(rows + min(k, 0), columns - max(k, 0))
    return _fuseau.as_strided(a, offset, (length,), (down + right,), True)


@native
def identity(n, dtype=None, *, like=None):
    """The n x n identity matrix.

    The type is float64 by default.
    """
    return eye(n, dtype=float if dtype is None else dtype, like=like)


@native
def diag(v, k=0):
    """The k-th diagonal of a matrix as a read-only view, or a matrix with `v` on it.

    ValueError for other than one or two dimensions.
    """
    v = as_array(v)
    k = operator.index(k)
    if v.ndim == 2:
        from ._shape import diagonal

        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError("Input must be 1- or 2-d.")
    n = v.shape[0] + abs(k)
    result = _fuseau.zeros((n, n), v.dtype, "C")
    if v.shape[0]:
        _diagonal_of(result, k)[...] = v
    return result


@native
def tri(N, M=None, k=0, dtype=float, *, like=None):
    """An N x M matrix of ones at and below the k-th diagonal.

    `M` is `N` by default.
    """
    if like is not None:
        raise NotNative
    rows = arange(N)
    columns = arange(-k, (N if M is None else M) - k)
    return (rows[:, None] >= columns).astype(as_dtype(dtype), copy=False)


@native
def tril(m, k=0):
    """The lower triangle of the last two axes; zeros above the k-th diagonal."""
    m = as_array(m)
    if m.ndim == 0:
        refuse(numpy.tril, m)
    mask = tri(*m.shape[-2:], k=k, dtype=bool)
    return _fuseau.where(mask, m, _fuseau.zeros((1,), m.dtype, "C"))


@native
def triu(m, k=0):
    """The upper triangle of the last two axes; zeros below the k-th diagonal."""
    m = as_array(m)
    if m.ndim == 0:
        refuse(numpy.triu, m)
    mask = tri(*m.shape[-2:], k=k - 1, dtype=bool)
    return _fuseau.where(mask, _fuseau.zeros((1,), m.dtype, "C"), m)


@native
def indices(dimensions, dtype=int, sparse=False):
    """The index of each element of a grid, one array for each dimension, stacked or sparse."""
    dimensions = tuple(dimensions)
    dtype = as_dtype(dtype)
    rank = len(dimensions)
    axes = []
    for axis, length in enumerate(dimensions):
        index = arange(length, dtype=dtype)
        axes.append(index.reshape((1,) * axis + (length,) + (1,) * (rank - axis - 1)))
    if sparse:
        return tuple(axes)
    result = _fuseau.empty((rank, *as_shape(dimensions)), dtype, "C")
    for axis, index in enumerate(axes):
        result[axis] = index
    return result


@native
def fromfunction(function, shape, *, dtype=float, like=None, **kwargs):
    """The values of a function of the indices of a grid."""
    if like is not None:
        raise NotNative
    return function(*indices(shape, dtype=dtype), **kwargs)


@native
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    """Coordinate arrays of a grid from the coordinates of its axes, as a tuple."""
    rank = len(xi)
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[0], places[1] = 1, 0
    result = []
    for x, place in zip(xi, places, strict=True):
        x = as_array(x)
        result.append(x.reshape((1,) * place + (-1,) + (1,) * (rank - place - 1)))
    if not sparse:
        from ._shape import broadcast_arrays

        result = broadcast_arrays(*result)
    if copy:
        result = [x.copy("C") for x in result]
    return tuple(result)
