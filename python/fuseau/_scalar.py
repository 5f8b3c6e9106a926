"""Arrays of no dimensions that stand for NumPy's scalars."""

from ._fuseau import astype


def is_scalar(a):
    """Whether a fuseau array stands for a NumPy scalar: one element, still lazy."""
    return a.is_scalar


def as_plain(a):
    """An array of no dimensions in place of one that stands for a scalar; others unchanged."""
    return astype(a, a.dtype, "C", "unsafe", True) if is_scalar(a) else a
