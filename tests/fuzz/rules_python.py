"""Statements in which Python and arrays meet: attributes, lists as operands, numbers that come out
of arrays and go in again as indices, copies, conversions.
"""

from .rules_index import indices, mask
from .rules_ufunc import whole
from .rules_write import scalar_for
from .state import index_text, kind, rule


def element(g, ref):
    return f"{ref.text}[{', '.join(str(g.rng.randrange(-n, n)) for n in ref.value.shape)}]"


@rule(2.5)
def attribute(g):
    ref = g.real_array()
    if ref is None:
        return None
    other, name, text = g.real_array() or ref, g.new_name(), ref.text
    # Any stride is right where nothing lies that far away.
    steps = ref.value.size > 0 and 1 not in ref.value.shape
    return f"{name} = " + g.one_of(
        f"{text}.shape",
        f"{text}.strides" if steps else f"{text}.size",
        f"({text}.ndim, {text}.size, {text}.itemsize, {text}.nbytes)",
        f"{text}.dtype.str",
        f"({text}.flags.c_contiguous, {text}.flags.f_contiguous, {text}.flags.writeable)",
        f"({text} + 1).strides" if steps else f"({text} + 1).ndim",
        f"({text}.T * 2).flags.f_contiguous",
        f"np.shares_memory({text}, {other.text})",
        f"np.may_share_memory({text}, {other.text})",
        f"np.array_equal({text}, {other.text})",
        f"np.array_equiv({text}, {other.text})",
        f"np.allclose({text}, {other.text})",
        f"np.shape({text})",
        f"np.iscomplexobj({text})",
        f"isinstance({text}, np.ndarray)",
        f"np.broadcast_shapes({text}.shape, (1,))",
        f"np.isscalar({text})",
        f"{text} is {other.text}",
        f"{element(g, ref)}.__class__.__name__" if ref.value.size else f"len({text}.shape)",
    )


@rule(2)
def set_attribute(g):
    """Attributes that programs assign: the shape, and whether an array may be written."""
    ref = g.real_array(lambda v: v.flags.writeable and v.ndim and v.size)
    if ref is None:
        return None
    text, shape = ref.text, ref.value.shape
    return g.one_of(
        f"{text}.shape = {shape[::-1]}",
        f"{text}.shape = -1",
        f"{text}.flags.writeable = False; {text}[...] = 1",
        f"{text}.flags.writeable = False; {text}.flags.writeable = True; {text}[0] = 1",
        f"{text}.setflags(write=False); {text} += 1",
        f"{text} = {text}.reshape({shape[::-1]}); {text}[0] = 1",
    )


@rule(2.5)
def list_operand(g):
    """A list or a tuple as the other operand."""
    ref = g.real_array(lambda v: v.ndim and 1 <= v.shape[-1] <= 9)
    if ref is None:
        return None
    other = [g.one_of(0, 1, 2, -1, 3) for _ in range(ref.value.shape[-1])]
    if g.chance(0.4):
        other[0] = g.one_of(0.5, 1e3, True, 2j if kind(ref.value) == "c" else 2.5)
    other = repr(other) if g.chance(0.8) else repr(tuple(other))
    operator = g.one_of("+", "-", "*", "<", "==")
    name = g.new_name()
    target = ref.value.flags.writeable
    return g.one_of(
        f"{name} = {ref.text} {operator} {other}",
        f"{name} = {other} {operator} {ref.text}",
        f"{name} = np.multiply({ref.text}, {other})",
        f"{name} = np.where({mask(g, ref.value.shape)}, {ref.text}, {other})",
        f"{name} = np.maximum({ref.text}, {other}) + 0",
        f"{ref.text}[...] = {other}"
        if target and kind(ref.value) in "fc"
        else f"{name} = {ref.text} == {other}",
        f"{ref.text} *= {other}" if target else f"{name} = {ref.text} * {other}",
        f"{name} = np.concatenate([{ref.text}.ravel(), {other}])",
        f"{name} = np.stack([{ref.text}.ravel()[: {ref.value.shape[-1]}], {other}])",
        f"{name} = np.dot({whole(ref.text)}, {other})"
        if "." not in other and "j" not in other
        else f"{name} = np.outer({other}, {other})",
        f"{name} = np.array([{ref.text}.sum(), {g.scalar(ref.value)}, 1])",
        f"{name} = np.isin({other}, {ref.text})",
    )


