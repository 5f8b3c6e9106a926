"""Subclasses, foreign classes, foreign memory and what changes an array itself."""

import fuseau
import numpy
import pytest


class Labelled(fuseau.ndarray):
    def __new__(cls, values, label=None):
        made = fuseau.asarray(values).view(cls)
        made.label = label
        return made

    def __array_finalize__(self, source):
        self.label = getattr(source, "label", None)


class OwnArray:
    def __array__(self, dtype=None, copy=None):
        return fuseau.asarray([1.0, 2.0])


def test_a_subclass_is_one_of_numpys():
    x = Labelled([1, 2, 3], label="a")
    assert type(x) is Labelled
    assert isinstance(x, fuseau.ndarray)
    assert (x[1:] + 1).label == "a"
    assert type(Labelled((2, 3))) is Labelled


def test_numpys_arrays_are_instances():
    assert isinstance(fuseau.array(["text"]), fuseau.ndarray)
    assert isinstance(fuseau.arange(3), fuseau.ndarray)
    assert not isinstance([1], fuseau.ndarray)
    assert issubclass(numpy.recarray, fuseau.ndarray)
    assert not issubclass(int, fuseau.ndarray)


@pytest.mark.parametrize(
    "use",
    [
        lambda np, x: np.mean(x),
        lambda np, x: np.sqrt(x),
        lambda np, x: np.array(x),
        lambda np, x: np.asarray(x, dtype="int64"),
        lambda np, x: np.ones(2) + x,
        lambda np, x: np.concatenate([x, x]),
        lambda np, x: np.stack([x]),
    ],
)
def test_objects_that_make_arrays(use):
    want = use(numpy, numpy.array([1.0, 2.0]))
    assert use(fuseau, OwnArray()).tolist() == want.tolist()


def test_masked_arrays_keep_their_mask():
    x = fuseau.ma.array([1, 2], mask=[0, 1])
    assert fuseau.asanyarray(x).sum() == 1


@pytest.mark.parametrize("dtype", ["S8", "m8[s]", "M8[D]", "float16", ">i8", [("a", "i8")]])
def test_views_of_types_that_only_numpy_has(dtype):
    a = fuseau.arange(3)
    view = a.view(dtype)
    assert view.dtype == numpy.dtype(dtype)
    assert view.tobytes() == numpy.arange(3).tobytes()
    a[1] = 7
    assert view.view("int64").tolist() == [0, 7, 2]


def test_foreign_memory_is_shared():
    memory = bytearray(8)
    fuseau.frombuffer(memory, "u1")[:] = 7
    assert memory == b"\x07" * 8
    fuseau.ndarray((4,), "u1", memory)[0] = 9
    assert memory[0] == 9
    text = fuseau.frombuffer(b"abc", "u1")
    assert text.tolist() == [97, 98, 99]
    assert not text.flags.writeable


@pytest.mark.parametrize(
    "view",
    [
        lambda np, a: np.reshape(a, (2, 3)),
        lambda np, a: np.ravel(a),
        lambda np, a: np.transpose(a),
        lambda np, a: np.expand_dims(a, 0),
        lambda np, a: np.split(a, 2)[0],
        lambda np, a: np.flip(a),
    ],
)
def test_views_of_numpys_arrays_share_memory(view):
    a = numpy.zeros(6)
    view(fuseau, a)[...] = 1
    assert a.any()


def test_resize():
    for np in (numpy, fuseau):
        a = np.arange(3.0)
        a.resize((2, 2), refcheck=False)
        assert a.tolist() == [[0, 1], [2, 0]]
        a.resize(2, refcheck=False)
        assert a.tolist() == [0, 1]
    with pytest.raises(ValueError, match="does not own its data"):
        fuseau.arange(3)[1:].resize(1)


def test_setters():
    for np in (numpy, fuseau):
        a = np.zeros((2, 2))
        a.flat = [1, 2]
        assert a.tolist() == [[1, 2], [1, 2]]
        a.flat[3] = 5
        assert float(a[1, 1]) == 5
        b = np.arange(4)
        b.dtype = "float64"
        assert b.dtype == "float64"
        with pytest.raises((TypeError, ValueError)):
            b.dtype = "S3"


def test_clip_with_one_bound():
    for np in (numpy, fuseau):
        assert np.arange(3).clip(1).tolist() == [1, 1, 2]
        assert np.arange(3).clip(max=1).tolist() == [0, 1, 1]
        assert np.arange(4).clip(1, 2).tolist() == [1, 1, 2, 2]
