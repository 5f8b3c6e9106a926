"""Statements that compute new arrays: elementwise functions, selections, reductions."""

from .state import Ref, broadcast, kind, rule

UNARY = (
    "negative positive absolute fabs sign rint floor ceil trunc sqrt square conjugate isnan isinf isfinite"
    " logical_not invert deg2rad rad2deg bitwise_count"
).split()
UNARY_INEXACT = (
    "exp exp2 expm1 log log2 log10 log1p sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh"
    " arctanh cbrt"
).split()
BINARY = (
    "add subtract multiply divide floor_divide remainder fmod maximum minimum fmax fmin bitwise_and bitwise_or"
    " bitwise_xor left_shift right_shift equal not_equal less less_equal greater greater_equal logical_and"
    " logical_or logical_xor heaviside gcd nextafter"
).split()
BINARY_INEXACT = "power arctan2 hypot logaddexp float_power".split()
OPERATORS = "+ + + - - - * * * / / // % & | ^ << >> < <= > >= == !=".split()
OPEN_ZERO = {"maximum", "minimum", "fmax", "fmin", "clip", "max", "min"}
"""Functions for which the sign of a zero is not fixed: it depends on NumPy's vector width."""
REDUCTIONS = "sum sum prod min max any all mean argmin argmax".split()


def no_nan(text):
    """The operand without NaN, for functions that see the sign of a NaN or which of several it
    is.
    """
    return f"np.where({text} == {text}, {text}, 1)"


def settle(g, name, text):
    """The assignment of a result whose zeros have an open sign: either settle it, or never read the
    name again.
    """
    if g.chance(0.5):
        return f"{name} = {text} + 0"
    g.final.add(name)
    return f"{name} = {text}"


@rule(8)
def unary(g):
    ref = g.array()
    if ref is None:
        return None
    x = g.rng.random()
    name = g.new_name()
    if x < 0.2:
        return f"{name} = {g.one_of('-', '~', '+')}{ref.text}"
    if x < 0.3:
        return f"{name} = abs({ref.text})"
    if x < 0.35 and kind(ref.value) in "fc":
        clean = no_nan(ref.text)
        return (
            f"{name} = np.signbit({clean})"
            if kind(ref.value) == "f"
            else f"{name} = np.reciprocal({ref.text})"
        )
    if x < 0.4:
        return (
            f"{name} = np.round({ref.text}{g.one_of('', ', 1', ', 2')})"
            if kind(ref.value) == "f"
            else None
        )
    if x < 0.45:
        low, high = (-1, 2) if kind(ref.value) in "if" else (0, 2)
        return (
            settle(g, name, f"np.clip({ref.text}, {low}, {high})")
            if kind(ref.value) in "iuf"
            else None
        )
    if g.chance(0.3):
        ref = g.view(ref) if ref.value.ndim else ref
    function = g.rng.choice(UNARY if x < 0.8 else UNARY_INEXACT)
    return f"{name} = np.{function}({ref.text})"


def binary_expression(g):
    """An operator or a function on an array and an operand that broadcasts with it.

    Returns (text, function name, shape).
    """
    first = g.array()
    if first is None:
        return None
    shape = first.value.shape
    if g.chance(0.3):
        second = Ref(g.scalar(first.value), None)
    else:
        second = g.operand(shape) or first
        shape = broadcast(shape, second.value.shape)
    one, two = (first, second) if g.chance(0.65) else (second, first)
    x = g.rng.random()
    if x < 0.65:
        operator = g.rng.choice(OPERATORS)
        return f"({one.text} {operator} {two.text})", operator, shape
    function = "power" if x < 0.7 else g.rng.choice(BINARY if x < 0.92 else BINARY_INEXACT)
    if function == "power":
        return power_expression(g, first, second), function, shape
    return f"np.{function}({one.text}, {two.text})", function, shape


def power_expression(g, base, exponent):
    """A power; not of integers to a negative array, an error that depends on the data."""
    value = exponent.value
    if kind(base.value) in "biu" and (value is None or kind(value) in "biu"):
        exponent = str(g.one_of(0, 1, 2, 3, 5)) if value is None else f"({exponent.text} & 3)"
        return f"({base.text} ** {exponent})"
    if kind(base.value) in "fc" and g.chance(0.5):
        return f"({base.text} ** {g.one_of('2', '0.5', '3', '-1', '1.5', '2.0', '0')})"
    return f"np.power({base.text}, {exponent.text})"


@rule(14)
def binary(g):
    made = binary_expression(g)
    if made is None:
        return None
    text, function, shape = made
    name = g.new_name()
    if function in OPEN_ZERO:
        return settle(g, name, text)
    while g.chance(0.3):
        other = g.operand(shape) if g.chance(0.6) else None
        if other is not None:
            shape = broadcast(shape, other.value.shape)
        text = f"({text} {g.one_of('+', '*', '-')} {g.scalar() if other is None else other.text})"
    return f"{name} = {text}"


@rule(1)
def two_results(g):
    ref = g.array(lambda v: kind(v) in "iuf")
    if ref is None:
        return None
    first, second = g.new_name(), g.new_name()
    if kind(ref.value) == "f" and g.chance(0.4):
        return f"{first}, {second} = np.modf({ref.text})"
    other = (
        g.scalar(ref.value) if g.chance(0.4) else (g.operand(ref.value.shape, "iuf") or ref).text
    )
    return f"{first}, {second} = np.divmod({ref.text}, {other})"