@rule(3)
def computed_index(g):
    """Indices and bounds that other arrays give."""
    ref = g.real_array(lambda v: v.ndim and len(v))
    numbers = g.real_array(lambda v: kind(v) in "iu" and v.size and v.dtype.name != "uint64")
    if ref is None or numbers is None:
        return None
    n, text, name = len(ref.value), ref.text, g.new_name()
    if n > 100:
        return None
    place = f"({element(g, numbers)} % {n})"
    whole_place = f"int({numbers.text}.sum() % {n})"
    reads = [
        f"{name} = {text}[{place}]",
        f"{name} = {text}[{place}:]",
        f"{name} = {text}[: {whole_place}]",
        f"{name} = {text}[np.array({g.rng.randrange(-n, n)})]",
        f"{name} = {text}[np.int64({g.rng.randrange(-n, n)}), ...]",
        f"{name} = {text}[True]",
        f"{name} = {text}[np.array(False)]",
        f"{name} = {text}[None, [True] * {n}]",
        f"{name} = {text}[{place}, None] if {place} > 1 else {text}",
        f"{name} = range({whole_place})[-1:]",
        f"{name} = np.arange({place})",
        f"{name} = np.zeros({place} + 1)",
        f"{name} = np.repeat({text}, {indices(g, 3, (n,), False)}, axis=0)",
        f"{name} = [1, 2, 3] * {place}",
        f"{name} = {text}[tuple({indices(g, n, (1,))})]",
        f"{name} = {text}[slice(None, {place})]",
    ]
    if ref.value.flags.writeable:
        reads += [
            f"{text}[{place}] = {scalar_for(g, ref)}",
            f"{text}[{place} :] = {scalar_for(g, ref)}",
            f"{text}[np.array({g.rng.randrange(n)})] = {scalar_for(g, ref)}",
            f"{text}[{whole_place}] = {text}[{place}]",
            f"{text}[False] = {scalar_for(g, ref)}",
            f"{text}[True] = {scalar_for(g, ref)}",
            f"for _ in range({place}): {text}[_] = {text}[-1 - _]",
        ]
    return g.rng.choice(reads)


@rule(2.5)
def conversion(g):
    """Copies by other ways, texts, and Python numbers of elements."""
    ref = g.real_array(lambda v: v.ndim and v.size)
    if ref is None:
        return None
    text, name, one = ref.text, g.new_name(), element(g, ref)
    real = kind(ref.value) in "biuf"
    return g.one_of(
        f"{name} = __import__('copy').copy({text})",
        f"{name} = __import__('copy').deepcopy([{text}, {text}])[1]",
        f"{name} = __import__('pickle').loads(__import__('pickle').dumps({text}))",
        f"{name} = np.array({text}.tolist())",
        f"{name} = np.frombuffer({text}.tobytes(), {ref.value.dtype.name!r})",
        f"{name} = np.array(list({text}))",
        f"{name} = np.asarray({text}.ravel().tolist(), dtype={ref.value.dtype.name!r})",
        f"{name} = 1 if {one} else 2",
        f"{name} = 1 if {one} == {one} and {text}.any() else {one}",
        f"{name} = divmod({one}, 3)" if kind(ref.value) in "iu" else f"{name} = -{one}" if kind(ref.value) != "b" else f"{name} = ~{one}",
        f"{name} = complex({one})",
        f"{name} = pow({one}, 2)" if kind(ref.value) in "iu" else f"{name} = abs({one})",
        f"{name} = min({text}.ravel().tolist(), default=0)" if kind(ref.value) in "biu" else f"{name} = {one}.real",
        f"{name} = {one}.dtype.itemsize + {one}.ndim",
        f"{name} = hash({one})" if kind(ref.value) in "biu" else f"{name} = {one} * 2",
        f"{name} = {{{one}: 1}}.get(0, 2)" if real else f"{name} = [{one}]",
        f"{name} = not {one}",
        f"{name} = sorted({text}.ravel().tolist())[0]" if kind(ref.value) in "biu" else f"{name} = {one}",
        f"{name} = f'{{{one}}}'" if kind(ref.value) in "biu" else f"{name} = str({one}.dtype)",
        f"{name} = np.from_dlpack({text})" if kind(ref.value) != "b" and ref.value.flags.writeable else f"{name} = {one}",
    )  # fmt: skip


