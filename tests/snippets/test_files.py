"""Arrays in files and texts: save, savez, text, CSV, JSON, pickle, bytes, memory maps."""

import csv
import io
import json
import pickle

import fuseau
import numpy


def test_binary_files(same, tmp_path):
    def snippet(np):
        a = np.arange(12.0).reshape(3, 4)
        np.save(tmp_path / "a.npy", a * 2)
        np.savez(tmp_path / "both.npz", a=a, total=a.sum(axis=0))
        np.savez_compressed(tmp_path / "small.npz", a.astype(np.int8))
        with np.load(tmp_path / "both.npz") as file:
            both = {name: np.asarray(file[name]) for name in file.files}
        mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
        return (
            np.load(tmp_path / "a.npy"),
            both,
            np.load(tmp_path / "small.npz")["arr_0"],
            mapped[1:] + 1,
        )

    same(snippet)


def test_text_files(same, tmp_path):
    def snippet(np):
        table = np.array([[1.5, 2.0], [3.25, -4.0]])
        np.savetxt(tmp_path / "t.csv", table, delimiter=",", header="x,y", fmt="%.4f")
        text = (tmp_path / "t.csv").read_text()
        x, y = np.loadtxt(tmp_path / "t.csv", delimiter=",", unpack=True)
        gaps = np.genfromtxt(io.StringIO("1,2\n,4\n"), delimiter=",", filling_values=-1)
        return text, x + y, gaps

    same(snippet)


def test_csv(same):
    def snippet(np):
        out = io.StringIO()
        writer = csv.writer(out)
        for row in np.arange(6).reshape(2, 3) * 1.5:
            writer.writerow(row)
        rows = list(csv.reader(io.StringIO(out.getvalue())))
        return out.getvalue(), np.array(rows, dtype=float).sum(axis=1)

    same(snippet)


def test_json(same):
    class Encoder(json.JSONEncoder):
        def default(self, o):
            return (
                o.tolist() if isinstance(o, numpy.ndarray | fuseau.ndarray) else super().default(o)
            )

    def snippet(np):
        a = np.linspace(0, 1, 5)
        text = json.dumps({"a": a, "n": int(a.size), "mean": float(a.mean())}, cls=Encoder)
        return text, np.array(json.loads(text)["a"]) * 2, json.dumps(np.arange(3).tolist())

    same(snippet)


def test_pickle(same):
    def snippet(np):
        a = np.arange(6).reshape(2, 3)[:, ::2] + 0.5
        loaded = [pickle.loads(pickle.dumps(a, protocol)) for protocol in range(2, 6)]
        return loaded, pickle.loads(pickle.dumps({"x": [a, a.sum()]})), np.frombuffer(a.tobytes())

    same(snippet)


def test_pickles_of_the_other(tmp_path):
    """What one of the two has pickled, the other can use."""
    theirs = pickle.loads(pickle.dumps(numpy.arange(4)))
    assert (fuseau.asarray(theirs) * 2).tolist() == [0, 2, 4, 6]
    assert (numpy.arange(4) + pickle.loads(pickle.dumps(fuseau.arange(4)))).tolist() == [0, 2, 4, 6]
