"""NumPy's own definitions, over fuseau's operations.

Much of NumPy is written in Python, in terms of a few functions that are not. Such a function is
native here by running its own code with other globals, in which every name that means one of
NumPy's objects means this package's. So its steps are recorded and fused, and its formula, its
rounding and its errors are NumPy's by construction.
"""

import functools
import threading
import types
from abc import ABCMeta

import numpy
from numpy._core._multiarray_umath import _array_converter
from numpy.lib import _histograms_impl as _histograms

from . import _errstate, _fallback, _in_parts
from ._base import NATIVE_FUNCTIONS, from_foreign, take_parameters
from ._fuseau import computed, function, ndarray

_NAMES = frozenset(
    """
    argwhere asarray_chkfinite average bartlett blackman block corrcoef cov cross
    cumulative_prod cumulative_sum delete diag_indices diag_indices_from diagflat ediff1d einsum
    einsum_path fix geomspace gradient hamming hanning histogram histogram2d histogram_bin_edges
    histogramdd i0 insert intersect1d isin isneginf isposinf ix_ kaiser kron logspace
    mask_indices median nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean
    nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar percentile poly
    polyadd polyder polydiv polyfit polyint polymul polysub polyval quantile real_if_close
    require resize roots row_stack select setdiff1d setxor1d sinc sort_complex trapezoid
    tril_indices tril_indices_from trim_zeros triu_indices triu_indices_from union1d unique
    unique_all unique_counts unique_inverse unique_values unwrap vander
    fft.fft fft.fft2 fft.fftfreq fft.fftn fft.fftshift fft.hfft fft.ifft fft.ifft2 fft.ifftn
    fft.ifftshift fft.ihfft fft.irfft fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftfreq
    fft.rfftn linalg.cholesky linalg.cond linalg.cross linalg.det linalg.diagonal linalg.eig
    linalg.eigh linalg.eigvals linalg.eigvalsh linalg.inv linalg.lstsq linalg.matmul
    linalg.matrix_norm linalg.matrix_power linalg.matrix_rank linalg.matrix_transpose
    linalg.multi_dot linalg.norm linalg.outer linalg.pinv linalg.qr linalg.slogdet linalg.solve
    linalg.svd linalg.svdvals linalg.tensordot linalg.tensorinv linalg.tensorsolve linalg.trace
    linalg.vecdot linalg.vector_norm
    """.split()
)
"""Functions whose definitions call no function of the user and change no argument."""
_CALLING = frozenset("apply_along_axis apply_over_axes piecewise".split())
"""Functions that call the user's; these may go to NumPy whatever the caller is doing."""

_ROUTINES = frozenset("_monotonicity _unique_hash c_einsum".split())
"""Compiled functions of NumPy that take arrays. The others take shapes and axes."""

_NAMESPACES = ("", "linalg", "fft")


_WHOLE = ("polynomial.", "emath.", "lib.scimath.")
"""Namespaces of which every function and class is taken."""


def is_defined(path):
    """Whether the object of that dotted name is made from NumPy's definition."""
    return path in _NAMES or path in _CALLING or _is_of_a_whole(path)


def _is_of_a_whole(path):
    return path.startswith(_WHOLE) and type(_body(_lookup(path))) in (types.FunctionType, ABCMeta)


def _lookup(path):
    return functools.reduce(getattr, path.split("."), numpy)


def define(path):
    """The function or class of a dotted name, made from NumPy's definition."""
    if path not in NATIVE_FUNCTIONS:
        theirs = _lookup(path)
        if isinstance(theirs, type):
            return class_over_ours(theirs)
        body = _for_parts(path, over_ours(_body(theirs)))
        alone = path not in _CALLING
        made = functools.update_wrapper(function(path, body, False, theirs, None, alone), theirs)
        made.__name__ = made.__qualname__ = path.rpartition(".")[2]
        made.__module__ = ".".join(["fuseau", *path.split(".")[:-1]])
        NATIVE_FUNCTIONS[path] = take_parameters(made, theirs)
    return NATIVE_FUNCTIONS[path]


def _for_parts(path, body):
    """A definition, or what also computes arrays that lie in parts on many ranks."""
    if path == "histogram":
        parts = ("_get_bin_edges", "_ravel_and_check_weights", "_unsigned_subtract")
        return _in_parts.histogram(body, *(over_ours(getattr(_histograms, f)) for f in parts))
    return _in_parts.by_sorting(body) if path in ("median", "percentile", "quantile") else body


def _body(f):
    """The Python function behind NumPy's dispatch by `__array_function__`."""
    return getattr(f, "_implementation", f)


_globals = {}
"""For each of NumPy's modules the names that the code taken from it uses."""
_made = {}
"""What was made of NumPy's own functions, by identity; keeps them alive too."""


_lock = threading.RLock()
_unfilled = []
"""Functions whose globals are not complete yet. They are filled in when no class is half made."""
_classes_in_the_making = 0


