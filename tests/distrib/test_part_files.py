"""Files of arrays that lie in parts: NumPy reads what ranks wrote, and they what it wrote."""

import sys
import textwrap

import numpy
import pytest
from engines import fuseau_run, run

HEAD = """
import os, sys, zipfile
import numpy
import fuseau as np

def fetched():
    return np.stats()["bytes_fetched"]

"""
KINDS = {"controller": [], "spmd": ["--spmd"]}


@pytest.fixture(params=["threads", "controller", "spmd"])
def ranks(request, tmp_path):
    """Runs a program on ranks, in an empty folder; returns what it prints."""

    def start(text, **more):
        words = ["-c", HEAD + textwrap.dedent(text)]
        more |= {"FUSEAU_PARTITION_BYTES": "0"}
        if request.param == "threads":
            more |= {"FUSEAU_THREAD_RANKS": "3"}
            status, out, err = run(sys.executable, *words, cwd=tmp_path, **more)
        else:
            flags = KINDS[request.param]
            status, out, err = fuseau_run("-n", "2", *flags, *words, cwd=tmp_path, **more)
        assert (status, err) == (0, ""), err
        return out

    return start


VALUES = numpy.arange(60 * 50.0).reshape(60, 50) + 0.25


def test_save_gathers_nothing(ranks, tmp_path):
    out = ranks("""
        a = np.arange(60 * 50.0).reshape(60, 50) + 0.25
        np.save("c", a)
        np.save("f.npy", a.T)
        np.save("view.npy", a[3:40, ::2])
        np.save("rows.npy", a[10:20])
        np.save("row.npy", a[:1])
        np.save("complex.npy", a * 1j)
        print(fetched(), np.stats()["bytes_stored"])
    """)
    stored = 2 * VALUES.nbytes + 37 * 25 * 8 + 10 * 50 * 8 + 50 * 8 + 2 * VALUES.nbytes
    assert out == f"0 {stored}\n"
    expected = {
        "c": VALUES,
        "f": VALUES.T,
        "view": VALUES[3:40, ::2],
        "rows": VALUES[10:20],
        "row": VALUES[:1],
        "complex": VALUES * 1j,
    }
    for name, values in expected.items():
        path = tmp_path / f"{name}.npy"
        numpy.save(tmp_path / "numpy.npy", values)
        assert path.read_bytes() == (tmp_path / "numpy.npy").read_bytes(), name


def test_load_gives_parts(ranks, tmp_path):
    numpy.save(tmp_path / "c.npy", VALUES)
    numpy.save(tmp_path / "f.npy", VALUES.T)
    numpy.save(tmp_path / "one.npy", VALUES[None])
    numpy.save(tmp_path / "swapped.npy", VALUES.astype(">f8"))
    numpy.save(tmp_path / "text.npy", numpy.array(["a", "bc"]))
    numpy.save(tmp_path / "empty.npy", VALUES[:0])
    out = ranks("""
        c, f, one = np.load("c.npy"), np.load("f.npy"), np.load("one.npy")
        x = (c * 2 + f.T + one[0]).eval()
        print(fetched(), np.stats()["bytes_loaded"], type(c) is np.ndarray, f.flags.f_contiguous)
        print(float(x.sum()), c.shape, f.shape, one.shape)
        print(np.load("swapped.npy").sum(), np.load("text.npy"), np.load("empty.npy").shape)
        with open("c.npy", "rb") as file:
            print((np.load(file) == c).all())
        c[0, 0] = 7.0
        print(float(c[0, 0]), float(c[59, 49]))
    """)
    total = float((VALUES * 4).sum())
    assert out.splitlines() == [
        f"0 {3 * VALUES.nbytes} True True",
        f"{total} (60, 50) (50, 60) (1, 60, 50)",
        f"{VALUES.sum()} ['a' 'bc'] (0, 50)",
        "True",
        f"7.0 {VALUES[59, 49]}",
    ]


