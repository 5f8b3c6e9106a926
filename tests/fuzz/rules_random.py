"""Statements with random generators: a seed gives NumPy's stream."""

from .rules_index import indices
from .rules_write import writable
from .state import kind, rule


def drawn(g, size):
    """A method of Generator with arguments."""
    return g.one_of(
        f"random({size})",
        f"random({size}, dtype='float32')",
        f"normal(size={size})",
        f"standard_normal({size})",
        f"normal(1.0, 0.5, {size})",
        f"uniform(-1, 2, {size})",
        f"integers(0, 10, {size})",
        f"integers(-5, 5, size={size}, dtype='int32')",
        f"integers(3, size={size}, dtype='uint8')",
        f"exponential(2.0, {size})",
        f"poisson(3, {size})",
        f"binomial(5, 0.3, {size})",
        f"choice(7, {size})",
        f"choice([1.5, 2.5, 4.0], size={size})",
        "permutation(9)",
        "random()",
        "integers(100)",
    )


def drawn_old(g, size):
    """A method of RandomState with arguments."""
    return g.one_of(
        f"random_sample({size})",
        f"rand(*{size})",
        f"randn(*{size})",
        f"randint(0, 10, {size})",
        f"uniform(-1, 1, {size})",
        f"normal(0, 2, {size})",
        f"choice(5, {size})",
        "permutation(7)",
        "rand()",
    )


@rule(2)
def random_array(g):
    shape = g.near_shape()
    seed = g.rng.randrange(100)
    name = g.new_name()
    if g.chance(0.7):
        return f"{name} = np.random.default_rng({seed}).{drawn(g, shape)}"
    return f"{name} = np.random.RandomState({seed}).{drawn_old(g, shape)}"


@rule(1.5)
def random_stream(g):
    """A generator that lives on: how much each call takes from it counts."""
    if not g.chance(0.6) or not g.generators:
        name = f"r{len(g.generators)}"
        g.generators.append(name)
        seed = g.rng.randrange(100)
        return f"{name} = np.random.{g.one_of('default_rng', 'default_rng', 'RandomState')}({seed})"
    name = g.rng.choice(g.generators)
    if name not in g.env:
        return None
    old = type(g.env[name]).__name__ == "RandomState"
    ref = g.real_array(lambda v: v.ndim >= 1 and v.size)
    target = writable(g, lambda v: v.ndim >= 1 and v.flags.c_contiguous)
    x = g.rng.random()
    if x < 0.1 and target is not None:
        return f"{name}.shuffle({target.text})"
    if x < 0.2 and ref is not None:
        return f"{g.new_name()} = {name}.permutation({ref.text})"
    if x < 0.3 and ref is not None and ref.value.ndim == 1:
        return f"{g.new_name()} = {name}.choice({ref.text}, 4)"
    if x < 0.4 and ref is not None and kind(ref.value) == "f":
        clean = f"np.where(np.isfinite({ref.text}), {ref.text}, 0)"
        return f"{g.new_name()} = {name}.normal({clean}, 1.0)"
    if x < 0.5 and ref is not None:
        index = indices(g, len(ref.value), (3,))
        return f"{g.new_name()} = {ref.text}[{index}] + {name}.random(({', '.join(map(str, (3, *ref.value.shape[1:])))},))"
    draw = drawn_old(g, g.near_shape()) if old else drawn(g, g.near_shape())
    return f"{g.new_name()} = {name}.{draw}"
