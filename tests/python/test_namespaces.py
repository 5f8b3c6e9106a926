"""Every public name of NumPy is there, in every namespace."""

import importlib
import types

import fuseau
import numpy
import pytest
from processes import run

NAMESPACES = """
    linalg fft random ma ma.core ma.extras ma.mrecords ma.testutils polynomial polynomial.chebyshev
    polynomial.hermite polynomial.hermite_e polynomial.laguerre polynomial.legendre
    polynomial.polynomial polynomial.polyutils testing testing.overrides strings char rec lib
    lib.array_utils lib.format lib.introspect lib.mixins lib.npyio lib.recfunctions lib.scimath
    lib.stride_tricks lib.user_array exceptions dtypes typing ctypeslib emath version
""".split()


def public_names(module):
    names = {*getattr(module, "__all__", ()), *vars(module)}
    return sorted(name for name in names if not name.startswith("_"))


@pytest.mark.parametrize("path", ["", *NAMESPACES])
def test_no_name_is_missing(path):
    name = f".{path}" if path else ""
    try:
        theirs = importlib.import_module("numpy" + name)
        ours = importlib.import_module("fuseau" + name)
    except ModuleNotFoundError:
        theirs, ours = getattr(numpy, path), getattr(fuseau, path)
    missing = []
    for name in public_names(theirs):
        value = getattr(theirs, name, None)
        foreign = isinstance(value, types.ModuleType) and not value.__name__.startswith("numpy")
        if value is not None and not foreign and not hasattr(ours, name):
            missing.append(name)
    assert missing == []


def test_methods_and_attributes_of_arrays():
    missing = [
        name
        for name in dir(numpy.ndarray)
        if not name.startswith("_") and not hasattr(fuseau.ndarray, name)
    ]
    assert missing == []


def test_methods_of_ufuncs():
    missing = [
        name
        for name in dir(numpy.ufunc)
        if not name.startswith("_") and not hasattr(fuseau.add, name)
    ]
    assert missing == []


def test_the_version_is_numpys():
    assert fuseau.__version__ == numpy.__version__
    assert fuseau.__fuseau_version__


def test_a_built_in_function_is_no_method():
    class Maker:
        make = fuseau.array
        empty = fuseau.zeros

    assert Maker().make([1, 2]).tolist() == [1, 2]
    assert Maker().empty(2).tolist() == [0, 0]


def test_numpys_ufuncs_and_random_bits_count_as_ours():
    assert isinstance(numpy.add, fuseau.ufunc)
    assert isinstance(fuseau.random.default_rng(1).bit_generator, fuseau.random.PCG64)
    rng = fuseau.random.Generator(fuseau.random.MT19937(fuseau.arange(10)))
    expected = numpy.random.Generator(numpy.random.MT19937(numpy.arange(10)))
    assert rng.random() == expected.random()


def test_shuffled_lists():
    ours, theirs = [fuseau.arange(2), [1, []], 3, "x"], [0, [1, []], 3, "x"]
    fuseau.random.default_rng(3).shuffle(ours)
    numpy.random.default_rng(3).shuffle(theirs)
    assert [x if x in ([1, []], 3, "x") else 0 for x in map(plain, ours)] == theirs


def plain(x):
    return 0 if isinstance(x, fuseau.ndarray) else x


def test_subclasses():
    class Sub(fuseau.ndarray):
        def __new__(cls, n):
            return fuseau.ndarray.__new__(cls, (n,))

    x = Sub(3)
    x[:] = 2
    assert type(x) is Sub and type(x.view(fuseau.ndarray)) is numpy.ndarray
    assert isinstance(fuseau.ndarray(3), fuseau.ndarray) and fuseau.ndarray(3).shape == (3,)


def test_same_value_casts():
    assert fuseau.arange(3).astype("i1", casting="same_value").tolist() == [0, 1, 2]
    with pytest.raises(ValueError):
        (fuseau.arange(3) + 300).astype("i1", casting="same_value")


def test_array_likes_that_give_our_arrays():
    class Like:
        def __array__(self, dtype=None, copy=None):
            return fuseau.array([1, 2, 2])

    assert fuseau.bincount(Like()).tolist() == [0, 1, 2]


def test_numbers_stay_numbers():
    assert type(fuseau.real(1 + 1j)) is float and fuseau.imag(2.5) == 0.0
    assert bool(fuseau.less(fuseau.uint8(5), -1)) is False
    with pytest.raises(TypeError):
        fuseau.add(3.0, 4.0, dtype="f4", casting="equiv")


def test_common_names_load_no_rare_modules():
    """Those of NumPy's modules that it loads when they are asked for take longer than all the rest."""
    program = """
        import sys
        import fuseau as np
        np.pi, np.newaxis, np.float64, np.errstate, np.mgrid[0:3], np.linalg.norm(np.ones(3))
        np.median, np.fft.fft(np.ones(4)), np.histogram(np.ones(3))
        rare = "unittest numpy.ctypeslib numpy.f2py numpy.ma numpy.random numpy.testing"
        print([name for name in rare.split() if name in sys.modules])
    """
    assert run(program) == "[]\n"


def test_types_for_annotations_are_numpys():
    typing = importlib.import_module("fuseau.typing")
    assert typing.NDArray[numpy.float64] == numpy.typing.NDArray[numpy.float64]
    assert typing.ArrayLike is numpy.typing.ArrayLike