def over_ours(theirs, own_class=None):
    """A function of NumPy with this package's functions in the place of NumPy's.

    `own_class` is the cell of the class whose method it is, for `super()`.
    """
    with _lock:
        if id(theirs) not in _made:
            _made[id(theirs)] = (theirs, _make(theirs, own_class))
            _fill()
        return _made[id(theirs)][1]


def _make(theirs, own_class):
    module = theirs.__globals__
    names = _globals.setdefault(module["__name__"], {"__builtins__": module["__builtins__"]})
    names.setdefault("__name__", module["__name__"])
    cells = theirs.__closure__ and tuple(
        own_class if name == "__class__" else types.CellType(_ours(cell.cell_contents))
        for name, cell in zip(theirs.__code__.co_freevars, theirs.__closure__, strict=True)
    )
    made = types.FunctionType(theirs.__code__, names, theirs.__name__, theirs.__defaults__, cells)
    made.__kwdefaults__ = theirs.__kwdefaults__
    _unfilled.append((theirs, names))
    return made


_ROUTINES_ONLY = ("numpy.linalg._linalg",)
"""Modules that set the error state for routines, which compute at once: nothing recorded before
needs to be computed for that.
"""


def _fill():
    while _unfilled and not _classes_in_the_making:
        theirs, names = _unfilled.pop()
        module = theirs.__globals__
        for name in _names_in(theirs.__code__):
            if name == "type":
                names[name] = TypeOf
            elif name in module and name not in names:
                alone = module["__name__"] in _ROUTINES_ONLY and module[name] is numpy.errstate
                names[name] = module[name] if alone else _ours(module[name])


def class_over_ours(theirs):
    """A class of NumPy with methods over this package's functions."""
    with _lock:
        if theirs not in _made_classes:
            _made_classes[theirs] = _make_class(theirs)
            _fill()
        return _made_classes[theirs]


def _make_class(theirs):
    global _classes_in_the_making
    _classes_in_the_making += 1
    try:
        cell = types.CellType()
        members = {
            name: _member(value, cell)
            for name, value in vars(theirs).items()
            if type(value) not in _DESCRIPTORS and name not in _MADE_BY_ABC
        }
        members["__module__"] = "fuseau" + theirs.__module__.removeprefix("numpy")
        bases = tuple(map(_base, theirs.__bases__))
        cell.cell_contents = type(theirs)(theirs.__name__, bases, members)
    finally:
        _classes_in_the_making -= 1
    return cell.cell_contents


_made_classes = {}
_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
_MADE_BY_ABC = ("__abstractmethods__", "_abc_impl")


def _base(theirs):
    return class_over_ours(theirs) if _is_numpys(theirs.__module__) else theirs


def _member(value, own_class):
    """A member of a class of NumPy as one of a class over this package's functions."""
    kind = type(value)
    if kind in (staticmethod, classmethod):
        return kind(_member(value.__func__, own_class))
    if kind is property:
        parts = (value.fget, value.fset, value.fdel)
        return property(*(f and _member(f, own_class) for f in parts))
    if kind is types.FunctionType:
        return over_ours(value, own_class)
    return _ours(value) if callable(value) else value


def _names_in(code):
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _ours(value):
    """What a name of NumPy's modules means to code that runs over this package."""
    path = _public_paths().get(id(value))
    if path is not None:
        from ._namespace import resolve

        return resolve(path)
    kind = type(value)
    if kind is types.ModuleType:
        return _View(value) if value.__name__.split(".")[0] == "numpy" else value
    if kind is types.FunctionType or hasattr(value, "_implementation"):
        body = _body(value)
        if type(body) is types.FunctionType and _is_numpys(body.__module__):
            made = over_ours(body)
            return _WRAPPED[body.__name__](made) if body.__name__ in _WRAPPED else made
        return value
    if value is numpy.errstate:
        return _errstate.errstate
    if kind is dict:
        return {key: _ours(x) for key, x in value.items()}
    if kind is ABCMeta and value.__module__.startswith("numpy.polynomial."):
        return class_over_ours(value)
    if value is _array_converter:
        return Converter
    if value is numpy.ndarray:
        return ArrayNotScalar
    if kind is numpy.ufunc or (kind is types.BuiltinFunctionType and value.__name__ in _ROUTINES):
        return _routine(value)
    return value


def _routine(theirs):
    if theirs.__name__ == "c_einsum":
        return _einsum(theirs)
    by_numpy = computed(theirs.__name__, theirs, 0)
    return _unique(by_numpy) if theirs.__name__ == "_unique_hash" else by_numpy


