"""What the other modules build on: native types, native functions, arrays from any object."""

import functools
import operator
import types

import numpy

from ._fuseau import (
    NotNative,
    astype,
    builtin_function,
    concatenate,
    function,
    ndarray,
    operand_from_numpy,
)

NATIVE_DTYPES = frozenset(numpy.dtype(code) for code in "?bhilqBHILQfdFD")
NATIVE_FUNCTIONS = {}
"""The functions of this package under their NumPy names; the coverage report lists them."""

_NUMBERS = (bool, int, float, complex, numpy.generic)
_BUILTIN = (list, tuple, range)


def native(body=None, *, name=None, view=False, otherwise=None):
    """Marks a function as NumPy's function of that name, with the door to NumPy behind it.

    The body raises NotNative for arguments it has no form for. Nothing may be changed before
    that, since the call is then repeated by NumPy. A `view` of one of NumPy's own arrays is made
    by NumPy, since only its view can share that memory. Where the extension has a quick form of
    the function, ordinary calls do not come to the body at all. `otherwise`, a `computed` function,
    stands in the place of the door where NumPy's routine is the right engine for the other calls.
    """
    if body is None:
        return functools.partial(native, name=name, view=view, otherwise=otherwise)
    name = name or body.__name__
    theirs = getattr(numpy, name)
    call = as_function(name, body, theirs, view=view, otherwise=otherwise)
    if isinstance(theirs, types.BuiltinFunctionType):
        call = builtin_function(call)
    NATIVE_FUNCTIONS[name] = call
    return call


def as_function(name, body, theirs, *, view=False, otherwise=None):
    """A function object with a body in Python, in the place of one of NumPy's."""
    call = functools.update_wrapper(function(name, body, view, theirs, otherwise), body)
    call.__name__ = call.__qualname__ = name.rpartition(".")[2]
    call.__module__ = "fuseau"
    if body.__doc__ is None and theirs is not None:
        call.__doc__ = theirs.__doc__
    return take_parameters(call, theirs)


def as_method(call, name):
    """A native function in the place of NumPy's method of that name."""
    theirs = getattr(numpy.ndarray, name, None)
    if isinstance(call, function):
        call = as_function(call.__name__, call.body, theirs, otherwise=call.otherwise)
        call.__name__ = name
    call.__qualname__ = f"ndarray.{name}"
    return take_parameters(call, theirs)


def take_parameters(call, theirs):
    """Lets `inspect` and `help` see the parameters of NumPy's function, whose names and defaults
    the ones of a body are not always.
    """
    for name in ("__signature__", "__text_signature__"):
        if hasattr(theirs, name):
            setattr(call, name, getattr(theirs, name))
    if theirs is not None:
        call.__wrapped__ = getattr(theirs, "__wrapped__", theirs)
    return call


def composed(function):
    """Marks a function that does its work through other functions and needs no door of its own."""
    function.__module__ = "fuseau"
    take_parameters(function, getattr(numpy, function.__name__))
    NATIVE_FUNCTIONS[function.__name__] = function
    return function


_KNOWN_DTYPES = {
    kind: numpy.dtype(kind)
    for kind in (None, bool, int, float, complex, *(dtype.type for dtype in NATIVE_DTYPES))
}


def as_dtype(dtype):
    """`dtype` as NumPy reads it; NotNative if fuseau has no arrays of that type."""
    if type(dtype) is type or dtype is None:
        known = _KNOWN_DTYPES.get(dtype)
        if known is not None:
            return known
    dtype = numpy.dtype(dtype)
    if dtype not in NATIVE_DTYPES:
        raise NotNative
    return dtype


def as_array(x):
    """`x` as a fuseau array: itself, or a copy of anything else. NotNative for other types."""
    if type(x) is ndarray:
        return x
    if type(x) in (list, tuple):
        return from_nested(x)
    return from_foreign(x)


