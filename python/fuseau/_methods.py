"""The methods of arrays that the extension leaves to Python."""

import numpy

from . import _elementwise, _fallback, _fuseau, _protocols, _reductions, _shape
from ._base import NATIVE_DTYPES, refuse
from ._fuseau import UFUNCS, ndarray, to_numpy
from ._layout import is_c_contiguous, is_f_contiguous


def astype(self, dtype, order="K", casting="unsafe", subok=True, copy=True):
    """The array cast to a type; itself if nothing changes and `copy` is false."""
    dtype = numpy.dtype(dtype)
    if dtype not in NATIVE_DTYPES:
        keywords = {"order": order, "casting": casting, "subok": subok, "copy": copy}
        return _fallback.call("ndarray.astype", None, (self, dtype), keywords)
    if dtype == self.dtype and not copy and order == "K":
        return self
    if order == "A":
        order = "F" if is_f_contiguous(self) and not is_c_contiguous(self) else "C"
    return _fuseau.astype(self, dtype, order, casting, copy)


def copy(self, order="C"):
    """A copy, in C order by default."""
    if order == "A":
        order = "F" if is_f_contiguous(self) and not is_c_contiguous(self) else "C"
    if order not in ("C", "F", "K"):
        refuse(numpy.empty(0).copy, order)
    return _fuseau.astype(self, self.dtype, order, "unsafe", True)


def __copy__(self):
    return copy(self, "K")


def __deepcopy__(self, memo):
    result = memo[id(self)] = copy(self, "K")
    return result


def fill(self, value):
    """Sets all elements to a value."""
    if type(value) is ndarray:
        value = value if value.ndim == 0 else refuse(numpy.empty(0).fill, value)
    self[...] = value


def flatten(self, order="C"):
    """A copy with one dimension."""
    if order == "K":
        return _shape.flatten_array(
            _shape.transpose_array(self, _shape.sorted_axes(self.strides)), "C"
        )
    if order == "A":
        order = "F" if is_f_contiguous(self) and not is_c_contiguous(self) else "C"
    if order not in ("C", "F"):
        refuse(numpy.empty(0).flatten, order)
    return _shape.flatten_array(self, order)


def reshape(self, *shape, order="C", copy=None):
    """A view of another shape, or a copy where a view cannot have it."""
    if len(shape) == 1:
        (shape,) = shape
        if shape is None:
            return self[...]
    elif not shape:
        raise TypeError("reshape() takes exactly 1 argument (0 given)")
    return _shape.reshape_array(self, shape, order, copy)


def transpose(self, *axes):
    """A view with the axes in another order, reversed by default."""
    if not axes or axes == (None,):
        return self.T
    if len(axes) == 1 and not hasattr(axes[0], "__index__"):
        (axes,) = axes
    return _shape.transpose(self, axes)


def view(self, dtype=None, type=None):
    """A view of the same elements; under another type it is NumPy's own view."""
    if type is None and (dtype is None or numpy.dtype(dtype) == self.dtype):
        return _fuseau.as_strided(self, 0, self.shape, self.strides, True)
    keywords = {} if type is None else {"type": type}
    if dtype is not None:
        keywords["dtype"] = dtype
    return _fallback.call("ndarray.view", None, (self,), keywords)


def conjugate(self, *args, **kwargs):
    """The complex conjugate; other arrays are returned themselves."""
    if self.dtype.kind != "c" and not args and not kwargs:
        return self
    return UFUNCS["conjugate"](self, *args, **kwargs)


def tobytes(self, order="C"):
    """The elements as bytes."""
    return to_numpy(self).tobytes(order)


def tofile(self, fid, sep="", format="%s"):
    """Writes the elements to a file."""
    return to_numpy(self).tofile(fid, sep, format)


def dumps(self):
    """The array pickled as bytes."""
    import pickle

    return pickle.dumps(self)


