"""What functions do with arrays that lie in parts on the ranks of a job.

Each of these gives what NumPy's function gives, by operations that ranks do in parts. One process
has quicker ways, so the functions come here for large arrays of a job only (`is_large`), and go on
as ever (`NotNative`) for what has no form here.
"""

import functools
import threading

import numpy
from numpy.fft import _pocketfft_umath

from . import _fuseau
from ._base import NotNative, as_array
from ._fuseau import UFUNCS, ndarray

_INTP = numpy.dtype(numpy.intp)


def has_zeros_of_both_signs(a):
    """Whether an array has elements that are equal and not the same, but for the bits of NaNs."""
    if a.dtype.kind != "f":
        return False
    zero, minus = UFUNCS["equal"](a, 0), UFUNCS["signbit"](a)
    zeros = [UFUNCS["logical_and"](zero, minus), UFUNCS["greater"](zero, minus)]
    found = [_fuseau.reduce("any", sign, None, False) for sign in zeros]
    _fuseau.evaluate(found)
    return all(map(bool, found))


def is_in_parts(x):
    """Whether an argument is an array that ranks have in parts, or are to have."""
    return type(x) is ndarray and _fuseau.is_large(x.nbytes)


# --- Searching -----------------------------------------------------------------


def searchsorted(a, v, side="left", sorter=None):
    """The places of many values in a short sorted vector, which every rank has whole, or of one
    value in a vector that ranks have in parts.

    An array of int64 of the shape of `v`; or a number, which is that of the elements before it.
    """
    if sorter is not None or side not in ("left", "right"):
        raise NotNative
    if is_in_parts(a) and getattr(v, "ndim", 0) == 0:
        return _place_of_one(a, as_array(v), right=side == "right")
    if not is_in_parts(v):
        raise NotNative
    a = as_array(a)
    dtype = numpy.result_type(a.dtype, v.dtype)
    if a.ndim != 1 or a.size == 0 or dtype.kind not in "biuf" or not _is_short(a, v):
        raise NotNative
    line, v = a.astype(dtype, copy=False), v.astype(dtype, copy=False)
    if not _is_sorted(_fuseau.snapshot(line)):
        # What NumPy finds in a vector that is not sorted depends on its steps.
        raise NotNative
    return _fuseau.search_sorted(line, v, side == "right")


def _place_of_one(a, v, right):
    dtype = numpy.result_type(a.dtype, v.dtype)
    if a.ndim != 1 or dtype.kind not in "biuf":
        raise NotNative
    line, v = a.astype(dtype, copy=False), v.astype(dtype, copy=False)
    falls = _fuseau.reduce("any", _less(line[1:], line[:-1]), None, False)
    before = UFUNCS["logical_not"](_less(v, line)) if right else _less(line, v)
    count = _fuseau.reduce("sum", before, None, False)
    _fuseau.evaluate([falls, count])
    if falls:
        raise NotNative
    return numpy.intp(int(count))


def _is_short(line, values):
    """Whether a vector that every rank needs is little beside what each has of some values."""
    return line.size * _fuseau.ranks()["size"] <= values.size


def _is_sorted(line):
    with numpy.errstate(invalid="ignore"):
        before, after = line[:-1], line[1:]
        return bool(numpy.all((before <= after) | (after != after)))


def _less(x, y):
    less = UFUNCS["less"](x, y)
    if x.dtype.kind != "f":
        return less
    # NaN comes last.
    last = UFUNCS["logical_and"](UFUNCS["equal"](x, x), UFUNCS["not_equal"](y, y))
    return UFUNCS["logical_or"](less, last)


def digitize(x, bins, right=False):
    """The bins of many values; `bins` is a short vector that ascends or descends."""
    if not is_in_parts(x):
        raise NotNative
    bins = as_array(bins)
    if bins.ndim != 1 or bins.size == 0 or not _is_short(bins, x) or x.dtype.kind not in "biuf":
        raise NotNative
    side = "left" if right else "right"
    if _is_sorted(_fuseau.snapshot(bins)):
        return searchsorted(bins, x, side)
    return UFUNCS["subtract"](bins.size, searchsorted(bins[::-1], x, side))


def argwhere(a):
    """The places of the elements that are not zero, a row each."""
    if not is_in_parts(a):
        raise NotNative
    from ._routines import nonzero
    from ._shape import stack

    return stack(nonzero(a)).T


def unique_values(a, equal_nan=True):
    """The different elements of a vector of real numbers, sorted, each as it first occurs.

    What NumPy finds in a hash table.
    """
    line = _fuseau.along("stable_sort", a.reshape(-1), 0)
    before, after = line[:-1], line[1:]
    differs = UFUNCS["not_equal"](before, after)
    if equal_nan and a.dtype.kind == "f":
        # NaNs are behind all others.
        differs = UFUNCS["logical_and"](differs, UFUNCS["equal"](before, before))
    first = _fuseau.empty(line.shape, numpy.dtype(bool), "C")
    first[:1] = True
    first[1:] = differs
    return _fuseau.compress(line, first)


# --- Counting --------------------------------------------------------------------


