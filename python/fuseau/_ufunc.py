"""The methods of ufuncs, and the ufuncs of NumPy that the table of operations lacks."""

import numpy

from . import _fallback, _fuseau
from ._base import NATIVE_FUNCTIONS, NotNative, as_array, as_dtype
from ._computed import method_by_numpy
from ._fuseau import UFUNCS, ndarray, ufunc
from ._reductions import reduce_with
from ._routines import accumulate as running

_NoValue = numpy._NoValue
_REDUCTIONS = {
    "add": "sum",
    "multiply": "prod",
    "maximum": "max",
    "minimum": "min",
    "logical_or": "any",
    "logical_and": "all",
}


# --- Methods of every ufunc --------------------------------------------------


def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False, initial=_NoValue, where=True):
    """Applies the ufunc along axes (the first by default) until one element is left."""
    plain = out is None and initial is _NoValue and where is True
    if self.__name__ in _PAST_NAN and dtype is None and plain:
        result = _past_nan(_PAST_NAN[self.__name__], array, axis, keepdims)
        if result is not None:
            return result
    name = _REDUCTIONS.get(self.__name__)
    if name is not None and not (name in ("any", "all") and dtype is not None):
        try:
            return reduce_with(name, array, axis, dtype, out, keepdims, initial, where)
        except NotNative:
            pass
    options = {"out": out, "keepdims": keepdims, "where": where}
    if initial is not _NoValue:
        options["initial"] = initial
    return method_by_numpy(self.__name__, "reduce")(array, axis, dtype, **options)


_PAST_NAN = {"fmax": ("max", -numpy.inf), "fmin": ("min", numpy.inf)}


def _past_nan(reduction, array, axis, keepdims):
    """The largest or smallest element that is not NaN; NaN if there is none. None for other types
    and for reductions over nothing.
    """
    name, least = reduction
    a = as_array(array)
    if a.dtype.kind != "f" or a.size == 0:
        return (
            reduce_with(name, a, axis, None, None, keepdims, _NoValue, True)
            if (a.dtype.kind in "biu")
            else None
        )
    missing = UFUNCS["isnan"](a)
    found = _fuseau.reduce(
        name, _fuseau.where(missing, a.dtype.type(least), a), axis, keepdims, None
    )
    nothing = _fuseau.reduce("all", missing, axis, keepdims, None)
    return _fuseau.where(nothing, a.dtype.type(numpy.nan), found)


def outer(self, A, B, /, **kwargs):
    """The ufunc of all pairs of an element of A and one of B."""
    if self.nin != 2:
        raise ValueError("outer product only supported for binary functions")
    try:
        A, B = as_array(A), as_array(B)
    except NotNative:
        outer = getattr(numpy, self.__name__).outer
        return _fallback.call(f"{self.__name__}.outer", outer, (A, B), kwargs)
    if A.ndim + B.ndim > 64:
        raise ValueError(
            "maximum supported dimension for an ndarray is 64, but "
            f"`{self.__name__}.outer()` result would have {A.ndim + B.ndim}."
        )
    return self(A[(..., *(None,) * B.ndim)], B, **kwargs)


def accumulate(self, array, axis=0, dtype=None, out=None):
    """The running results of the ufunc along an axis."""
    if type(axis) is int:
        try:
            return running(self.__name__, array, axis, dtype, out)
        except NotNative:
            pass
    return method_by_numpy(self.__name__, "accumulate")(array, axis, dtype, out=out)


def reduceat(self, array, indices, axis=0, dtype=None, out=None):
    """The ufunc reduced over slices given by their first indices."""
    return method_by_numpy(self.__name__, "reduceat")(array, indices, axis, dtype, out=out)


def at(self, a, indices, *b):
    """Applies the ufunc in place at indices, once for each time an index appears."""
    method_by_numpy(self.__name__, "at")(a, indices, *b)


METHODS = {f.__name__: f for f in (reduce, outer, accumulate, reduceat, at)}


def method(self, name, args, kwargs):
    """The hook of the extension for a method of a ufunc."""
    return METHODS[name](self, *args, **kwargs)


