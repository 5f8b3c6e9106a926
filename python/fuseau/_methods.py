"""The methods of arrays that the extension leaves to Python."""

import builtins
import math
import operator
import types

import numpy

from . import _computed, _elementwise, _fallback, _fuseau, _reductions, _routines, _shape
from ._base import as_method, as_shape, from_foreign
from ._flat import Flat
from ._fuseau import UFUNCS, ndarray, snapshot, to_numpy
from ._scalar import is_scalar


def __array_finalize__(self, obj, /):
    """What subclasses extend: nothing is left to do for an array itself."""


def __setstate__(self, state, /):
    """Becomes what `__reduce__` of NumPy's array gave."""
    made = numpy.empty(0)
    made.__setstate__(state)
    _fuseau.rebind(self, from_foreign(made))
    self._foreign = made.base is not None


def conjugate(self, *args, **kwargs):
    """The complex conjugate; other arrays are returned themselves."""
    if self.dtype.kind != "c" and not args and not kwargs:
        return self
    return UFUNCS["conjugate"](self, *args, **kwargs)


def setflags(self, write=None, align=None, uic=None):
    """Sets whether the array can be written to."""
    if uic:
        raise ValueError("cannot set WRITEBACKIFCOPY flag to True")
    if write is not None:
        self._writeable = write


def tobytes(self, order="C"):
    """The elements as bytes."""
    return snapshot(self).tobytes(order)


def tofile(self, fid, sep="", format="%s"):
    """Writes the elements to a file."""
    snapshot(self).tofile(fid, sep, format)


def dumps(self):
    """The array pickled as bytes."""
    import pickle

    return pickle.dumps(self)


def dump(self, file):
    """The array pickled to a file."""
    import pickle

    if hasattr(file, "write"):
        pickle.dump(self, file)
        return
    with open(file, "wb") as stream:
        pickle.dump(self, stream)


def to_device(self, device, /, *, stream=None):
    """The array itself, for the only device NumPy knows."""
    if device != "cpu":
        raise ValueError(f"Unsupported device: {device}. Only 'cpu' is accepted.")
    if stream is not None:
        raise ValueError("The stream argument in to_device() is not supported")
    return self


def __copy__(self):
    return self.copy("K")


def __deepcopy__(self, memo):
    return self.copy("K")


def clip(self, min=None, max=None, out=None, **kwargs):
    """The elements limited to an interval; None leaves an end open."""
    return _elementwise.clip(self, min, max, out, **kwargs)


def resize(self, *new_shape, refcheck=True):
    """Changes shape and size in place; new elements are zeros."""
    operator.index(refcheck)
    if not new_shape or new_shape == (None,):
        return
    if len(new_shape) == 1 and not hasattr(new_shape[0], "__index__"):
        new_shape = new_shape[0]
    shape = as_shape(tuple(new_shape))
    if math.prod(shape) == self.size and self.flags.c_contiguous:
        self.shape = shape
        return
    if self.base is not None or self.is_scalar:
        raise ValueError("cannot resize this array: it does not own its data")
    kept = builtins.min(self.size, math.prod(shape))
    resized = _fuseau.zeros(shape, self.dtype, "C")
    # The elements in the order of memory.
    resized.reshape(-1)[:kept] = self.ravel("K")[:kept]
    _fuseau.rebind(self, resized)


def __round__(self, ndigits=None):
    return round(_scalar_of(self, "round"), ndigits)


def __trunc__(self):
    return math.trunc(_scalar_of(self, "trunc"))


def __floor__(self):
    return math.floor(_scalar_of(self, "floor"))


def __ceil__(self):
    return math.ceil(_scalar_of(self, "ceil"))


def _scalar_of(self, name):
    """NumPy's scalar that an array stands for."""
    if not is_scalar(self):
        raise TypeError(f"type numpy.ndarray doesn't define __{name}__ method")
    return snapshot(self)[()]


def compress(self, condition, axis=None, out=None):
    """The slices along an axis where a condition is true."""
    return _routines.compress(condition, self, axis, out)


def __divmod__(self, other):
    return _divmod(self, other)


def __rdivmod__(self, other):
    return _divmod(other, self)


def _divmod(x, y):
    from ._ufunc import COMPOSED

    return COMPOSED["divmod"](x, y)


def __array_wrap__(self, array, context=None, return_scalar=False, /):
    """What a function computed of an array, as an array of its kind."""
    return array[()] if return_scalar and array.ndim == 0 else array


def __sizeof__(self):
    """The bytes of the array and, if it has storage of its own, of that."""
    return object.__sizeof__(self) + (self.nbytes if self.base is None else 0)


def __array_namespace__(self, *, api_version=None):
    """The module of the array API standard's functions."""
    # NumPy knows which versions there are.
    numpy.empty(0).__array_namespace__(api_version=api_version)
    import fuseau

    return fuseau


