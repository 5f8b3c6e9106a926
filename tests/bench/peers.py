"""The workloads in other systems: optional peers, in whichever interpreter has them.

    python -m venv peers && peers/bin/pip install -r peers.txt
    peers/bin/python peers.py numba chain/1e6 --threads 1

A peer runs the workload's own text where it can: Numba compiles it with `np` bound to NumPy and its
own parallel loops, JAX traces it under `jit` with `np` bound to `jax.numpy`. NumExpr takes strings,
so its programs are written here again. What a peer refuses (JAX: writes to arrays, sizes that depend
on values; Numba: functions it does not know) is reported with the peer's own words, not worked around.
"""

import argparse
import functools
import importlib
import inspect
import json
import os
import textwrap
import types

import numpy

import measure
import table
import turns


def pin(threads):
    """Lets this process use so many CPUs, since not every peer can be told its number of threads."""
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[:threads])
    for name in (
        "NUMBA_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "NUMEXPR_MAX_THREADS",
        "OPENBLAS_NUM_THREADS",
    ):
        os.environ[name] = str(threads)


def numba_program(workload, inputs):
    numba = importlib.import_module("numba")

    def compiled(function):
        """The function without its parameter `np`, as Numba wants it."""
        lines = textwrap.dedent(inspect.getsource(function)).splitlines(keepends=True)
        start = next(i for i, line in enumerate(lines) if line.startswith("def "))
        source = "".join(lines[start:]).replace("(np, ", "(", 1)
        for name in helpers:
            source = source.replace(f"{name}(np, ", f"{name}(")
        scope = {"np": numpy, **helpers}
        exec(source, scope)
        return numba.njit(parallel=True)(scope[function.__name__])

    helpers = {}
    for name in workload.run.__code__.co_names:
        helper = workload.run.__globals__.get(name)
        if isinstance(helper, types.FunctionType):
            helpers[name] = compiled(helper)
    program = compiled(workload.run)
    return lambda: program(**inputs)


def jax_program(workload, inputs):
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    arrays = {k: jax.numpy.asarray(v) for k, v in inputs.items() if isinstance(v, numpy.ndarray)}
    scalars = {k: v for k, v in inputs.items() if k not in arrays}
    program = jax.jit(lambda arrays: workload.run(jax.numpy, **arrays, **scalars))
    return lambda: jax.block_until_ready(program(arrays))


CDF = "where({d} > 0, 1.0 - {tail}, {tail})"
POLYNOMIAL = "{k} * (0.319381530 + {k} * (-0.356563782 + {k} * (1.781477937 + {k} * (-1.821255978 + {k} * 1.330274429))))"


def numexpr_black_scholes(evaluate, spot, strike, years, rate, volatility):
    names = dict(spot=spot, strike=strike, years=years, rate=rate, volatility=volatility)
    names["d1"] = evaluate(
        "(log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / (volatility * sqrt(years))",
        names,
    )
    names["d2"] = evaluate("d1 - volatility * sqrt(years)", names)
    for i in (1, 2):
        k = f"(1.0 / (1.0 + 0.2316419 * abs(d{i})))"
        names[f"k{i}"] = evaluate(k, names)
        names[f"t{i}"] = evaluate(
            f"0.3989422804014327 * exp(-0.5 * d{i} * d{i}) * " + POLYNOMIAL.format(k=f"k{i}"), names
        )
        names[f"c{i}"] = evaluate(CDF.format(d=f"d{i}", tail=f"t{i}"), names)
    names["discounted"] = evaluate("strike * exp(-rate * years)", names)
    call = evaluate("spot * c1 - discounted * c2", names)
    put = evaluate("discounted * (1.0 - c2) - spot * (1.0 - c1)", names)
    return call, put


NUMEXPR = {
    "chain": "sqrt(a * a + b * b) * 2.5 - a / (b + 3.0) + (a - b)",
    "chain_math": "exp(-a * a) * sin(b) + log(b * b + 1.0) * tanh(a)",
    "triad": "a + 3.0 * b",
    "where": "where(a > 0, a, 0.1 * a)",
    "distance": lambda evaluate, a, b: numpy.sqrt(evaluate("sum((a - b) ** 2)", dict(a=a, b=b))),
    "outer": lambda evaluate, x, y, w: evaluate("x * y + w", dict(x=x[:, None], y=y[None, :], w=w)),
    "transpose_add": lambda evaluate, a, b: evaluate("a + 2.0 * b", dict(a=a, b=b.T)),
    "black_scholes": numexpr_black_scholes,
}


def numexpr_program(workload, inputs):
    numexpr = importlib.import_module("numexpr")
    program = NUMEXPR.get(workload.name)
    if program is None:
        raise NotImplementedError("not one expression")
    if isinstance(program, str):
        return lambda: numexpr.evaluate(program, local_dict=inputs)
    return functools.partial(
        program, lambda text, names: numexpr.evaluate(text, local_dict=names), **inputs
    )


PEERS = {"numba": numba_program, "numexpr": numexpr_program, "jax": jax_program}


def time_case(name, case, rounds, budget):
    """The peer's times on one case: first call (which compiles) and median, or why there are none."""
    inputs = case.inputs()
    try:
        program = PEERS[name](case.workload, inputs)
        first = measure.seconds(program)
        right, error, _ = measure.check(
            case.workload, program(), case.workload.run(numpy, **inputs)
        )
    except Exception as problem:
        words = str(problem).strip().splitlines() or [""]
        return {"problem": f"{type(problem).__name__}: {words[0][:160]}"}
    times = turns.medians([program], rounds, budget)[0]
    return {"first_ms": 1e3 * first, "ms": 1e3 * times, "right": bool(right), "error": error}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("peer", choices=list(PEERS))
    parser.add_argument("cases", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--budget", type=float, default=3.0, help="seconds for a case")
    options = parser.parse_args()
    pin(options.threads)
    importlib.import_module(options.peer)
    known = {case.id: case for case in table.cases()}
    for case in options.cases:
        print(
            json.dumps(
                {
                    "case": case,
                    **time_case(options.peer, known[case], options.rounds, options.budget),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
