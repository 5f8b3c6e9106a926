"""Runs one program with NumPy and with a module under test, statement by statement, and compares
what comes out.
"""

import ast
import functools
import re
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy

from .program import GENERATORS, compiled, is_inexact, namespace


@dataclass(frozen=True)
class Options:
    """How exact the comparison is."""

    ulp: int | None = None
    """Units in the last place by which results of inexact programs may differ. None: within what
    rounding errors of a few operations make of them, since NumPy's own bits of inexact functions
    depend on how arrays lie in memory; other programs must agree bit for bit.
    """
    signed_zero: bool = False
    """Whether -0.0 and 0.0 differ."""
    strides: bool = False
    """Whether strides and contiguity flags are compared too."""


class Failure(NamedTuple):
    kind: str
    """exception, type, dtype, shape, strides, value, evaluation, crash or hang."""
    message: str
    detail: str = ""
    """What a smaller program must keep besides the kind: which exception came instead of which."""

    def is_like(self, other):
        return other is not None and (self.kind, self.detail) == (other.kind, other.detail)


class Invalid(Exception):
    """The program has undefined behaviour in NumPy itself, so that it proves nothing."""


def public_type(problem):
    """The name of an exception's nearest public class: NumPy's private ones count as what they
    derive from.
    """
    for base in type(problem).__mro__:
        if not base.__name__.startswith("_") and base.__name__ != "UFuncTypeError":
            return base.__name__
    return "object"


def run_statement(statement, env):
    """Runs a statement and returns the exception that it raised, or None."""
    try:
        exec(compiled(statement), env)
    except Exception as problem:
        return problem.with_traceback(None)
    return None


def ulps(got, want):
    """The largest distance of two float arrays in units in the last place; where both are NaN it is
    0.
    """
    integers = numpy.dtype(f"i{got.dtype.itemsize}")

    def order(values):
        bits = values.view(integers).astype(object if integers.itemsize == 8 else numpy.int64)
        return numpy.where(bits < 0, -(bits & numpy.iinfo(integers).max), bits)

    both_nan = (got != got) & (want != want)
    distance = abs(order(got) - order(want))
    distance[both_nan] = 0
    return int(distance.max()) if distance.size else 0


def rounding_unit(names):
    """The rounding error of the coarsest numbers among some values: an error made in float32 stays
    that large in a float64 computed from it.
    """
    types = {numpy.dtype(getattr(value, "dtype", float)) for value in names}
    return max((numpy.finfo(t).eps for t in types if t.kind in "fc"), default=0.0)


def complex_scale(names):
    """The largest finite part of a complex number among some values: the rounding error of a complex
    product is that of its larger part, and stays when only the smaller one is kept.
    """
    largest = 0.0
    for value in names:
        if getattr(value, "dtype", numpy.dtype(int)).kind == "c":
            parts = numpy.abs(numpy.stack([numpy.real(value), numpy.imag(value)])).astype(float)
            largest = max(largest, parts[numpy.isfinite(parts)].max(initial=0.0))
    return largest


def close(got, want, unit, scale=0.0, exact_overflow=True):
    """Whether arrays agree but for what rounding errors of a few operations make of them.

    `scale` is the size of what the values may have come from, if that is known.
    """
    finite = numpy.isfinite(want)
    if not (finite == numpy.isfinite(got)).all():
        # Where complex numbers are so large that a product of their parts overflows, one of NumPy's
        # loops rounds it before it subtracts another and one does not.
        if exact_overflow or scale < numpy.sqrt(numpy.finfo(want.dtype).max):
            return False
        finite &= numpy.isfinite(got)
    # What overflows in a complex product is infinite or NaN, depending on how NumPy's loop for that
    # layout rounds.
    if (
        exact_overflow
        and not ((got == want) | (numpy.isnan(got) & numpy.isnan(want)))[~finite].all()
    ):
        return False
    scale = max(scale, abs(want[finite]).max(initial=0))
    return bool((abs(got[finite] - want[finite]) <= numpy.sqrt(unit) * scale).all())