@rule(1)
def copysign(g):
    ref = g.array(lambda v: kind(v) == "f")
    if ref is None:
        return None
    other = g.operand(ref.value.shape, "f") or ref
    return f"{g.new_name()} = np.copysign({ref.text}, {no_nan(other.text)})"


@rule(3)
def where(g):
    ref = g.array()
    if ref is None:
        return None
    shape, test = ref.value.shape, f"{ref.text} {g.one_of('>', '<', '==', '!=')} 0"
    condition = g.operand(shape, "b") if g.chance(0.6) else None
    if condition is not None:
        shape, test = broadcast(shape, condition.value.shape), condition.text
    other = g.operand(shape) if g.chance(0.6) else None
    branches = [ref.text, g.scalar(ref.value) if other is None else other.text]
    if g.chance(0.4):
        branches.reverse()
    return f"{g.new_name()} = np.where({test}, {', '.join(branches)})"


def random_axis(g, rank, allow_tuple=True):
    """Text of an axis argument, '' for all axes."""
    if rank == 0 or g.chance(0.25):
        return g.one_of("", "axis=None")
    if allow_tuple and rank > 1 and g.chance(0.2):
        axes = g.rng.sample(range(rank), g.rng.randint(1, rank))
        return f"axis={tuple(axes)}"
    return f"axis={g.rng.randrange(-rank, rank)}"


@rule(8)
def reduce(g):
    ref = g.array()
    if ref is None:
        return None
    function = g.rng.choice(REDUCTIONS)
    complex_input = kind(ref.value) == "c"
    text = ref.text
    if g.chance(0.25):
        text = g.one_of(
            f"({text} * 2)", f"({text} + {text})", f"({text} > 0)" if not complex_input else text
        )
    elif g.chance(0.25) and ref.value.ndim:
        text = g.view(ref).text
    if function in ("min", "max") and complex_input:
        text = no_nan(text)
    arguments = [random_axis(g, ref.value.ndim, function not in ("argmin", "argmax"))]
    if g.chance(0.3):
        arguments.append(f"keepdims={g.one_of('True', 'True', 'False')}")
    if function in ("sum", "prod", "mean") and g.chance(0.12):
        arguments.append(
            f"dtype={g.one_of('float64', 'complex128') if kind(ref.value) == 'c' else 'float64'!r}"
        )
    if function == "sum" and g.chance(0.06):
        arguments.append(f"initial={g.one_of('1', '10')}")
    arguments = ", ".join(a for a in arguments if a)
    name = g.new_name()
    if g.chance(0.5):
        text = f"np.{function}({text}{', ' if arguments else ''}{arguments})"
    else:
        text = f"{text}.{function}({arguments})"
    if function in OPEN_ZERO and kind(ref.value) in "fc":
        return settle(g, name, text)
    return f"{name} = {text}"


@rule(0.8)
def reduce_where(g):
    ref = g.array(lambda v: kind(v) in "iufc")
    if ref is None:
        return None
    mask = g.fitting(ref.value.shape, "b")
    test = mask.text if mask else f"({ref.text} != 0)"
    return f"{g.new_name()} = np.{g.one_of('sum', 'prod')}({ref.text}, {random_axis(g, ref.value.ndim) or 'axis=None'}, where={test})"


@rule(2)
def row_scale(g):
    """A reduction that goes back into an elementwise expression, as softmax and standardising
    do.
    """
    ref = g.array(lambda v: v.ndim >= 1 and v.size and kind(v) in "iufc")
    if ref is None:
        return None
    axis = g.one_of("-1", "0", "None")
    return f"{g.new_name()} = {ref.text} {g.one_of('-', '/', '*')} {ref.text}.{g.one_of('sum', 'mean')}(axis={axis}, keepdims=True)"


@rule(1.2)
def foreign(g):
    """A NumPy array as the other operand."""
    ref = g.array()
    if ref is None:
        return None
    other = f"data({g.dtype()!r}, {ref.value.shape}, {g.rng.randrange(4096)})"
    one, two = (ref.text, other) if g.chance(0.6) else (other, ref.text)
    return (
        f"{g.new_name()} = np.{g.one_of('add', 'multiply', 'less')}({one}, {two})"
        if g.chance(0.4)
        else (f"{g.new_name()} = {one} {g.one_of('+', '*', '-')} {two}")
    )


@rule(2)
def observe(g):
    """Reads values, which ends the recording at this point."""
    ref = g.array()
    if ref is None:
        return None
    name = g.new_name()
    x = g.rng.random()
    if x < 0.3 and ref.value.size < 200:
        return f"{name} = {ref.text}.tolist()"
    if x < 0.5:
        return f"{name} = bool(({ref.text} != 0).{g.one_of('any', 'all')}())"
    if x < 0.6:
        return f"{name} = len({ref.text})"
    if x < 0.8 and kind(ref.value) in "biu":
        return f"{name} = int({ref.text}.sum())"
    if kind(ref.value) == "c":
        return f"{name} = complex({ref.text}.sum())"
    return f"{name} = {g.one_of('float(%s.sum())', '%s.sum().item()')}" % ref.text
