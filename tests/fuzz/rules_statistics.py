"""Statements that order, count and describe values."""

from .rules_compute import no_nan, random_axis, settle
from .rules_index import indices, made, mask
from .rules_ufunc import joined, whole
from .rules_write import writable
from .state import kind, rule


def settled(ref):
    """The operand without NaN and with zeros of one sign: where each of two zeros ends up when
    values are ordered is open.
    """
    return f"({no_nan(ref.text)} + 0)" if kind(ref.value) in "fc" else ref.text


def ordered(g, test=None):
    return g.real_array(lambda v: v.ndim >= 1 and (test is None or test(v)))


@rule(3)
def spread(g):
    ref = g.array(lambda v: kind(v) in "biufc")
    if ref is None:
        return None
    function = g.one_of("var", "std")
    arguments = joined(
        random_axis(g, ref.value.ndim),
        g.one_of("", "", "ddof=1"),
        g.one_of("", "", "keepdims=True"),
        f"where={mask(g, ref.value.shape)}" if g.chance(0.1) else "",
    )
    text = g.view(ref).text if g.chance(0.2) and not arguments else ref.text
    if g.chance(0.5):
        return f"{g.new_name()} = {text}.{function}({arguments})"
    return f"{g.new_name()} = np.{function}({joined(text, arguments)})"


@rule(3)
def nan_reduce(g):
    ref = g.array(lambda v: kind(v) in "biufc")
    if ref is None:
        return None
    rank, letter = ref.value.ndim, kind(ref.value)
    function = g.one_of(
        "nansum", "nanmean", "nanvar", "nanstd", "nanprod", "nanmax", "nanmin", "nancumsum", "nanargmax",
        "nanmedian",
    )  # fmt: skip
    single = function in ("nancumsum", "nanargmax", "nanmedian")
    axis = random_axis(g, rank, not single)
    keep = g.one_of("", "keepdims=True") if not single else ""
    name = g.new_name()
    text = f"np.{function}({joined(ref.text, axis, keep)})"
    if function in ("nanmax", "nanmin", "nanmedian"):
        if letter == "c":
            return None
        return settle(g, name, text) if letter == "f" else f"{name} = {text}"
    return f"{name} = {text}"


@rule(2.5)
def quantile(g):
    ref = g.array(lambda v: kind(v) in "iuf" and v.size)
    if ref is None:
        return None
    text, rank = settled(ref), ref.value.ndim
    axis = random_axis(g, rank)
    keep = g.one_of("", "", "keepdims=True")
    method = g.one_of("", "", "method='lower'", "method='nearest'", "method='midpoint'")
    name = g.new_name()
    return g.one_of(
        f"{name} = np.median({joined(text, axis, keep)})",
        f"{name} = np.percentile({joined(text, g.one_of('50', '[10, 90]', '33.3'), axis, keep, method)})",
        f"{name} = np.quantile({joined(text, g.one_of('0.5', '[0.25, 0.75]', '0.1'), axis, keep)})",
        f"{name} = np.nanpercentile({joined(text, '25', axis)})",
        f"{name} = np.average({joined(ref.text, axis)})",
        f"{name} = np.average({joined(ref.text, 'weights=np.ones(' + str(ref.value.shape) + ')')})",
    )


@rule(1.5)
def covariance(g):
    ref = ordered(g, lambda v: v.ndim <= 2 and v.size > 3 and v.shape[-1] > 1 and kind(v) in "iuf")
    if ref is None or (ref.value.ndim == 2 and max(ref.value.shape) ** 2 > g.limit):
        return None
    text = whole(ref.text, g.one_of("float64", "int32"))
    rows = g.one_of("", ", rowvar=False") if ref.value.ndim == 2 else ""
    return f"{g.new_name()} = np.{g.one_of('cov', 'corrcoef')}({text}{rows})"


@rule(4)
def order_more(g):
    ref = ordered(g)
    if ref is None:
        return None
    text, rank = settled(ref), ref.value.ndim
    axis = g.rng.randrange(-rank, rank)
    n = ref.value.shape[axis]
    sort_kind = g.one_of("", ", kind='stable'", ", kind='heapsort'", ", kind='quicksort'")
    name = g.new_name()
    options = [
        f"np.sort({text}, axis={axis}{sort_kind})",
        f"np.sort({text}, axis=None{sort_kind})",
        f"np.argsort({text}, axis={axis}, kind='stable')",
        f"np.take_along_axis({text}, np.argsort({text}, axis={axis}{sort_kind}), axis={axis})",
        f"np.lexsort(({text}.ravel()[::-1], {text}.ravel()))",
        f"np.sort({text}, axis={axis})[::-1]",
        f"np.searchsorted(np.sort({text}, axis=None), {text}, side={g.one_of('left', 'right')!r})",
        f"np.searchsorted(np.sort({text}.ravel()), {made(g, ref.value.dtype.name, (4,))})",
    ]
    if n:
        k = g.rng.randrange(n)
        options += [
            f"np.partition({text}, {k}, axis={axis}).take({k}, axis={axis})",
            f"np.sort(np.partition({text}, {k}, axis={axis}), axis={axis})",
            f"np.take_along_axis({text}, np.argpartition({text}, {k}, axis={axis}), {axis}).take({k}, {axis})",
        ]
    return f"{name} = {g.rng.choice(options)}"


@rule(1.5)
def order_in_place(g):
    target = writable(g, lambda v: v.ndim >= 1 and kind(v) in "biu")
    if target is None:
        return None
    rank = target.value.ndim
    axis = g.rng.randrange(-rank, rank)
    place = f"{target.text}[::2]" if g.chance(0.2) else target.text
    return f"{place}.sort(axis={axis}{g.one_of('', ', kind=' + repr('stable'))})"