def values_differ(got, want, ulp, signed_zero, unit=0.0, scale=0.0):
    """None when two arrays of one dtype and shape hold the same values, else how they differ."""
    if got.dtype.kind not in "fc":
        # A rounding error can decide a comparison or a cast.
        return None if ulp is None or numpy.array_equal(got, want) else "values"
    if got.tobytes() == want.tobytes():
        return None
    got, want = numpy.ascontiguousarray(got).reshape(-1), numpy.ascontiguousarray(want).reshape(-1)
    is_complex = got.dtype.kind == "c"
    if is_complex:
        part = numpy.dtype(f"f{got.dtype.itemsize // 2}")
        got, want = got.view(part), want.view(part)
    same = (got == want) | ((got != got) & (want != want))
    if signed_zero:
        same &= (numpy.signbit(got) == numpy.signbit(want)) | (got != got)
    if same.all():
        return None
    distance = ulps(got, want)
    if ulp is not None and distance <= ulp and not signed_zero:
        return None
    unit = max(unit, numpy.finfo(want.dtype).eps)
    if ulp is None and close(got, want, unit, scale, exact_overflow=not is_complex):
        return None
    return f"{int((~same).sum())} of {same.size} values, by up to {distance} ulp"


def compare(name, got, want, options, ulp, unit, scale=0.0):
    """The Failure of one name, or None."""
    if isinstance(want, GENERATORS):
        # Where they are in their stream.
        got, want = got.random(2).tolist(), want.random(2).tolist()
    if not isinstance(want, (numpy.ndarray, numpy.generic)):
        return compare_python(name, got, want, options, ulp)
    if not hasattr(got, "dtype") or not hasattr(got, "shape"):
        return Failure("type", f"{name} is a {type(got).__name__}, not an array")
    if numpy.dtype(got.dtype) != want.dtype:
        return Failure("dtype", f"{name}: {got.dtype} instead of {want.dtype}")
    if tuple(got.shape) != want.shape:
        return Failure("shape", f"{name}: {tuple(got.shape)} instead of {want.shape}")
    if options.strides and want.size and isinstance(want, numpy.ndarray):
        if tuple(got.strides) != want.strides:
            return Failure("strides", f"{name}: {tuple(got.strides)} instead of {want.strides}")
        flags = [
            (f[flag] for flag in ("C_CONTIGUOUS", "F_CONTIGUOUS")) for f in (got.flags, want.flags)
        ]
        if tuple(flags[0]) != tuple(flags[1]):
            return Failure("strides", f"{name}: its contiguity flags differ")
    values = numpy.asarray(got)
    if values.dtype != want.dtype or values.shape != want.shape:
        return Failure(
            "evaluation",
            f"{name}: asarray gives {values.dtype}{values.shape} for {want.dtype}{want.shape}",
        )
    want = numpy.asarray(want)
    difference = values_differ(values, want, ulp, options.signed_zero, unit, scale)
    if difference is None:
        return None
    return Failure(
        "value", f"{name} differs in {difference}\ngot\n{values!r}\ninstead of\n{want!r}"[:2000]
    )


def compare_python(name, got, want, options, ulp):
    # Python compares its complex numbers with NumPy's scalars, which are floats to it, by itself.
    if getattr(got, "ndim", None) == 0 and isinstance(want, (bool, float, complex)):
        got = type(want)(got)
    if isinstance(want, (list, tuple)) and type(got) is type(want):
        if len(got) != len(want):
            return Failure("value", f"{name}: {len(got)} elements instead of {len(want)}")
        for k, (one, two) in enumerate(zip(got, want, strict=True)):
            failure = compare(f"{name}[{k}]", one, two, options, ulp, numpy.finfo("f4").eps)
            if failure is not None:
                return failure
        return None
    if type(got) is not type(want):
        return Failure("type", f"{name} is a {type(got).__name__}, not a {type(want).__name__}")
    if ulp is None and isinstance(want, (float, complex)):
        # It may come from a number of 32 bits.
        unit = numpy.finfo("f4").eps
        same = values_differ(numpy.array([got]), numpy.array([want]), None, False, unit) is None
        return None if same else Failure("value", f"{name}: {got!r} instead of {want!r}")
    # repr tells NaN from a number and 0.0 from -0.0, and every float from its neighbours.
    if got != want and repr(got).replace("-0.0", "0.0") != repr(want).replace("-0.0", "0.0"):
        return Failure("value", f"{name}: {got!r} instead of {want!r}"[:2000])
    return None


_SLICE_COPY = re.compile(r"(\w+\[[^=]*\]) = (\w+(\.T)?\[[^=]*\])$")
_NAME_COPY = re.compile(r"(\w+\[[^=]*\]) = (a\d+)$")


_NEGATIVE = re.compile(r"np\.negative\((\w+(\.T)?(\[[^\]]*\])?), out=")
_MASK_WRITE = re.compile(r"(\w+)\[(a\d+)\] = ")


