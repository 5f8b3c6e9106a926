"""From a Python function to the code of a program."""

import dataclasses
import inspect
import math
import warnings

import numpy

from .. import _fuseau
from . import signature as signatures
from .signature import SignatureError
from .sizes import Fitter, NotUniform, Template, show


@dataclasses.dataclass
class Result:
    """`shapes` has its sizes for each variant, as numbers and texts such as "n - 2"."""

    name: str
    dtype: str
    shape: tuple


@dataclasses.dataclass
class Compiled:
    """A compiled function.

    `code` has "object" (bytes), "llvm", "asm" and "mlir" (texts); `variants` are the ranges of
    sizes that it is right for, a dict of letters to lowest and highest size each.
    """

    name: str
    doc: str
    arguments: list
    written: list
    results: list
    letters: list
    variants: list
    kernels: list
    cpu: str
    code: dict


class _Tracer:
    """Plans the function for given sizes."""

    def __init__(self, function, arguments, builder):
        self.function, self.arguments, self.builder = function, arguments, builder
        self.results = self.written = self.mlir = None
        self.bare = None

    def words(self, sizes):
        """The words of the plan, behind the sizes of the results."""
        _fuseau.begin_ahead()
        try:
            arrays = [_fuseau.ahead_argument(a.shape(sizes), a.dtype) for a in self.arguments]
            results, self.bare = _arrays(self.function(*arrays))
            words, self.written, self.mlir = self.builder.words(arrays, results)
            self.results = [(array.dtype.name, array.shape) for array in results]
            del arrays, results
        finally:
            _fuseau.end_ahead()
        return words

    def shape_words(self):
        """The sizes of the results of the last plan, one after the other."""
        return [len(self.results), *(n for _, s in self.results for n in (len(s), *s))]


class _Trial:
    """Runs plans in this process and holds their results against the function's."""

    def __init__(self, tracer, letters):
        self._tracer, self._letters = tracer, letters

    def is_right(self, sizes, words):
        """Whether words for sizes, behind those of the results' sizes, give the right bits."""
        import fuseau

        arguments = self._tracer.arguments
        inputs = [_some(a.shape(sizes), a.dtype) for a in arguments]
        mine = [fuseau.array(x) for x in inputs]
        with numpy.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            want = [numpy.asarray(r) for r in _arrays(self._tracer.function(*mine))[0]]
            written = [numpy.asarray(x) for x in mine]
        shape_words = [len(want), *(n for r in want for n in (r.ndim, *r.shape))]
        if words[: len(shape_words)] != shape_words:
            return False
        outputs = [numpy.empty(r.shape, r.dtype) for r in want]
        is_written = [not _same(x, w) for x, w in zip(inputs, written, strict=True)]
        try:
            self._tracer.builder.try_words(
                self._letters,
                [(a.name, a.dtype, False, w) for a, w in zip(arguments, is_written, strict=True)],
                [(f"result{i}", r.dtype, False, True) for i, r in enumerate(want)],
                [sizes[letter] for letter in self._letters],
                words[len(shape_words) :],
                inputs,
                outputs,
            )
        except RuntimeError:
            return False  # A rule of plans is broken.
        return all(map(_same, [*outputs, *inputs], [*want, *written]))


def _some(shape, dtype):
    """An array of small numbers of all signs, the same each time."""
    random = numpy.random.default_rng(math.prod(shape))
    return numpy.asarray(random.standard_normal(shape) * 9).astype(dtype)


def _same(x, y):
    return x.tobytes() == y.tobytes()


def _arrays(value):
    """The results as arrays, and whether there is one that stands alone."""
    import fuseau

    if value is None:
        return [], False
    # The class of an array without dimensions would be that of its value.
    bare = not issubclass(type(value), (tuple, list))
    results = [fuseau.asarray(item) for item in ([value] if bare else value)]
    for result in results:
        if type(result) is not _fuseau.ndarray:
            raise SignatureError(
                f"the function returns an array of type {getattr(result, 'dtype', type(result))}, "
                "which fuseau does not compute with"
            )
    return results, bare


def compile_function(function, arguments, *, name=None, sizes=(), cpu="native"):
    """Compiles a function of arrays.

    Parameters
    ----------
    function : callable
        It is called with arrays of the given types and shapes that have no values yet, several
        times if sizes are letters. It returns an array, a tuple of arrays, or None if it writes
        into its arguments.
    arguments : list of Argument
        Their types and sizes.
    name : str
        Of the C function; by default the name of the function.
    sizes : sequence of dict
        What the letters may stand for, one dict for each choice. Empty: any sizes.
    cpu : str
        "native", "x86-64-v2", "x86-64-v3" or "x86-64-v4".

    Raises
    ------
    SignatureError
        If arguments, sizes and function do not go together, or if no code for all sizes exists.
    RuntimeError
        If the function needs values of its arguments.
    NotImplementedError
        If an operation needs NumPy where the program runs.
    """
    name = name or function.__name__
    signatures.check_function_name(name)
    _check_call(function, arguments)
    letters = signatures.letters(arguments)
    _check_sizes(letters, sizes)
    isa = "" if cpu == "native" else cpu
    any_size = bool(letters) and not sizes
    if any_size:
        templates = _for_any_size(function, arguments, letters)
    else:
        templates = [_fixed({x: choice[x] for x in letters}) for choice in sizes or [{}]]
    return _emit(function, arguments, name, letters, templates, isa, any_size, cpu)


def _fixed(sizes):
    return Template({x: (n, n) for x, n in sizes.items()}, sizes, None, [])


