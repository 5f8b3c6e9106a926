"""Statements that write into arrays: slices that overlap, in-place operators, masks, `out=` and
`where=`.
"""

import numpy

from .rules_compute import no_nan
from .rules_make import fits_integers
from .state import Ref, index_text, kind, rule


def writable(g, test=None):
    return g.real_array(lambda v: v.flags.writeable and v.size and (test is None or test(v)))


def castable(target, source):
    """The text of a source whose values NumPy can put into the target without undefined
    conversions.
    """
    if kind(target.value) in "iu" and kind(source.value) in "fc":
        return fits_integers(source)
    return source.text


def scalar_for(g, target):
    """A Python scalar of a kind that the target can hold."""
    if kind(target.value) in "iu":
        return g.one_of("0", "1", "2", "3", "100", "True", "0.5", "2.0")
    return g.scalar(target.value)


@rule(5)
def write_slice(g):
    """`a[index] = something that broadcasts`."""
    target = writable(g)
    if target is None:
        return None
    view = g.view(target) if target.value.ndim else target
    place = f"{target.text}[...]" if view is target else view.text
    if "[" not in place:
        place += "[...]"
    if g.chance(0.35):
        return f"{place} = {scalar_for(g, target)}"
    source = g.fitting(view.value.shape)
    if source is None:
        return f"{place} = {scalar_for(g, target)}"
    return f"{place} = {castable(target, source)}"


@rule(12)
def write_overlap(g):
    """A part of an array from shifted, reversed and strided parts of the same array, as stencils
    do.
    """
    target = writable(g, lambda v: v.ndim >= 1)
    if target is None:
        return None
    shape = target.value.shape
    counts = g.window(shape)
    names = [r.text for r in g.refs(lambda v: v.shape == shape and kind(v) == kind(target.value))]

    def part():
        name = target.text if g.chance(0.8) else g.rng.choice(names or [target.text])
        return f"{name}[{index_text(g.spans(shape, counts))}]"

    place = f"{target.text}[{index_text(g.spans(shape, counts))}]"
    sources = [part() for _ in range(g.rng.choices((1, 2, 3, 5), (4, 3, 2, 2))[0])]
    whole = kind(target.value) in "iu"
    factor = g.one_of("2", "3") if whole else g.one_of("0.5", "0.2", "2", "0.25")
    x = g.rng.random()
    if kind(target.value) == "b":
        joined = f" {g.one_of('|', '&', '^')} ".join(sources)
        return f"{place} {g.one_of('=', '|=', '^=', '&=')} {joined}"
    joined = f" {g.one_of('+', '+', '-')} ".join(sources)
    if len(sources) > 1 and g.chance(0.6):
        joined = f"{factor} * ({joined})"
    if x < 0.5:
        statement = f"{place} = {joined}"
    elif x < 0.75:
        statement = f"{place} {g.one_of('+=', '-=', '*=')} {joined}"
    elif x < 0.9:
        second = sources[1] if len(sources) > 1 else factor
        statement = (
            f"np.{g.one_of('add', 'subtract', 'multiply')}({sources[0]}, {second}, out={place})"
        )
    else:
        # np.where on the same array; a NaN comparison is false on both sides.
        statement = (
            f"{place} = np.where({part()} {g.one_of('>', '==')} {part()}, {sources[0]}, {joined})"
        )
    if g.chance(0.15):
        return f"for _ in range({g.one_of(2, 3, 5)}): {statement}"
    return statement


@rule(6)
def write_operator(g):
    """`a op= b`, on a name or on a part."""
    target = writable(g) if g.chance(0.85) else g.array()
    if target is None:
        return None
    operator = g.one_of(
        "+=", "-=", "*=", "+=", "/=", "//=", "%=", "&=", "|=", "^=", "<<=", ">>=", "**="
    )
    place = target
    if g.chance(0.4) and target.value.ndim:
        view = g.view(target)
        if "[" in view.text:
            place = view
    if operator == "**=":
        return f"{place.text} **= {g.one_of('2', '1', '3')}"
    source = None if g.chance(0.4) else g.fitting(place.value.shape)
    text = g.scalar(target.value) if source is None else source.text
    return f"{place.text} {operator} {text}"


