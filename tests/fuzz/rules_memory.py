"""Statements about memory and time: other dtypes of the same bytes, byte order, Fortran order,
NumPy's own view of an array, iteration, and evaluation at any moment.
"""

import numpy

from .rules_compute import no_nan
from .rules_make import fits_integers
from .rules_write import scalar_for, writable
from .state import index_text, kind, rule

SAME_SIZE = {
    1: ("int8", "uint8"),
    2: ("int16", "uint16"),
    4: ("int32", "uint32"),
    8: ("int64", "uint64"),
}


@rule(1.5)
def view_as(g):
    """Another dtype for the same bytes: of integers a view, of floats a copy's, since the sign of a
    NaN and of some zeros is open.
    """
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    value, name = ref.value, g.new_name()
    if kind(value) in "iu":
        dtype = g.one_of(*SAME_SIZE[value.dtype.itemsize], "uint8", "int32")
        return f"{name} = {ref.text}.view({dtype!r})"
    if kind(value) == "c":
        dtype = {8: "float32", 16: "float64"}[value.dtype.itemsize]
        return f"{name} = {ref.text}.view({dtype!r})"
    dtype = SAME_SIZE[value.dtype.itemsize][g.one_of(0, 1)]
    clean = ref.text if kind(value) == "b" else f"({no_nan(ref.text)} + 0)"
    return f"{name} = {clean}.view({dtype!r}).copy()"


@rule(1)
def complex_parts(g):
    target = writable(g, lambda v: kind(v) == "c")
    if target is None:
        return None
    part = g.one_of("real", "imag")
    return g.one_of(
        f"{target.text}.{part} = {g.one_of('0', '1.5', '-2')}",
        f"{target.text}.{part}[...] += 1",
        f"{target.text}.{part}[{index_text(g.index(target.value.shape))}] = 3",
        f"{target.text}.real = {target.text}.imag",
        f"{target.text}.imag = {target.text}.imag + {target.text}.real",
        f"{g.new_name()} = np.{part}({target.text})",
        f"{g.new_name()} = {target.text}.conj().{part}",
    )


@rule(1.5)
def byte_order(g):
    """An array whose bytes lie in the other order: NumPy's, also to a module."""
    ref = g.real_array(lambda v: v.dtype.itemsize > 1 and v.dtype.isnative)
    if ref is None:
        return None
    other = ref.value.dtype.newbyteorder(">").str
    name = g.new_name()
    return g.one_of(
        f"{name} = np.subtract({ref.text}.astype({other!r}), 1) if {kind(ref.value) != 'b'} else 1",
        f"{name} = np.add({ref.text}.astype({other!r}), 1)",
        f"{name} = np.array({ref.text}, dtype={other!r}).sum()",
        # The operator's result is NumPy's own array, which asarray would copy.
        f"{name} = np.array(np.array({ref.text}.astype({other!r}))[...] * 2)",
        f"{name} = np.asarray({ref.text}.astype({other!r}), dtype={ref.value.dtype.name!r})",
        f"{name} = np.concatenate([np.atleast_1d({ref.text}.astype({other!r})), np.ones({(ref.value.shape[1:] and (1, *ref.value.shape[1:])) or 1}, {other!r})])",
        f"{name} = {ref.text}.byteswap()" if kind(ref.value) in "iu" else f"{name} = {ref.text}.T",
    )