@rule(3)
def sets(g):
    ref = ordered(g)
    if ref is None:
        return None
    text = settled(ref)
    other = ordered(g)
    second = settled(other) if other is not None else text
    first, name = g.new_name(), g.new_name()
    return g.one_of(
        f"{name} = np.unique({text})",
        f"{name}, {first} = np.unique({text}, return_counts=True)",
        f"{name}, {first} = np.unique({text}, return_index=True)",
        f"{name}, {first} = np.unique({text}, return_inverse=True)",
        f"{name} = np.unique({text}, axis=0)" if kind(ref.value) != "b" else f"{name} = {text}",
        f"{name} = np.intersect1d({text}, {second})",
        f"{name} = np.union1d({text}, {second})",
        f"{name} = np.setdiff1d({text}, {second})",
        f"{name} = np.setxor1d({text}, {second})",
        f"{name} = np.isin({text}, {second})",
        f"{name} = np.isin({text}, {g.one_of('[0, 1]', '[2]', '1')})",
        f"{name} = np.unique_values({text}).sum()"
        if kind(ref.value) in "biu"
        else f"{name} = {text}",
    )


@rule(3)
def counts(g):
    ref = ordered(g, lambda v: v.size and kind(v) in "biuf")
    if ref is None:
        return None
    text, first, name = settled(ref), g.new_name(), g.new_name()
    small = f"np.where(abs({whole(ref.text)}) < 50, {whole(ref.text)}, 0).ravel()"
    bins = g.one_of("4", "[-2, 0, 1, 5]", "np.linspace(-5, 5, 7)")
    finite = f"np.where(np.isfinite({text}) & ({text} < 100) & ({text} > -100), {text}, 0)"
    if kind(ref.value) == "b":
        finite = f"{text}.astype('int8')"
    return g.one_of(
        f"{name}, {first} = np.histogram({finite}, bins={bins})",
        f"{name}, {first} = np.histogram({finite}, bins=5, range=(-3, 3))",
        f"{name}, {first} = np.histogram({finite}, bins={bins}, density=True)",
        f"{name} = np.bincount({small} + 1)",
        f"{name} = np.bincount({small} + 1, minlength=7)",
        f"{name} = np.bincount({small} + 1, weights={whole(ref.text, 'float64')}.ravel())",
        f"{name} = np.digitize({text}, [-2, 0, 1, 5]{g.one_of('', ', right=True')})",
        f"{name} = np.histogram2d({finite}.ravel(), {finite}.ravel()[::-1], bins=3)[0]",
        f"{name} = np.histogram_bin_edges({finite}, 4)",
    )


@rule(3)
def differences(g):
    ref = ordered(g)
    if ref is None:
        return None
    rank, letter = ref.value.ndim, kind(ref.value)
    axis = g.rng.randrange(-rank, rank)
    name, text = g.new_name(), ref.text
    flat = f"{text}.ravel()"
    options = [
        f"np.diff({text}, axis={axis})",
        f"np.diff({text}, n={g.one_of(0, 1, 2, 3)}, axis={axis})",
        f"np.ediff1d({text})",
        f"np.gradient({text}, axis={axis})",
        f"np.trapezoid({text}, axis={axis})",
        f"np.trapezoid({text}, dx=0.5)",
        f"np.cumulative_sum({flat}, include_initial={g.one_of(True, False)})",
        f"np.nancumsum({text}, axis={axis})",
        f"np.cumsum({text}, axis={axis}, dtype={g.one_of('float64', 'complex128')!r})",
        f"np.cumprod({text} != 0, axis={axis})",
        f"np.diff({text}, axis={axis}, prepend={g.one_of('0', '1')})",
    ]
    if letter in "iuf" and ref.value.size > 1:
        n = ref.value.size
        options += [
            f"np.interp({text}, [-1.0, 0.0, 2.0], [1.0, 3.0, -1.0])",
            f"np.interp(np.linspace(-1, {n}, 7), np.arange({n}), {settled(ref)}.ravel())",
            f"np.unwrap(np.where(np.isfinite({text}), {whole(text, 'float64')}, 0))",
            f"np.nan_to_num({text})",
            f"np.gradient({text}.ravel())",
        ]
    return f"{name} = {g.rng.choice(options)}"


@rule(2)
def convolve(g):
    ref = ordered(g, lambda v: v.size)
    if ref is None:
        return None
    text = whole(ref.text, g.one_of("int64", "float64", "float32", "complex128")) + ".ravel()"
    kernel = g.one_of("[1, 2, 1]", "np.array([0.5, -0.5])", "[1]", "np.ones(4)")
    mode = g.one_of("full", "same", "valid")
    function = g.one_of("convolve", "correlate")
    return f"{g.new_name()} = np.{function}({text}, {kernel}, {mode!r})"


@rule(1)
def polynomial(g):
    ref = ordered(g, lambda v: v.size and v.ndim == 1 and len(v) < 12)
    if ref is None:
        return None
    text = whole(ref.text, "float64")
    return f"{g.new_name()} = " + g.one_of(
        f"np.polyval({text}, {g.one_of('2', '[0.5, 1.0]')})",
        f"np.polyadd({text}, [1, 2])",
        f"np.polymul({text}, [1.0, -1.0])",
        f"np.vander({text}, 3)",
        f"np.packbits({ref.text} > 0)",
        f"np.unpackbits(np.packbits({ref.text} > 0))",
        f"{text}[{indices(g, ref.value.size, (2,))}]",
    )
