"""The namespace against the array API standard: names, parameters, types, copies, exchange."""

import inspect
import types

import fuseau
import numpy
import pytest
import standard


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("FUSEAU_FALLBACK", "silent")
    with numpy.errstate(all="ignore"):
        yield


def evaluate(text, xp):
    """A call of the standard in a namespace."""
    rng = numpy.random.default_rng(3)
    x, y = rng.random((2, 2, 3))
    i, j = rng.integers(0, 5, (2, 2, 3))
    square = numpy.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])
    inputs = {"x": x, "y": y, "s": square, "v": x[0], "i": i, "j": j, "b": x > 0.5, "c": x + 1j * y}
    names = {name: xp.asarray(value) for name, value in inputs.items()}
    return eval(text, {"xp": xp, **names})


def assert_same(ours, theirs):
    """The same values and types; arrays are fuseau's."""
    if isinstance(theirs, (tuple, list)):
        assert type(ours) is type(theirs) and len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            assert_same(a, b)
    elif isinstance(theirs, (numpy.ndarray, numpy.generic)):
        # What NumPy computes as one number stays NumPy's.
        assert type(ours) is fuseau.ndarray or type(ours) is type(theirs) is not numpy.ndarray
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
        numpy.testing.assert_allclose(numpy.asarray(ours), theirs, rtol=1e-12)
    else:
        assert ours == theirs


@pytest.mark.parametrize("text", standard.calls())
def test_function(text):
    assert_same(evaluate(f"xp.{text}", fuseau), evaluate(f"xp.{text}", numpy))


@pytest.mark.parametrize("text", standard.METHODS.strip().split("\n"))
def test_array_object(text):
    assert_same(evaluate(text, fuseau), evaluate(text, numpy))


@pytest.mark.parametrize("text", standard.UNKNOWN_TO_NUMPY.strip().split("\n"))
def test_parameters_that_numpy_lacks(text):
    for xp in (fuseau, numpy):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            evaluate(f"xp.{text}", xp)


@pytest.mark.parametrize("name", ["arange", "empty_like", "asarray", "reshape", "astype", "sum"])
def test_parameters_by_name(name):
    """What tools ask: the names and kinds of parameters, in NumPy's order."""
    ours = inspect.signature(getattr(fuseau, name)).parameters.values()
    theirs = inspect.signature(getattr(numpy, name)).parameters.values()
    assert [(p.name, p.kind) for p in ours] == [(p.name, p.kind) for p in theirs]


def test_constants_and_types():
    for name in standard.CONSTANTS.split():
        ours, theirs = getattr(fuseau, name), getattr(numpy, name)
        assert ours is theirs or (ours != ours and theirs != theirs)
    for name in standard.DTYPES.split():
        dtype = getattr(fuseau, name)
        for make in (fuseau.zeros, fuseau.ones, fuseau.empty):
            assert make(3, dtype=dtype).dtype == dtype
        assert fuseau.asarray([1], dtype=dtype).dtype == getattr(numpy, name)


def test_version_and_namespace_of_an_array():
    assert fuseau.__array_api_version__ == numpy.__array_api_version__ == "2024.12"
    x = fuseau.ones(3)
    assert x.__array_namespace__() is fuseau
    assert x.__array_namespace__(api_version="2024.12") is fuseau
    with pytest.raises(ValueError, match="2001"):
        x.__array_namespace__(api_version="2001.12")


def test_namespace_info():
    info = fuseau.__array_namespace_info__()
    assert info.capabilities()["boolean indexing"] is True
    assert info.capabilities()["data-dependent shapes"] is True
    assert info.default_device() in info.devices()
    assert set(info.default_dtypes(device="cpu")) == {
        "real floating",
        "complex floating",
        "integral",
        "indexing",
    }
    assert set(info.dtypes()) == set(standard.DTYPES.split())
    assert set(info.dtypes(kind="complex floating")) == {"complex64", "complex128"}


def test_devices():
    x = fuseau.ones(3)
    assert x.device == "cpu"
    assert x.to_device("cpu") is x
    for call in (
        lambda: fuseau.zeros(3, device="gpu"),
        lambda: fuseau.asarray([1], device="gpu"),
        lambda: fuseau.arange(3, device="gpu"),
        lambda: x.to_device("gpu"),
    ):
        with pytest.raises(ValueError, match="cpu"):
            call()
    with pytest.raises(ValueError, match="stream"):
        x.to_device("cpu", stream=1)


@pytest.mark.parametrize("dtype", standard.DTYPES.split())
def test_dlpack(dtype):
    """Both ways, with and without a copy; the memory is shared where it can be."""
    ours = fuseau.asarray([[1, 0, 2], [3, 4, 0]], dtype=dtype)[:, ::2]
    theirs = numpy.from_dlpack(ours)
    assert theirs.tolist() == ours.tolist() and theirs.dtype == ours.dtype
    back = fuseau.from_dlpack(theirs)
    assert back.tolist() == ours.tolist() and back.dtype == ours.dtype
    again = fuseau.from_dlpack(ours + ours, copy=True)
    assert again.tolist() == (ours + ours).tolist()
    ours[0, 0] = 0
    assert theirs[0, 0] == 0
    assert again[1, 1] == (ours + ours)[1, 1]


def is_copied(function, x):
    """Whether a write to the result leaves `x` as it was."""
    before = x.tolist()
    result = function(x)
    result[...] = 99
    return x.tolist() == before


COPIES = {
    "asarray": (lambda x: fuseau.asarray(x), False),
    "asarray copy": (lambda x: fuseau.asarray(x, copy=True), True),
    "asarray no copy": (lambda x: fuseau.asarray(x, copy=False), False),
    "asarray type": (lambda x: fuseau.asarray(x, dtype=fuseau.float32), True),
    "astype": (lambda x: fuseau.astype(x, x.dtype), True),
    "astype same": (lambda x: fuseau.astype(x, x.dtype, copy=False), False),
    "astype other": (lambda x: fuseau.astype(x, fuseau.int8, copy=False), True),
    "reshape": (lambda x: fuseau.reshape(x, (3, 2)), False),
    "reshape copy": (lambda x: fuseau.reshape(x, (3, 2), copy=True), True),
    "reshape no copy": (lambda x: fuseau.reshape(x, (3, 2), copy=False), False),
    "from_dlpack copy": (lambda x: fuseau.from_dlpack(x, copy=True), True),
    "take": (lambda x: fuseau.take(x, fuseau.asarray([0]), axis=0), True),
    "flip": (lambda x: fuseau.flip(x), False),
    "matrix_transpose": (lambda x: fuseau.matrix_transpose(x), False),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies(name):
    function, copied = COPIES[name]
    x = fuseau.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert is_copied(function, x) == copied


def test_copies_that_are_refused():
    x = fuseau.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for call in (
        lambda: fuseau.asarray([1, 2], copy=False),
        lambda: fuseau.asarray(x, dtype=fuseau.float32, copy=False),
        lambda: fuseau.reshape(x.T, (6,), copy=False),
    ):
        with pytest.raises(ValueError, match=r"copy|Unable to avoid"):
            call()


def test_every_name_exists():
    """All functions of the standard that are called here are functions, also of array objects."""
    names = {text.partition("(")[0] for text in standard.calls()}
    assert len(names) == 170
    for name in names:
        value = fuseau
        for part in name.split("."):
            value = getattr(value, part)
        assert callable(value) and not isinstance(value, types.ModuleType)
        assert value.__doc__
