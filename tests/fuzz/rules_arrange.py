"""Statements that arrange elements anew, and products over several axes."""

import math

from .rules_index import made
from .rules_ufunc import whole
from .rules_write import scalar_for, writable
from .state import index_text, kind, rule


def axes(g, rank):
    return g.rng.randrange(-rank, rank)


@rule(4)
def arrange(g):
    ref = g.real_array(lambda v: v.ndim >= 1 and v.size * 4 <= g.limit)
    if ref is None:
        return None
    rank, text, axis = ref.value.ndim, ref.text, axes(g, ref.value.ndim)
    name = g.new_name()
    options = [
        f"np.roll({text}, {g.one_of(1, -1, 5)})",
        f"np.roll({text}, ({g.one_of(1, 2)}, -1), axis=(0, {axis}))",
        f"np.tile({text}, {g.one_of('2', '(2, 1)', '(1, 2)', '3')})",
        f"np.repeat({text}, 2, axis={axis})",
        f"np.repeat({text}, {g.one_of('2', '[3]')})",
        f"np.flip({text})",
        f"np.flip({text}, axis={axis})",
        f"np.flip({text}, axis=(0, {rank - 1}))" if rank > 1 else f"np.flipud({text})",
        f"np.pad({text}, {g.one_of(1, 2)}, mode={g.one_of('constant', 'edge', 'wrap')!r})",
        f"np.pad({text}, {g.one_of('1', '(0, 2)', '((1, 0),)')}, constant_values={g.one_of(0, 1)})",
        f"np.vstack([{text}, {text}])",
        f"np.hstack([{text}, {text}])",
        f"np.dstack([{text}, {text}])",
        f"np.column_stack([{text}, {text}])",
        f"np.stack([{text}, {text}], axis={axis})",
        f"np.atleast_2d({text})",
        f"np.atleast_3d({text})",
        f"np.trim_zeros({text})" if rank == 1 else f"np.ravel({text}, order='F')",
        f"np.resize({text}, {g.one_of((3, 4), (5,), (2, 2, 2))})",
        f"np.rollaxis({text}, {axis})",
        f"np.reshape({text}, -1, order='F')",
        f"{text}.flatten(order={g.one_of('C', 'F')!r})",
        f"np.array_split({text}, 3)[{g.one_of(0, 1, 2)}]",
        f"np.permute_dims({text})",
        f"np.concatenate(({text}, {text}), axis=None)",
        f"np.block([{text}, {text}])",
        f"np.array_equal({text}, {text} * 1)",
    ]
    if rank >= 2:
        options += [
            f"np.rot90({text}, {g.one_of(1, 2, 3, -1)})",
            f"np.fliplr({text})",
            f"np.triu({text}, {g.one_of(0, 1, -1)})",
            f"np.tril({text}, {g.one_of(0, 1, -1)})",
            f"np.diagonal({text}, {g.one_of(0, 1, -1)})",
            f"np.trace({text})",
            f"np.matrix_transpose({text})",
            f"{text}.transpose()",
        ]
    if rank <= 2:
        options += [f"np.diag({text})"] if ref.value.size < 40 else []
        options += [f"np.diagflat({text})"] if ref.value.size < 30 else []
    if rank >= 4:
        options.append(f"{text}.transpose({', '.join(map(str, g.rng.sample(range(rank), rank)))})")
    return f"{name} = {g.rng.choice(options)}"


@rule(2)
def pieces(g):
    """Parts of an array as views: of a split, an unpacking, a diagonal, an iteration."""
    ref = g.real_array(lambda v: v.ndim >= 1 and len(v) >= 2)
    if ref is None:
        return None
    n, text = len(ref.value), ref.text
    one, two = g.new_name(), g.new_name()
    if g.chance(0.3):
        return f"{one}, {two} = np.array_split({text}, 2)"
    if g.chance(0.3) and n <= 9:
        return f"{one}, *_, {two} = {text}"
    if g.chance(0.3) and n % 2 == 0:
        return f"{one}, {two} = np.split({text}, 2)"
    if ref.value.ndim >= 2 and g.chance(0.4):
        return f"{one} = {text}.diagonal()"
    return f"{one}, {two} = {text}[: {n // 2}], {text}[{n // 2} :]"


