"""What the formats of files share: arrays in parts on the ranks of a job, their places in files.

Each rank writes and reads its own part, so no process ever has the whole array. All ranks see one
file system. The first rank makes the file; the others find it there.
"""

import io
import os

from numpy.lib import format

from . import _fuseau
from ._base import NATIVE_DTYPES
from ._fuseau import ndarray
from ._ranks import on_first_rank


def path_of(file):
    """The path that a name stands for, the same on all ranks; None for a file object."""
    if hasattr(file, "read") or hasattr(file, "write"):
        return None
    return os.path.abspath(os.fsdecode(file))


def in_parts(x):
    """`x`, or a copy of it in C order, if its values lie in parts on the ranks of a job, else None.

    A view is copied by the ranks. What is small, or whole in this process, is not in parts.
    """
    if type(x) is not ndarray or x.ndim == 0 or not _fuseau.is_large(x.nbytes):
        return None
    if _fuseau.in_parts(x):
        return x
    x = x.copy("A")
    return x if _fuseau.in_parts(x) else None


def create(path, size, pieces=()):
    """Makes a file of so many bytes: pairs of an offset and bytes, and zeros elsewhere."""

    def write():
        with open(path, "wb") as file:
            for offset, data in pieces:
                file.seek(offset)
                file.write(data)
            file.truncate(size)

    on_first_rank(write)


def store(array, path, offset, checksum=False):
    """The parts of an array go to an existing file; the CRC-32 of its bytes if asked for."""
    return _fuseau.store_parts(array, os.fsencode(path), offset, checksum)


def load(header, path, offset, checksum=False):
    """An array in parts of a Header, and the CRC-32 of its bytes if asked for."""
    return _fuseau.load_parts(
        header.shape, header.dtype, header.fortran_order, os.fsencode(path), offset, checksum
    )


class Header:
    """What stands before the elements of an array in the format of `.npy` files."""

    def __init__(self, shape, fortran_order, dtype):
        self.shape, self.fortran_order, self.dtype = shape, fortran_order, dtype
        self.nbytes = dtype.itemsize
        for n in shape:
            self.nbytes *= n

    @classmethod
    def of(cls, array):
        """That of an array, which is contiguous in either order."""
        flags = array.flags
        return cls(array.shape, flags.f_contiguous and not flags.c_contiguous, array.dtype)

    @classmethod
    def read(cls, file, **limits):
        """Reads one; the file is at the first element then. None if it is of a later version."""
        version = format.read_magic(file)
        reader = {(1, 0): format.read_array_header_1_0, (2, 0): format.read_array_header_2_0}
        return cls(*reader[version](file, **limits)) if version in reader else None

    @property
    def is_large(self):
        """Whether the ranks of a job would share an array like this."""
        return self.shape != () and self.dtype in NATIVE_DTYPES and _fuseau.is_large(self.nbytes)

    def __bytes__(self):
        file = io.BytesIO()
        descr = format.dtype_to_descr(self.dtype)
        about = {"descr": descr, "fortran_order": self.fortran_order, "shape": self.shape}
        format.write_array_header_1_0(file, about)
        return file.getvalue()
