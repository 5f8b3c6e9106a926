"""NumPy's `.npz` files with arrays in parts.

A member that is stored, not compressed, is one run of bytes of the file. So each rank writes and
reads its own part of it, and the checksum that a zip file has for it is combined from theirs.
"""

import io
import time
import warnings
import zipfile
import zlib

import numpy
from numpy.lib import format

from . import _fuseau, _parts
from ._fallback import FallbackWarning, call_quietly, lower
from ._parts import Header
from ._ranks import on_first_rank

_LOCAL_HEADER = 30  # bytes before the name


def savez(file, *args, allow_pickle=True, **kwds):
    """Saves several arrays to one file in NumPy's `.npz` format, not compressed.

    Where the ranks of a job hold some in parts and `file` is a path, each writes its own parts.
    """
    path = _parts.path_of(file)
    arrays = {f"arr_{i}": x for i, x in enumerate(args)} | kwds
    parts = {name: _parts.in_parts(x) for name, x in arrays.items()} if path else {}
    clash = len(arrays) < len(args) + len(kwds)
    if clash or not any(x is not None for x in parts.values()):
        options = {"allow_pickle": allow_pickle} | kwds
        call_quietly("savez", numpy.savez, (file, *args), options)
        return
    if not path.endswith(".npz"):
        path += ".npz"
    members, end = [], 0
    for name, x in arrays.items():
        members.append(_Member(name, parts[name], x, allow_pickle, end))
        end = members[-1].end
    _parts.create(path, end)
    for member in members:
        member.store(path)
    on_first_rank(lambda: _finish(path, members, end))


def savez_compressed(file, *args, allow_pickle=True, **kwds):
    """Saves several arrays to one file in NumPy's compressed `.npz` format.

    What is compressed has no place that is known beforehand: arrays in parts come to this process,
    one after the other, with a warning.
    """
    if any(_parts.in_parts(x) is not None for x in (*args, *kwds.values())):
        warnings.warn(
            "savez_compressed brings arrays of all ranks to one process; savez does not",
            FallbackWarning,
            stacklevel=2,
        )
    options = {"allow_pickle": allow_pickle} | kwds
    return call_quietly("savez_compressed", numpy.savez_compressed, (file, *args), options)


class _Member:
    """An array in a zip file: where it is, and what is known of it before its checksum."""

    def __init__(self, name, parts, x, allow_pickle, start):
        self.parts = parts
        if parts is None:
            x = numpy.asanyarray(lower(x))
            self.head = io.BytesIO()
            format.write_array(self.head, x, allow_pickle=allow_pickle)
            self.head = self.head.getvalue()
            size = len(self.head)
        else:
            self.head = bytes(Header.of(parts))
            size = len(self.head) + parts.nbytes
        self.info = zipfile.ZipInfo(f"{name}.npy", time.localtime()[:6])
        self.info.header_offset = start
        self.info.file_size = self.info.compress_size = size
        self.info.CRC = zlib.crc32(self.head)
        self.start = start + len(self.info.FileHeader(zip64=True))
        self.end = self.start + size

    def store(self, path):
        """Writes the elements, if they are in parts."""
        if self.parts is not None:
            sum_of_parts = _parts.store(self.parts, path, self.start + len(self.head), True)
            self.info.CRC = _fuseau.combine_checksums(
                self.info.CRC, sum_of_parts, self.parts.nbytes
            )


def _finish(path, members, end):
    """Writes what is not in parts, and the directory of the file."""
    with open(path, "r+b") as file, zipfile.ZipFile(file, "w") as archive:
        for member in members:
            file.seek(member.info.header_offset)
            file.write(member.info.FileHeader(zip64=True))
            file.write(member.head)
            archive.filelist.append(member.info)
            archive.NameToInfo[member.info.filename] = member.info
        archive.start_dir = end


def in_job(loaded, path, limits):
    """NumPy's object of an open `.npz` file, with large arrays in parts."""
    loaded.__class__ = _NpzFile
    loaded.path, loaded.limits = path, limits
    return loaded


class _NpzFile(numpy.lib.npyio.NpzFile):
    def __getitem__(self, key):
        info = self._info_of(key)
        array = None if info is None else self._parts_of(info)
        return super().__getitem__(key) if array is None else array

    def _info_of(self, key):
        for name in (key, f"{key}.npy"):
            if name in self.zip.NameToInfo:
                info = self.zip.getinfo(name)
                plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1
                return info if plain else None
        return None

    def _parts_of(self, info):
        """The array in parts, if it is large."""
        with open(self.path, "rb") as file:
            file.seek(info.header_offset)
            local = file.read(_LOCAL_HEADER)
            start = file.tell() + int.from_bytes(local[26:28], "little")
            start += int.from_bytes(local[28:30], "little")
            file.seek(start)
            if file.read(len(format.MAGIC_PREFIX)) != format.MAGIC_PREFIX:
                return None
            file.seek(start)
            header = Header.read(file, **self.limits)
            offset = file.tell()
            if header is None or not header.is_large:
                return None
            if offset - start + header.nbytes != info.file_size:
                raise zipfile.BadZipFile(f"{self.path}: {info.filename} has a wrong size")
            file.seek(start)
            crc = zlib.crc32(file.read(offset - start))
        array, sum_of_parts = _parts.load(header, self.path, offset, checksum=True)
        if _fuseau.combine_checksums(crc, sum_of_parts, header.nbytes) != info.CRC:
            raise zipfile.BadZipFile(f"{self.path}: bad CRC-32 of {info.filename}")
        return array
