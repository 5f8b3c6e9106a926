"""`vectorize`: a function of single numbers for whole arrays.

A function that only does arithmetic with its arguments is called once, with stand-ins for all
elements at once, and what it does is recorded like any other operation. NumPy calls it with
Python's numbers, one element after the other, so this is done for float64 alone, where Python's
`+ - * /` and ours have the same bits, and for what has no other meaning with Python's numbers. Any
other function is NumPy's to call, with the usual warning.
"""

import operator

import numpy

from . import _fallback, _fuseau
from ._fuseau import UFUNCS, ndarray

_UFUNCS = frozenset(
    """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh ceil copysign cos cosh deg2rad
    divide equal exp exp2 expm1 fabs floor fmax fmin greater greater_equal hypot isfinite isinf
    isnan less less_equal log log10 log1p log2 logical_and logical_not logical_or maximum minimum
    multiply negative not_equal positive rad2deg rint sign sin sinh sqrt square subtract tan tanh
    trunc
    """.split()
)


class _NotArithmeticError(TypeError):
    """The function asks its argument for more than arithmetic."""


class _Call:
    """One call by stand-ins: whether it was all arithmetic, and what it divided by."""

    def __init__(self):
        self.refused = False
        self.divisors = []

    def refuse(self):
        self.refused = True
        raise _NotArithmeticError

    def apply(self, name, *operands):
        """What a ufunc makes of stand-ins and Python's numbers, as a stand-in."""
        if name not in _UFUNCS:
            self.refuse()
        arrays = []
        for operand in operands:
            if type(operand) is _Element:
                arrays.append(operand._array)
            elif type(operand) in (float, int, bool) and abs(operand) <= 2**53:
                arrays.append(float(operand))
            else:
                self.refuse()
        if name == "divide":
            self.divisors.append(arrays[1])
        return _Element(self, UFUNCS[name](*arrays))


class _Element:
    """Stands for all elements of an array at once."""

    __slots__ = ("_array", "_call")

    def __init__(self, call, array):
        self._call, self._array = call, array

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" or kwargs:
            self._call.refuse()
        return self._call.apply(ufunc.__name__, *inputs)

    def __getattr__(self, name):
        return self._call.refuse()

    @property
    def __class__(self):
        # `isinstance(x, float)` asks for it, and would get another answer.
        return self._call.refuse()

    __hash__ = None


def _binary(name, swapped=False):
    def method(self, other):
        operands = (other, self) if swapped else (self, other)
        # Python's numbers know no arithmetic of truth values.
        for operand in operands:
            if type(operand) is _Element and operand._array.dtype != numpy.float64:
                self._call.refuse()
        return self._call.apply(name, *operands)

    return method


def _unary(name):
    return lambda self: self._call.apply(name, self)


def _refuse(self, *_):
    return self._call.refuse()


_fallback.STAND_INS.add(_Element)
_OPERATORS = {"add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide"}
_COMPARISONS = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
for _short, _name in _OPERATORS.items():
    setattr(_Element, f"__{_short}__", _binary(_name))
    setattr(_Element, f"__r{_short}__", _binary(_name, swapped=True))
for _short, _name in {**_COMPARISONS, "eq": "equal", "ne": "not_equal"}.items():
    setattr(_Element, f"__{_short}__", _binary(_name))
for _short, _name in {"neg": "negative", "pos": "positive", "abs": "absolute"}.items():
    setattr(_Element, f"__{_short}__", _unary(_name))
for _short in (
    "bool float int complex index len iter getitem contains str repr format pow rpow mod rmod "
    "floordiv rfloordiv divmod rdivmod matmul rmatmul and or xor rand ror rxor invert round trunc "
    "floor ceil array array_function call"
).split():
    setattr(_Element, f"__{_short}__", _refuse)


def _arrays(args):
    """The arguments as float64 arrays and numbers, or None if others are among them."""
    found = []
    for arg in args:
        if type(arg) is float:
            found.append(arg)
        elif type(arg) in (ndarray, numpy.ndarray) and arg.dtype == numpy.float64 and arg.size:
            found.append(arg if type(arg) is ndarray else _fuseau.from_numpy(arg.copy()))
        else:
            return None
    return found if any(type(a) is ndarray for a in found) else None


def trace(function, args):
    """What the function gives for all elements, or None if it does more than arithmetic."""
    arrays = _arrays(args)
    if arrays is None:
        return None
    call = _Call()
    given = [_Element(call, a) if type(a) is ndarray else a for a in arrays]
    try:
        result = function(*given)
    except Exception:
        # Whatever it is, NumPy's call of it tells.
        return None
    results = result if type(result) is tuple else (result,)
    if call.refused or not results or any(type(r) is not _Element for r in results):
        return None
    # Python's numbers raise an error here.
    if any(_has_zero(d) for d in call.divisors):
        return None
    shape = numpy.broadcast_shapes(*(a.shape for a in arrays if type(a) is ndarray))
    out = tuple(_of_shape(r._array, shape) for r in results)
    return out if type(result) is tuple else out[0]


def _has_zero(divisor):
    if type(divisor) is not ndarray:
        return divisor == 0
    return bool(operator.eq(divisor, 0.0).any())


def _of_shape(array, shape):
    from . import broadcast_to

    # A result of the argument itself is an array of its own in NumPy.
    return (array if array.shape == shape else broadcast_to(array, shape)).copy()


class vectorize(numpy.vectorize):
    """A function of single numbers, for arrays.

    A function that only does arithmetic and elementwise functions with float64 arrays is called
    once, and recorded; see the module. Others, and all with `otypes`, `excluded`, `signature` or
    keywords, are called by NumPy for each element.
    """

    def __call__(self, *args, **kwargs):
        """The function's results for all elements of the arguments, broadcast together."""
        plain = not (kwargs or self.otypes or self.excluded or self.signature)
        if plain and callable(getattr(self, "pyfunc", None)):
            traced = trace(self.pyfunc, args)
            if traced is not None:
                return traced
        return _fallback.call("vectorize", super().__call__, args, kwargs)


vectorize.__module__ = "fuseau"
