"""Generators of random numbers: NumPy's streams, by NumPy's own library, as fuseau arrays."""

import functools

import numpy.random

from . import _fallback, _ranks
from ._fuseau import computed

_PLAIN = ("spawn", "bit_generator", "seed", "get_state", "set_state")


def _seed(call, args, kwargs, name="seed", entropy=_ranks.entropy):
    """Calls `call`, whose first argument is the seed; fuseau arrays are taken as NumPy's.

    Without a seed NumPy asks the system. If all ranks run the program, each would get another one.
    """
    args, kwargs = _fallback.lower(args), _fallback.lower(kwargs)
    given = args[0] if args else kwargs.get(name)
    if given is None and _ranks.ranks()["mode"] == "spmd":
        kwargs.pop(name, None)
        args = (entropy(), *args[1:])
    return call(*args, **kwargs)


def _drawing(owner, plain):
    """The public methods of a NumPy class as methods that take and give fuseau arrays.

    They are called on the object that `plain` gives: methods that use others expect NumPy's own
    results.
    """

    def make(name):
        method = getattr(owner, name)

        @functools.wraps(method)
        def through(self, *args, **kwargs):
            bound = method.__get__(plain(self))
            if name == "shuffle":  # It writes to its argument, which may be a list.
                return _fallback.call_quietly(name, bound, args, kwargs)
            return computed(name, bound, 0)(*args, **kwargs)

        return through

    names = [name for name in dir(owner) if not name.startswith("_") and name not in _PLAIN]
    return {name: make(name) for name in names}


class _ExtendedType(type):
    """NumPy's own objects of the class that is extended count as instances."""

    def __instancecheck__(cls, x):
        ours = cls.__module__ == "fuseau.random"
        return type.__instancecheck__(cls, x) or (ours and isinstance(x, cls.__mro__[1]))


def _plain_generator(generator):
    """NumPy's Generator of the same stream."""
    if "_plain" not in generator.__dict__:
        generator._plain = numpy.random.Generator(generator.bit_generator)
    return generator._plain


Generator = _ExtendedType(
    "Generator",
    (numpy.random.Generator,),
    {
        "__doc__": "NumPy's Generator with results as fuseau arrays.",
        "__module__": "fuseau.random",
        "__reduce__": lambda self: (Generator, (self.bit_generator,), None),
        **_drawing(numpy.random.Generator, _plain_generator),
    },
)
RandomState = _ExtendedType(
    "RandomState",
    (numpy.random.RandomState,),
    {
        "__doc__": "NumPy's RandomState with results as fuseau arrays.",
        "__module__": "fuseau.random",
        "__init__": lambda self, *args, **kwargs: _seed(
            functools.partial(numpy.random.RandomState.__init__, self),
            args,
            kwargs,
            entropy=_ranks.entropy_words,
        ),
        **_drawing(numpy.random.RandomState, lambda state: state),
    },
)


def default_rng(seed=None):
    """A new Generator with NumPy's default bit generator; a Generator is returned itself."""
    if isinstance(seed, Generator):
        return seed
    return Generator(_seed(numpy.random.default_rng, (seed,), {}).bit_generator)


@functools.wraps(numpy.random.seed)
def seed(*args, **kwargs):
    _seed(numpy.random.seed, args, kwargs, entropy=_ranks.entropy_words)


SEEDED = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64", "SeedSequence")


def _seeded(name):
    """A class of NumPy whose seeds may be fuseau arrays."""
    owner = getattr(numpy.random, name)
    first = "entropy" if name == "SeedSequence" else "seed"

    def __init__(self, *args, **kwargs):
        _seed(functools.partial(owner.__init__, self), args, kwargs, first)

    members = {"__doc__": owner.__doc__, "__module__": "fuseau.random", "__init__": __init__}
    return _ExtendedType(name, (owner,), members)


globals().update({name: _seeded(name) for name in SEEDED})