FUNCTIONS = {
    **_reductions.METHODS,
    **_routines.METHODS,
    **_computed.METHODS,
    "round": _elementwise.round,
    "swapaxes": _shape.swapaxes,
    "diagonal": _shape.diagonal,
    "repeat": _shape.repeat,
    "trace": _shape.trace,
    "conj": conjugate,
    "conjugate": conjugate,
}
"""Methods that are functions of the namespace, with the array as their first argument."""

OWN = (
    __array_finalize__,
    __setstate__,
    setflags,
    tobytes,
    tofile,
    dumps,
    dump,
    to_device,
    clip,
    resize,
    compress,
    __round__,
    __trunc__,
    __floor__,
    __ceil__,
    __copy__,
    __deepcopy__,
    __array_namespace__,
    __array_wrap__,
    __sizeof__,
)
UNLESS_NATIVE = (__divmod__, __rdivmod__)
THROUGH_DOOR = ("byteswap", "getfield", "setfield")
PROPERTIES = ("ctypes", "__array_struct__")
OF_SCALARS = ("is_integer", "as_integer_ratio", "hex", "bit_count")
"""Methods of NumPy's scalars that its arrays do not have."""


def attach():
    """Gives the extension's array type the methods of this package."""
    for name, function in FUNCTIONS.items():
        setattr(ndarray, name, as_method(function, name))
    for function in OWN:
        name = function.__name__
        setattr(ndarray, name, as_method(function, name))
    for function in UNLESS_NATIVE:
        if function.__name__ not in ndarray.__dict__:
            setattr(ndarray, function.__name__, function)
    for name in THROUGH_DOOR:
        setattr(ndarray, name, _fallback.door(f"ndarray.{name}"))
    for name in PROPERTIES:
        setattr(ndarray, name, _of_numpy(name))
    for name in OF_SCALARS:
        setattr(ndarray, name, _of_scalar(name))
    ndarray.flat = property(Flat, _set_flat)
    ndarray._with_strides = _with_strides
    ndarray.__new__ = _fuseau.new_array
    _fuseau.set_metaclass(ndarray, ArrayType)
    _fuseau.set_metaclass(_fuseau.ufunc, UfuncType)
    ndarray.device = property(lambda self: "cpu", doc="The device of the array, always 'cpu'.")
    ndarray.__class_getitem__ = classmethod(types.GenericAlias)


class ArrayType(type):
    """The type of `ndarray`: NumPy's own arrays, which stand for what fuseau has no type for, count
    as instances too, and a subclass is a subclass of NumPy's array.
    """

    def __new__(cls, name, bases, namespace, **kwargs):
        bases = tuple(SubclassedArray if base is ndarray else base for base in bases)
        return type(numpy.ndarray)(name, bases, namespace, **kwargs)

    def __instancecheck__(cls, x):
        return type(x) is cls or isinstance(x, numpy.ndarray)

    def __subclasscheck__(cls, other):
        return other is cls or issubclass(other, numpy.ndarray)


class SubclassedArray(numpy.ndarray):
    """What subclasses of `ndarray` are made from: NumPy's array, which knows ours as its type."""

    __module__ = "fuseau"

    def view(self, *args, **kwargs):
        """NumPy's view; the type of arrays may be named by ours."""
        args = [numpy.ndarray if x is ndarray else x for x in args]
        kwargs = {key: numpy.ndarray if x is ndarray else x for key, x in kwargs.items()}
        return super().view(*args, **kwargs)


class UfuncType(type):
    """The type of `ufunc`: NumPy's own ufuncs and those outside of the table count as instances."""

    def __instancecheck__(cls, x):
        from ._ufunc import ComposedUfunc

        return type(x) in (cls, ComposedUfunc) or isinstance(x, numpy.ufunc)


def _of_scalar(name):
    """A method that only arrays in the place of scalars have."""

    def get(self):
        if is_scalar(self):
            return getattr(snapshot(self)[()], name)
        raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")

    return property(get, doc=getattr(numpy.float64, name, getattr(numpy.int64, name, None)).__doc__)


def _set_flat(self, values):
    to_numpy(self).flat = _fallback.lower(values)


def _with_strides(self, strides):
    strides = (strides,) if hasattr(strides, "__index__") else tuple(strides)
    # NumPy checks that the elements stay inside the memory.
    numpy.empty_like(to_numpy(self)).strides = strides
    return _fuseau.as_strided(self, 0, self.shape, strides, True)


def _of_numpy(name):
    """A property that NumPy's view of the storage answers."""
    doc = getattr(numpy.ndarray, name).__doc__
    return property(lambda self: getattr(to_numpy(self), name), doc=doc)
