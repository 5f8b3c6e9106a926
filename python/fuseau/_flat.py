"""`ndarray.flat`: the elements of an array one after another."""

import numpy

from . import _fallback
from ._fuseau import to_numpy


class Flat:
    """NumPy's iterator over the storage of an array, which takes and gives fuseau arrays."""

    __slots__ = ("_array", "_numpy")
    __hash__ = None
    __class__ = property(lambda self: numpy.flatiter)

    def __init__(self, array):
        self._array = array
        self._numpy = to_numpy(array).flat

    base = property(lambda self: self._array)
    coords = property(lambda self: self._numpy.coords)
    index = property(lambda self: self._numpy.index)

    def copy(self):
        """The elements as an array of one dimension."""
        return self._array.flatten()

    def __array__(self, dtype=None, /, *, copy=None):
        return self._numpy.__array__(*(() if dtype is None else (dtype,)))

    def __len__(self):
        return len(self._numpy)

    def __iter__(self):
        return iter(self._numpy)

    def __next__(self):
        return next(self._numpy)

    def __getitem__(self, key):
        return _fallback.call_quietly("flatiter", self._numpy.__getitem__, (key,), {})

    def __setitem__(self, key, value):
        self._numpy[_fallback.lower(key)] = _fallback.lower(value)

    def __delitem__(self, key):
        raise TypeError("Cannot delete iterator elements")

    def __eq__(self, other):
        return self.copy() == other

    def __ne__(self, other):
        return self.copy() != other

    def __lt__(self, other):
        return self.copy() < other

    def __le__(self, other):
        return self.copy() <= other

    def __gt__(self, other):
        return self.copy() > other

    def __ge__(self, other):
        return self.copy() >= other