def from_foreign(x):
    """A fuseau array with the values of an object that is no list and holds no fuseau arrays."""
    kind = type(x)
    if kind is ndarray:
        return x
    if kind is not numpy.ndarray:
        if not isinstance(x, (*_NUMBERS, *_BUILTIN)):
            if hasattr(kind, "__array_function__") or hasattr(kind, "__array_ufunc__"):
                # A masked array, a table of pandas or another library's array keeps its own meaning
                # only in NumPy.
                raise NotNative
            own = made_by_us(x)
            if own is not None:
                return own
        x = numpy.asarray(x)
    if type(x) is not numpy.ndarray or x.dtype not in NATIVE_DTYPES:
        raise NotNative
    return operand_from_numpy(x)


def made_by_us(x):
    """The fuseau array that a foreign object's `__array__` gives, where NumPy would see none; or
    None.
    """
    if isinstance(x, numpy.generic) or not hasattr(type(x), "__array__"):
        return None
    made = x.__array__()
    return made if type(made) is ndarray else None


def holds_arrays(x, depth=64):
    """Whether a nested list or tuple has a fuseau array somewhere in it, not deeper than arrays
    have dimensions.
    """
    kinds = set(map(type, x))
    if ndarray in kinds:
        return True
    if depth and (list in kinds or tuple in kinds):
        return any(holds_arrays(item, depth - 1) for item in x if type(item) in (list, tuple))
    return False


def from_nested(x):
    """A fuseau array from a nested list, in C order. Fuseau arrays in it stay lazy and are
    stacked.
    """
    if not holds_arrays(x):
        return from_foreign(x)
    parts = [as_array(item) for item in x]
    if parts[0].ndim == 64 or any(part.shape != parts[0].shape for part in parts):
        refuse(numpy.array, x)
    stacked = concatenate([part[None] for part in same_type(parts)], 0)
    return astype(stacked, stacked.dtype, "C", "unsafe", False)


def same_type(arrays):
    """The arrays cast to their common type."""
    first = arrays[0].dtype
    for a in arrays:
        if a.dtype is not first:
            break
    else:
        return arrays
    dtype = as_dtype(numpy.result_type(*[a.dtype for a in arrays]))
    return [a if a.dtype == dtype else a.astype(dtype) for a in arrays]


def operand(x):
    """An operand of a ufunc: Python's own numbers keep their weak type, the rest are arrays."""
    return x if type(x) in (int, float, complex, bool) else as_array(x)


def check_device(device):
    """Refuses every device but the one that NumPy knows."""
    if device not in (None, "cpu"):
        raise ValueError(f'Device not understood. Only "cpu" is allowed, but received: {device}')


def as_shape(shape):
    """A shape argument as a tuple of Python integers; NumPy's errors for anything else."""
    if type(shape) is int and 0 <= shape < 2**63:
        return (shape,)
    if type(shape) is tuple and len(shape) <= 64:
        for n in shape:
            if type(n) is not int or not 0 <= n < 2**63:
                break
        else:
            return shape
    try:
        if type(shape) in (tuple, list):
            result = tuple(map(_length, shape))
        elif getattr(shape, "ndim", 0) == 0 and hasattr(shape, "__index__"):
            result = (_length(shape),)
        else:
            result = tuple(map(_length, shape))
    except TypeError:
        result = (-1,)
    if len(result) > 64 or any(not 0 <= n < 2**63 for n in result):
        refuse(numpy.empty, shape, dtype=bool)
    return result


def _length(n):
    if isinstance(n, (bool, numpy.bool_)):
        raise TypeError
    return operator.index(n)


def specimen(x):
    """A NumPy array of the shape and type of a fuseau array, without its values or its size."""
    if type(x) is ndarray:
        return numpy.broadcast_to(numpy.zeros((), x.dtype), x.shape)
    if type(x) in (list, tuple):
        return type(x)(map(specimen, x))
    return x


def refuse(function, *args, **kwargs):
    """Raises NumPy's own error for arguments known to be wrong, without touching any values.

    NotNative if NumPy takes them after all.
    """
    args = [specimen(x) for x in args]
    function(*args, **{key: specimen(x) for key, x in kwargs.items()})
    raise NotNative
