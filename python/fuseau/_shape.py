"""Functions that change the shape of arrays: views wherever NumPy gives views."""

import math
import operator

import numpy
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from . import _fuseau
from ._base import NotNative, as_array, as_dtype, composed, native, refuse, same_type, specimen
from ._fuseau import as_strided, ndarray
from ._layout import is_c_contiguous, is_f_contiguous, kept_axes

# --- Reshaping ---------------------------------------------------------------


@native(view=True)
def reshape(a, /, shape, order="C", *, copy=None):
    """A view of another shape with the same elements in the same order; a copy if it must be.

    One length may be -1: it follows from the others. ValueError if the numbers of elements differ,
    or for `copy=False` if there is no such view.
    """
    return as_array(a).reshape(shape, order=order, copy=copy)


@native(view=True)
def ravel(a, order="C"):
    """The elements as one dimension: a view if they lie so in memory, else a copy.

    The type is that of `a`. `order` is the order of reading: C, F, A or K (as in memory).
    """
    return as_array(a).ravel(order)


# --- Order and number of axes ------------------------------------------------


@native(view=True)
def transpose(a, axes=None):
    """A view with the axes in another order, reversed by default.

    AxisError for an axis out of range, ValueError for one that is there twice or missing.
    """
    return as_array(a).transpose(axes)


@native(view=True)
def swapaxes(a, axis1, axis2):
    """A view with two axes interchanged.

    AxisError for an axis out of range.
    """
    a = as_array(a)
    axis1 = normalize_axis_index(axis1, a.ndim, "axis1")
    axis2 = normalize_axis_index(axis2, a.ndim, "axis2")
    axes = list(range(a.ndim))
    axes[axis1], axes[axis2] = axis2, axis1
    return a.transpose(axes)


@native(view=True)
def moveaxis(a, source, destination):
    """A view with some axes moved to other places, the rest in their order.

    AxisError for an axis out of range, ValueError for one that is there twice.
    """
    a = as_array(a)
    source = normalize_axis_tuple(source, a.ndim, "source")
    destination = normalize_axis_tuple(destination, a.ndim, "destination")
    if len(source) != len(destination):
        raise ValueError(
            "`source` and `destination` arguments must have the same number of elements"
        )
    axes = [axis for axis in range(a.ndim) if axis not in source]
    for place, axis in sorted(zip(destination, source, strict=True)):
        axes.insert(place, axis)
    return a.transpose(axes)


@native(view=True)
def rollaxis(a, axis, start=0):
    """A view with one axis rolled back before the place `start`."""
    a = as_array(a)
    rank = a.ndim
    axis = normalize_axis_index(axis, rank)
    place = start + rank if start < 0 else start
    if not 0 <= place <= rank:
        refuse(numpy.rollaxis, a, axis, start)
    if axis < place:
        place -= 1
    axes = [other for other in range(rank) if other != axis]
    axes.insert(place, axis)
    return a.transpose(axes)


@native(view=True)
def matrix_transpose(x, /):
    """A view with the last two axes interchanged.

    ValueError for fewer than two dimensions.
    """
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return x.mT


@native(view=True)
def expand_dims(a, axis):
    """A view with new axes of length 1 at the given places of the result.

    AxisError for a place out of range, ValueError for one that is there twice.
    """
    a = as_array(a)
    axes = (axis,) if not isinstance(axis, (tuple, list)) else axis
    rank = a.ndim + len(axes)
    axes = normalize_axis_tuple(axes, rank)
    lengths = iter(a.shape)
    return a.reshape(tuple(1 if d in axes else next(lengths) for d in range(rank)))


@native(view=True)
def squeeze(a, axis=None):
    """A view without axes of length 1: all of them, or the given ones.

    ValueError for a given axis of another length.
    """
    return as_array(a).squeeze(axis)


def _at_least(arrays, widen):
    result = tuple(widen(as_array(a)) for a in arrays)
    return result[0] if len(result) == 1 else result


@native(view=True)
def atleast_1d(*arys):
    """The arrays as views with at least one dimension."""
    return _at_least(arys, lambda a: a.reshape((1,)) if a.ndim == 0 else a)


@native(view=True)
def atleast_2d(*arys):
    """The arrays as views with at least two dimensions, new ones in front."""

    def widen(a):
        if a.ndim == 0:
            return a.reshape((1, 1))
        return a[None, :] if a.ndim == 1 else a

    return _at_least(arys, widen)