def _unique(by_numpy):
    """The different elements of a vector; ranks find those of one that they have in parts."""

    def unique_hash(a, equal_nan=True):
        plain = _in_parts.is_in_parts(a) and a.dtype.kind in "biuf"
        if plain and not _in_parts.has_zeros_of_both_signs(a):
            return _in_parts.unique_values(a, equal_nan)
        return by_numpy(a, equal_nan=equal_nan)

    return unique_hash


def _einsum(theirs):
    """The sums of products; of one operand they may be a view of it."""
    products = computed("c_einsum", theirs, 0)

    def einsum(*args, **kwargs):
        if sum(type(x) is ndarray for x in args) == 1:
            return _fallback.call_quietly("c_einsum", theirs, args, kwargs)
        return products(*args, **kwargs)

    return einsum


def _kept(ureduce):
    """NumPy's reduction over several axes: with `keepdims` a number that is known gets its axes
    from NumPy's scalar, which makes NumPy's array of it.
    """

    def reduce(a, func, keepdims=False, **kwargs):
        result = ureduce(a, func, keepdims=keepdims, **kwargs)
        fresh = type(result) is numpy.ndarray and result is not kwargs.get("out")
        return from_foreign(result) if fresh else result

    return reduce


_WRAPPED = {"_ureduce": _kept, "_raw_fft": _in_parts.raw_fft}
"""Functions that NumPy's definitions call, with more to them here."""


def _is_numpys(module):
    return (module or "").split(".")[0] == "numpy"


@functools.cache
def _public_paths():
    """The dotted names of NumPy's public functions, ufuncs and error state, by identity."""
    paths = {}
    for namespace in _NAMESPACES:
        module = getattr(numpy, namespace) if namespace else numpy
        # Not of `dir`: it names modules too that NumPy loads only when they are asked for.
        for name, value in vars(module).items():
            kind = type(value)
            plain = kind in (types.ModuleType, type, dict, int, float, str, bool)
            if name.startswith("_") or plain or not callable(value):
                continue
            path = f"{namespace}.{name}" if namespace else name
            paths.setdefault(id(value), path)
            paths.setdefault(id(_body(value)), path)
    return paths


@functools.cache
class _View:
    """A module of NumPy as definitions see it."""

    def __init__(self, module):
        self._module = module

    def __getattr__(self, name):
        value = _ours(getattr(self._module, name))
        setattr(self, name, value)
        return value


class _TypeOfType(type):
    def __call__(cls, x, *args):
        if args or type(x) is not ndarray:
            return type(x, *args)
        # What `numpy.ndarray` means there, so that `type(x) is np.ndarray` holds.
        return x.__class__ if x.is_scalar else ArrayNotScalar

    def __instancecheck__(cls, x):
        return isinstance(x, type)


class TypeOf(metaclass=_TypeOfType):
    """`type` to code that tells scalars by their type."""


class _ArrayNotScalarType(type):
    def __instancecheck__(cls, x):
        return not x.is_scalar if type(x) is ndarray else isinstance(x, numpy.ndarray)


class ArrayNotScalar(metaclass=_ArrayNotScalarType):
    """`numpy.ndarray` to code that tells arrays from scalars by `isinstance`."""


class Converter:
    """NumPy's `_array_converter`: the arguments of a function as arrays, and its result as what
    the arguments were.
    """

    def __init__(self, *given):
        self._given = given
        self.scalar_input = tuple(map(_stands_for_scalar, given))
        self._arrays = tuple(map(_as_array, given))

    def __len__(self):
        return len(self._given)

    def __getitem__(self, i):
        return self._arrays[i]

    def as_arrays(self, subok=True, pyscalars="convert_if_no_array"):
        """The arguments as arrays; Python's numbers may stay what they are."""
        weak = [type(x) in (bool, int, float, complex) for x in self._given]
        if pyscalars == "convert" or (pyscalars != "preserve" and all(weak)):
            return self._arrays
        return tuple(
            given if stays else array
            for given, array, stays in zip(self._given, self._arrays, weak, strict=True)
        )

    def result_type(self, extra_dtype=None, ensure_inexact=False):
        """The common type of the arguments as they were given."""
        kinds = [x if type(x) in (int, float, complex) else a.dtype for x, a in self._pairs()]
        if ensure_inexact:
            kinds.append(0.0)
        if extra_dtype is not None:
            kinds.append(extra_dtype)
        return numpy.result_type(*kinds)

    def wrap(self, result, /, to_scalar=None):
        """The result, which stands for a scalar if all arguments did, unless told otherwise."""
        if to_scalar is None:
            to_scalar = all(self.scalar_input)
        return result[()] if to_scalar and getattr(result, "ndim", 1) == 0 else result

    def _pairs(self):
        return zip(self._given, self._arrays, strict=True)


def _stands_for_scalar(x):
    if type(x) is ndarray:
        return x.ndim == 0 and x.is_scalar
    return not hasattr(x, "__len__") and not isinstance(x, numpy.ndarray)


def _as_array(x):
    import fuseau

    return fuseau.asanyarray(x)
