"""The `flags` of an array, with NumPy's names, keys and text."""

from ._layout import is_c_contiguous, is_f_contiguous

_NAMES = (
    "C_CONTIGUOUS",
    "F_CONTIGUOUS",
    "OWNDATA",
    "WRITEABLE",
    "ALIGNED",
    "WRITEBACKIFCOPY",
)
_BITS = {
    "C_CONTIGUOUS": 0x1,
    "F_CONTIGUOUS": 0x2,
    "OWNDATA": 0x4,
    "ALIGNED": 0x100,
    "WRITEABLE": 0x400,
    "WRITEBACKIFCOPY": 0x2000,
}
_SHORT = {
    "C": "c_contiguous",
    "CONTIGUOUS": "c_contiguous",
    "F": "f_contiguous",
    "FORTRAN": "f_contiguous",
    "O": "owndata",
    "W": "writeable",
    "A": "aligned",
    "X": "writebackifcopy",
    "B": "behaved",
    "CA": "carray",
    "FA": "farray",
}


class Flags:
    """What is true of an array's memory. `writeable` can be set, as `setflags` does."""

    __slots__ = ("_array",)

    def __init__(self, array):
        self._array = array

    @property
    def c_contiguous(self):
        return is_c_contiguous(self._array)

    @property
    def f_contiguous(self):
        return is_f_contiguous(self._array)

    contiguous = c_contiguous
    fortran = f_contiguous

    @property
    def owndata(self):
        return self._array.base is None

    @property
    def writeable(self):
        return self._array._writeable

    @writeable.setter
    def writeable(self, value):
        self._array.setflags(write=value)

    @property
    def aligned(self):
        return self._array._aligned

    @property
    def writebackifcopy(self):
        return False

    @property
    def fnc(self):
        return self.f_contiguous and not self.c_contiguous

    @property
    def forc(self):
        return self.f_contiguous or self.c_contiguous

    @property
    def behaved(self):
        return self.aligned and self.writeable

    @property
    def carray(self):
        return self.behaved and self.c_contiguous

    @property
    def farray(self):
        return self.behaved and self.fnc

    @property
    def num(self):
        return sum(bit for name, bit in _BITS.items() if self[name])

    def __getitem__(self, key):
        if isinstance(key, str):
            name = _SHORT.get(key, key.lower() if key in _BITS or key in _MORE else None)
            if name is not None:
                return getattr(self, name)
        raise KeyError("Unknown flag")

    def __setitem__(self, key, value):
        if key not in ("W", "WRITEABLE"):
            raise KeyError("Unknown flag")
        self.writeable = value

    def __eq__(self, other):
        return isinstance(other, Flags) and self.num == other.num

    __hash__ = None

    def __repr__(self):
        return "".join(f"  {name} : {self[name]}\n" for name in _NAMES)


_MORE = ("FNC", "FORC", "BEHAVED", "CARRAY", "FARRAY")
