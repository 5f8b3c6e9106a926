"""What a generator knows while it writes a program: the names so far with their NumPy values, and
ways to pick operands.
"""

import math
import random
import warnings
from typing import NamedTuple

import numpy

from .data import DTYPES
from .program import namespace

MAX_SIZE = 2_000
MAX_LARGE_SIZE = 200_000
"""Elements of an array, in most programs and in the few with large ones."""

RULES = {}


def rule(weight):
    """Registers a function State -> statement (or None when it finds no operands) with its share of
    statements.
    """

    def register(function):
        RULES[function.__name__] = (weight, function)
        return function

    return register


class Ref(NamedTuple):
    """An operand: its text and the NumPy value it has at this point of the program."""

    text: str
    value: object


SCALARS = {
    "b": ("True", "False"),
    "u": ("0", "1", "2", "3", "7", "100"),
    "i": ("0", "1", "-1", "2", "3", "-5", "100"),
    "f": ("0.5", "0.2", "-1.5", "2.0", "0.0", "-0.0", "1e3", "3", "-2", "inf", "nan"),
    "c": ("1j", "(1+2j)", "(0.5-0.5j)", "2.0", "3"),
}
STEPS = (1, 1, 1, 1, 2, 3, -1, -1, -2)


def kind(value):
    return value.dtype.kind


def broadcast(first, second):
    """The broadcast of two shapes, or None."""
    rank = max(len(first), len(second))
    first, second = (1,) * (rank - len(first)) + first, (1,) * (rank - len(second)) + second
    out = []
    for m, n in zip(first, second, strict=True):
        if m != n and m != 1 and n != 1:
            return None
        out.append(n if m == 1 else m)
    return tuple(out)


def index_text(index):
    """The text between the brackets."""
    parts = []
    for item in index:
        if isinstance(item, slice):
            text = f"{'' if item.start is None else item.start}:{'' if item.stop is None else item.stop}"
            parts.append(text if item.step is None else f"{text}:{item.step}")
        else:
            parts.append("..." if item is Ellipsis else repr(item))
    return ", ".join(parts)


