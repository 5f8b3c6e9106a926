"""Time some programs on fuseau and on NumPy, in turns."""

import argparse
import json
import statistics
import time


def stencil(np, grid):
    center = grid[1:-1, 1:-1]
    for _ in range(10):
        center[:] = 0.2 * (
            center + grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, 2:] + grid[1:-1, :-2]
        )
    return grid


def chain(np, x, y):
    return (x * 2 + y * 3 - 1.5) * 0.25


def distance(np, x, y):
    return np.sqrt((x - y) ** 2 + 1).sum()


def softmax(np, x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


PROGRAMS = {
    "stencil": (stencil, ((1000, 1000),)),
    "chain": (chain, ((1_000_000,), (1_000_000,))),
    "distance": (distance, ((1_000_000,), (1_000_000,))),
    "softmax": (softmax, ((1000, 1000),)),
}


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau bench", description=__doc__.splitlines()[0], allow_abbrev=False
    )
    made.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(PROGRAMS)}")
    made.add_argument("--rounds", type=int, default=7, help="runs of each, in turns (7)")
    made.add_argument("--json", action="store_true", help="print it as JSON")
    return made


def main(arguments):
    """Prints the medians in milliseconds."""
    made = parser()
    options = made.parse_args(arguments)
    unknown = [name for name in options.names if name not in PROGRAMS]
    if unknown:
        made.error(f"no program {unknown[0]!r}; expected some of {', '.join(PROGRAMS)}")
    if options.rounds < 1:
        made.error(f"--rounds {options.rounds}: expected 1 or more")
    records = []
    for name in options.names or PROGRAMS:
        record = {"program": name, **measure(*PROGRAMS[name], options.rounds)}
        records.append(record)
        if not options.json:
            print(
                f"{name:10} NumPy {record['numpy_ms']:8.2f} ms, fuseau "
                f"{record['fuseau_ms']:8.2f} ms, {record['speedup']:5.1f} times as fast; first "
                f"run {record['first_ms']:.1f} ms",
                flush=True,
            )
    if options.json:
        print(json.dumps(records, indent=1))
    return 0


def measure(program, shapes, rounds):
    """Medians of runs that take turns. A result that is not NumPy's is an error."""
    import numpy

    import fuseau

    random = numpy.random.default_rng(0)
    inputs = [random.random(shape) for shape in shapes]
    mine = [fuseau.asarray(array) for array in inputs]

    def timed(call):
        begin = time.perf_counter()
        result = call()
        return 1e3 * (time.perf_counter() - begin), result

    first, got = timed(lambda: fuseau.eval(program(fuseau, *mine)))
    numpy.testing.assert_allclose(
        numpy.asarray(got), program(numpy, *(array.copy() for array in inputs)), rtol=1e-12
    )
    times = {"numpy": [], "fuseau": []}
    for _ in range(rounds):
        times["numpy"].append(timed(lambda: program(numpy, *inputs))[0])
        times["fuseau"].append(timed(lambda: fuseau.eval(program(fuseau, *mine)))[0])
    medians = {f"{name}_ms": statistics.median(values) for name, values in times.items()}
    return {**medians, "speedup": medians["numpy_ms"] / medians["fuseau_ms"], "first_ms": first}
