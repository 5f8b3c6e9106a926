"""Statements that create arrays."""

import numpy

from .data import data, literal
from .state import SCALARS, kind, rule


@rule(8)
def make_data(g):
    shape = g.near_shape()
    wild = ", True" if g.wild and g.chance(0.5) else ""
    source = f"data({g.dtype()!r}, {shape}, {g.rng.randrange(4096)}{wild})"
    return f"{g.new_name()} = np.{g.one_of('array', 'array', 'array', 'asarray')}({source})"


@rule(3)
def make_list(g):
    shape = g.near_shape()
    if numpy.prod(shape) > 24:
        return None
    dtype = g.dtype()
    text = literal(data(dtype, shape, g.rng.randrange(4096), g.wild))
    # Without a dtype NumPy finds it from the list: bool, int64, float64 or complex128.
    return f"{g.new_name()} = np.array({text}{f', dtype={dtype!r}' if g.chance(0.7) else ''})"


@rule(3)
def make_constant(g):
    shape, dtype = g.near_shape(), g.dtype()
    function = g.one_of("zeros", "ones", "full")
    fill = ""
    if function == "full":
        # A float outside the range of an integer type is left out: its conversion is undefined in C.
        fill = f", {g.rng.choice(SCALARS[numpy.dtype(dtype).kind])}"
    written = f"np.{dtype}" if dtype != "bool" and g.chance(0.2) else repr(dtype)
    dtype = f", dtype={written}" if g.chance(0.7) else ""
    return f"{g.new_name()} = np.{function}({shape}{fill}{dtype})"


@rule(2)
def make_like(g):
    ref = g.array()
    if ref is None:
        return None
    function = g.one_of("zeros_like", "ones_like", "full_like", "empty_like")
    dtype = f", dtype={g.dtype()!r}" if g.chance(0.3) else ""
    name = g.new_name()
    if function == "full_like":
        return f"{name} = np.full_like({ref.text}, {g.one_of('0', '1', '3', 'True')}{dtype})"
    if function == "empty_like":
        return f"{name} = np.empty_like({ref.text}{dtype}); {name}[...] = {g.one_of('0', '1', '3')}"
    return f"{name} = np.{function}({ref.text}{dtype})"


@rule(2)
def make_range(g):
    n = max(g.shape or (5,))
    dtype = (
        f", dtype={g.one_of('int32', 'float32', 'float64', 'int64', 'uint8')!r}"
        if g.chance(0.4)
        else ""
    )
    x = g.rng.random()
    name = g.new_name()
    if x < 0.3:
        return f"{name} = np.arange({n}{dtype})"
    if x < 0.5:
        return f"{name} = np.arange({g.one_of(-3, 2, 0)}, {n}, {g.one_of(1, 2, -1, 3)}{dtype})"
    if x < 0.6:
        return f"{name} = np.arange({g.one_of('0.5', '-1.0', '0')}, {g.one_of('2.0', '4')}, {g.one_of('0.1', '0.25')})"
    if x < 0.7 and not g.large:
        return f"{name} = np.eye({n % 9}{g.one_of('', f', {n % 5 + 1}', ', k=1', ', k=-1')}{dtype})"
    end = g.one_of("", "", ", endpoint=False", ", dtype='float32'")
    return f"{name} = np.linspace({g.one_of('0', '-1.5', '2')}, {g.one_of('1', '3.5', '-4')}, {n}{end})"


@rule(0.5)
def make_fromfunction(g):
    if not 1 <= len(g.shape) <= 2:
        return None
    names = "ij"[: len(g.shape)]
    body = (
        g.one_of("i * 2 + 1", "i < 2", "(i + 0.5) * 0.1")
        if names == "i"
        else g.one_of("i + j", "i == j", "i * 0.5 - j")
    )
    return f"{g.new_name()} = np.fromfunction(lambda {', '.join(names)}: {body}, {g.shape})"


@rule(1.5)
def join(g):
    """concatenate or stack of two or three arrays, with the same shape but for one axis."""
    first = g.real_array(lambda v: v.ndim >= 1)
    if first is None:
        return None
    parts = [first]
    for _ in range(g.one_of(1, 1, 2)):
        other = g.real_array(lambda v: v.shape == first.value.shape) or first
        parts.append(g.one_of(other, first, other))
    axis = g.rng.randrange(-first.value.ndim, first.value.ndim)
    texts = [p.text for p in parts]
    if g.chance(0.6):
        if g.chance(0.4) and axis in (0, -first.value.ndim):
            texts[0] += "[1:]"
        where = "" if axis == 0 and g.chance(0.5) else f", axis={axis}"
        return f"{g.new_name()} = np.concatenate([{', '.join(texts)}]{where})"
    return f"{g.new_name()} = np.stack([{', '.join(texts)}], axis={axis})"


@rule(1.5)
def shift(g):
    """An array rolled, padded or repeated: put together from pieces of another."""
    ref = g.real_array(lambda v: v.ndim >= 1 and v.size > 0)
    if ref is None:
        return None
    rank = ref.value.ndim
    axis = g.rng.randrange(-rank, rank)
    text = g.one_of(ref.text, f"({ref.text} * 1)" if kind(ref.value) in "iufc" else ref.text)
    roll = f"np.roll({text}, {g.one_of(1, -1, 2, -3)}, {g.one_of(axis, axis, None)})"
    pad = f"np.pad({text}, {g.one_of(1, 1, 2, (0, 1))}, mode={g.one_of('constant', 'edge')!r})"
    ends = "1:-1, " * rank
    inner = g.one_of(pad, f"{pad}[{ends.rstrip(', ')}]")
    both = f"{text} + np.roll({text}, {g.one_of(1, -1)}, {axis})"
    expression = g.one_of(roll, inner, both if kind(ref.value) in "iufc" else roll)
    return f"{g.new_name()} = {expression}"


@rule(3)
def cast(g):
    ref = g.array()
    if ref is None:
        return None
    dtype = g.dtype()
    text = ref.text
    if kind(ref.value) in "fc" and numpy.dtype(dtype).kind in "iu":
        text = fits_integers(ref)
    copy = ", copy=False" if g.chance(0.1) else ""
    return f"{g.new_name()} = {text}.astype({dtype!r}{copy})"


def fits_integers(ref):
    """The operand with every value that C leaves undefined when cast to an integer type
    replaced.
    """
    text = f"{ref.text}.real" if kind(ref.value) == "c" else ref.text
    return f"np.where(({text} >= 0) & ({text} < 100), {text}, 5)"
