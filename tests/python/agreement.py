"""Runs one expression by NumPy and by fuseau, and compares everything that can be seen."""

import fuseau
import numpy


def run(text, module, inputs):
    """The value of an expression, or the exception it raises. Inputs are fresh copies."""
    make = numpy.array if module is numpy else fuseau.array
    names = {name: make(x) for name, x in inputs.items()}
    try:
        return eval(text, {"np": module, "numpy": numpy, **names}), names
    except Exception as error:
        return error, names


def values(x):
    """A NumPy object with the values of a fuseau array; anything else unchanged."""
    return numpy.array(x) if isinstance(x, fuseau.ndarray) else x


def same_bits(expected, actual, text):
    """Both have one dtype, shape and bits; NaNs are equal whatever their payload."""
    if isinstance(expected, (tuple, list)):
        assert type(actual) is type(expected), text
        assert len(actual) == len(expected), text
        for one, two in zip(expected, actual, strict=True):
            same_bits(one, two, text)
        return
    if not isinstance(expected, (numpy.ndarray, numpy.generic)):
        assert values(actual) == expected or (expected != expected and actual != actual), text
        return
    assert isinstance(actual, (fuseau.ndarray, numpy.ndarray, numpy.generic)), text
    assert actual.dtype == expected.dtype, (text, actual.dtype, expected.dtype)
    assert actual.shape == expected.shape, (text, actual.shape, expected.shape)
    one, two = numpy.array(expected), values(actual)
    if one.dtype.kind in "fc":
        parts = [(one, two)]
        if one.dtype.kind == "c":
            parts = [(one.real, two.real), (one.imag, two.imag)]
        for p, q in parts:
            nan = numpy.isnan(p)
            assert numpy.array_equal(nan, numpy.isnan(q)), (text, one, two)
            bits = f"u{p.dtype.itemsize}"
            p, q = (numpy.where(nan, 0, v).astype(v.dtype) for v in (p, q))
            assert numpy.array_equal(p.view(bits), q.view(bits)), (text, one, two)
    else:
        assert numpy.array_equal(one, two), (text, one, two)


def compare(text, inputs, layout=True):
    """Runs an expression both ways and compares results, errors and what became of the inputs."""
    expected, before = run(text, numpy, inputs)
    actual, after = run(text, fuseau, inputs)
    if isinstance(expected, Exception) or isinstance(actual, Exception):
        if not isinstance(expected, Exception) and isinstance(actual, Exception):
            raise actual
        assert type(actual) is type(expected), (text, expected, actual)
        assert str(actual) == str(expected), text
        return
    same_bits(expected, actual, text)
    for name in inputs:
        same_bits(before[name], after[name], text)
    both = isinstance(actual, fuseau.ndarray) and isinstance(expected, numpy.ndarray)
    if layout and both and expected.size:
        assert actual.strides == expected.strides, (text, actual.strides, expected.strides)
        for flag in ("c_contiguous", "f_contiguous", "writeable"):
            assert getattr(actual.flags, flag) == getattr(expected.flags, flag), (text, flag)
