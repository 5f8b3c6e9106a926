"""Files of other formats: HDF5 and Zarr.

The packages h5py and zarr are needed for them, and imported when they are. In a job of many ranks
no process ever has the whole of a large array:

- HDF5 datasets that are one run of bytes of the file (contiguous, not chunked) are read and written
  by all ranks, each its part.
- So are Zarr arrays whose chunks are runs of the array's bytes: whole rows that are not compressed.
- Chunked HDF5 datasets and other Zarr arrays pass through the first rank, a slab of rows at a time.
  Where all ranks run the program, each reads the slabs itself.
"""

import os
import sys

import numpy

from . import _fuseau, _parts
from ._base import NATIVE_DTYPES, NATIVE_FUNCTIONS
from ._fallback import lower
from ._fuseau import from_numpy, to_numpy
from ._parts import Header
from ._ranks import on_first_rank

__all__ = ["read_hdf5", "read_zarr", "write_hdf5", "write_zarr"]

_SLAB = 1 << 24  # bytes


def read_hdf5(path, dataset):
    """Reads a dataset of an HDF5 file, by its name in the file, as an array.

    Raises FileNotFoundError for a missing file, KeyError for a missing dataset, OSError for a file
    that is none of HDF5 or that a rank cannot read. Types that fuseau lacks give NumPy's arrays.
    """
    import h5py

    with h5py.File(path, "r") as file:
        found = file[dataset]
        if not isinstance(found, h5py.Dataset):
            raise KeyError(f"{dataset} is a group of {path}, not a dataset")
        header = Header(found.shape, False, found.dtype)
        offset = found.id.get_offset()  # None if it is chunked, or in other files.
        if offset is None or file.userblock_size or not header.is_large:
            return _read(found, header)
    return _parts.load(header, _parts.path_of(path), offset)[0]


def write_hdf5(path, dataset, array):
    """Writes an array to a new, contiguous dataset of an HDF5 file, which is made if need be.

    `dataset` is its name in the file; groups on the way to it are made. ValueError if it is there
    already, OSError if a rank cannot write.
    """
    import h5py

    array = array if isinstance(array, _fuseau.ndarray) else numpy.asarray(array)
    parts = _in_c_order(array)

    def create():
        with h5py.File(path, "a") as file:
            if parts is None:
                file.create_dataset(dataset, data=lower(array))
                return
            # The place of the bytes is to be known before they are written.
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_layout(h5py.h5d.CONTIGUOUS)
            plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            file.create_dataset(dataset, parts.shape, parts.dtype, dcpl=plan)

    on_first_rank(create)
    if parts is None:
        return
    with h5py.File(path, "r") as file:
        offset = file[dataset].id.get_offset() + file.userblock_size
    _parts.store(parts, _parts.path_of(path), offset)


def read_zarr(path):
    """Reads a Zarr array, which is a folder, as an array.

    Raises FileNotFoundError if there is none. Types that fuseau lacks give NumPy's arrays.
    """
    import zarr

    found = zarr.open_array(path, mode="r")
    header = Header(found.shape, False, found.dtype)
    if not header.is_large or not _has_plain_chunks(found):
        return _read(found, header)
    array = NATIVE_FUNCTIONS["empty"](header.shape, header.dtype)
    for rows, file, size in _chunk_files(found):
        part = Header((rows.stop - rows.start, *header.shape[1:]), False, header.dtype)
        # A chunk that has no file is full of one value.
        if part.is_large and os.path.isfile(file) and os.path.getsize(file) == size:
            array[rows] = _parts.load(part, file, 0)[0]
        else:
            array[rows] = found[rows]
        array.eval()
    return array


def write_zarr(path, array, **options):
    """Writes an array as a Zarr array to the folder `path`, in the place of one that is there.

    `options` are those of `zarr.create_array`, such as `chunks` and `compressors`.
    """
    import zarr

    array = array if isinstance(array, _fuseau.ndarray) else numpy.asarray(array)
    parts = _in_c_order(array)
    made = []

    def create():
        made.append(
            zarr.create_array(path, shape=array.shape, dtype=array.dtype, overwrite=True, **options)
        )
        if parts is None:
            made[0][...] = lower(array)

    on_first_rank(create)
    if parts is None:
        return
    found = zarr.open_array(path, mode="r")
    if _has_plain_chunks(found):
        for rows, file, size in _chunk_files(found):
            part = _parts.in_parts(parts[rows])
            if part is None:
                _write_slab(made, parts, rows)
                continue
            on_first_rank(lambda file=file: os.makedirs(os.path.dirname(file), exist_ok=True))
            _parts.create(file, size)
            _parts.store(part, file, 0)
        return
    for start, stop in _slabs(Header.of(parts), found.chunks[0]):
        _write_slab(made, parts, slice(start, stop))


def _write_slab(made, parts, rows):
    """Writes rows by way of the first rank, which alone has `made` a Zarr array."""
    # A view would bring all of the array here.
    slab = to_numpy(parts[rows].copy("C"))

    def write():
        made[0][rows] = slab

    on_first_rank(write)


def _has_plain_chunks(found):
    """Whether each chunk of a Zarr array has a file with nothing but the bytes of whole rows."""
    from zarr.storage import LocalStore

    if not isinstance(found.store, LocalStore) or found.chunks[1:] != found.shape[1:]:
        return False
    about = found.metadata.to_dict()
    if about["zarr_format"] == 2:
        native = numpy.dtype(about["dtype"]).isnative
        return native and not (about["compressor"] or about["filters"] or about["order"] != "C")
    names = [codec["name"] for codec in about["codecs"]]
    order = about["codecs"][0].get("configuration", {}).get("endian", sys.byteorder)
    return names == ["bytes"] and order == sys.byteorder


def _chunk_files(found):
    """For each chunk of whole rows: its rows, its file, and the size of that."""
    rows, step = found.shape[0], found.chunks[0]
    size = Header(found.chunks, False, found.dtype).nbytes  # The last one is as long as all.
    folder = os.path.join(os.path.abspath(found.store.root), found.path)
    for number, start in enumerate(range(0, rows, step)):
        key = found.metadata.encode_chunk_key((number, *(0 for _ in found.shape[1:])))
        yield slice(start, min(start + step, rows)), os.path.join(folder, key), size


def _in_c_order(array):
    """The array, or a copy in C order, if its values lie in parts; else None."""
    parts = _parts.in_parts(array)
    if parts is None or parts.flags.c_contiguous:
        return parts
    return _parts.in_parts(parts.copy("C"))


def _slabs(header, unit):
    """Ranges of rows that have some megabytes, in whole units of so many rows."""
    rows = header.shape[0]
    step = max(_SLAB * rows // header.nbytes // unit, 1) * unit
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]


def _read(source, header):
    """The values of a dataset that NumPy's arrays are read from by slices."""
    if header.dtype not in NATIVE_DTYPES:
        return source[()]
    if not header.is_large:
        return from_numpy(numpy.asarray(source[()]))
    array = NATIVE_FUNCTIONS["empty"](header.shape, header.dtype)
    chunks = source.chunks
    for start, stop in _slabs(header, chunks[0] if chunks else 1):
        array[start:stop] = source[start:stop]
        # The slab goes to the ranks before the next one is read.
        array.eval()
    return array
