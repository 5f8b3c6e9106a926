"""What NumPy's errstate means for lazy operations.

An operation is watched for the kinds of floating-point errors that were not ignored when it was
recorded. It warns when it is computed. Where an error shall raise, call or print, operations are
computed at once, so that it does so at the call; python/bindings/float_reports.h says when else.
"""

import functools

import numpy

from ._fuseau import synchronize, watch_float_errors

_BITS = {"divide": 1, "over": 2, "under": 4, "invalid": 8}
_LAZY = ("ignore", "warn", None)


def follow():
    """Lets the operations recorded from now on follow NumPy's present error state."""
    state = numpy.geterr()
    kinds = sum(bit for kind, bit in _BITS.items() if state[kind] != "ignore")
    watch_float_errors(kinds, any(action not in _LAZY for action in state.values()))


class errstate(numpy.errstate):
    __doc__ = numpy.errstate.__doc__
    __slots__ = ("_at_once",)

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self._at_once = _acts(kwargs)

    def __enter__(self):
        if self._at_once:
            # What was recorded before follows the state before.
            synchronize()
        super().__enter__()
        follow()

    def __exit__(self, *exc_info):
        super().__exit__(*exc_info)
        follow()

    def __call__(self, func):
        if self._at_once:

            @functools.wraps(func)
            def flushed(*args, **kwargs):
                synchronize()
                return inner(*args, **kwargs)

        def following(*args, **kwargs):
            follow()
            return func(*args, **kwargs)

        inside = super().__call__(functools.wraps(func)(following))

        @functools.wraps(func)
        def inner(*args, **kwargs):
            try:
                return inside(*args, **kwargs)
            finally:
                follow()

        return flushed if self._at_once else inner


@functools.wraps(numpy.seterr)
def seterr(all=None, divide=None, over=None, under=None, invalid=None):
    kinds = {"all": all, "divide": divide, "over": over, "under": under, "invalid": invalid}
    if _acts(kinds):
        synchronize()
    old = numpy.seterr(**kinds)
    follow()
    return old


def _acts(kwargs):
    return any(value not in _LAZY for name, value in kwargs.items() if name != "call")
