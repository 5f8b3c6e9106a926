"""The native functions of the package against NumPy: bits, types, layouts, views, errors."""

import copy
import os
import pickle

import fuseau
import numpy
import pytest
from agreement import compare, run, same_bits
from compute_expressions import ELEMENTWISE, METHODS, MORE_REDUCTIONS, REDUCTIONS
from layout_expressions import CREATION, SHAPE


def some(dtype, shape, seed=0):
    """Reproducible values of a type; floats with a NaN, infinities and negative zero."""
    rng = numpy.random.default_rng(seed)
    dtype = numpy.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind in "iu":
        return rng.integers(0 if dtype.kind == "u" else -9, 20, shape).astype(dtype)
    x = rng.standard_normal(shape)
    if dtype.kind == "c":
        x = x + 1j * rng.standard_normal(shape)
    return x.astype(dtype)


INPUTS = {
    "a": some("f8", (4, 6)),
    "b": some("f4", (4, 6), 1),
    "c": some("c16", (3, 4), 2),
    "i": some("i8", (4, 6), 3),
    "j": some("i1", (4, 6), 4),
    "u": some("u1", (4, 6), 5),
    "m": some("?", (4, 6), 6),
    "v": some("f8", (7,), 7),
    "w": numpy.array([0.5, -0.0, numpy.nan, numpy.inf, -numpy.inf, -2.5, 1e300]),
    "t": some("f8", (2, 3, 4), 8),
    "o": numpy.array(2.5),
    "e": numpy.zeros((0, 3)),
    "s": some("c8", (5,), 9),
    "h": some("f4", (5, 130), 10),
}


def lines(text):
    return text.strip().split("\n")


@pytest.mark.parametrize("text", lines(CREATION))
def test_creation(text):
    compare(text, INPUTS)


@pytest.mark.parametrize("text", lines(SHAPE))
def test_shape(text):
    compare(text, INPUTS)


@pytest.mark.parametrize("name", "sum prod max min any all mean var std".split())
@pytest.mark.parametrize("text", lines(REDUCTIONS))
def test_reduction(text, name):
    compare(text.replace("NAME", name), INPUTS, layout=False)


@pytest.mark.parametrize("text", lines(MORE_REDUCTIONS))
def test_more_reductions(text):
    compare(text, INPUTS, layout=False)


@pytest.mark.parametrize("text", lines(ELEMENTWISE))
def test_elementwise(text):
    compare(text, INPUTS, layout=False)


@pytest.mark.parametrize("text", lines(METHODS))
def test_method(text):
    compare(text, INPUTS)


# --- Laziness ----------------------------------------------------------------

NEED_VALUES = (
    "allclose",
    "weights=",
    "mode='",
    "array_equ",
    "nonzero",
    " in i",
    "repr(",
    "str(",
    "format(",
    "f'",
    "complex(",
)
EAGER = any(os.environ.get(name) for name in ("FUSEAU_EAGER", "FUSEAU_WINDOW"))


def _calls_of_numpy():
    return fuseau.stats()["fallbacks"] + fuseau.stats()["numpy_routines"]


@pytest.mark.skipif(EAGER, reason="this configuration evaluates on purpose")
@pytest.mark.parametrize("block", [CREATION, SHAPE, MORE_REDUCTIONS, ELEMENTWISE, METHODS])
def test_native_functions_compute_nothing(block):
    for text in lines(block):
        fuseau.synchronize()  # or else a window may be full by now
        calls, windows = _calls_of_numpy(), fuseau.stats()["windows"]
        run(text, fuseau, INPUTS)
        if _calls_of_numpy() == calls and not any(word in text for word in NEED_VALUES):
            assert fuseau.stats()["windows"] == windows, text


# --- Views and copies --------------------------------------------------------

SHARING = """
np.reshape(a, (6, 4))
np.reshape(a.T, (4, 6))
np.ravel(a)
np.ravel(a.T)
np.ravel(a.T, 'K')
a.flatten()
np.transpose(t, (2, 0, 1))
np.swapaxes(a, 0, 1)
np.moveaxis(t, 0, 2)
np.rollaxis(t, 2)
np.expand_dims(a, 1)
np.squeeze(a[None])
np.flip(a)
np.flipud(a)
np.fliplr(a)
np.rot90(a)
np.rot90(a, 0)
np.atleast_3d(a)
np.atleast_1d(a)
np.split(a, 2)[1]
np.array_split(a, 3)[2]
np.hsplit(a, 2)[0]
np.unstack(a)[1]
np.broadcast_arrays(a, a[0])[0]
np.real(c)
np.imag(c)
np.asarray(a)
np.asanyarray(a)
np.ascontiguousarray(a)
np.array(a)
np.array(a, copy=None)
np.copy(a)
a.view()
a.astype('f8', copy=False)
a.astype('f8')
np.matrix_transpose(a)
a.reshape(a.shape)
np.trim_zeros(v)
np.lib.stride_tricks.sliding_window_view(v, 3, writeable=True)
np.lib.stride_tricks.as_strided(v, (3,), (16,))
a.conj()
np.round(i)
np.diff(v, n=0)
np.require(a)
a.T.copy('K')
np.tile(a, 1)
np.roll(a, 0)
np.pad(a, 0)
np.atleast_2d(v)
a.real
"""


