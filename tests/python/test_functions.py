"""NumPy's functions as objects, and their quick forms: the same as what the bodies in Python give."""

import inspect
import pickle

import fuseau
import numpy
import pytest
from fuseau import _fuseau

INPUTS = {
    "v": numpy.arange(6.0),
    "w": numpy.array([3.0, -1.0, numpy.nan, 2.0, -0.0, 5.0]),
    "m": numpy.arange(12.0).reshape(3, 4),
    "f": numpy.asfortranarray(numpy.arange(12.0).reshape(3, 4)),
    "t": numpy.arange(24.0).reshape(2, 3, 4)[:, ::-1, ::2],
    "i": numpy.array([3, 1, 2, 0, 5, 4]),
    "s": numpy.array([1, -2, 3], numpy.int8),
    "u": numpy.array([1, 2, 255], numpy.uint8),
    "b": numpy.array([True, False, True, True, False, False]),
    "c": numpy.array([1 + 2j, -1j, 3.0]),
    "g": numpy.arange(5, dtype=numpy.float32),
    "e": numpy.zeros((0, 3)),
    "z": numpy.array(4.0),
}

CALLS = """
empty(0); zeros(3); zeros((2, 3)); zeros(3, int); zeros((2, 2), "f4", "C"); zeros((2, 3), order="F"); zeros(-1); zeros([2, 3])
zeros(3, dtype=bool); zeros(2.5); zeros((2, -1)); zeros(3, "S3"); ones(3); ones((2, 2), int); ones(2, dtype="F")
full(3, 1.5); full(3, 2); full(3, True); full(3, 2**70); full((2, 2), 7, float); full(3, 1.5, int); full(3, 300, "i1"); full(2, v[:2])
zeros_like(v); zeros_like(f); zeros_like(t); zeros_like(m, int); zeros_like(z); ones_like(i); ones_like(m, dtype="f4")
full_like(v, 2); full_like(i, 1.5); full_like(u, 300); full_like(m, 2.5); zeros_like([1, 2])
arange(5); arange(2, 7); arange(7, 2); arange(-3); arange(2.5); arange(True); arange(1, 2, 3); arange(0)
array(v); array(t); array(z); array([1, 2]); array([[1.0], [2.0]]); array([v, v]); array("x"); array([1, [2]]); array(v, float)
asarray(v); asarray(z); asarray(v.sum()); asarray(3.0); asanyarray(m); ascontiguousarray(m); ascontiguousarray(f); ascontiguousarray(z)
copy(v); copy(f); copy(t); copy([1]); eye(3); eye(0); eye(3, 4); eye(2.5); identity(2)
sum(v); sum(m, 0); sum(m, axis=-1); sum(m, (0, 1)); sum(m, 2); sum(m, axis=None, keepdims=True); sum(s); sum(u); sum(b); sum(c); sum(e); sum(z)
sum(m, 0, int); sum(m, axis=1, dtype="f4"); sum(m, 1.5); sum([1, 2]); sum(t, 1); sum(g); sum(m, a=3); sum(m, 0, axis=1)
prod(v); prod(c); prod(s); prod(m, axis=0, keepdims=True); max(w); max(m, 1); max(c); max(e); max(e, 1); min(i); min(u); amax(m, axis=(0, 1)); amin(w)
any(b); any(v); any(c, 0); all(b); all(m, axis=1); all(e); any(e, keepdims=True); mean(v); mean(m, 0); mean(g); mean(i); mean(e); mean(b); mean(c)
mean(m, axis=-1, keepdims=True); mean(m, axis=1.5); count_nonzero(b); count_nonzero(v); count_nonzero(m, 0); count_nonzero(c)
cumsum(v); cumsum(m); cumsum(m, 1); cumsum(s); cumsum(b); cumsum(t, axis=0); cumsum(z); cumsum(m, 5); cumprod(v); cumprod(g); cumprod(u)
argmax(w); argmin(m, 0); argmax(m); argmax(e); argmax(e, 1); argmax(z); argmin(i, axis=0); argmax(b); argmin(t, -1)
sort(w); sort(m, 0); sort(f); sort(t); sort(i, axis=-1); sort(z); sort(v, None); sort(m, 4); sort(c); sort(b)
argsort(w); argsort(m, 0); argsort(t); argsort(i, axis=-1); argsort(z); argsort(v, None); argsort(m, 4); argsort(c); argsort(b)
dot(v, w); dot(m, v[:4]); dot(v[:3], m); dot(f, m.T); dot(m, f); dot(v, g); dot(c, c); dot(i, i); dot(v, m); dot(2.0, v); dot(t, v); dot(e, e.T)
inner(v, w); inner(m, v[:4]); inner(m, m); inner(v, i); inner(b, b)
take(v, i); take(m, s, 1); take(m, i[1:3], axis=0); take(v, [1, 2]); take(v, i, mode="clip"); take(v, 2); take(v, i + 1); take(t, i[3:4], 2); take(e, i)
where(b, v, w); where(b, v, 0.0); where(b, 1.0, 2.0); where(i > 2, i, 0); where(b, 3, v); where(b); where(m > 3, m, v[:4]); where(True, v, w); where(v, w, i)
where(v); where(m); where(b[::2]); where(z); where(b, v); bincount(i); bincount(s); bincount(i[::-2]); bincount(-i); bincount(i, minlength=9); bincount(i[:0]); bincount(m)
nonzero(b); nonzero(v); nonzero(m); nonzero(z); compress(b, v); compress(b[:3], m, 0); compress([True], v); compress(i, v)
clip(v, 1.0, 3.0); clip(w, 0, 2); clip(w, 0.0, -0.0); clip(-w, -5, -0.0); clip(i, 1, 3); clip(g, 1.0, 2); clip(v, None, 2.0); clip(v, w, 3.0); clip(c, 1.0, 2.0); clip(m, a_min=1.0, a_max=2.0)
diff(v); diff(m); diff(b); diff(t); diff(z); diff(v, 2); diff(m, axis=0); diff(u); diff(v[:1])
concatenate((v, w)); concatenate([m, m], 1); concatenate((m, m), axis=-1); concatenate((v, i)); concatenate((v, m)); concatenate((m, m[:, :2])); concatenate(())
concatenate((m, f)); concatenate((f, f)); concatenate((z, z)); concatenate((v, [1.0])); concatenate((m, m), None); concatenate((m, m), 2); concatenate(m); concatenate((t, t))
hstack((v, w)); hstack((m, m)); hstack([v]); hstack((z, v)); hstack((v, g)); vstack((v, w)); vstack((m, m)); vstack((v, v[:2])); vstack((v, m)); vstack((f, f))
stack((v, w)); stack((v, w), 1); stack((m, m), axis=0); stack((v, g)); stack((v, v[1:])); stack([v], -1); stack((f, f)); append(v, w); append(v, 2.0); append(m, v); append(v, g)
expand_dims(v, 0); expand_dims(v, 1); expand_dims(m, -1); expand_dims(v, 2); expand_dims(t, 1); expand_dims(v, (0, 2)); expand_dims(f, 0); expand_dims(z, 0)
flip(v); flip(m); flip(t); flip(m, 0); flip(z); flip(e); roll(v, 2); roll(v, -7); roll(v, 0); roll(m, 1); roll(t, 1, 0); roll(v, 1.0); roll(e, 1); roll(v[::-1], 1)
repeat(v, 2); repeat(m, 2); repeat(m, 2, 0); repeat(v, -1); repeat(v, 0); repeat(v, [1] * 6); repeat(v[::-2], 3); tile(v, 2); tile(v, (2, 1)); tile(m, 2); tile(v, -1); tile(v, 0)
diag(m); diag(v); diag(m, 1); diag(t); diag(f); diag(e); diagonal(m); diagonal(t); trace(m); trace(m, 1); trace(t); trace(i.reshape(2, 3)); trace(b.reshape(2, 3))
outer(v, w); outer(v, i); outer(m, v); outer(v, z); outer(v, [1.0, 2.0]); outer(v[::2], c)
"""