def test_npz(ranks, tmp_path):
    out = ranks("""
        a = np.arange(60 * 50.0).reshape(60, 50) + 0.25
        np.savez("all", a, few=numpy.arange(3), f=a.T, text=numpy.array("x"))
        before = fetched()
        with np.load("all.npz") as file:
            b, f = file["arr_0"], file["f.npy"]
            print(sorted(file.files), (b + f.T).eval().shape, file["few"], file["text"])
        print(before, fetched(), float((b + f.T).sum()))
    """)
    assert out.splitlines() == [
        "['arr_0', 'f', 'few', 'text'] (60, 50) [0 1 2] x",
        f"0 24 {2 * VALUES.sum()}",  # What was printed.
    ]
    with numpy.load(tmp_path / "all.npz") as file:  # Checks the checksums.
        assert (file["arr_0"] == VALUES).all() and (file["f"] == VALUES.T).all()
        assert (file["few"] == [0, 1, 2]).all() and file["text"] == "x"


def test_npz_of_numpy(ranks, tmp_path):
    numpy.savez(tmp_path / "plain.npz", VALUES, n=3)
    numpy.savez_compressed(tmp_path / "packed.npz", VALUES)
    data = bytearray((tmp_path / "plain.npz").read_bytes())
    data[data.index(VALUES[30].tobytes())] ^= 1
    (tmp_path / "damaged.npz").write_bytes(data)
    out = ranks("""
        with np.load("plain.npz") as plain, np.load("packed.npz") as packed:
            a = plain["arr_0"]
            print(fetched(), float((a - packed["arr_0"]).sum()), int(plain["n"]))
        try:
            np.load("damaged.npz")["arr_0"]
        except zipfile.BadZipFile as error:
            print("bad CRC-32 of arr_0.npy" in str(error))
    """)
    assert out == "0 0.0 3\nTrue\n"


def test_compressed_files_gather_with_a_warning(ranks, tmp_path):
    out = ranks("""
        import warnings
        a = np.arange(3000.0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            np.savez_compressed("rank%d" % np.ranks()["rank"], a=a)
        print(len(caught), caught[0].category.__name__, caught[0].filename, fetched() > 0)
    """)
    assert out == "1 FallbackWarning <string> True\n"
    assert (numpy.load(tmp_path / "rank0.npz")["a"] == numpy.arange(3000.0)).all()


def test_errors(ranks, tmp_path):
    numpy.save(tmp_path / "short.npy", VALUES)
    with open(tmp_path / "short.npy", "r+b") as file:
        file.truncate(128 + VALUES.nbytes - 1)
    out = ranks("""
        a = np.arange(3000.0)
        for call in (
            lambda: np.save("no/such/folder.npy", a),
            lambda: np.load("missing.npy"),
            lambda: np.load("short.npy"),
            lambda: np._parts.store(a.eval(), "/dev/full", 0),
        ):
            try:
                call()
                print("no error")
            except OSError as error:
                print(type(error).__name__, str(error).replace(os.getcwd() + "/", ""))
        print(float(a.sum()))
    """)
    missing, no_file, short, full, total = out.splitlines()
    assert "[Errno 2] No such file or directory: 'no/such/folder.npy'" in missing
    assert no_file == "FileNotFoundError [Errno 2] No such file or directory: 'missing.npy'"
    last = 2 if "rank 2" in short else 1
    assert short == (
        f"OSError rank {last}: cannot read from short.npy: it ends at byte {127 + VALUES.nbytes}, "
        "1 bytes too early"
    )
    assert full == "OSError rank 0: cannot write to /dev/full: No space left on device"
    assert total == str(3000 * 2999 / 2)


def test_no_rank_has_the_whole(tmp_path):
    """The peak of the memory of rank 0 grows by its part of what it loads, and no more."""
    code = """
    import resource
    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

    a = (np.arange(8 << 20) * 0.5).eval()  # 64 MiB
    np.save("warm.npy", a[:1000000])
    start = peak()
    np.save("a.npy", a)
    saved = peak()
    b = np.load("a.npy").eval()
    print(saved - start, peak() - saved)
    """
    words = ["-c", HEAD + textwrap.dedent(code)]
    status, out, err = fuseau_run("-n", "2", *words, cwd=tmp_path)
    assert (status, err) == (0, "")
    saving, loading = map(int, out.split())
    assert saving < 16 and loading < 48