def dump(self, file):
    """The array pickled to a file."""
    import pickle

    if hasattr(file, "write"):
        return pickle.dump(self, file)
    with open(file, "wb") as stream:
        return pickle.dump(self, stream)


def to_device(self, device, /, *, stream=None):
    """The array itself, for the only device NumPy knows."""
    if device != "cpu":
        raise ValueError(f"Unsupported device: {device}. Only 'cpu' is accepted.")
    if stream is not None:
        raise ValueError("The stream argument in to_device() is not supported")
    return self


def __contains__(self, item):
    return bool(_reductions.any(self == item))


def __divmod__(self, other):
    try:
        return _ufunc()["divmod"](self, other)
    except TypeError:
        return NotImplemented


def __rdivmod__(self, other):
    try:
        return _ufunc()["divmod"](other, self)
    except TypeError:
        return NotImplemented


def _ufunc():
    from ._ufunc import COMPOSED

    return COMPOSED


def __matmul__(self, other):
    return _fallback.call("matmul", None, (self, other), {})


def __rmatmul__(self, other):
    return _fallback.call("matmul", None, (other, self), {})


def __imatmul__(self, other):
    return _fallback.call("matmul", None, (self, other), {"out": self})


def __complex__(self):
    return complex(self.item() if self.size == 1 else to_numpy(self))


def compress(self, condition, axis=None, out=None):
    """The slices along an axis where a condition is true."""
    return _fallback.call("compress", None, (condition, self, axis, out), {})


def _method_door(name):
    """A method that goes through the door as NumPy's method of arrays."""
    return _fallback.door(f"ndarray.{name}")


def _property_door(name):
    """A property that NumPy's view of the storage answers."""
    return property(lambda self: getattr(to_numpy(self), name))


FUNCTIONS = {
    **_reductions.METHODS,
    "clip": _elementwise.clip,
    "round": _elementwise.round,
    "squeeze": _shape.squeeze,
    "swapaxes": _shape.swapaxes,
    "diagonal": _shape.diagonal,
    "ravel": _shape.ravel,
    "repeat": _shape.repeat,
    "trace": _shape.trace,
    "conj": conjugate,
}
"""Methods that are the functions of the namespace with the array as first argument."""

OWN = (
    astype,
    copy,
    fill,
    flatten,
    reshape,
    transpose,
    view,
    conjugate,
    tobytes,
    tofile,
    dumps,
    dump,
    to_device,
    compress,
    __copy__,
    __deepcopy__,
    _protocols.__array_ufunc__,
    _protocols.__array_function__,
    _protocols.__array_namespace__,
)
UNLESS_NATIVE = (
    __contains__,
    __divmod__,
    __rdivmod__,
    __matmul__,
    __rmatmul__,
    __imatmul__,
    __complex__,
)
THROUGH_DOOR = (
    "argpartition",
    "argsort",
    "byteswap",
    "choose",
    "cumprod",
    "cumsum",
    "dot",
    "getfield",
    "nonzero",
    "partition",
    "put",
    "searchsorted",
    "setfield",
    "sort",
    "take",
)
PROPERTIES = ("ctypes", "data", "flat", "__array_interface__", "__array_struct__")


def attach():
    """Gives the extension's array type the methods of this package."""
    for name, function in FUNCTIONS.items():
        setattr(ndarray, name, function)
    for function in OWN:
        setattr(ndarray, function.__name__, function)
    for function in UNLESS_NATIVE:
        if function.__name__ not in ndarray.__dict__:
            setattr(ndarray, function.__name__, function)
    for name in THROUGH_DOOR:
        setattr(ndarray, name, _method_door(name))
    for name in PROPERTIES:
        if name not in ndarray.__dict__:
            setattr(ndarray, name, _property_door(name))
    ndarray.device = property(lambda self: "cpu")
    ndarray.__array_priority__ = 0.0
    ndarray.__class_getitem__ = classmethod(_generic_alias)


def _generic_alias(cls, item):
    import types

    return types.GenericAlias(cls, item)