def reference_statement(statement):
    """The statement as NumPy runs it. NumPy 2.4 gets some copies between overlapping strided windows
    wrong, although they are to act as if the source were copied first; so the source is. So is a
    mask, which NumPy reads while it writes to the array that the mask may be a view of, and the
    operand of a negation into given memory, which goes wrong for strided numbers of four bytes where
    the operand lies there too, under whatever name.

    An operand that nobody else holds gets a name: NumPy stores the result of an operator in such an
    array of 256 KiB or more, and the result then has that one's memory order, not its own.
    """
    statement = _NEGATIVE.sub(r"np.negative(np.array(\1), out=", statement)
    statement = _MASK_WRITE.sub(r"\1[np.array(\2)] = ", statement)
    statement = _SLICE_COPY.sub(r"\1 = np.array(\2)", statement)
    copy = r"\1 = \2.copy() if isinstance(\2, numpy.ndarray) else \2"
    statement = _NAME_COPY.sub(copy, statement)
    return named_operands(statement)


class _NamesOperands(ast.NodeTransformer):
    """Writes `(_operand0 := f(a)) + b` for `f(a) + b`."""

    def __init__(self):
        self.names = 0

    def visit_BinOp(self, node):
        self.generic_visit(node)
        node.left, node.right = self.named(node.left), self.named(node.right)
        return node

    def named(self, operand):
        if not any(isinstance(n, ast.Call | ast.BinOp) for n in ast.walk(operand)):
            return operand
        name = ast.Name(f"_operand{self.names}", ast.Store())
        self.names += 1
        return ast.NamedExpr(name, operand)


@functools.cache
def named_operands(statement):
    """The statement with a name for each operand that is computed."""
    if not any(sign in statement for sign in "+-*/%&|^@<>"):
        return statement
    try:
        tree = ast.parse(statement)
    except SyntaxError:
        return statement
    naming = _NamesOperands()
    naming.visit(tree)
    if not naming.names:
        return statement
    named = ast.unparse(ast.fix_missing_locations(tree))
    try:
        compile(named, "named", "exec")
    except SyntaxError:  # no such names in a comprehension's iterable
        return statement
    return named


_NATIVE = {numpy.dtype(t) for t in "? b B h H i I q Q f d F D".split()}


def take_over(env, module):
    """Makes arrays of the module of those that it left to NumPy: of what numbers of 16 bits became,
    say. `np.asarray` of such an array would be a copy.
    """
    if type(module.array(0)) is numpy.ndarray:
        return
    for name, value in env.items():
        if type(value) is numpy.ndarray and value.dtype in _NATIVE and re.fullmatch(r"a\d+", name):
            env[name] = module.array(value)


def check(statements, module, options=Options(), strict=False):
    """Runs a program on NumPy and on the module. Returns a Failure, or None when they agree.

    With `strict`, a program that casts values outside the range of an integer type raises Invalid.
    """
    with (
        warnings.catch_warnings(record=strict) as caught,
        numpy.errstate(all="warn" if strict else "ignore"),
    ):
        warnings.simplefilter("always" if strict else "ignore")
        reference, tested = namespace(numpy), namespace(module)
        for line, statement in enumerate(statements):
            if strict:
                caught.clear()
            want = run_statement(reference_statement(statement), reference)
            for name in [n for n in reference if n.startswith("_operand")]:
                del reference[name]
            if strict and any(
                "invalid value encountered in cast" in str(w.message) for w in caught
            ):
                raise Invalid(statement)
            got = run_statement(statement, tested)
            take_over(tested, module)
            types = [problem and public_type(problem) for problem in (got, want)]
            if types[0] != types[1]:
                message = f"line {line + 1}: {statement}\ngot {got!r}\ninstead of {want!r}"
                return Failure("exception", message[:2000], f"{types[0]} instead of {types[1]}")
        return compare_all(tested, reference, options, options.ulp if is_inexact(statements) else 0)


HIDDEN = {*namespace(numpy), "__builtins__", "__warningregistry__", "_"}
"""Names whose values are not compared."""


def compare_all(tested, reference, options, ulp):
    names = [n for n in reference if n not in HIDDEN]
    unit = rounding_unit(reference[n] for n in names)
    scale = complex_scale(reference[n] for n in names)
    for name in names:
        if name not in tested:
            return Failure("type", f"{name} was never assigned")
        try:
            failure = compare(name, tested[name], reference[name], options, ulp, unit, scale)
        except Exception as problem:
            return Failure("evaluation", f"{name}: {type(problem).__name__}: {problem}"[:2000])
        if failure is not None:
            return failure
    return None
