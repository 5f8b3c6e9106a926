"""Text of arrays: NumPy's own words for the same values."""

from ._fuseau import snapshot
from ._scalar import is_scalar


def array_repr(a):
    """`repr(a)`: NumPy's text of an array, or of a scalar such as `np.float64(1.5)`."""
    return repr(_values(a))


def array_str(a):
    """`str(a)`."""
    return str(_values(a))


def array_format(a, spec):
    """`format(a, spec)`: an array of no dimensions formats as its element."""
    if a.ndim == 0:
        return format(_values(a), spec)
    if spec:
        raise TypeError("unsupported format string passed to numpy.ndarray.__format__")
    return array_str(a)


def _values(a):
    values = snapshot(a)
    return values[()] if is_scalar(a) else values