@rule(1.5)
def diagonal_write(g):
    target = writable(g, lambda v: v.ndim == 2)
    if target is None:
        return None
    name, n = target.text, min(target.value.shape)
    value = scalar_for(g, target)
    return g.one_of(
        f"np.fill_diagonal({name}, {value})",
        f"{name}[np.arange({n}), np.arange({n})] = {value}",
        f"{name}[np.diag_indices({n})] = {value}",
        f"{name}.flat[:: {target.value.shape[1] + 1}] = {value}",
        f"{name}[np.triu_indices({n}, 1)] = {value}",
        f"{name}[np.tri({target.value.shape[0]}, {target.value.shape[1]}, dtype=bool)] = {value}",
        f"{name}[...] = {name}.T"
        if target.value.shape[0] == target.value.shape[1]
        else f"{name}[0] = {value}",
        f"{name}[{index_text((g.span(n), g.span(n)))}] = {value}",
    )


@rule(3)
def piecewise(g):
    """Chains of choices."""
    ref = g.real_array(lambda v: v.size)
    if ref is None:
        return None
    text, shape = ref.text, ref.value.shape
    other = (g.fitting(shape) or ref).text
    name = g.new_name()
    options = [
        f"np.where({text} > 0, {text}, np.where({other} < 1, {other}, 2))",
        f"np.select([{text} > 1, {text} > 0], [{text}, {other}], default={g.one_of('0', '-1', '0.5')})",
        f"np.choose({text} > 0, [{other}, {text}])",
        f"np.choose({made(g, 'int64', shape)} % 3, [{text}, {other}, {g.one_of('0', '1')}])",
        f"np.where(({text} != 0) & ({other} != 1), {other}, {g.one_of('0', '1', '0.5')})",
        f"np.where({text} == 0, {text} + 1, {text})",
    ]
    if kind(ref.value) in "if":
        options.append(f"np.piecewise({text}, [{text} < 0, {text} >= 0], [-1, 1])")
        options.append(f"np.piecewise({text}, [{text} < 1], [lambda x: x * 2, 3])")
    return f"{name} = {g.rng.choice(options)}"


def product_result(g, text):
    """Whether the product is small enough to compute."""
    value = g.value_of(text)
    return None if value is None else f"{g.new_name()} = {text}"


@rule(4)
def products(g):
    """Products of arrays of mixed rank, of small whole numbers that no order of additions rounds."""
    first = g.real_array(lambda v: 1 <= v.ndim <= 4 and v.size <= 400)
    if first is None:
        return None
    dtype = g.one_of("float64", "float32", "int32", "complex128", "int64")
    one, shape = whole(first.text, dtype), first.value.shape
    rank, n = len(shape), shape[-1]
    other = g.one_of("float64", dtype, dtype)
    vector, matrix = made(g, "int8", (n,)), made(g, "int8", (n, 3))
    vector, matrix = f"{vector}.astype({other!r})", f"{matrix}.astype({other!r})"
    letters = "ijkl"[:rank]
    options = [
        f"np.einsum('{letters}->{letters[::-1]}', {one})",
        f"np.einsum('{letters}->{letters[0]}', {one})",
        f"np.einsum('{letters},{letters}->', {one}, {one})",
        f"np.einsum('{letters},{letters[-1]}->{letters[:-1]}', {one}, {vector})",
        f"np.einsum('...i,i', {one}, {vector})",
        f"np.einsum('{letters},{letters[-1]}m', {one}, {matrix})",
        f"np.tensordot({one}, {matrix}, axes=1)",
        f"np.tensordot({one}, {one}, axes=({list(range(rank))}, {list(range(rank))}))",
        f"np.dot({one}, {vector})",
        f"np.dot({one}, {matrix})",
        f"{one} @ {matrix}",
        f"{one} @ {vector}",
        f"np.matmul({one}, {matrix})",
        f"np.vecdot({one}, {vector})",
        f"np.inner({one}, {vector})",
        f"np.vdot({one}, {one})",
    ]
    if rank <= 2 and math.prod(shape) <= 40:
        options += [
            f"np.kron({one}, {g.one_of('[1, 2]', 'np.eye(2)')})",
            f"np.outer({one}, {one})",
        ]
    if rank >= 2:
        options += [
            f"np.swapaxes({one}, -1, -2) @ {one}",
            f"{one} @ {one}.swapaxes(-1, -2)",
            f"np.matvec({one}, {vector})",
        ]
    if n == 3:
        options.append(f"np.cross({one}, {vector})")
    if rank == 2:
        options.append(f"np.linalg.multi_dot([{one}.T, {one}, {matrix}])")
        options.append(f"np.linalg.norm({one}, 1)")
        options.append(f"np.einsum('ij,ik->jk', {one}, {one})")
    return product_result(g, g.rng.choice(options))