class State:
    """A program being written."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.env = namespace(numpy)
        self.values = {}
        """Names that hold arrays or NumPy scalars."""
        self.numbers = []
        """Names that hold Python numbers read from arrays."""
        self.final = set()
        """Names that no later statement reads, since a bit of them is left open (the sign of a zero
        from max).
        """
        self.exposed = set()
        """Names of NumPy's own views of arrays."""
        self.generators = []
        """Names of random generators."""
        self.count = 0
        self.large = self.rng.random() < 0.02
        self.limit = MAX_LARGE_SIZE if self.large else MAX_SIZE
        self.wild = self.rng.random() < 0.4
        self.dtypes = self.rng.sample(DTYPES, 3) if self.rng.random() < 0.7 else DTYPES
        self.shape = self.new_shape()

    # Choices ------------------------------------------------------------------------

    def chance(self, probability):
        return self.rng.random() < probability

    def one_of(self, *options):
        return self.rng.choice(options)

    def new_name(self):
        self.count += 1
        return f"a{self.count - 1}"

    def new_shape(self):
        if self.large:
            return self.one_of((70001,), (263, 301), (41, 43, 45), (9000, 9), (5, 9001))
        rank = self.rng.choices((0, 1, 2, 3, 4, 5), (1, 8, 10, 5, 1, 0.5))[0]
        sizes = (
            (0, 1, 2, 3, 7, 8, 9, 16, 17, 33, 130),
            (0, 1, 2, 3, 4, 5, 8, 9, 17),
            (1, 2, 3, 4, 5),
            (1, 2, 3),
            (1, 2, 3),
        )
        weights_zero = 0.1
        dims = []
        for _ in range(rank):
            n = self.rng.choice(sizes[rank - 1])
            if n == 0 and not self.chance(weights_zero):
                n = 6 if rank < 4 else 2
            dims.append(n)
        return tuple(dims)

    def near_shape(self):
        """Mostly the program's main shape, else one that broadcasts with it, else any."""
        x = self.rng.random()
        if x < 0.6 or not self.shape:
            return self.shape
        if x < 0.75:
            return self.shape[self.rng.randrange(len(self.shape)) :]
        if x < 0.9:
            return tuple(1 if self.chance(0.5) else n for n in self.shape)
        return self.shape[::-1] if self.large or self.chance(0.5) else self.new_shape()

    def dtype(self):
        return self.rng.choice(self.dtypes) if self.chance(0.9) else self.rng.choice(DTYPES)

    def scalar(self, near=None):
        """A Python scalar, mostly of the kind of `near`."""
        if self.numbers and self.chance(0.15):
            return self.rng.choice(self.numbers)
        if near is None or self.chance(0.25):
            return self.rng.choice(SCALARS[self.rng.choice("buifc")])
        return self.rng.choice(SCALARS[kind(near)])

    def value_of(self, text):
        """The value of an expression at this point of the program, None where NumPy refuses it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return eval(text, self.env)
            except Exception:
                return None

    # Operands ------------------------------------------------------------------------

    def refs(self, test=None):
        return [
            Ref(name, value)
            for name, value in self.values.items()
            if name not in self.final and (test is None or test(value))
        ]

    def array(self, test=None):
        """A live name, the newer ones more often; None when there is none."""
        refs = self.refs(test)
        if not refs:
            return None
        return refs[max(self.rng.randrange(len(refs)), self.rng.randrange(len(refs)))]

    def real_array(self, test=None):
        """A live name of an ndarray (not a NumPy scalar)."""
        return self.array(lambda v: isinstance(v, numpy.ndarray) and (test is None or test(v)))

    def operand(self, shape, kinds="buifc"):
        """A name, or a view of one, that broadcasts with the shape."""

        def fits(value):
            joint = broadcast(value.shape, shape)
            return joint is not None and math.prod(joint) <= self.limit

        ref = self.array(lambda v: kind(v) in kinds and fits(v))
        if ref is not None and ref.value.ndim and self.chance(0.25):
            for _ in range(3):
                changed = self.view(ref)
                if fits(changed.value):
                    return changed
        return ref

    def fitting(self, shape, kinds="buifc"):
        """An operand that broadcasts to exactly the shape."""
        refs = self.refs(lambda v: kind(v) in kinds and broadcast(v.shape, shape) == tuple(shape))
        return self.rng.choice(refs) if refs else None

    def view(self, ref):
        """A random basic-index, transposed or reversed view of an operand."""
        value = ref.value
        if value.ndim >= 2 and self.chance(0.25):
            return Ref(f"{ref.text}.T", value.T)
        if value.ndim and self.chance(0.2):
            return Ref(f"{ref.text}[::-1]", value[::-1])
        index = self.index(value.shape)
        return Ref(f"{ref.text}[{index_text(index)}]", value[index])

    # Indices ------------------------------------------------------------------------

    def span(self, n, count=None):
        """A slice of an axis of n elements with so many elements (any number when None)."""
        if count is None:
            if n == 0 or self.chance(0.3):
                return slice(None, None, self.one_of(None, None, -1, 2))
            count = self.rng.randint(0 if self.chance(0.1) else 1, n)
        if count <= 0:
            return slice(0, 0)
        step = self.rng.choice(STEPS)
        if (count - 1) * abs(step) >= n:
            step = 1 if step > 0 else -1
        reach = (count - 1) * abs(step)
        low = self.rng.randint(0, n - 1 - reach)
        if step > 0:
            start, stop = low, low + reach + 1
            start = None if start == 0 and self.chance(0.7) else start
            stop = None if stop == n else (stop - n if self.chance(0.3) else stop)
        else:
            start, stop = low + reach, low - 1
            start = None if start == n - 1 and self.chance(0.7) else start
            stop = None if stop < 0 else stop
        return slice(start, stop, None if step == 1 else step)

    def index(self, shape):
        """A random valid basic index."""
        items = []
        for n in shape:
            x = self.rng.random()
            if x < 0.15 and n:
                items.append(self.rng.randrange(-n, n))
            elif x < 0.4:
                items.append(slice(None))
            else:
                items.append(self.span(n))
        while items and items[-1] == slice(None) and self.chance(0.6):
            items.pop()
        if items and self.chance(0.1):
            spot = self.rng.randrange(len(items))
            items = items[:spot] + [Ellipsis] if self.chance(0.5) else items + [Ellipsis]
        if self.chance(0.12) and len(shape) < 4:
            items.insert(self.rng.randrange(len(items) + 1), None)
        return tuple(items) or (Ellipsis,)

    def window(self, shape):
        """The counts per axis of a part of an array; two windows of the same counts are two
        `spans`.
        """
        return [
            n if n < 2 or self.chance(0.25) else self.rng.randint(max(1, n - 3), n) for n in shape
        ]

    def spans(self, shape, counts):
        return tuple(self.span(n, count) for n, count in zip(shape, counts, strict=True))
