"""Statements that use what ufuncs and reductions have besides the plain call: reduce, accumulate,
reduceat, outer, `where=`, `initial=`, `out=`, typed scalars, error states.
"""

import numpy

from .rules_compute import no_nan, random_axis
from .rules_index import indices, made, mask
from .rules_write import writable
from .state import index_text, kind, rule

FOLDS = {
    "b": "logical_and logical_or logical_xor add multiply bitwise_or bitwise_and".split(),
    "i": "add multiply bitwise_or bitwise_and bitwise_xor maximum minimum logical_and subtract".split(),
    "f": "add multiply subtract logical_or divide".split(),
    "c": "add subtract logical_and".split(),
}


def fold(g, value):
    letter = kind(value)
    return g.rng.choice(FOLDS["i" if letter == "u" else letter])


def whole(text, dtype="int64"):
    """Small whole numbers made of an operand: no order of additions rounds them."""
    return f"(({text} > 0) * 3 - ({text} < 1)).astype({dtype!r})"


def joined(*arguments):
    return ", ".join(a for a in arguments if a)


@rule(4)
def ufunc_reduce(g):
    ref = g.array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    function = fold(g, ref.value)
    if function in ("subtract", "divide", "bitwise_and"):
        axis = f"axis={g.rng.randrange(-ref.value.ndim, ref.value.ndim)}"
    else:
        axis = random_axis(g, ref.value.ndim)
    text = g.view(ref).text if g.chance(0.2) else ref.text
    if text is not ref.text:
        axis = g.one_of("axis=0", "axis=-1")
    arguments = joined(
        axis,
        g.one_of("", "", "keepdims=True"),
        g.one_of("", "", f"initial={g.one_of('0', '1', '5')}"),
        f"where={mask(g, ref.value.shape)}"
        if g.chance(0.2) and function in ("add", "multiply", "logical_or", "bitwise_or")
        else "",
    )
    return f"{g.new_name()} = np.{function}.reduce({joined(text, arguments)})"


