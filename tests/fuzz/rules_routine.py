"""Statements that the library's routines compute: products, running sums, indices, sorting."""

from .rules_compute import no_nan
from .state import kind, rule


def vector_or_matrix(v):
    return 1 <= v.ndim <= 2 and v.size


@rule(3)
def product(g):
    """A product of small whole numbers, which no order of additions rounds."""
    ref = g.real_array(vector_or_matrix)
    if ref is None:
        return None
    one = f"({ref.text} > 0).astype({g.one_of('float64', 'float32', 'int32', 'complex128')!r})"
    two = one
    if g.chance(0.5):
        other = g.real_array(
            lambda v: (
                1 <= v.ndim <= 3 and v.size and v.shape[-min(v.ndim, 2)] == ref.value.shape[-1]
            )
        )
        if other is not None:
            two = f"({other.text} < 1).astype('float64')"
            return f"{g.new_name()} = {one} @ {two}"
    if ref.value.ndim == 2 and max(ref.value.shape) ** 2 > g.limit:
        # The other products with itself may take gigabytes.
        return f"{g.new_name()} = np.vecdot({one}, {two})"
    if g.chance(0.4):
        return f"{g.new_name()} = np.{g.one_of('inner', 'vecdot')}({one}, {two})"
    if g.chance(0.3):
        return f"{g.new_name()} = {one}.T @ {two} + 1"
    return f"{g.new_name()} = np.{g.one_of('matmul', 'dot')}({one}, {two}.T)"


@rule(3)
def running(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    text = g.view(ref).text if g.chance(0.3) else ref.text
    axis = g.one_of("None", str(g.rng.randrange(-ref.value.ndim, ref.value.ndim)))
    function = "cumsum" if kind(ref.value) == "c" else g.one_of("cumsum", "cumsum", "cumprod")
    if g.chance(0.2):
        text = f"({text} * 2)"
    return f"{g.new_name()} = np.{function}({text}, axis={axis})"


@rule(3)
def gather(g):
    ref = g.real_array(lambda v: v.ndim >= 1 and v.shape[0])
    if ref is None:
        return None
    n = ref.value.shape[0]
    shape = g.one_of((3,), (5,), (2, 3))
    index = f"(data('int64', {shape}, {g.rng.randrange(4096)}) % {n})"
    if g.chance(0.4):
        index = f"({index} - {n})"
    if g.chance(0.04):
        index = f"({index} + {n})"
    x = g.rng.random()
    name = g.new_name()
    if x < 0.15:
        return f"{name} = np.take({ref.text}, {index}, axis=0)"
    if x < 0.3 and ref.value.ndim >= 2 and ref.value.shape[1]:
        columns = f"(data('int64', {shape}, {g.rng.randrange(4096)}) % {ref.value.shape[1]})"
        return f"{name} = {ref.text}[{index}, {columns}]"
    if x < 0.5 and ref.value.ndim >= 2 and ref.value.shape[1]:
        columns = f"(data('int64', {shape}, {g.rng.randrange(4096)}) % {ref.value.shape[1]})"
        return f"{name} = {ref.text}[:, {columns}]"
    return f"{name} = {ref.text}[{index}]{g.one_of('', '', ' + 1')}"


@rule(3)
def select(g):
    ref = g.real_array(lambda v: v.ndim >= 1)
    if ref is None:
        return None
    name = g.new_name()
    mask = f"({ref.text} {g.one_of('>', '<', '!=')} 0)"
    x = g.rng.random()
    if x < 0.2 and ref.value.ndim >= 2:
        return f"{name} = {ref.text}[{mask}[..., 0]]" if ref.value.shape[-1] else None
    if x < 0.4:
        return f"{name} = np.flatnonzero({mask})"
    if x < 0.5:
        return f"{name} = {mask}.nonzero()[{g.rng.randrange(ref.value.ndim)}]"
    if x < 0.6:
        return f"{name} = np.bincount({mask}.ravel().astype('int64'))"
    return f"{name} = {ref.text}[{mask}]{g.one_of('', ' * 2')}"


@rule(2)
def order(g):
    ref = g.real_array(lambda v: v.ndim >= 1 and kind(v) != "c")
    if ref is None:
        return None
    # Zeros of both signs are equal, and where each of them ends up is open.
    text = f"({no_nan(ref.text)} + 0)" if kind(ref.value) == "f" else ref.text
    axis = g.one_of("None", str(g.rng.randrange(-ref.value.ndim, ref.value.ndim)))
    if g.chance(0.5):
        return f"{g.new_name()} = np.sort({text}, axis={axis})"
    return f"{g.new_name()} = np.argsort({text}, axis={axis}, kind='stable')"
