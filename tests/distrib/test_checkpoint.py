"""fuseau.checkpoint and fuseau.restore, on one process and on ranks."""

import json
import shutil
import sys
import textwrap

import fuseau
import numpy
import pytest
from engines import fuseau_run, run

HEAD = "import os, sys, numpy\nimport fuseau as np\n"
THREADS = {"FUSEAU_THREAD_RANKS": "3", "FUSEAU_PARTITION_BYTES": "0"}
JOBS = {
    "alone": lambda *words, **more: run(sys.executable, *words, **more),
    "threads": lambda *words, **more: run(sys.executable, *words, **THREADS, **more),
    "controller": lambda *words, **more: fuseau_run("-n", "2", *words, **more),
    "spmd": lambda *words, **more: fuseau_run("-n", "2", "--spmd", *words, **more),
}
WRITE = """
a = np.arange(60 * 50.0).reshape(60, 50) + {k}
np.checkpoint("saved", a=a, f=a.T, c=a * 1j, few=np.arange(3), step={k}, text=numpy.array("x"))
print(np.stats()["bytes_fetched"])
"""
READ = """
state = np.restore("saved")
print(np.stats()["bytes_fetched"])
a, f, c = state["a"], state["f"], state["c"]
print(sorted(state), a.shape, f.flags.f_contiguous, c.dtype, state["few"].sum(), state["text"])
print(repr(state["step"]), float((a + f.T).sum()), complex(c.sum()))
"""


def start(job, text, folder):
    status, out, err = JOBS[job]("-c", HEAD + textwrap.dedent(text), cwd=folder)
    assert (status, err) == (0, ""), err
    return out


def expected(k):
    a = numpy.arange(60 * 50.0).reshape(60, 50) + k
    return (
        "['a', 'c', 'f', 'few', 'step', 'text'] (60, 50) True complex128 3 x\n"
        f"{k} {2 * a.sum()} {complex((a * 1j).sum())}\n"
    )


@pytest.mark.parametrize("writer", JOBS)
def test_any_job_reads_what_any_job_wrote(writer, tmp_path):
    assert start(writer, WRITE.format(k=1), tmp_path) == "0\n"
    assert start(writer, WRITE.format(k=2), tmp_path) == "0\n"
    folders = {path.name for path in (tmp_path / "saved").iterdir()}
    assert folders == {"manifest.json", "2"}
    for reader in JOBS:
        assert start(reader, READ, tmp_path) == "0\n" + expected(2)


@pytest.mark.parametrize("job", ["alone", "threads"])
@pytest.mark.parametrize("when", ["_parts.create", "os.replace"])
def test_an_end_in_between_leaves_the_old_one(job, when, tmp_path):
    start(job, WRITE.format(k=1), tmp_path)
    end = f"from fuseau import _parts\n{when} = lambda *_: os._exit(9)\n"
    status, _, err = JOBS[job]("-c", HEAD + end + WRITE.format(k=2), cwd=tmp_path)
    assert (status, err) == (9, "")
    assert start(job, READ, tmp_path).endswith(expected(1))
    start(job, WRITE.format(k=3), tmp_path)
    assert start(job, READ, tmp_path).endswith(expected(3))
    assert {path.name for path in (tmp_path / "saved").iterdir()} == {"manifest.json", "3"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("checkpoint") / "saved"
    fuseau.checkpoint(path, a=fuseau.arange(1000.0), s=numpy.array("x"), n=3)
    return path


def set_in_manifest(path, *keys, value):
    about = json.loads((path / "manifest.json").read_text())
    place = about
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    (path / "manifest.json").write_text(json.dumps(about))


def flip(path):
    data = bytearray((path / "1" / "0.npy").read_bytes())
    data[-1] ^= 1
    (path / "1" / "0.npy").write_bytes(data)


DAMAGES = {
    "is no manifest": lambda path: (path / "manifest.json").write_text("{"),
    "is no manifest of a checkpoint": lambda path: (path / "manifest.json").write_text("[]"),
    "has version 2": lambda path: set_in_manifest(path, "version", value=2),
    "manifest.json is damaged": lambda path: set_in_manifest(path, "arrays", value=[]),
    "it is not what the manifest says": flip,
    "0.npy is damaged": lambda path: set_in_manifest(path, "arrays", "a", "shape", value=[999]),
    "No such file": lambda path: (path / "1" / "0.npy").unlink(),
    "too early": lambda path: (path / "1" / "0.npy").write_bytes(
        (path / "1" / "0.npy").read_bytes()[:-1]
    ),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_damage(message, saved, tmp_path):
    shutil.copytree(saved, tmp_path / "saved")
    DAMAGES[message](tmp_path / "saved")
    with pytest.raises(fuseau.CheckpointError, match=message):
        fuseau.restore(tmp_path / "saved")
    code = 'try: np.restore("saved")\nexcept np.CheckpointError as error: print(error)'
    assert message in start("threads", code, tmp_path)


def test_what_cannot_be_saved(saved, tmp_path):
    with pytest.raises(TypeError, match="bad is of type object"):
        fuseau.checkpoint(saved, bad=numpy.array([None]))
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(fuseau.CheckpointError, match=r"notes\.txt"):
        fuseau.checkpoint(tmp_path, n=1)
    with pytest.raises(FileNotFoundError):
        fuseau.restore(tmp_path)
    assert fuseau.restore(saved)["n"] == 3


def test_types_and_shapes(tmp_path):
    arrays = {
        "empty": numpy.zeros((0, 3)),
        "zero_d": numpy.array(2.5),
        "strided": numpy.arange(20)[::3],
        "bools": numpy.array([True, False]),
        "swapped": numpy.arange(3, dtype=">i4"),
        "letters": numpy.array([["a", "bc"]]),
        "days": numpy.array(["2026-01-01"], "M8[D]"),
    }
    fuseau.checkpoint(tmp_path / "types", **arrays)
    restored = fuseau.restore(tmp_path / "types")
    assert list(restored) == list(arrays)
    for name, x in arrays.items():
        assert restored[name].dtype == x.dtype and restored[name].shape == x.shape
        assert (numpy.asarray(restored[name]) == x).all()