def histogram(definition, get_bin_edges, as_vector, unsigned_subtract):
    """`numpy.histogram` without weights: each rank counts its values, and the counts are added.

    The arguments are NumPy's definition, which computes everything else, and parts of it.
    """

    def histogram(a, bins=10, range=None, density=None, weights=None):
        if not is_in_parts(a) or weights is not None or a.dtype.kind not in "biuf":
            return definition(a, bins, range, density, weights)
        import fuseau

        a, _ = as_vector(a, None)
        edges, uniform = get_bin_edges(a, bins, range, None)
        if uniform is not None:
            places = _equal_bins(a, edges, *uniform, unsigned_subtract)
        else:
            places = _bins_between(a, edges)
        # The last place is of what is in no bin.
        count = edges.size - 1
        counts = fuseau.bincount(places, minlength=count + 1)[:count].copy()
        if density:
            widths = fuseau.array(fuseau.diff(edges), float)
            return counts / widths / counts.sum(), edges
        return counts, edges

    return histogram


def _equal_bins(a, edges, first, last, count, unsigned_subtract):
    """The bin of each element, by NumPy's arithmetic; `count` for none."""
    where = _fuseau.where
    inside = UFUNCS["logical_and"](UFUNCS["greater_equal"](a, first), UFUNCS["less_equal"](a, last))
    values = where(inside, a.astype(edges.dtype, copy=False), edges[:1])
    width = unsigned_subtract(last, first)
    places = (unsigned_subtract(values, first) / width * count).astype(_INTP)
    places = where(places == count, as_array(count - 1), places)
    # The arithmetic is exact but for an ULP around an edge.
    below = UFUNCS["less"](values, _fuseau.take(edges, places, 0))
    places = where(below, places - 1, places)
    above = UFUNCS["greater_equal"](values, _fuseau.take(edges, places + 1, 0))
    above = UFUNCS["logical_and"](above, places != count - 1)
    places = where(above, places + 1, places)
    return where(inside, places, as_array(count))


def _bins_between(a, edges):
    count = edges.size - 1
    places = searchsorted(edges, a, side="right") - 1
    # The last bin has its right edge.
    places = _fuseau.where(UFUNCS["equal"](a, edges[count:]), as_array(count - 1), places)
    return _fuseau.where(places < 0, as_array(count), places)


# --- Selecting ---------------------------------------------------------------------

_sorting = threading.local()
"""Whether a partial sort may be a whole one: NumPy's definitions of medians and quantiles read
those elements of it only whose places are fixed.
"""


def by_sorting(definition):
    """A definition in which partial sorts of arrays in parts are whole sorts."""

    @functools.wraps(definition)
    def sorting(a, *args, **kwargs):
        if not is_in_parts(a) or getattr(_sorting, "allowed", False):
            return definition(a, *args, **kwargs)
        _sorting.allowed = True
        try:
            return definition(a, *args, **kwargs)
        finally:
            _sorting.allowed = False

    return sorting


def partition(a, kth, axis=-1, kind="introselect", order=None):
    """A sorted copy in the place of a partially sorted one, within `by_sorting`."""
    if axis is None:
        a, axis = a.reshape(-1), 0
    if not _may_sort(a, axis, order):
        raise NotNative
    return _fuseau.along("stable_sort", a, axis % a.ndim)


def partition_in_place(self, kth, axis=-1, kind="introselect", order=None):
    """The same for the method."""
    if axis is None or not _may_sort(self, axis, order):
        raise NotNative
    _fuseau.copyto(self, _fuseau.along("stable_sort", self, axis % self.ndim))


def _may_sort(a, axis, order):
    if not getattr(_sorting, "allowed", False) or not is_in_parts(a) or order is not None:
        return False
    return a.ndim > 0 and type(axis) is int and not has_zeros_of_both_signs(a)


# --- Transforming -------------------------------------------------------------------


def raw_fft(definition):
    """The function behind NumPy's transforms along one axis, which is its argument here."""

    def _raw_fft(a, n, axis, is_real, is_forward, norm, out=None):
        forward = {None: "forward", "backward": "forward", "forward": "backward"}
        direction = norm if is_forward else forward.get(norm, norm)
        kind = a.dtype.kind if is_in_parts(a) else ""
        fits = kind and kind in ("biuf" if is_real and is_forward else "biufc")
        if not fits or out is not None or n < 1 or direction not in (*forward, "ortho"):
            return definition(a, n, axis, is_real, is_forward, norm, out)
        single = a.dtype.char in "fF"
        real = numpy.dtype("f" if single else "d")
        factor = 1
        if direction == "ortho":
            factor = numpy.reciprocal(numpy.sqrt(n, dtype=real))
        elif direction == "forward":
            factor = numpy.reciprocal(n, dtype=real)
        name = "fft" if is_forward else "ifft"
        count = n
        if is_real:
            name = ("rfft_odd" if n % 2 else "rfft_even") if is_forward else "irfft"
            count = n // 2 + 1 if is_forward else n
        # Single precision is NumPy's choice for some types and factors only.
        ufunc = getattr(_pocketfft_umath, name.replace("rfft_", "rfft_n_"))
        kind_of_factor = int if type(factor) is int else real
        computed, _, _ = ufunc.resolve_dtypes((a.dtype, kind_of_factor, None))
        lines = _fuseau.transform(
            name, a.astype(computed, copy=False), axis % a.ndim, count, float(factor)
        )
        result = real if name == "irfft" else numpy.result_type(real, 1j)
        return lines.astype(result, copy=False)

    return _raw_fft
