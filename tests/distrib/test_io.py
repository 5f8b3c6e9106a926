"""HDF5 and Zarr: the libraries read what ranks wrote, and they what the libraries wrote."""

import sys
import textwrap

import numpy
import pytest
from engines import fuseau_run, run

h5py = pytest.importorskip("h5py", reason="tools/requirements.txt has it")
zarr = pytest.importorskip("zarr", reason="tools/requirements.txt has it")

HEAD = """
import sys, numpy
import fuseau as np
import fuseau.io as io

io._SLAB = 4096
def fetched():
    return np.stats()["bytes_fetched"]

"""
VALUES = numpy.arange(60 * 50.0).reshape(60, 50) + 0.25


@pytest.fixture(params=["alone", "threads", "spmd"])
def start(request, tmp_path):
    """Runs a program, in an empty folder; returns what it prints."""

    def go(text):
        words = ["-c", HEAD + textwrap.dedent(text)]
        more = {"FUSEAU_PARTITION_BYTES": "0", "cwd": tmp_path}
        if request.param == "spmd":
            status, out, err = fuseau_run("-n", "2", "--spmd", *words, **more)
        else:
            if request.param == "threads":
                more["FUSEAU_THREAD_RANKS"] = "3"
            status, out, err = run(sys.executable, *words, **more)
        assert (status, err) == (0, ""), err
        return out

    go.alone = request.param == "alone"
    return go


def test_hdf5_that_ranks_write(start, tmp_path):
    out = start("""
        a = np.arange(60 * 50.0).reshape(60, 50) + 0.25
        io.write_hdf5("x.h5", "group/a", a)
        io.write_hdf5("x.h5", "t", a.T)
        io.write_hdf5("x.h5", "z", a * 1j)
        io.write_hdf5("x.h5", "list", [1, 2, 3])
        print(fetched(), np.stats()["bytes_stored"])
        try:
            io.write_hdf5("x.h5", "t", a)
        except ValueError as error:
            print("exists" in str(error))
        b = io.read_hdf5("x.h5", "group/a") + io.read_hdf5("x.h5", "t").T
        b.eval()
        print(fetched(), float(b.sum()))
    """)
    stored = 0 if start.alone else 4 * VALUES.nbytes
    assert out.splitlines() == [f"0 {stored}", "True", f"0 {2 * VALUES.sum()}"]
    with h5py.File(tmp_path / "x.h5") as file:
        assert (file["group/a"][()] == VALUES).all() and file["group/a"].chunks is None
        assert (file["t"][()] == VALUES.T).all() and (file["z"][()] == VALUES * 1j).all()
        assert list(file["list"]) == [1, 2, 3]


def test_hdf5_of_the_library(start, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w", userblock_size=512) as file:
        file["plain"] = VALUES
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["plain"] = VALUES
        file.create_dataset("packed", data=VALUES, chunks=(7, 50), compression="gzip")
        file["text"] = "words"
        file["one"] = 2.5
    out = start("""
        a, b = io.read_hdf5("x.h5", "plain"), io.read_hdf5("y.h5", "plain")
        c = io.read_hdf5("y.h5", "packed")
        d = (a + b + c).eval()
        print(fetched(), np.stats()["bytes_loaded"], type(c) is np.ndarray, c.shape)
        print(float(d.sum()), io.read_hdf5("y.h5", "text"), float(io.read_hdf5("y.h5", "one")))
        for path, name in (("missing.h5", "x"), ("y.h5", "missing"), ("y.h5", "/")):
            try:
                io.read_hdf5(path, name)
            except (OSError, KeyError) as error:
                print(type(error).__name__)
    """)
    loaded = 0 if start.alone else VALUES.nbytes
    assert out.splitlines() == [
        f"0 {loaded} True (60, 50)",
        f"{3 * VALUES.sum()} b'words' 2.5",
        "FileNotFoundError",
        "KeyError",
        "KeyError",
    ]


def test_zarr(start, tmp_path):
    library = zarr.create_array(tmp_path / "in.zarr", shape=(60, 50), chunks=(7, 20), dtype="f8")
    library[...] = VALUES
    out = start("""
        a = io.read_zarr("in.zarr")
        b = (a * 2).eval()
        print(fetched(), type(a) is np.ndarray)
        io.write_zarr("out.zarr", b, chunks=(7, 50))
        io.write_zarr("f.zarr", b.T)
        io.write_zarr("list.zarr", [1, 2, 3])
        print(float(b.sum()))
        try:
            io.read_zarr("missing.zarr")
        except FileNotFoundError:
            print("missing")
    """)
    assert out == f"0 True\n{2 * VALUES.sum()}\nmissing\n"
    assert (zarr.open_array(tmp_path / "out.zarr", mode="r")[...] == VALUES * 2).all()
    assert zarr.open_array(tmp_path / "out.zarr", mode="r").chunks == (7, 50)
    assert (zarr.open_array(tmp_path / "f.zarr", mode="r")[...] == VALUES.T * 2).all()
    assert list(zarr.open_array(tmp_path / "list.zarr", mode="r")[...]) == [1, 2, 3]


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_without_compression(start, tmp_path, version):
    """Each rank has its own bytes of the files of chunks; the last chunk is longer than its rows."""
    more = {"shape": (60, 50), "dtype": "f8", "compressors": None, "zarr_format": version}
    library = zarr.create_array(tmp_path / "in.zarr", chunks=(25, 50), **more)
    library[:50] = VALUES[:50]  # The last chunk is not there.
    out = start(f"""
        a = io.read_zarr("in.zarr")
        print(fetched(), np.stats()["bytes_loaded"], float(a.sum()))
        b = (a * 2).eval()
        plain = dict(compressors=None, zarr_format={version})
        io.write_zarr("rows.zarr", b, chunks=(25, 50), **plain)
        io.write_zarr("column.zarr", b[:, 3], chunks=(7,), **plain)
        print(fetched(), np.stats()["bytes_stored"])
        io.write_zarr("tiles.zarr", b, chunks=(25, 20), **plain)
    """)
    values = VALUES.copy()
    values[50:] = 0
    loaded, stored = (0, 0) if start.alone else (50 * 50 * 8, 60 * 50 * 8 + 60 * 8)
    assert out == f"0 {loaded} {values.sum()}\n0 {stored}\n"
    for name, expected in (("rows", values), ("column", values[:, 3]), ("tiles", values)):
        assert (zarr.open_array(tmp_path / f"{name}.zarr", mode="r")[...] == 2 * expected).all()


def test_no_process_has_the_whole(start):
    """Chunked files pass through the first rank by slabs; what is fetched at once is one of them."""
    out = start("""
        a = np.arange(60 * 50.0).reshape(60, 50)
        a.eval()
        peaks = []
        to_numpy = io.to_numpy
        io.to_numpy = lambda slab: peaks.append(slab.nbytes) or to_numpy(slab)
        io.write_zarr("slabs.zarr", a, chunks=(7, 50))
        print(fetched(), max(peaks, default=0))
    """)
    assert out == ("0 0\n" if start.alone else f"{VALUES.nbytes} {7 * 50 * 8}\n")
