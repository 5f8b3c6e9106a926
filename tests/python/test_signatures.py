"""What functions say of their parameters, and that NumPy's protocols find them."""

import inspect
import pickle

import fuseau
import numpy
import pytest

MODULES = (
    "linalg fft ma polynomial polynomial.polynomial strings char rec lib.stride_tricks testing"
)


def parameters(function):
    try:
        return str(inspect.signature(function))
    except ValueError:
        return None


def differences(ours, theirs):
    for name in dir(theirs):
        value = getattr(theirs, name)
        if name.startswith("_") or isinstance(value, type) or not callable(value):
            continue
        if parameters(value) != parameters(getattr(ours, name)):
            yield name


@pytest.mark.parametrize("path", ["", *MODULES.split()])
def test_parameters_are_numpys(path):
    ours, theirs = fuseau, numpy
    for part in path.split(".") if path else ():
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    assert list(differences(ours, theirs)) == []


def test_parameters_of_methods_are_numpys():
    assert set(differences(fuseau.ndarray, numpy.ndarray)) == set()
    assert parameters(fuseau.ndarray) == parameters(numpy.ndarray)
    assert next(iter(inspect.signature(fuseau.ones(3).sum).parameters)) == "axis"


@pytest.mark.parametrize("name", ["sum", "concatenate", "arange", "add", "divmod", "linalg.norm"])
def test_numpys_function_finds_what_is_registered_under_ours(name):
    ours, theirs = fuseau, numpy
    for part in name.split("."):
        ours, theirs = getattr(ours, part), getattr(theirs, part)
    assert {ours: 1}[theirs] == {theirs: 1}[ours] == 1
    assert ours == theirs and ours != numpy.subtract and ours != fuseau.subtract
    assert pickle.loads(pickle.dumps(ours)) is ours


def test_implementations_of_other_array_types():
    class Diagonal:
        def __array_function__(self, function, types, args, kwargs):
            return HANDLED[function](*args, **kwargs)

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return HANDLED[ufunc](*inputs)

    HANDLED = {fuseau.sum: lambda x: "sum", fuseau.multiply: lambda x, y: "times"}
    assert fuseau.sum(Diagonal()) == "sum"
    assert fuseau.multiply(Diagonal(), fuseau.ones(2)) == "times"


def test_attributes_of_the_ufunc_type():
    for name in ("nin", "nout", "nargs", "ntypes", "types", "identity", "signature"):
        assert hasattr(fuseau.ufunc, name)
        assert getattr(fuseau.add, name) == getattr(numpy.add, name)
    assert isinstance(fuseau.divmod, fuseau.ufunc)