@native(view=True)
def atleast_3d(*arys):
    """The arrays as views with at least three dimensions; a vector gets one on both sides."""

    def widen(a):
        if a.ndim == 0:
            return a.reshape((1, 1, 1))
        if a.ndim == 1:
            return a[None, :, None]
        return a[:, :, None] if a.ndim == 2 else a

    return _at_least(arys, widen)


# --- Reversal, diagonals, broadcasting ---------------------------------------


@native(view=True)
def flip(m, axis=None):
    """A view with the order of the elements reversed along the given axes, all by default.

    The shape and the type are those of `m`. AxisError for an axis out of range.
    """
    m = as_array(m)
    axes = range(m.ndim) if axis is None else normalize_axis_tuple(axis, m.ndim)
    back = slice(None, None, -1)
    return m[(*(back if d in axes else slice(None) for d in range(m.ndim)), ...)]


@native(view=True)
def flipud(m):
    """A view reversed along the first axis."""
    m = as_array(m)
    if m.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return m[::-1, ...]


@native(view=True)
def fliplr(m):
    """A view reversed along the second axis."""
    m = as_array(m)
    if m.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return m[:, ::-1]


@native(view=True)
def rot90(m, k=1, axes=(0, 1)):
    """A view turned by k quarters in the plane of two axes."""
    m = as_array(m)
    axes = tuple(axes)
    rank = m.ndim
    if (
        len(axes) != 2
        or axes[0] == axes[1]
        or abs(axes[0] - axes[1]) == rank
        or not all(-rank <= axis < rank for axis in axes)
    ):
        refuse(numpy.rot90, m, k, axes)
    k %= 4
    if k == 0:
        return m[...]
    if k == 2:
        return flip(flip(m, axes[0]), axes[1])
    turned = swapaxes(m, *axes)
    return flip(turned, axes[0]) if k == 1 else flip(turned, axes[1])


@native(view=True)
def diagonal(a, offset=0, axis1=0, axis2=1):
    """A read-only view of the diagonals of the matrices in two axes, as the last axis.

    The shape is that of `a` without the two axes, and the length of the diagonals. ValueError for
    fewer than two dimensions.
    """
    a = as_array(a)
    if a.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    axis1 = normalize_axis_index(axis1, a.ndim, "axis1")
    axis2 = normalize_axis_index(axis2, a.ndim, "axis2")
    if axis1 == axis2:
        raise ValueError("axis1 and axis2 cannot be the same")
    offset = operator.index(offset)
    rows, columns = a.shape[axis1], a.shape[axis2]
    down, right = a.strides[axis1], a.strides[axis2]
    if offset >= 0:
        columns -= offset
        start = offset * right
    else:
        rows += offset
        start = -offset * down
    length = min(rows, columns)
    if length <= 0:
        length = start = 0
    rest = [d for d in range(a.ndim) if d not in (axis1, axis2)]
    return as_strided(
        a,
        start,
        (*(a.shape[d] for d in rest), length),
        (*(a.strides[d] for d in rest), down + right),
        False,
    )


@native(view=True)
def broadcast_to(array, shape, subok=False):
    """A read-only view of the array repeated to a shape. ValueError if it does not fit."""
    a = as_array(array)
    try:
        shape = tuple(map(operator.index, shape))
    except TypeError:
        shape = (operator.index(shape),)
    fits = len(shape) >= a.ndim and all(
        n in (m, 1) for n, m in zip(a.shape[::-1], shape[::-1], strict=False)
    )
    if not fits or any(m < 0 for m in shape) or math.prod(shape) >= 2**63:
        refuse(numpy.broadcast_to, a, shape)
    return _fuseau.broadcast_to(a, shape)


@native(view=True)
def broadcast_arrays(*args, subok=False):
    """The arrays as views of their common shape, in a tuple.

    ValueError if the shapes have no common one.
    """
    arrays = [as_array(a) for a in args]
    if all(a.shape == arrays[0].shape for a in arrays):
        return tuple(arrays)
    try:
        shape = numpy.broadcast_shapes(*(a.shape for a in arrays))
    except ValueError:
        return refuse(numpy.broadcast_arrays, *arrays)
    return tuple(a if a.shape == shape else _fuseau.broadcast_to(a, shape) for a in arrays)


# --- Joining -----------------------------------------------------------------


