"""Statements that NumPy refuses. Each is checked for the type of its exception, and must leave
everything as it was.
"""

from .state import rule


@rule(2.5)
def error(g):
    ref = g.real_array()
    if ref is None:
        return None
    name, shape, new = ref.text, ref.value.shape, g.new_name()
    rank = len(shape)
    longer = tuple(n + 2 for n in shape) or (2,)
    options = [
        f"{new} = {name}.sum(axis={rank})",
        f"{new} = np.max({name}, axis={-rank - 1})",
        f"{new} = {name}.mean(axis=(0, 0))",
        f"{new} = {name}.argmin(axis={rank + 1})",
        f"{new} = {name}.sum(axis=0.5)",
        f"{new} = {name}[{', '.join(['0'] * (rank + 1))}]",
        f"{new} = {name}[1.5]",
        f"{new} = {name}['x']",
        f"{new} = {name}.reshape({ref.value.size + 1})",
        f"{new} = {name}.reshape(-1, -1)",
        f"{new} = np.broadcast_to({name}, (7, 3, 11, 13))",
        f"{new} = np.zeros(-1)",
        f"{new} = np.ones((2, -3))",
        f"{new} = np.zeros(3, dtype='no such type')",
        f"{new} = np.arange(0, 5, 0)",
        f"{new} = np.concatenate([])",
        f"{new} = np.stack([{name}, np.zeros({longer})])",
        f"{new} = np.transpose({name}, {tuple(range(rank + 1))})",
        f"{new} = {name}.swapaxes(0, {rank})",
        f"{new} = np.expand_dims({name}, {rank + 3})",
        f"{new} = {name} + None",
        f"{new} = {name} + 'text'",
        f"{new} = np.add({name})",
        f"{new} = {name} // {{}}",
        f"{new} = {name}.no_such_attribute",
        f"{new} = np.min(np.zeros((0, 3)), axis=0)",
        f"{new} = np.argmax(np.zeros(0))",
        f"np.broadcast_to({name}, {(2, *shape)})[...] = 1",
        f"{name}[...] = np.zeros({(3, *longer)})",
        f"{name}[{', '.join(['0'] * (rank + 1))}] = 1",
        f"np.add({name}, 1, out=np.zeros({longer}))",
        f"{new} = np.where({name})[{rank + 1}]",
        f"{new} = np.linspace(0, 1, -2)",
    ]
    if rank:
        options += [
            f"{new} = {name}[{shape[0]}]",
            f"{name}[{-shape[0] - 1}] = 0",
            f"{new} = {name} + np.zeros({longer})",
            f"{name} += np.zeros({longer}, dtype={ref.value.dtype.name!r})",
            f"{new} = np.concatenate([{name}, {name}], axis={rank})",
            f"{new} = np.concatenate([{name}, 1])",
            f"{new} = np.squeeze({name}, axis={rank})",
            f"{new} = {name}[::0]",
        ]
    if ref.value.size > 1:
        options += [
            f"{new} = bool({name})",
            f"{new} = float({name})",
            f"{new} = int({name})",
            f"{new} = {name}.item()",
        ]
    kind = ref.value.dtype.kind
    if kind in "iu":
        options += [
            f"{name} += 0.5",
            f"{name} /= 2",
            f"{name} *= 1j",
            f"{new} = {name} + {2**70}",
            f"{name}[...] = {2**64}",
            f"np.divide({name}, 2, out={name})",
            f"{name}[...] = 'text'",
        ]
    if kind == "b":
        options += [f"{new} = -{name}", f"{new} = {name} - {name}", f"{name} += 1"]
    if kind in "fc":
        options += [f"{new} = {name} & {name}", f"{new} = ~{name}", f"{new} = {name} << 1"]
    if kind == "f":
        options += [
            f"{name} *= 1j",
            f"{name}[...] = 1j",
            f"{new} = np.add({name}, 1, dtype='int8')",
        ]
    if kind == "c":
        options += [
            f"{new} = {name} // 2",
            f"{new} = np.floor({name})",
            f"{new} = {name} % 2",
            f"{new} = float({name}.sum())",
        ]
    return g.rng.choice(options)
