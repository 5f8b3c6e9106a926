"""NumPy's protocols `__array_ufunc__` and `__array_function__`.

Calls of NumPy's functions on fuseau arrays come back to fuseau.
"""

import numpy

from ._fuseau import UFUNCS, ndarray


def array_ufunc(self, ufunc, method, *inputs, **kwargs):
    """Answers a NumPy ufunc called with a fuseau array."""
    from . import _fallback

    if any(isinstance(x, numpy.ndarray) for x in _tuple(kwargs.get("out"))):
        # The result belongs into a NumPy array, so the values are needed anyway.
        return getattr(ufunc, method)(*_fallback.lower(list(inputs)), **_fallback.lower(kwargs))
    ours = UFUNCS.get(ufunc.__name__)
    if ours is None or getattr(numpy, ufunc.__name__, None) is not ufunc:
        target = getattr(ufunc, method)
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return _composed(ufunc, method, name, target, inputs, kwargs)
    out = kwargs.get("out")
    if isinstance(out, tuple) and len(out) == 1:
        kwargs["out"] = out[0]
    return getattr(ours, method)(*inputs, **kwargs)


def _composed(ufunc, method, name, target, inputs, kwargs):
    from . import _fallback
    from ._ufunc import COMPOSED

    if method == "__call__" and ufunc.__name__ in COMPOSED:
        return COMPOSED[ufunc.__name__](*inputs, **kwargs)
    return _fallback.call(name, target, inputs, kwargs)


def _tuple(x):
    return x if isinstance(x, tuple) else (x,)


def array_function(self, func, types, args, kwargs):
    """Answers another NumPy function called with a fuseau array."""
    if not all(issubclass(kind, (ndarray, numpy.ndarray)) for kind in types):
        return NotImplemented
    import fuseau

    target = fuseau
    for part in (*func.__module__.split(".")[1:], func.__name__):
        target = getattr(target, part, None)
        if target is None:
            break
    if target is None or target is func:
        from . import _fallback

        name = f"{func.__module__}.{func.__name__}".removeprefix("numpy.")
        return _fallback.call(name, func, args, kwargs)
    return target(*args, **kwargs)