@native
def concatenate(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """Joins arrays along an axis they have; `axis=None` joins their elements.

    The type is the common one, or `dtype`. Errors: ValueError if other lengths differ.
    """
    if not isinstance(arrays, (list, tuple)):
        arrays = _sequence(arrays)
    if casting == "same_value" or (axis is None and any(type(a) in _WEAK for a in arrays)):
        raise NotNative
    arrays = [as_array(a) for a in arrays]
    if not arrays:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        arrays = [ravel(a) for a in arrays]
        axis = 0
    first = arrays[0].shape
    rank = len(first)
    if rank == 0 or not -rank <= axis < rank:
        refuse(numpy.concatenate, arrays, axis)
    axis %= rank
    for a in arrays:
        other = a.shape
        if other != first and (
            len(other) != rank
            or other[:axis] != first[:axis]
            or other[axis + 1 :] != first[axis + 1 :]
        ):
            refuse(numpy.concatenate, arrays, axis)
    if out is not None and dtype is not None:
        raise TypeError(
            "concatenate() only takes `out` or `dtype` as an argument, but both were provided."
        )
    if dtype is not None or casting != "same_kind":
        arrays = _cast_all(arrays, dtype, casting)
    result = _fuseau.concatenate(same_type(arrays), axis)
    if out is None:
        return result
    return _store(result, out, casting)


_WEAK = (int, float, complex)


def _sequence(arrays):
    if type(arrays) is ndarray:
        return [arrays[i] for i in range(len(arrays))]
    if hasattr(type(arrays), "__array_function__") or not hasattr(arrays, "__getitem__"):
        raise NotNative
    return list(arrays)


def _cast_all(arrays, dtype, casting):
    common = numpy.result_type(*[a.dtype for a in arrays]) if dtype is None else dtype
    dtype = as_dtype(common)
    return [_fuseau.astype(a, dtype, "K", casting, False) for a in arrays]


def _store(result, out, casting):
    if type(out) is not ndarray:
        raise NotNative
    if out.shape != result.shape:
        raise ValueError("Output array is the wrong shape")
    _fuseau.copyto(out, result, None, casting)
    return out


@native
def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    """Joins arrays of one shape along a new axis.

    The new axis is `axis` of the result; the type is the common one. ValueError for shapes that
    differ and for no arrays.
    """
    if not hasattr(arrays, "__getitem__"):
        raise NotNative
    arrays = [as_array(a) for a in arrays]
    if not arrays:
        raise ValueError("need at least one array to stack")
    if len({a.shape for a in arrays}) != 1:
        raise ValueError("all input arrays must have the same shape")
    axis = normalize_axis_index(axis, arrays[0].ndim + 1)
    index = (slice(None),) * axis + (None,)
    return concatenate([a[index] for a in arrays], axis, out, dtype=dtype, casting=casting)


def _parts(arrays, widen):
    """The arrays of a stack function, each with enough dimensions."""
    if type(arrays) is not ndarray and not isinstance(arrays, (list, tuple)):
        if not hasattr(arrays, "__getitem__"):
            refuse(numpy.hstack, arrays)
        raise NotNative
    return [widen(a) for a in arrays]


@native
def vstack(tup, *, dtype=None, casting="same_kind"):
    """Joins arrays as rows, along the first axis."""
    return concatenate(_parts(tup, atleast_2d), 0, dtype=dtype, casting=casting)


@native
def hstack(tup, *, dtype=None, casting="same_kind"):
    """Joins arrays as columns, along the second axis; vectors along the first."""
    arrays = _parts(tup, atleast_1d)
    axis = 0 if arrays and arrays[0].ndim == 1 else 1
    return concatenate(arrays, axis, dtype=dtype, casting=casting)


@native
def dstack(tup):
    """Joins arrays along the third axis."""
    return concatenate(_parts(tup, atleast_3d), 2)


@native
def column_stack(tup):
    """Joins vectors as the columns of a matrix; matrices are joined as they are."""

    def widen(a):
        a = as_array(a)
        return a if a.ndim >= 2 else a.reshape((-1, 1))

    return concatenate(_parts(tup, widen), 1)


@native
def append(arr, values, axis=None):
    """A copy of an array with values joined at its end."""
    arr, values = as_array(arr), as_array(values)
    if axis is None:
        arr, values, axis = ravel(arr), ravel(values), arr.ndim - 1 if arr.ndim == 1 else 0
    return concatenate((arr, values), axis)


# --- Splitting ---------------------------------------------------------------


def _bounds(length, sections):
    """Where the parts of an axis begin and end, from their number or their first indices."""
    try:
        inner = [operator.index(i) for i in sections]
    except TypeError:
        count = int(sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.") from None
        size, extra = divmod(length, count)
        inner = [size * i + min(i, extra) for i in range(1, count)]
    return zip([0, *inner], [*inner, length], strict=True)


@native(view=True)
def array_split(ary, indices_or_sections, axis=0):
    """A list of views of parts along an axis; a number of parts need not divide evenly."""
    a = as_array(ary)
    length = a.shape[axis]
    lead = (slice(None),) * normalize_axis_index(axis, a.ndim)
    return [a[(*lead, slice(i, j))] for i, j in _bounds(length, indices_or_sections)]


@native(view=True)
def split(ary, indices_or_sections, axis=0):
    """A list of views of parts along an axis, which must be equal if their number is given.

    ValueError if the length of the axis is not a multiple of the number of parts.
    """
    a = as_array(ary)
    sections = indices_or_sections
    number = not hasattr(sections, "__len__") or getattr(sections, "ndim", 1) == 0
    if number and a.shape[axis] % sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(a, sections, axis)


@native(view=True)
def hsplit(ary, indices_or_sections):
    """Parts along the second axis, or the only one."""
    a = as_array(ary)
    if a.ndim == 0:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(a, indices_or_sections, 1 if a.ndim > 1 else 0)


@native(view=True)
def vsplit(ary, indices_or_sections):
    """Parts along the first axis."""
    a = as_array(ary)
    if a.ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(a, indices_or_sections, 0)


@native(view=True)
def dsplit(ary, indices_or_sections):
    """Parts along the third axis."""
    a = as_array(ary)
    if a.ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(a, indices_or_sections, 2)


@native(view=True)
def unstack(x, /, *, axis=0):
    """A tuple of views, one for each index of an axis."""
    x = as_array(x)
    if x.ndim == 0:
        raise ValueError("Input array must be at least 1-d.")
    front = moveaxis(x, axis, 0)
    return tuple(front[i, ...] for i in range(front.shape[0]))


# --- Repetition --------------------------------------------------------------


@native
def tile(A, reps):
    """The array repeated as a block along its axes.

    `reps` has a number for each axis, ones in front if it is shorter than the shape of `A`.
    """
    a = as_array(A)
    try:
        reps = tuple(map(operator.index, reps))
    except TypeError:
        reps = (operator.index(reps),)
    if any(n < 0 for n in reps):
        raise ValueError("negative dimensions are not allowed")
    rank = max(a.ndim, len(reps))
    reps = (1,) * (rank - len(reps)) + reps
    shape = (1,) * (rank - a.ndim) + a.shape
    wide = a.reshape(tuple(n for length in shape for n in (1, length)))
    pairs = tuple(n for pair in zip(reps, shape, strict=True) for n in pair)
    blocks = _fuseau.astype(_fuseau.broadcast_to(wide, pairs), a.dtype, "C", "unsafe", True)
    return blocks.reshape(tuple(r * n for r, n in zip(reps, shape, strict=True)))


@native
def repeat(a, repeats, axis=None):
    """Each element repeated a number of times; NumPy does it for many numbers.

    Without an axis those of the flattened array. `repeats` is a number or one for each index of the
    axis; ValueError for negative ones.
    """
    a = as_array(a)
    try:
        count = operator.index(repeats)
    except TypeError:
        raise NotNative from None
    if axis is None:
        a, axis = ravel(a), 0
    axis = normalize_axis_index(axis, a.ndim)
    if count < 0:
        raise ValueError("negative dimensions are not allowed")
    shape = a.shape
    wide = a[(slice(None),) * (axis + 1) + (None,)]
    wide = _fuseau.broadcast_to(wide, (*shape[: axis + 1], count, *shape[axis + 1 :]))
    dense = _fuseau.astype(wide, a.dtype, "C", "unsafe", True)
    return dense.reshape((*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))


@native
def roll(a, shift, axis=None):
    """The elements moved along axes; those beyond the end come back at the beginning."""
    a = as_array(a)
    if axis is None:
        return roll(ravel(a), shift, 0).reshape(a.shape)
    axes = normalize_axis_tuple(axis, a.ndim, allow_duplicate=True)
    pairs = numpy.broadcast(_plain_ints(shift), axes)
    if pairs.ndim > 1:
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    if not pairs.size:
        return _fuseau.astype(a, a.dtype, "K", "unsafe", True)
    shifts = {}
    for step, place in pairs:
        shifts[int(place)] = shifts.get(int(place), 0) + int(step)
    # The result lies as a copy of the array would, whatever the pieces look like.
    order = kept_axes(a)
    turned = a.transpose(order)
    for place, step in shifts.items():
        length, axis = a.shape[place], order.index(place)
        lead = (slice(None),) * axis
        cut = length - step % length if length else 0
        pieces = [turned[(*lead, slice(cut, None))], turned[(*lead, slice(0, cut))]]
        turned = _fuseau.concatenate(pieces, axis)
    return turned.transpose(sorted(range(a.ndim), key=order.__getitem__))


def _plain_ints(x):
    """Integers that decide a shape or place, as Python's own: a lazy array is computed."""
    return x.tolist() if type(x) is ndarray else x


@native
def pad(array, pad_width, mode="constant", **kwargs):
    """The array with values put around it: constants, its edge values, or by another of NumPy's
    modes.
    """
    a = as_array(array)
    allowed = {"constant": {"constant_values"}, "edge": set()}
    joined = isinstance(mode, str) and mode in allowed and not set(kwargs) - allowed[mode]
    values = kwargs.get("constant_values", 0)
    if not joined or isinstance(pad_width, dict) or type(values) is ndarray:
        return _numpys_pad(a, pad_width, mode, **kwargs)
    widths = numpy.asarray(_plain_ints(pad_width))
    if widths.dtype.kind not in "iu":
        refuse(numpy.pad, a, pad_width, mode)
    if widths.size and widths.min() < 0:
        raise ValueError("index can't contain negative values")
    widths = _per_axis(widths, a.ndim)
    values = _per_axis(numpy.asarray(values), a.ndim)
    if mode == "edge" and 0 in a.shape:
        return _numpys_pad(a, pad_width, mode)
    # NumPy makes the result in C order, or in Fortran order if the array lies so.
    if is_f_contiguous(a) and not is_c_contiguous(a):
        return _padded(a.T, widths[::-1], mode, values[::-1]).T
    return _padded(a, widths, mode, values)


def _padded(a, widths, mode, values):
    for axis in range(a.ndim):
        before, after = (int(n) for n in widths[axis])
        if mode == "constant":
            fills = [
                _constant(a, axis, n, v) for n, v in zip((before, after), values[axis], strict=True)
            ]
        else:
            fills = [_edge(a, axis, before, 0), _edge(a, axis, after, a.shape[axis] - 1)]
        a = _fuseau.concatenate([fills[0], a, fills[1]], axis)
    return _fuseau.astype(a, a.dtype, "C", "unsafe", a.ndim == 0)


def _numpys_pad(*args, **kwargs):
    from ._definitions import over_ours

    return over_ours(numpy.pad._implementation)(*args, **kwargs)


def _per_axis(x, rank):
    """The pairs (before, after) of each axis, from a number, a pair, or pairs."""
    return numpy.broadcast_to(x, (rank, 2))


def _constant(a, axis, length, value):
    shape = (*a.shape[:axis], length, *a.shape[axis + 1 :])
    value = numpy.asarray(value).astype(a.dtype, casting="unsafe")[()]
    return _fuseau.full(shape, value.item(), a.dtype, "C")


def _edge(a, axis, length, index):
    shape = (*a.shape[:axis], length, *a.shape[axis + 1 :])
    return _fuseau.broadcast_to(a[(slice(None),) * axis + (slice(index, index + 1),)], shape)


@native
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    """The sum along diagonals.

    The shape is that of `a` without the two axes. Small integers are summed as int64 or uint64.
    ValueError for fewer than two dimensions.
    """
    from ._reductions import sum as sum_

    return sum_(diagonal(a, offset, axis1, axis2), -1, dtype, out)


# --- Questions ---------------------------------------------------------------


@composed
def shape(a):
    """The shape of an array or of what would become one."""
    return a.shape if hasattr(a, "shape") else numpy.shape(specimen(a))


@composed
def ndim(a):
    """The number of dimensions."""
    return a.ndim if hasattr(a, "ndim") else numpy.ndim(specimen(a))


@composed
def size(a, axis=None):
    """The number of elements, or the length along axes."""
    if axis is None:
        return a.size if hasattr(a, "size") else numpy.size(specimen(a))
    lengths = shape(a)
    return math.prod(lengths[d] for d in normalize_axis_tuple(axis, len(lengths)))