@rule(3)
def ufunc_accumulate(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    axis = g.rng.randrange(-ref.value.ndim, ref.value.ndim)
    function = fold(g, ref.value)
    text = f"{ref.text}[::-1]" if g.chance(0.3) else ref.text
    if g.chance(0.5):
        return f"{g.new_name()} = np.{function}.accumulate({text}, axis={axis})"
    n = ref.value.shape[axis]
    if n == 0:
        return None
    return f"{g.new_name()} = np.{function}.reduceat({text}, {indices(g, n, (g.one_of(1, 2, 4),), g.chance(0.1))}, axis={axis})"


@rule(2)
def ufunc_outer(g):
    first = g.array(lambda v: v.ndim <= 2 and v.size <= 60)
    second = first and g.array(lambda v: v.ndim <= 2 and v.size * first.value.size <= g.limit)
    if second is None:
        return None
    function = g.one_of("add", "multiply", "less", "equal", "subtract", "logical_and")
    return f"{g.new_name()} = np.{function}.outer({first.text}, {second.text})"


@rule(4)
def reduce_into(g):
    """A reduction with `out=`: a new array, or a part of an old one."""
    ref = g.real_array(lambda v: v.ndim >= 1 and kind(v) in "biufc")
    if ref is None:
        return None
    rank = ref.value.ndim
    axis = g.rng.randrange(rank)
    shape = ref.value.shape[:axis] + ref.value.shape[axis + 1 :]
    function = g.one_of("sum", "prod", "any", "all", "argmax", "cumsum", "mean")
    if kind(ref.value) in "biu" and g.chance(0.3):
        function = g.one_of("max", "min")
    if function == "cumsum":
        shape = ref.value.shape
    dtype = {"any": "bool", "all": "bool", "argmax": "int64"}.get(function)
    if dtype is None:
        result = g.value_of(f"np.{function}({ref.text}, axis={axis})")
        if result is None:
            return None
        dtype = result.dtype.name
    old = g.real_array(
        lambda v: v.shape == shape and v.dtype.name == dtype and v.flags.writeable and v.size
    )
    if old is not None and g.chance(0.6):
        if numpy.may_share_memory(old.value, ref.value) and function in ("mean", "prod"):
            return None
        return f"np.{function}({ref.text}, axis={axis}, out={old.text})"
    name = g.new_name()
    return (
        f"{name} = np.zeros({shape}, {dtype!r}); np.{function}({ref.text}, axis={axis}, out={name})"
    )


@rule(2.5)
def reduce_more(g):
    """Reductions with `initial=` and `where=`, and the rarer ones."""
    ref = g.array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    rank, letter, name = ref.value.ndim, kind(ref.value), g.new_name()
    axis = random_axis(g, rank)
    clean = f"({no_nan(ref.text)} + 0)" if letter in "fc" else ref.text
    options = [
        f"np.count_nonzero({joined(ref.text, axis, g.one_of('', 'keepdims=True'))})",
        f"np.any({joined(ref.text, axis, 'where=' + mask(g, ref.value.shape))})",
        f"np.all({joined(ref.text, axis, 'where=' + mask(g, ref.value.shape[-1:]))})",
        f"np.max({joined(clean, axis, 'initial=1')}) + 0",
        f"np.min({joined(clean, axis, 'initial=0', 'where=' + mask(g, ref.value.shape))}) + 0",
        f"np.sum({joined(ref.text, axis, 'initial=2', 'where=' + mask(g, ref.value.shape))})",
        f"np.prod({joined(ref.text, axis, 'initial=2')})",
        f"np.mean({joined(ref.text, axis, 'where=' + mask(g, ref.value.shape))})",
        f"np.sum({joined(ref.text, axis, 'dtype=' + repr(g.one_of('float64', 'complex64')))})",
    ]
    if letter in "iuf":
        options.append(f"np.ptp({joined(clean, axis)})")
    return f"{name} = {g.rng.choice(options)}"


TYPED = {
    "b": "np.bool_(True)",
    "i": "np.int8(3)|np.int64(-2)|np.int32(100)|np.int16(7)",
    "u": "np.uint8(200)|np.uint64(3)|np.uint16(1)",
    "f": "np.float32(0.1)|np.float64(0.1)|np.float64(-2.5)|np.float32(3)",
    "c": "np.complex64(1j)|np.complex128(1+2j)",
}
HUGE = "300|-1|-129|70000|2**31|2**40|2**63|-2**63|2**64|True|1e300|1e40|0.1|1j|255"


@rule(4)
def typed_scalar(g):
    """NumPy scalars, and Python scalars that fit the array's type or not."""
    ref = g.array()
    if ref is None:
        return None
    if g.chance(0.55):
        scalar = g.rng.choice(TYPED[g.rng.choice("biufc")].split("|"))
    else:
        scalar = g.rng.choice(HUGE.split("|"))
    operator = g.one_of("+", "-", "*", "/", "<", "==", ">=", "//", "%", "&", "|", "^")
    one, two = (ref.text, scalar) if g.chance(0.7) else (scalar, ref.text)
    x = g.rng.random()
    name = g.new_name()
    if x < 0.1:
        return f"{name} = np.result_type({ref.text}, {scalar}).name"
    if x < 0.25:
        return f"{name} = np.where({ref.text} != 0, {one}, {two})"
    if x < 0.35:
        return (
            f"{name} = np.full_like({ref.text}, {g.one_of('1', '2', 'True')}) {operator} {scalar}"
        )
    if x < 0.45:
        return f"{name} = np.array([{scalar}, {g.rng.choice(HUGE.split('|'))}]) {operator} {g.one_of('1', '2', '0.5')}"
    return f"{name} = {one} {operator} {two}"


@rule(2.5)
def scalar_chain(g):
    """Computing with elements, which are NumPy scalars."""
    ref = g.real_array(lambda v: v.ndim and v.size)
    if ref is None:
        return None
    other = g.real_array(lambda v: v.ndim and v.size) or ref

    def element(r):
        return f"{r.text}[{', '.join(str(g.rng.randrange(n)) for n in r.value.shape)}]"

    operator = g.one_of("+", "-", "*", "/", "<", "==")
    name = g.new_name()
    return g.one_of(
        f"{name} = {element(ref)} {operator} {element(other)}",
        f"{name} = {element(ref)} {operator} {other.text}",
        f"{name} = np.array([{element(ref)}, {element(other)}])",
        f"{name} = np.add({element(ref)}, {g.scalar(ref.value)}) * {ref.text}",
        f"{name} = {element(ref)}; {name} += {element(other)}",
        f"{name} = {element(ref)}.dtype.name",
        f"{name} = [{element(ref)}, {element(other)}]",
        f"{name} = max({element(ref)}, 1) if {kind(ref.value) in 'iu'} else 0",
        f"{name} = sum([{element(ref)}, {element(other)}])",
        f"{name} = {element(ref)}.astype({g.one_of('float64', 'complex128')!r})",
    )


@rule(2)
def error_state(g):
    """A statement under an error state. Where it raises is part of what NumPy promises only for a
    division by zero of numbers that are otherwise ordinary.
    """
    ref = g.real_array(lambda v: v.size and kind(v) in "iuf")
    if ref is None:
        return None
    other = g.operand(ref.value.shape, "iuf") or ref
    name = g.new_name()
    state = g.one_of("all='ignore'", "divide='ignore'", "invalid='ignore', over='ignore'")
    if g.chance(0.3):
        clean = f"np.where({ref.text} == {ref.text}, 1, 1)"
        body = f"{name} = {clean} / ({other.text} * 0 == 0)"
        return f"with np.errstate(divide='raise'): {body}"
    return f"with np.errstate({state}): {name} = {ref.text} {g.one_of('/', '*', '-')} {other.text}"


@rule(4)
def out_overlap(g):
    """`out=` that is a shifted, reversed or transposed view of the inputs."""
    target = writable(g, lambda v: v.ndim >= 1)
    if target is None:
        return None
    shape, name = target.value.shape, target.text
    counts = g.window(shape)

    def part():
        return f"{name}[{index_text(g.spans(shape, counts))}]"

    if target.value.ndim == 2 and shape[0] == shape[1] and g.chance(0.4):
        first, second, out = f"{name}.T", name, g.one_of(name, f"{name}.T", f"{name}[::-1]")
    else:
        first, second, out = part(), part(), part()
    letter = kind(target.value)
    if letter == "b":
        function = g.one_of("logical_and", "logical_xor", "bitwise_or", "not_equal")
    else:
        function = g.one_of("add", "subtract", "multiply")
        if letter in "iu" and g.chance(0.4):
            function = g.one_of("maximum", "minimum", "bitwise_xor", "floor_divide", "remainder")
    if g.chance(0.3):
        second = g.one_of("1", "2", "True")
    x = g.rng.random()
    if x < 0.15 and letter in "iufc":
        return f"np.{g.one_of('cumsum', 'cumsum')}({first}, axis=0, out={out})"
    if x < 0.3 and letter in "iuf":
        return f"np.clip({first}, 1, 2, out={out})" if letter != "f" else None
    if x < 0.4:
        return f"np.{function}({first}, {second}, {out})"
    return f"np.{function}({first}, {second}, out={out})"


@rule(2)
def list_of_arrays(g):
    """Functions that take lists of arrays, and reduce over them."""
    first = g.real_array(lambda v: v.size <= g.limit // 4)
    if first is None:
        return None
    second = g.real_array(lambda v: v.shape == first.value.shape) or first
    parts = f"[{first.text}, {second.text}]"
    fits = kind(first.value) in "iufc" and kind(second.value) in "iufc"
    name = g.new_name()
    options = [
        f"np.array({parts})",
        f"np.sum({parts}, axis=0)",
        f"np.add({parts}, 1)",
        f"np.mean({parts}, axis=0)",
        f"np.logical_or.reduce({parts})",
        f"np.asarray(({first.text}, {second.text}, {first.text}))",
        f"sum({parts})" if fits else f"np.any({parts})",
        f"np.select([{first.text} > 0, {second.text} < 1], {parts}, {g.one_of('0', '5')})",
        f"np.select([{first.text} == 1], [{second.text}])",
        f"np.result_type({first.text}, {second.text}).name",
        f"np.broadcast_arrays({first.text}, {made(g, 'int8', first.value.shape[-1:])})[0] * 1",
        f"[_ + 1 for _ in {parts}]",
    ]
    return f"{name} = {g.rng.choice(options)}"
