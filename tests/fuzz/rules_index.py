"""Statements that read and write at index arrays, masks and mixes of them with slices."""

from .rules_make import fits_integers
from .rules_write import scalar_for, writable
from .state import index_text, kind, rule


def made(g, dtype, shape):
    """New values of a dtype: an array of the module, or NumPy's own."""
    text = f"data({dtype!r}, {shape}, {g.rng.randrange(4096)})"
    return f"np.array({text})" if g.chance(0.6) else text


def indices(g, n, shape, negative=True):
    """The text of an array of valid indices into an axis of n elements, with repetitions."""
    if g.chance(0.25) and len(shape) == 1:
        return repr([g.rng.randrange(-n if negative else 0, n) for _ in range(shape[0])])
    known = g.fitting(shape, "i") if g.chance(0.3) and n < 100 else None
    if known is not None and known.value.shape == tuple(shape):
        return f"({known.text} % {n})"
    dtype = g.one_of("int64", "int64", "int64", "int32", "int8" if n < 100 else "int16", "uint16")
    text = f"({made(g, dtype, shape)} % {n})"
    if negative and dtype[0] == "i" and g.chance(0.3):
        text = f"({text} - {n})"
    return f"({text} + {n})" if g.chance(0.02) else text


def mask(g, shape):
    """The text of a mask: a new array, so never a view of what is written through it."""
    same = g.array(lambda v: v.shape == tuple(shape)) if g.chance(0.6) else None
    text = same.text if same is not None else made(g, "int8", tuple(shape))
    return f"({text} {g.one_of('>', '<', '!=', '==')} {g.one_of('0', '1')})"


def advanced(g, shape):
    """The text of an index with at least one array in it, for an array of this shape."""
    rank = len(shape)
    x = g.rng.random()
    if x < 0.12:
        return mask(g, shape)
    if x < 0.22 and all(shape):
        count = g.rng.randint(1, rank)
        parts = [
            mask(g, (n,)) if g.chance(0.15) else indices(g, n, (g.rng.randint(1, 4),))
            for n in shape[:count]
        ]
        return f"np.ix_({', '.join(parts)})"
    if x < 0.3 and rank >= 2:
        # A mask over some axes, between slices.
        count = g.rng.randint(1, rank - 1)
        first = g.rng.randint(0, rank - count)
        before = [index_text((g.span(n),)) for n in shape[:first]]
        return ", ".join([*before, mask(g, shape[first : first + count])])
    if not all(shape):
        return None
    joint = g.one_of((3,), (4,), (1,), (2, 3), (2, 1), (3,))
    chosen = {g.rng.randrange(rank)} | {k for k in range(rank) if g.chance(0.35)}
    items = []
    for k, n in enumerate(shape):
        if k in chosen:
            part = joint if g.chance(0.7) else tuple(m if g.chance(0.5) else 1 for m in joint)
            items.append(indices(g, n, part[g.one_of(0, 0, len(part) - 1) :]))
        elif g.chance(0.15):
            items.append(str(g.rng.randrange(-n, n)))
        else:
            items.append(index_text((g.span(n),)))
    while len(items) > max(chosen) + 1 and g.chance(0.5):
        items.pop()
    if g.chance(0.1):
        items.insert(g.rng.randrange(len(items) + 1), "None")
    if g.chance(0.1):
        items.append("...")
    return ", ".join(items)


