"""NumPy's `save` and `load` for arrays in parts. Everything else is NumPy's."""

import numpy
from numpy.lib import format

from . import _fuseau, _npz, _parts
from ._fallback import call_quietly
from ._parts import Header


def save(file, arr, allow_pickle=True):
    """Saves an array to a file in NumPy's `.npy` format.

    Where the ranks of a job hold `arr` in parts and `file` is a path, each writes its own part.
    The shape, the dtype and the order in memory are kept; OSError if a rank cannot write.
    """
    path, array = _parts.path_of(file), _parts.in_parts(arr)
    if path is None or array is None:
        call_quietly("save", numpy.save, (file, arr), {"allow_pickle": allow_pickle})
        return
    if not path.endswith(".npy"):
        path += ".npy"
    write(path, array)


def write(path, array, checksum=False):
    """Writes an array in parts. Returns the CRC-32 of the file without its header, if asked for."""
    header = bytes(Header.of(array))
    _parts.create(path, len(header) + array.nbytes, [(0, header)])
    return _parts.store(array, path, len(header), checksum)


def load(
    file,
    mmap_mode=None,
    allow_pickle=False,
    fix_imports=True,
    encoding="ASCII",
    *,
    max_header_size=10000,
):
    """Loads what `save`, `savez` or `savez_compressed` wrote.

    In a job of many ranks, from a path, large arrays of numbers come in parts: each rank reads its
    own. So do those of an `.npz` file, when they are asked for. OSError if a rank cannot read, or
    if the file is too short.
    """
    path = _parts.path_of(file) if mmap_mode is None and _fuseau.ranks() else None
    limits = {"max_header_size": 2**64 if allow_pickle else max_header_size}
    if path is not None and encoding in ("ASCII", "latin1", "bytes"):
        with open(file, "rb") as source:
            if source.read(len(format.MAGIC_PREFIX)) == format.MAGIC_PREFIX:
                source.seek(0)
                header = Header.read(source, **limits)
                if header is not None and header.is_large:
                    return _parts.load(header, path, source.tell())[0]
    options = {
        "allow_pickle": allow_pickle,
        "fix_imports": fix_imports,
        "encoding": encoding,
        "max_header_size": max_header_size,
    }
    loaded = call_quietly("load", numpy.load, (file, mmap_mode), options)
    if path is not None and type(loaded) is numpy.lib.npyio.NpzFile:
        return _npz.in_job(loaded, path, limits)
    return loaded


FUNCTIONS = {
    "load": load,
    "save": save,
    "savez": _npz.savez,
    "savez_compressed": _npz.savez_compressed,
}