def _for_any_size(function, arguments, letters):
    # Code for other processors has the same plans; this machine can try its own.
    tracer = _Tracer(function, arguments, _fuseau.AheadBuilder("", any_size=True))
    trial = _Trial(tracer, letters)

    refusals = []

    def plan(sizes):
        try:
            words = tracer.words(sizes)
        except SignatureError:
            raise
        except (ValueError, IndexError) as error:
            refusals.append(f"{type(error).__name__} for {show(sizes)}: {error}")
            return None
        return [*tracer.shape_words(), *words]

    try:
        templates = Fitter(plan, letters, trial.is_right).cover()
        if not templates:
            raise SignatureError(f"the function takes no sizes at all: {refusals[0]}")
        return templates
    except NotUniform as error:
        raise SignatureError(
            f"no code for any {', '.join(letters)}: {error}. Name the sizes that are wanted, such "
            f"as --size {','.join(f'{x}={n}' for x, n in error.sizes.items())}"
        ) from None


def _emit(function, arguments, name, letters, templates, isa, any_size, cpu):
    """The code, with plans made once more: only their kernels are in it."""
    builder = _fuseau.AheadBuilder(isa, any_size)
    tracer = _Tracer(function, arguments, builder)
    variants, shapes, mlir, kinds = [], [], [], None
    written = [False] * len(arguments)
    for template in templates:
        words = tracer.words(template.sample)
        kind = [dtype for dtype, _ in tracer.results]
        if kinds not in (None, kind):
            raise SignatureError(
                f"for {show(template.sample)} the function has results of types {kind}, for other "
                f"sizes {kinds}"
            )
        kinds = kind
        # An empty array is not written to.
        written = [w or now for w, now in zip(written, tracer.written, strict=True)]
        mlir.append(f"// {show(template.sample)}\n{tracer.mlir}")
        ahead = len(tracer.shape_words())
        shapes.append(_shapes(template, tracer.results, letters))
        terms = [(w - ahead, c, p) for w, c, p in template.terms if w >= ahead]
        for word, coefficient, powers in terms:
            for letter, power in zip(letters, powers, strict=True):
                coefficient *= template.sample[letter] ** power
            words[word] -= coefficient
        variants.append((list(template.ranges.values()), words, terms))
    taken = {*letters, *(a.name for a in arguments)}
    names = ["result"] if tracer.bare else [f"result{i}" for i in range(len(kinds))]
    results = [
        Result(signatures.free_name(n, taken), dtype, _joined([s[i] for s in shapes]))
        for i, (n, dtype) in enumerate(zip(names, kinds, strict=True))
    ]
    code = builder.code(
        name,
        letters,
        [(a.name, a.dtype, by_value(a, w), w) for a, w in zip(arguments, written, strict=True)],
        [(r.name, r.dtype, False, True) for r in results],
        variants,
    )
    code["mlir"] = "\n".join(mlir)
    doc = inspect.getdoc(function) or ""
    ranges = [t.ranges for t in templates]
    kernels = builder.kernels()
    return Compiled(name, doc, arguments, written, results, letters, ranges, kernels, cpu, code)


def by_value(argument, written):
    """Whether the C function takes the argument itself, not its address."""
    return not argument.dimensions and not written and not argument.is_complex


def _shapes(template, results, letters):
    """The shape of each result, with texts for what grows with the sizes."""
    shapes, word = [], 1
    for _, shape in results:
        word += 1
        sizes = []
        for size in shape:
            terms = [(c, p) for w, c, p in template.terms if w == word]
            sizes.append(_formula(template, word, terms, letters) if terms else size)
            word += 1
        shapes.append(tuple(sizes))
    return shapes


def _formula(template, word, terms, letters):
    texts = []
    for coefficient, powers in sorted(terms, key=lambda term: -sum(term[1])):
        factors = [x for x, p in zip(letters, powers, strict=True) for _ in range(p)]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, str(abs(coefficient)))
        sign = "-" if coefficient < 0 else "+"
        texts.append((sign, " * ".join(factors)))
    text = " ".join(f"{sign} {factors}" for sign, factors in texts)
    return text.removeprefix("+ ")


def _joined(shapes):
    """The shape of a result in all variants; "?" for sizes on which they do not agree."""
    if len({len(s) for s in shapes}) > 1:
        raise SignatureError("results have other numbers of dimensions for other sizes")
    # The first variant is that of most sizes; those of small ones are numbers.
    return shapes[0] if len(shapes) == 1 or _general(shapes) else ("?",) * len(shapes[0])


def _general(shapes):
    return any(isinstance(size, str) for size in shapes[0]) or len(set(shapes)) == 1


def _check_call(function, arguments):
    try:
        parameters = inspect.signature(function)
    except (TypeError, ValueError):
        names = []
    else:
        try:
            parameters.bind(*arguments)
        except TypeError as error:
            raise SignatureError(
                f"{function.__name__}{parameters} does not take the {len(arguments)} arguments "
                f"given ({', '.join(map(str, arguments)) or 'none'}): {error}"
            ) from None
        names = [p.name for p in parameters.parameters.values() if p.kind is not p.VAR_POSITIONAL]
    signatures.name_arguments(arguments, names)


def _check_sizes(letters, sizes):
    for choice in sizes:
        if set(choice) != set(letters):
            raise SignatureError(
                f"sizes for {', '.join(choice) or 'no letter'} were given; expected one for each "
                f"of {', '.join(letters) or 'no letter'}"
            )