@pytest.mark.parametrize("text", lines(SHARING))
def test_views_are_views_and_copies_are_copies(text):
    after = []
    for module in (numpy, fuseau):
        result, names = run(text, module, INPUTS)
        if isinstance(result, Exception):
            raise result
        result[...] = 77
        after.append(names)
    for name in INPUTS:
        same_bits(after[0][name], after[1][name], text)


@pytest.mark.parametrize("text", ["np.diagonal(a)", "np.broadcast_to(v, (2, 7))", "np.diag(a)"])
def test_read_only_views_follow_their_base_and_refuse_writes(text):
    a = fuseau.array(INPUTS["a"])
    v = fuseau.array(INPUTS["v"])
    view = eval(text, {"np": fuseau, "a": a, "v": v})
    with pytest.raises(ValueError, match="read-only"):
        view[...] = 1
    a[...] = 5
    v[...] = 5
    assert fuseau.array_equal(view, fuseau.full(view.shape, 5.0))


def test_chained_views_reach_the_first_array():
    for module in (numpy, fuseau):
        a = module.arange(24.0)
        module.flip(a.reshape(4, 6)[:, ::2], 1).T[0] = -1
        a.reshape(2, 12).swapaxes(0, 1)[3] = -2
        if module is numpy:
            expected = a
    same_bits(expected, a, "chain")


# --- Protocols ---------------------------------------------------------------


def test_numpy_functions_come_back():
    a = fuseau.arange(6.0).reshape(2, 3)
    for result in (
        numpy.sin(a),
        numpy.add(a, 1),
        numpy.concatenate([a, a]),
        numpy.sum(a, axis=0),
        numpy.where(a > 1, a, 0),
        numpy.ones(3) + a,
        numpy.float64(2) * a,
        numpy.arange(3) < a,
    ):
        assert isinstance(result, fuseau.ndarray)
    same_bits(numpy.add(numpy.ones(3), numpy.arange(6.0).reshape(2, 3)), numpy.ones(3) + a, "add")


def test_numpy_array_as_target_gets_the_values():
    x = numpy.ones(3)
    x += fuseau.arange(3.0)
    assert type(x) is numpy.ndarray and x.tolist() == [1.0, 2.0, 3.0]
    assert numpy.add(fuseau.arange(3.0), 1, out=x) is x
    assert x.tolist() == [1.0, 2.0, 3.0]
    assert numpy.sum(fuseau.ones((2, 3)), axis=0, out=x) is x
    assert x.tolist() == [2.0, 2.0, 2.0]


def test_array_namespace():
    assert fuseau.ones(2).__array_namespace__() is fuseau
    with pytest.raises(ValueError, match="not supported"):
        fuseau.ones(2).__array_namespace__(api_version="1900.1")


@pytest.mark.parametrize(
    "make", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies(make):
    a = fuseau.arange(6.0).reshape(2, 3)
    b = make(a)
    assert make(a.T).strides == make(numpy.ones((2, 3)).T).strides
    a[...] = 0
    same_bits(numpy.arange(6.0).reshape(2, 3), b, "copy")


# --- Names -------------------------------------------------------------------


def test_every_public_name_of_numpy_exists():
    missing = [name for name in dir(numpy) if name[0] != "_" and not hasattr(fuseau, name)]
    assert not missing
    assert set(numpy.__all__) <= set(fuseau.__all__)


@pytest.mark.parametrize(
    "module", "linalg fft random ma polynomial testing strings char rec lib".split()
)
def test_every_public_name_of_a_submodule_exists(module):
    target = getattr(numpy, module)
    ours = getattr(fuseau, module)
    missing = [name for name in target.__all__ if not hasattr(ours, name)]
    assert not missing


def test_aliases_are_one_object():
    assert fuseau.abs is fuseau.absolute
    assert fuseau.mod is fuseau.remainder
    assert fuseau.asin is fuseau.arcsin
    assert fuseau.concat is fuseau.concatenate
    assert {"concat", "permute_dims", "abs"} <= set(fuseau.coverage()["native"])


def test_unknown_names():
    with pytest.raises(AttributeError, match="module 'fuseau' has no attribute 'nothing'"):
        fuseau.nothing  # noqa: B018
    with pytest.raises(AttributeError, match="no_such"):
        fuseau.arange(3).no_such  # noqa: B018


def test_star_import():
    names = {}
    exec("from fuseau import *", names)
    assert names["arange"] is fuseau.arange
    assert names["float64"] is numpy.float64
