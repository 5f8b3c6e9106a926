"""Statements that name views, copies and new shapes of arrays."""

import math

from .state import rule


@rule(8)
def view_index(g):
    ref = g.real_array()
    return None if ref is None else f"{g.new_name()} = {g.view(ref).text}"


@rule(2)
def view_scalar(g):
    """One element: a copy in NumPy, however the array changes later."""
    ref = g.real_array(lambda v: v.ndim and v.size)
    if ref is None:
        return None
    index = ", ".join(str(g.rng.randrange(-n, n)) for n in ref.value.shape)
    return f"{g.new_name()} = {ref.text}[{index}]"


@rule(3)
def view_transpose(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    rank = ref.value.ndim
    axes = g.rng.sample(range(rank), rank)
    text = g.one_of(
        f"{ref.text}.T",
        f"{ref.text}.swapaxes({g.rng.randrange(-rank, rank)}, {g.rng.randrange(rank)})",
        f"{ref.text}.transpose({', '.join(map(str, axes))})",
        f"np.transpose({ref.text}, {tuple(axes)})",
        f"np.swapaxes({ref.text}, 0, {rank - 1})",
    )
    return f"{g.new_name()} = {text}"


def factored(g, size):
    """A random shape with so many elements."""
    if size == 0:
        return g.one_of((0,), (0, 3), (2, 0))
    dims = []
    while size > 1 and len(dims) < 3:
        divisors = [d for d in range(1, min(size, 60) + 1) if size % d == 0]
        dims.append(g.rng.choice(divisors))
        size //= dims[-1]
    dims.append(size)
    g.rng.shuffle(dims)
    return tuple(dims)


@rule(4)
def view_reshape(g):
    ref = g.real_array()
    if ref is None:
        return None
    shape = factored(g, ref.value.size)
    if g.chance(0.3) and math.prod(shape):
        spot = g.rng.randrange(len(shape))
        shape = shape[:spot] + (-1,) + shape[spot + 1 :]
    text = g.one_of(
        f"{ref.text}.reshape({', '.join(map(str, shape))})",
        f"{ref.text}.reshape({shape})",
        f"np.reshape({ref.text}, {shape})",
        f"{ref.text}.ravel()",
        f"np.ravel({ref.text})",
        f"{ref.text}.reshape(-1)",
    )
    return f"{g.new_name()} = {text}"


@rule(2)
def view_broadcast(g):
    ref = g.real_array(lambda v: v.ndim < 4)
    if ref is None:
        return None
    shape = tuple(g.one_of(2, 3) if n == 1 else n for n in ref.value.shape)
    if g.chance(0.6):
        shape = (g.one_of(1, 2, 3),) + shape
    return f"{g.new_name()} = np.broadcast_to({ref.text}, {shape})"


@rule(2)
def view_more(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    rank = ref.value.ndim
    text = g.one_of(
        f"np.expand_dims({ref.text}, {g.rng.randrange(-rank - 1, rank + 1)})",
        f"np.squeeze({ref.text})",
        f"{ref.text}.squeeze()",
        f"np.flip({ref.text}, axis={g.rng.randrange(rank)})",
        f"np.moveaxis({ref.text}, {g.rng.randrange(rank)}, {g.rng.randrange(-rank, rank)})",
        f"{ref.text}.view()",
    )
    return f"{g.new_name()} = {text}"


@rule(1.5)
def view_part(g):
    ref = g.real_array(lambda v: v.dtype.kind == "c")
    return None if ref is None else f"{g.new_name()} = {ref.text}.{g.one_of('real', 'imag')}"


@rule(2)
def copy(g):
    ref = g.real_array()
    if ref is None:
        return None
    text = g.one_of(
        f"{ref.text}.copy()", f"np.copy({ref.text})", f"np.array({ref.text})", f"{ref.text}.flatten()",
        f"np.asarray({ref.text})", f"np.ascontiguousarray({ref.text})",
    )  # fmt: skip
    return f"{g.new_name()} = {text}"


@rule(1)
def second_name(g):
    """A second name of the same array: an in-place operator changes both."""
    ref = g.array()
    return None if ref is None else f"{g.new_name()} = {ref.text}"


@rule(3)
def rebind(g):
    """A name that gets a new value: the old array lives on only in views and in what was computed
    from it.
    """
    ref = g.array()
    if ref is None:
        return None
    other = g.scalar(ref.value) if g.chance(0.5) else (g.operand(ref.value.shape) or ref).text
    return f"{ref.text} = {ref.text} {g.one_of('+', '*', '-')} {other}"


@rule(1.5)
def delete(g):
    ref = g.array() if len(g.values) > 4 else None
    return None if ref is None else f"del {ref.text}"