def _document(self):
    """The text of the table of operations, or NumPy's where the build made no such file."""
    name = self.__name__
    try:
        from ._generated.ufuncs import UFUNCS as TABLE
    except ImportError:
        return getattr(numpy, name).__doc__
    if name not in TABLE:
        return getattr(numpy, name).__doc__
    operands = "x, /" if self.nin == 1 else "x1, x2, /"
    options = "out=None, *, where=True, casting='same_kind', order='K', dtype=None, subok=True"
    return f"{name}({operands}, {options})\n\n{TABLE[name][2]}\n\nSee also `numpy.{name}`."


ufunc.__doc__ = property(_document)


# --- Ufuncs outside the table ------------------------------------------------


class ComposedUfunc:
    """A ufunc of NumPy that is composed of others here, or computed by NumPy."""

    def __init__(self, name, compute=None):
        self._numpy = getattr(numpy, name)
        self._compute = compute
        self.__name__ = self.__qualname__ = name
        self.__doc__ = self._numpy.__doc__
        self.__module__ = "fuseau"
        if compute is not None:
            NATIVE_FUNCTIONS[name] = self

    def __call__(self, *args, **kwargs):
        if self._compute is not None and kwargs.keys() <= {"out"}:
            try:
                return self._compute(*self._with_out(args, **kwargs))
            except NotNative:
                pass
        return _fallback.call(self.__name__, self._numpy, args, kwargs)

    def _with_out(self, args, out=None):
        """The inputs, and `out` as one argument more."""
        count = self._numpy.nin
        if len(args) == self._numpy.nargs and out is None:
            args, out = args[:count], args[count:]
        if len(args) != count:
            raise NotNative
        return *args, out

    def __getattr__(self, name):
        value = getattr(self._numpy, name)
        if name in METHODS:
            if name != "outer":
                return method_by_numpy(self.__name__, name)
            return _fallback.door(f"{self.__name__}.{name}", value)
        return value

    def __repr__(self):
        return repr(self._numpy)

    def __eq__(self, other):
        return self is other or other is self._numpy

    def __hash__(self):
        return hash(self._numpy)

    def __reduce__(self):
        return self.__name__


def _two_results(first, second, out):
    """Both results, put into `out=(o1, o2)` where those are given."""
    if out is None:
        return first, second
    if not isinstance(out, tuple) or len(out) != 2:
        raise NotNative
    for target, result in zip(out, (first, second), strict=True):
        if target is not None and (type(target) is not ndarray or target.dtype != result.dtype):
            raise NotNative
    results = []
    for target, result in zip(out, (first, second), strict=True):
        if target is not None:
            _fuseau.copyto(target, result)
        results.append(result if target is None else target)
    return tuple(results)


def _real_type(numpy_ufunc, *operands):
    """The type of the results, of which there must be native ones."""
    kinds = [x.dtype if type(x) is ndarray else type(x) for x in operands]
    return as_dtype(numpy_ufunc.resolve_dtypes((*kinds, None, None))[-1])


def _divmod(x1, x2, out):
    x1, x2 = _number(x1), _number(x2)
    _real_type(numpy.divmod, x1, x2)
    return _two_results(UFUNCS["floor_divide"](x1, x2), UFUNCS["remainder"](x1, x2), out)


def _modf(x, out):
    x = as_array(x)
    dtype = _real_type(numpy.modf, x)
    if x.dtype != dtype:
        x = x.astype(dtype)
    whole = UFUNCS["trunc"](x)
    # Infinity has no fraction: the difference would be NaN.
    fraction = _fuseau.where(UFUNCS["isinf"](x), dtype.type(0), UFUNCS["subtract"](x, whole))
    return _two_results(UFUNCS["copysign"](fraction, x), whole, out)


def _number(x):
    return x if type(x) in (int, float) else as_array(x)


COMPOSED = {"divmod": ComposedUfunc("divmod", _divmod), "modf": ComposedUfunc("modf", _modf)}