@rule(3)
def ufunc_keywords(g):
    """The keywords of ufuncs: dtype, casting, order, where with a given result."""
    ref = g.real_array(lambda v: v.ndim and v.size)
    if ref is None:
        return None
    other = g.operand(ref.value.shape) or ref
    function = g.one_of("add", "subtract", "multiply", "maximum", "equal")
    dtype = g.one_of("float64", "float32", "complex128", "int64", "int32")
    text, name = f"{ref.text}, {other.text}", g.new_name()
    casting = g.one_of("same_kind", "safe", "no")
    result = g.value_of(f"np.{function}({text})")
    if result is None:
        return None
    if function == "maximum" and kind(result) in "fc":
        function = "add"
    shape, out = result.shape, result.dtype.name
    # An integer type cannot hold every float.
    if kind(result) in "fc" and dtype[0] == "i":
        dtype = "complex128"
    return g.one_of(
        f"{name} = np.{function}({text}, dtype={dtype!r})" if function != "equal" else f"{name} = np.equal({text}, dtype=bool)",
        f"{name} = np.{function}({text}, casting={casting!r})",
        f"{name} = np.{function}({text}, np.zeros({shape}, {out!r}))",
        f"{name} = np.{function}({text}, out=(np.zeros({shape}, {out!r}),))",
        f"{name} = np.{function}({text}, out=np.ones({shape}, {out!r}), where={mask(g, shape)})",
        f"{name} = np.{function}({text}, where=True)",
        f"{name} = np.{function}({text}, out=np.zeros({(2, *shape)}, {out!r}))",
        f"{name} = np.{function}({text}, out=np.zeros({shape}, {g.dtype()!r})).dtype.name",
        f"{name} = np.{function}({text}, order='F')",
        f"{name} = np.frexp({ref.text})[1]" if kind(ref.value) == "f" else f"{name} = np.{function}({text})",
        f"{name} = np.ldexp({ref.text}, 2)" if kind(ref.value) == "f" else f"{name} = np.{function}({text})",
        f"{name} = np.add({ref.text}[{index_text((g.span(len(ref.value)),))}], 1)",
    )  # fmt: skip


@rule(2)
def transforms(g):
    """Linear algebra and Fourier transforms of small whole numbers."""
    ref = g.real_array(lambda v: v.ndim and v.size and v.size < 300)
    if ref is None:
        return None
    n, name = ref.value.shape[-1], g.new_name()
    text = whole(ref.text, g.one_of("float64", "float32", "complex128"))
    square = f"({text}.reshape(-1)[0] + np.eye({min(n, 6)}) * 9 + np.tri({min(n, 6)}))"
    return f"{name} = " + g.one_of(
        f"np.fft.fft({text})",
        f"np.fft.ifft({text}, axis=0)",
        f"np.fft.rfft({text}.real)",
        f"np.fft.fftshift({ref.text})",
        f"np.fft.fftfreq({n}, 0.5)",
        f"np.linalg.norm({text})",
        f"np.linalg.norm({text}, axis=-1)",
        f"np.linalg.inv({square})",
        f"np.linalg.solve({square}, np.ones({min(n, 6)}))",
        f"np.linalg.det({square})",
        f"np.linalg.matrix_power({square}, 2)",
        f"np.linalg.svd({square}, compute_uv=False)",
        f"np.linalg.matrix_rank({square})",
        f"np.linalg.eigvalsh(np.eye({min(n, 6)}) * 2)",
        f"np.linalg.inv(np.zeros(({min(n, 4)}, {min(n, 4)})))",
    )


@rule(1)
def function_of_arrays(g):
    """A function of the program's own, applied to arrays."""
    ref = g.real_array(lambda v: v.ndim and v.size and kind(v) in "iufc")
    if ref is None:
        return None
    other = g.operand(ref.value.shape, "iufc") or ref
    body = g.one_of(
        "x * 2 + y",
        "(x - y) * (x + y)",
        "x.sum(axis=0) + y",
        "np.where(x > 0, y, x)",
        "[x, y][1] - x[0]",
        "x[::-1] * x + y",
        "(x * x).mean(axis=-1, keepdims=True) + y",
    )
    return f"{g.new_name()} = (lambda x, y: {body})({ref.text}, {other.text})"