@rule(5)
def write_mask(g):
    """`a[mask] = v`: a masked write, or with an operator a read, an operation and a write."""
    target = writable(g)
    if target is None:
        return None
    mask = None
    if g.chance(0.6):
        masks = g.refs(lambda v: kind(v) == "b" and v.shape == target.value.shape)
        mask = g.rng.choice(masks).text if masks else None
    if mask is None:
        other = g.array(lambda v: v.shape == target.value.shape) or target
        mask = f"{other.text} {g.one_of('>', '<', '!=', '==')} {g.one_of('0', '1')}"
    if g.chance(0.15) and target.value.ndim >= 2:
        mask = f"{target.text}[:, 0] > 0"
    if g.chance(0.25):
        return f"{target.text}[{mask}] {g.one_of('+=', '*=')} {g.one_of('1', '2')}"
    return f"{target.text}[{mask}] = {scalar_for(g, target)}"


@rule(6)
def write_out(g):
    """A ufunc with `out=`, often one of the inputs or an overlapping part of it, sometimes with
    `where=`.
    """
    target = writable(g)
    if target is None:
        return None
    place = g.view(target) if g.chance(0.3) and target.value.ndim else target
    if place.value.size == 0 or not place.value.flags.writeable:
        return None
    first = place if g.chance(0.4) else g.operand(place.value.shape) or place
    if g.chance(0.25):
        function = g.one_of("negative", "square", "sqrt", "absolute", "floor", "logical_not", "exp")
        arguments = first.text
    else:
        function = g.one_of(
            "add",
            "subtract",
            "multiply",
            "divide",
            "less",
            "floor_divide",
            "remainder",
            "bitwise_xor",
        )
        second = g.operand(place.value.shape) or first
        # NumPy crashes when it compares with a Python integer out of range under `where=`.
        number = function != "less" and g.chance(0.3)
        arguments = f"{first.text}, {g.scalar(first.value) if number else second.text}"
    where = ""
    if g.chance(0.35):
        mask = g.fitting(place.value.shape, "b")
        where = f", where={mask.text}" if mask else f", where=({place.text} != 0)"
    return f"np.{function}({arguments}, out={place.text}{where})"


@rule(1.5)
def write_reduced(g):
    """A reduction into an array or back into a part of its own input."""
    target = writable(g, lambda v: v.ndim >= 2 and kind(v) in "ifc")
    if target is None:
        return None
    name, rank = target.text, target.value.ndim
    axis = g.rng.randrange(rank)
    rows = f"{name}[{', '.join(':' if k != axis else g.one_of('0', '-1') for k in range(rank))}]"
    total = f"{name}.sum(axis={axis})"
    if g.chance(0.3):
        return f"np.sum({name}, axis={axis}, out={rows})"
    if kind(target.value) in "f" and g.chance(0.3):
        total = f"({no_nan(name)}.max(axis={axis}) + 0)"
    return f"{rows} {g.one_of('=', '+=', '-=')} {total}"


@rule(1.5)
def write_more(g):
    target = writable(g)
    if target is None:
        return None
    if g.chance(0.4):
        value = scalar_for(g, target)
        return f"{target.text}.fill({value})"
    source = g.fitting(target.value.shape)
    if source is None or not numpy.can_cast(source.value.dtype, target.value.dtype, "same_kind"):
        return None
    where = f", where=({target.text} != 0)" if g.chance(0.4) else ""
    return f"np.copyto({target.text}, {source.text}{where})"


@rule(1)
def write_flat_view(g):
    """Writes through a reshaped or transposed view; a reshape that copies changes nothing."""
    target = writable(g, lambda v: v.ndim >= 1)
    if target is None:
        return None
    view = g.one_of(f"{target.text}.reshape(-1)", f"{target.text}.T", f"{target.text}.ravel()")
    view = Ref(view, None)
    return f"{view.text}[{g.one_of('0', '::2', '1:', '::-1')}] = {scalar_for(g, target)}"
