"""The methods of arrays that the extension leaves to Python."""

import types

import numpy

from . import _elementwise, _fallback, _reductions, _routines, _shape
from ._fuseau import UFUNCS, ndarray, snapshot, to_numpy


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


def __array_namespace__(self, *, api_version=None):
    """The module of the array API standard's functions."""
    # NumPy knows which versions there are.
    numpy.empty(0).__array_namespace__(api_version=api_version)
    import fuseau

    return fuseau


FUNCTIONS = {
    **_reductions.METHODS,
    **_routines.METHODS,
    "clip": _elementwise.clip,
    "round": _elementwise.round,
    "swapaxes": _shape.swapaxes,
    "diagonal": _shape.diagonal,
    "repeat": _shape.repeat,
    "trace": _shape.trace,
    "conj": conjugate,
}
"""Methods that are functions of the namespace, with the array as their first argument."""

OWN = (
    conjugate,
    setflags,
    tobytes,
    tofile,
    dumps,
    dump,
    to_device,
    compress,
    __copy__,
    __deepcopy__,
    __array_namespace__,
)
UNLESS_NATIVE = (__divmod__, __rdivmod__)
THROUGH_DOOR = (
    "argpartition",
    "byteswap",
    "choose",
    "getfield",
    "partition",
    "put",
    "resize",
    "searchsorted",
    "setfield",
)
PROPERTIES = ("ctypes", "flat", "__array_struct__")


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
        setattr(ndarray, name, _fallback.door(f"ndarray.{name}"))
    for name in PROPERTIES:
        setattr(ndarray, name, _of_numpy(name))
    ndarray.device = property(lambda self: "cpu")
    ndarray.__class_getitem__ = classmethod(types.GenericAlias)


def _of_numpy(name):
    """A property that NumPy's view of the storage answers."""
    return property(lambda self: getattr(to_numpy(self), name))