def calls():
    lines = [call for line in CALLS.strip().split("\n") for call in line.split("; ")]
    return [call.strip() for call in lines]


class Bodies:
    """The functions without their quick forms and without the door to NumPy."""

    def __getattr__(self, name):
        return getattr(fuseau, name).body


def outcome(module, call):
    """What a call gives, arrays with their layout; or its error."""
    inputs = {name: fuseau.array(x) for name, x in INPUTS.items()}
    name, arguments = call.split("(", 1)
    try:
        result = eval(f"function({arguments}", {"function": getattr(module, name)}, inputs)
    except _fuseau.NotNative:
        return None
    except Exception as error:
        return type(error), str(error)
    parts = result if isinstance(result, tuple) else (result,)
    return [describe(part, inputs) for part in parts]


def describe(x, inputs):
    values = numpy.array(x)
    owner = next(
        (name for name, array in inputs.items() if getattr(x, "base", None) is array), None
    )
    same = next((name for name, array in inputs.items() if x is array), None)
    return (
        type(x),
        x.dtype,
        x.shape,
        x.strides,
        x.flags.writeable,
        owner,
        same,
        # What `empty` gives is not known.
        values.tobytes() if values.size else b"",
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", calls())
def test_quick_form_is_the_body(call):
    expected = outcome(Bodies(), call)
    if expected is None:
        return  # NumPy's business.
    assert outcome(fuseau, call) == expected


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", [call for call in calls() if not call.startswith("empty")])
def test_quick_form_is_numpys(call):
    inputs = {name: fuseau.array(x) for name, x in INPUTS.items()}
    assert numpy_outcome(fuseau, inputs, call) == numpy_outcome(numpy, INPUTS, call)


def numpy_outcome(module, inputs, call):
    name, arguments = call.split("(", 1)
    try:
        result = eval(f"function({arguments}", {"function": getattr(module, name)}, dict(inputs))
    except Exception as error:
        return type(error)
    parts = result if isinstance(result, tuple) else (result,)
    values = [numpy.array(part) for part in parts]
    return [(x.dtype, x.shape, x.tolist() if x.dtype.kind != "f" else x.tobytes()) for x in values]


def test_a_function_is_described_by_its_body():
    assert fuseau.sum.__name__ == "sum" and fuseau.sum.__module__ == "fuseau"
    assert "The sum over axes" in fuseau.sum.__doc__
    assert list(inspect.signature(fuseau.sum).parameters)[:3] == ["a", "axis", "dtype"]
    assert repr(fuseau.sum) == "<function sum>"


def test_a_function_is_pickled_by_name():
    assert pickle.loads(pickle.dumps(fuseau.cumsum)) is fuseau.cumsum


def test_a_function_is_a_method_of_a_class():
    a = fuseau.arange(4.0)
    assert float(a.max()) == 3.0
    bound = a.argmin
    assert int(bound()) == 0 and bound.__self__ is a
    assert float(fuseau.ndarray.sum(a)) == 6.0


def test_an_error_of_the_body_is_the_calls_error():
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        fuseau.sum()
    with pytest.raises(numpy.exceptions.AxisError):
        fuseau.sum(fuseau.ones(3), axis=2)


def test_a_warning_names_the_callers_line():
    with pytest.warns(RuntimeWarning, match="Mean of empty slice") as caught:
        fuseau.mean(fuseau.zeros(0)).eval()
    assert caught[0].filename == __file__


def test_everything_is_documented():
    """Each public name of the package and of its arrays says what it is."""
    for name in fuseau.coverage()["native"]:
        assert getattr(fuseau, name).__doc__, name
    for name in dir(fuseau.ndarray):
        if not name.startswith("_"):
            assert getattr(fuseau.ndarray, name).__doc__, name
