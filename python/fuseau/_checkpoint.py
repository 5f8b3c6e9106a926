"""Checkpoints: arrays in a folder, complete or not there at all.

    folder/manifest.json        names, shapes, dtypes, sizes, checksums
    folder/N/0.npy, 1.npy, ...  the arrays, in NumPy's format

N grows with each checkpoint of a folder. The arrays are written first. Then a new manifest takes
the place of the old one by a rename, and what the old one named is removed. So whenever a program
ends, there is either the old checkpoint or the new one.
"""

import json
import os
import shutil
import zlib

import numpy

from . import _npy, _parts
from ._base import NATIVE_DTYPES
from ._fallback import lower
from ._fuseau import agree_on_ranks, combine_checksums, from_numpy
from ._parts import Header
from ._ranks import on_first_rank

_FORMAT, _VERSION = "fuseau checkpoint", 1
_MANIFEST = "manifest.json"
_PIECE = 1 << 24


class CheckpointError(ValueError):
    """A folder that is no checkpoint, or one that is damaged or of a later version."""


def checkpoint(path, **arrays):
    """Saves arrays and numbers to the folder `path`, in the place of what is saved there.

    In a job each rank writes its parts of arrays that lie in parts; all ranks see one file system.
    Until everything is written, `restore` gives the checkpoint before.

    Parameters
    ----------
    path : str or os.PathLike
        A folder, which is made if it is not there. Nothing else may be in it.
    **arrays
        Arrays of any shape and of any dtype but objects, and Python's numbers, by name.

    Raises
    ------
    TypeError
        A value that no array of numbers or characters can hold.
    CheckpointError
        The folder has other files.
    OSError
        A rank cannot write. The old checkpoint is still there.
    """
    folder = _parts.path_of(path)
    values = {name: _value(name, x) for name, x in arrays.items()}
    numbers = _earlier(folder)
    # All have looked before the first rank goes on.
    agree_on_ranks()
    number = str(max(numbers, default=0) + 1)
    on_first_rank(lambda: os.makedirs(os.path.join(folder, number)))
    entries = {}
    for i, (name, x) in enumerate(values.items()):
        file = os.path.join(number, f"{i}.npy")
        header = Header.of(x)
        entries[name] = {
            "file": file,
            "shape": list(header.shape),
            "dtype": numpy.lib.format.dtype_to_descr(header.dtype),
            "python": type(arrays[name]) in (bool, int, float, complex),
            "checksum": _write(os.path.join(folder, file), x, header),
        }
    manifest = {"format": _FORMAT, "version": _VERSION, "arrays": entries}
    on_first_rank(lambda: _publish(folder, number, manifest))


def restore(path):
    """What `checkpoint` saved to the folder `path`, as a dict.

    Any number of ranks can read it, whatever number wrote it. Large arrays come in parts in a job:
    each rank reads its own. Arrays have their shape, dtype and order in memory; Python's numbers
    are Python's again.

    Raises
    ------
    FileNotFoundError
        There is no checkpoint.
    CheckpointError
        It is damaged, of a later version, or something else.
    """
    folder = _parts.path_of(path)
    manifest = os.path.join(folder, _MANIFEST)
    with open(manifest, encoding="utf-8") as file:
        try:
            about = json.load(file)
        except ValueError as error:
            raise CheckpointError(f"{manifest} is no manifest: {error}") from None
    if not isinstance(about, dict) or about.get("format") != _FORMAT:
        raise CheckpointError(f"{manifest} is no manifest of a checkpoint")
    if about.get("version") != _VERSION:
        raise CheckpointError(
            f"{manifest} has version {about.get('version')}; this fuseau reads version {_VERSION}"
        )
    try:
        return {name: _read(folder, entry) for name, entry in about["arrays"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{manifest} is damaged: {error!r}") from None


def _value(name, x):
    """An array in parts, or a contiguous one of NumPy's."""
    parts = _parts.in_parts(x)
    if parts is not None:
        return parts
    x = numpy.asarray(lower(x))
    if x.dtype.hasobject:
        raise TypeError(f"{name} is of type {x.dtype}; a checkpoint has numbers and characters")
    return x if x.flags.f_contiguous else numpy.ascontiguousarray(x)


def _bytes_of(array, fortran_order):
    """The memory of a contiguous array of NumPy's."""
    return (array.T if fortran_order else array).reshape(-1).view(numpy.uint8).data


def _earlier(folder):
    """The numbers of the subfolders with arrays, complete or not."""
    names = os.listdir(folder) if os.path.exists(folder) else []
    others = [name for name in names if not name.isdecimal() and not name.startswith(_MANIFEST)]
    if others:
        raise CheckpointError(f"{folder} has files that are not of a checkpoint: {others[0]}")
    return [int(name) for name in names if name.isdecimal()]


def _write(path, x, header):
    """Writes an array; returns the CRC-32 of its file."""
    head = bytes(header)
    if type(x) is numpy.ndarray:
        body = _bytes_of(x, header.fortran_order)
        _parts.create(path, len(head) + x.nbytes, [(0, head), (len(head), body)])
        return zlib.crc32(body, zlib.crc32(head))
    checksum = _npy.write(path, x, checksum=True)
    return combine_checksums(zlib.crc32(head), checksum, x.nbytes)


def _publish(folder, number, manifest):
    """The arrays of that number are the checkpoint from now on."""
    for entry in manifest["arrays"].values():
        _flush(os.path.join(folder, entry["file"]))
    path = os.path.join(folder, _MANIFEST)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    _flush(os.path.join(folder, number))
    os.replace(f"{path}.new", path)
    _flush(folder)
    for name in os.listdir(folder):
        if name.isdecimal() and name != number:
            shutil.rmtree(os.path.join(folder, name))


def _flush(path):
    """What was written to a file or folder outlives the machine."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _read(folder, entry):
    path = os.path.join(folder, entry["file"])
    try:
        with open(path, "rb") as file:
            header = Header.read(file)
            if header is None:
                raise ValueError("its header is of a later version")
            offset = file.tell()
            file.seek(0)
            checksum = zlib.crc32(file.read(offset))
            if header.is_large:
                array, sum_of_parts = _parts.load(header, path, offset, checksum=True)
                checksum = combine_checksums(checksum, sum_of_parts, header.nbytes)
            else:
                order = "F" if header.fortran_order else "C"
                array = numpy.empty(header.shape, header.dtype, order)
                checksum = _fill(array, file, checksum)
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged: {error}") from error
    about = [list(header.shape), header.dtype, checksum]
    expected = [entry["shape"], numpy.lib.format.descr_to_dtype(entry["dtype"]), entry["checksum"]]
    if about != expected:
        raise CheckpointError(
            f"{path} is damaged: it is not what the manifest says (shape, dtype and checksum "
            f"{about}, not {expected})"
        )
    if entry["python"]:
        return array.item()
    return from_numpy(array) if header.dtype in NATIVE_DTYPES and not header.is_large else array


def _fill(array, file, checksum):
    """Reads the elements of a contiguous array; returns the checksum of all so far."""
    room = _bytes_of(array, not array.flags.c_contiguous)
    for start in range(0, len(room), _PIECE):
        piece = room[start : start + _PIECE]
        if file.readinto(piece) != len(piece):
            raise ValueError("it ends too early")
        checksum = zlib.crc32(piece, checksum)
    return checksum
