"""`task`: a function of the user's own on shards of arrays, side by side."""

import functools
import inspect
import operator
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy

from . import _fuseau
from ._fuseau import from_numpy, ndarray, snapshot

_LEAST_BYTES = 256 << 10  # of a shard, for which a thread is worth it
_PER_THREAD = 4


def task(function=None, *, inputs=None, outputs=1, halo=0, shards=None):
    """Makes a function work on shards of its arrays, on all cores of this process.

    The arrays are cut along their first axis. Each call of the function gets NumPy arrays, the
    same rows of all inputs with `halo` rows more on either side where there are some, and returns
    as many rows as it got; those of the halo are dropped. So the result is that of one call with
    the whole arrays, for any function whose row r depends on rows r - halo to r + halo alone. The
    function should do most of its work without Python's lock, as NumPy, SciPy and the like do.

    Parameters
    ----------
    inputs : sequence of str, optional
        Names of the parameters that are cut; all have as many rows. By default every array with
        an axis that is given. Others are passed whole, arrays as NumPy's. Inputs are read-only.
    outputs : int
        How many arrays the function returns, more than one as a tuple.
    halo : int
        Rows that it needs on either side.
    shards : int, optional
        Into how many parts; by default by the size of the inputs and the number of threads.

    Returns
    -------
    callable
        It computes its arguments, runs at the call, and returns fuseau arrays. In a job of many
        ranks the arrays are gathered, and the rank that runs the program computes all shards; it
        warns of that once.

    Raises
    ------
    ValueError, TypeError
        For a wrong halo or number of shards or outputs, inputs that are no parameters; at a call
        for inputs of different lengths and for results with other numbers of rows than were given.
    """
    if function is None:
        return lambda f: task(f, inputs=inputs, outputs=outputs, halo=halo, shards=shards)
    if not callable(function):
        raise TypeError(f"task wants a function, not {type(function).__name__}")
    halo = _count("halo", halo, least=0)
    outputs = _count("outputs", outputs, least=1)
    if shards is not None:
        shards = _count("shards", shards, least=1)
    signature = inspect.signature(function)
    if isinstance(inputs, str):
        raise TypeError(f"inputs={inputs!r}, expected a sequence of names")
    for name in inputs or ():
        if name not in signature.parameters:
            raise ValueError(f"inputs: {function.__name__} has no parameter {name!r}")

    @functools.wraps(function)
    def run(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return _Run(function, bound, inputs, outputs, halo).run(shards)

    return run


def _count(name, value, least):
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}, expected a whole number") from None
    if number < least:
        raise ValueError(f"{name}={number}, expected {least} or more")
    return number


class _Run:
    """One call of a task."""

    def __init__(self, function, bound, inputs, outputs, halo):
        self._function, self._bound = function, bound
        self._outputs, self._halo = outputs, halo
        given = bound.arguments
        _fuseau.evaluate([x for x in given.values() if type(x) is ndarray])
        for name, value in given.items():
            if type(value) is ndarray:
                given[name] = snapshot(value)
        if inputs is None:
            inputs = [n for n, x in given.items() if isinstance(x, numpy.ndarray) and x.ndim > 0]
        self._cut = {name: numpy.asarray(given[name]) for name in inputs}
        lengths = {name: x.shape[0] if x.ndim else None for name, x in self._cut.items()}
        if not lengths or None in lengths.values() or len(set(lengths.values())) > 1:
            raise ValueError(
                f"{function.__name__}: inputs need one or more arrays with the same number of "
                f"rows, not {lengths or 'none'}"
            )
        self._rows = next(iter(lengths.values()))

    def run(self, shards):
        _warn_of_ranks()
        threads = _fuseau.machine()["threads"]
        if shards is None:
            size = sum(x.nbytes for x in self._cut.values())
            shards = min(_PER_THREAD * threads, size // _LEAST_BYTES) if threads > 1 else 1
        shards = max(1, min(shards, self._rows // max(1, self._halo)))
        bounds = [self._rows * i // shards for i in range(shards + 1)]
        if shards == 1:
            parts = [self._shard(0, self._rows)]
        else:
            with ThreadPoolExecutor(min(threads, shards), "fuseau-task") as pool:
                parts = list(pool.map(self._shard, bounds[:-1], bounds[1:]))
        joined = tuple(from_numpy(_join(pieces)) for pieces in zip(*parts, strict=True))
        return joined if self._outputs > 1 else joined[0]

    def _shard(self, begin, end):
        """The results for rows [begin, end)."""
        first, last = max(0, begin - self._halo), min(self._rows, end + self._halo)
        arguments = dict(self._bound.arguments)
        for name, array in self._cut.items():
            part = array[first:last]
            part.flags.writeable = False
            arguments[name] = part
        bound = inspect.BoundArguments(self._bound.signature, arguments)
        made = self._function(*bound.args, **bound.kwargs)
        results = made if self._outputs > 1 else (made,)
        name = self._function.__name__
        if type(results) is not tuple or len(results) != self._outputs:
            raise TypeError(
                f"{name} returned {type(made).__name__}, expected a tuple of {self._outputs} arrays"
            )
        results = [numpy.asarray(r) for r in results]
        for result in results:
            if result.ndim == 0 or result.shape[0] != last - first:
                raise ValueError(
                    f"{name} got {last - first} rows and returned an array of shape "
                    f"{result.shape}; expected as many rows"
                )
        return [result[begin - first : end - first] for result in results]


def _join(pieces):
    return numpy.concatenate(pieces) if len(pieces) > 1 else numpy.array(pieces[0])


@functools.cache
def _warn_once():
    warnings.warn(
        "a task gathers its arrays: the rank that runs the program computes all shards",
        RuntimeWarning,
        stacklevel=5,
    )


def _warn_of_ranks():
    if _fuseau.ranks() is not None:
        _warn_once()