@rule(7)
def index_read(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    index = ref and advanced(g, ref.value.shape)
    if index is None:
        return None
    text = ref.text if g.chance(0.8) else f"({ref.text} {g.one_of('!= 0', '* 2', '== 1')})"
    return f"{g.new_name()} = {text}[{index}]{g.one_of('', '', '', '.T', '[::-1]')}"


def source_for(g, target, shape):
    """The text of what can be put into a part of the target of this shape."""
    if shape is None or g.chance(0.4):
        return scalar_for(g, target)
    ref = g.fitting(shape) if g.chance(0.5) else None
    if ref is None:
        return made(g, target.value.dtype.name, tuple(1 if g.chance(0.1) else n for n in shape))
    if kind(target.value) in "iub" and kind(ref.value) in "fc":
        return fits_integers(ref)
    if kind(target.value) != "c" and kind(ref.value) == "c":
        return f"{ref.text}.real"
    # NumPy reads the source while it writes at the indices, so it must be a copy.
    return f"({ref.text} + 0)" if kind(ref.value) != "b" else f"({ref.text} | False)"


@rule(7)
def index_write(g):
    target = writable(g, lambda v: v.ndim >= 1)
    index = target and advanced(g, target.value.shape)
    if index is None:
        return None
    place = f"{target.text}[{index}]"
    if g.chance(0.25):
        operator = g.one_of("|=", "^=", "&=") if kind(target.value) == "b" else g.one_of("+=", "*=")
        return f"{place} {operator} {g.one_of('1', '2', '3')}"
    part = g.value_of(place)
    return f"{place} = {source_for(g, target, None if part is None else part.shape)}"


@rule(3)
def take(g):
    ref = g.real_array(lambda v: v.ndim >= 1 and v.size)
    if ref is None:
        return None
    shape, rank = ref.value.shape, ref.value.ndim
    axis = g.rng.randrange(-rank, rank)
    n, name = shape[axis], g.new_name()
    index = indices(g, n, g.one_of((3,), (2, 2), ()))
    one = indices(g, n, tuple(2 if k == axis % rank else m for k, m in enumerate(shape)))
    mode = g.one_of("", "", ", mode='wrap'", ", mode='clip'")
    options = [
        f"np.take({ref.text}, {index}, axis={axis}{mode})",
        f"{ref.text}.take({index}, {axis})",
        f"np.take({ref.text}, {indices(g, ref.value.size, (4,))})",
        f"np.take({ref.text}, {made(g, 'int64', (5,))}, axis={axis}, mode={g.one_of('wrap', 'clip')!r})",
        f"np.take_along_axis({ref.text}, {one}, axis={axis})",
        f"np.compress({mask(g, (n,))}, {ref.text}, axis={axis})",
        f"np.extract({mask(g, shape)}, {ref.text})",
        f"np.delete({ref.text}, {g.rng.randrange(n)}, axis={axis})",
        f"np.insert({ref.text}, {g.rng.randrange(n)}, 1, axis={axis})",
        f"np.append({ref.text}, {ref.text}, axis={axis})",
        f"np.argwhere({mask(g, shape)})",
        f"np.unravel_index({indices(g, ref.value.size, (3,), False)}, {shape})[0] * 1",
        f"np.ravel_multi_index(({', '.join(indices(g, m, (3,), False) for m in shape)},), {shape})",
        f"np.choose({made(g, 'int64', shape)} % 2, [{ref.text}, {ref.text}[::-1]])",
    ]
    return f"{name} = {g.rng.choice(options)}"


@rule(3)
def put(g):
    target = writable(g, lambda v: v.ndim >= 1)
    if target is None:
        return None
    shape, rank, dtype = target.value.shape, target.value.ndim, target.value.dtype.name
    axis = g.rng.randrange(-rank, rank)
    values = made(g, dtype, (g.one_of(1, 3),))
    index = indices(g, target.value.size, (g.one_of(1, 3, 4),))
    one = indices(g, shape[axis], tuple(2 if k == axis % rank else m for k, m in enumerate(shape)))
    options = [
        f"np.put({target.text}, {index}, {values})",
        f"{target.text}.put({index}, {values})",
        f"np.put({target.text}, {made(g, 'int64', (3,))}, {values}, mode={g.one_of('wrap', 'clip')!r})",
        f"np.put_along_axis({target.text}, {one}, {scalar_for(g, target)}, axis={axis})",
        f"np.putmask({target.text}, {mask(g, shape)}, {values})",
        f"np.place({target.text}, {mask(g, shape)}, {values})",
        f"np.copyto({target.text}, {made(g, dtype, shape)}, where={mask(g, shape[-1:])})",
        f"{target.text}.flat[{index}] = {values if 'int' in dtype else scalar_for(g, target)}",
        f"{target.text}.flat[{index_text((g.span(target.value.size),))}] = {scalar_for(g, target)}",
        f"{target.text}.flat = {values}",
    ]
    return g.rng.choice(options)


AT = "add add add subtract multiply maximum minimum".split()


@rule(3)
def at(g):
    """ufunc.at: repeated indices count each time."""
    target = writable(g, lambda v: v.ndim >= 1 and kind(v) in "iufc")
    index = target and advanced(g, target.value.shape)
    if index is None:
        return None
    function = g.rng.choice(AT)
    part = g.value_of(f"{target.text}[{index}]")
    if part is None:
        return None
    if kind(target.value) in "fc" and function in ("maximum", "minimum"):
        function = "add"
    values = g.one_of("1", "2", made(g, target.value.dtype.name, part.shape))
    index = f"({index})" if "," in index and not index.startswith("np.") else index
    if ":" in index or "..." in index:
        return None
    if g.chance(0.1):
        return f"np.negative.at({target.text}, {index})"
    return f"np.{function}.at({target.text}, {index}, {values})"


@rule(1.5)
def index_loop(g):
    """Writes at one place after another, as loops over elements do."""
    target = writable(g, lambda v: v.ndim >= 1 and len(v) > 1 and kind(v) in "iufc")
    if target is None:
        return None
    n, name = len(target.value), target.text
    body = g.one_of(
        f"{name}[_] = {name}[_ - 1] + 1",
        f"{name}[_] += {name}[-_]",
        f"{name}[{n - 1} - _] = {name}[_ // 2] * 2",
        f"{name}[_:] = {name}[: {n} - _]" if kind(target.value) != "b" else f"{name}[_] = 1",
        f"{name}[[0, _]] = {name}[[_, 0]]",
        f"{name}[_], {name}[0] = {name}[0] + 1, {name}[_] + 2",
    )
    return f"for _ in range({min(n, g.one_of(2, 3, 8))}): {body}"


@rule(1.5)
def reduce_at(g):
    """The place of an extreme, and what is there."""
    ref = g.real_array(lambda v: v.ndim >= 1 and v.size and kind(v) in "biu")
    if ref is None:
        return None
    axis = g.rng.randrange(-ref.value.ndim, ref.value.ndim)
    which = g.one_of("argmax", "argmin")
    place = f"np.expand_dims({ref.text}.{which}(axis={axis}), {axis})"
    return g.one_of(
        f"{g.new_name()} = np.take_along_axis({ref.text}, {place}, axis={axis})",
        f"{g.new_name()} = {ref.text}.ravel()[{ref.text}.{which}()]",
        f"{g.new_name()} = {ref.text}[np.unravel_index({ref.text}.{which}(), {ref.text}.shape)]",
        f"{g.new_name()} = {ref.text}[{ref.text}.nonzero()]",
    )