@rule(3)
def memory_order(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    name, dtype = g.new_name(), g.dtype()
    text = g.one_of(
        f"np.asfortranarray({ref.text})",
        f"np.array({ref.text}, order={g.one_of('F', 'K', 'A', 'C')!r})",
        f"{ref.text}.copy(order={g.one_of('F', 'K', 'A')!r})",
        f"np.zeros({ref.value.shape}, {dtype!r}, order='F')",
        f"np.require({ref.text}, requirements='C')",
        f"np.add({ref.text}, {ref.text}, order={g.one_of('F', 'C', 'K')!r})",
        f"{ref.text}.reshape({ref.value.shape[::-1]}, order={g.one_of('F', 'A')!r})",
        f"np.empty_like({ref.text}, order='F') * 0 == 5",
        f"np.ones_like({ref.text}, order='F') + {ref.text}",
    )
    return f"{name} = {text}"


@rule(2.5)
def force(g):
    """Evaluates an array at this moment and keeps nothing of it."""
    ref = g.array()
    if ref is None:
        return None
    text = g.view(ref).text if g.chance(0.3) and ref.value.ndim else ref.text
    return "_ = " + g.one_of(
        f"force({text})",
        f"repr({text})" if ref.value.size < 300 else f"force({text})",
        f"bool(({text} == 0).any())",
        f"numpy.asarray({text}).sum()",
        f"numpy.array({text})",
        f"{text}.tolist()",
        f"({text} + 1).tobytes()",
        f"[{text}.sum(), {text}.copy()]",
        f"memoryview({text}).nbytes" if ref.value.flags.c_contiguous else f"force({text})",
    )


@rule(2.5)
def expose(g):
    """NumPy's view of an array, kept while the program goes on."""
    target = writable(g, lambda v: v.ndim >= 1)
    if target is None:
        return None
    name = f"n{g.rng.randrange(3)}"
    # A view, since NumPy's asarray gives an array of its own itself.
    place = f"numpy.asarray({target.text})[...]"
    if g.chance(0.5):
        g.exposed.add(name)
        return f"{name} = {place}"
    index = index_text(g.index(target.value.shape))
    return f"{place}[{index}] = {scalar_for(g, target)}"


@rule(2.5)
def exposed_write(g):
    """Writes through NumPy's view, and reads of it."""
    names = [n for n in g.exposed if n in g.env and g.env[n].flags.writeable and g.env[n].ndim]
    if not names:
        return expose(g)
    name = g.rng.choice(names)
    value = g.env[name]
    place = f"{name}[{index_text(g.index(value.shape))}]"
    scalar = g.one_of("0", "1", "2", "3")
    if value.dtype.kind == "b":
        return f"{place} = {g.one_of('True', 'False')}"
    new = g.new_name()
    other = g.fitting(value.shape, value.dtype.kind)
    reads = [
        f"{new} = np.add({name}, {scalar})",
        f"{new} = np.array({name})",
        f"{new} = np.sum({name})",
        f"np.add({name}, 1, out={name})",
    ]
    if other is not None:
        reads.append(f"{new} = {other.text} + {name}")
        reads.append(f"np.copyto({name}, {other.text})")
    if g.chance(0.4):
        return g.rng.choice(reads)
    return f"{place} {g.one_of('=', '=', '+=', '*=')} {scalar}"


@rule(2.5)
def iterate(g):
    ref = g.real_array(lambda v: 1 <= v.size <= 60 and v.ndim >= 1)
    if ref is None:
        return None
    text, name = ref.text, g.new_name()
    options = [
        f"{name} = [_ for _ in {text}.flat]",
        f"{name} = [_.sum() for _ in {text}]",
        f"{name} = [_ for _ in {text}][0]",
        f"{name} = list({text})[-1]",
        f"{name} = [(_, v.item()) for _, v in np.ndenumerate({text})]",
        f"{name} = [_.item() for _ in np.nditer({text})]",
        f"{name} = [_ for _ in np.ndindex({text}.shape)]",
        f"{name} = {text}.flat[{g.rng.randrange(ref.value.size)}]",
        f"{name} = np.array({text}.flat[{index_text((g.span(ref.value.size),))}])",
        f"{name} = np.array([_ * 2 for _ in {text}])",
        f"{name} = sum(_ for _ in {text})" if kind(ref.value) in "iufc" else f"{name} = {text}",
        f"{name} = [a + b for a, b in zip({text}, {text}[::-1])]",
        f"{name} = np.fromiter((_ for _ in {text}.flat), {ref.value.dtype.name!r})",
        f"{name} = np.apply_along_axis(np.sum, -1, {text})",
        f"{name} = np.vectorize(lambda x: x + 1)({text})",
        f"{name} = {text}.item({g.rng.randrange(ref.value.size)})",
        f"{name} = 1 in {text}",
        f"{name} = {text}.ravel().tolist()[0]",
    ]
    if ref.value.flags.writeable and kind(ref.value) in "iufc":
        options += [
            f"for _ in np.nditer({text}, op_flags=['readwrite']): _[...] = _ * 2",
            f"for _ in {text}: _ += 1" if ref.value.ndim > 1 else f"{text}[0] += 1",
            f"for _ in {text}: _[...] = 3" if ref.value.ndim > 1 else f"{text}[-1] = 3",
        ]
    return g.rng.choice(options)


@rule(3)
def cast_any(g):
    """Casts between all kinds: of what the type can hold."""
    ref = g.array()
    if ref is None:
        return None
    dtype = g.one_of(*numpy.array(["bool", "int8", "uint8", "int16", "int32", "int64", "uint64", "float32", "float64", "complex64", "complex128"]).tolist())  # fmt: skip
    text = ref.text
    if kind(ref.value) in "fc" and numpy.dtype(dtype).kind in "iu":
        text = fits_integers(ref)
    name = g.new_name()
    letter = numpy.dtype(dtype).kind
    complex_loss = kind(ref.value) == "c" and letter in "iuf"
    if complex_loss:
        text = f"{text}.real" if letter == "f" else text
    return g.one_of(
        f"{name} = {text}.astype({dtype!r})",
        f"{name} = {text}.astype(np.{dtype if dtype != 'bool' else 'bool_'}, order={g.one_of('C', 'F', 'K')!r})",
        f"{name} = np.asarray({text}, dtype={dtype!r})",
        f"{name} = np.array({text}, dtype={dtype!r}, ndmin={g.one_of(0, 2, 3)})",
        # Of an array NumPy's type gives NumPy's array.
        f"{name} = np.{dtype if dtype != 'bool' else 'bool_'}(({text}).sum().item() % 100)"
        if kind(ref.value) in "biu"
        else f"{name} = np.{dtype if dtype != 'bool' else 'bool_'}(1)",
        f"{name} = {text}.astype({dtype!r}, casting={g.one_of('safe', 'same_kind', 'no')!r})",
        f"{name} = np.can_cast({text}.dtype, {dtype!r})",
        f"{name} = np.zeros({ref.value.shape}, {dtype!r}); {name}[...] = {text}",
    )


@rule(1.5)
def alias_loop(g):
    """A loop over views that stay alive."""
    target = writable(g, lambda v: v.ndim >= 1 and len(v) >= 3 and kind(v) in "iufc")
    if target is None:
        return None
    name, view = target.text, g.new_name()
    body = g.one_of(
        f"{view} = {name}[1:]; {view} += {name}[:-1]",
        f"{view} = {name}[::-1]; {name}[...] = {view} + 1",
        f"{view} = {name}.copy(); {name}[1:-1] = {view}[2:] - {view}[:-2]",
        f"{view} = {name} * 2; {name}[...] = {view}; {view}[0] = 1",
        f"{view} = {name}[_ % 2]; {name} += 1",
        f"{view} = {name}; {name} = {name} + 1; {view}[0] = 7",
        f"{view} = {name}[1:-1]; {view}[...] = {name}[:-2] + {name}[2:]; del {view}",
        f"{view} = {name}.sum(); {name}[0] = 1; _ = bool({view} == 1)",
    )
    return f"for _ in range({g.one_of(1, 2, 4)}): {body}"
