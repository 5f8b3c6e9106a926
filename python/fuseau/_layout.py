"""Questions about the memory order of arrays, answered from shape and strides alone."""


def is_c_contiguous(a):
    """Whether the elements lie densely, last axis fastest. Axes of length 1 do not count."""
    return _dense(a.shape[::-1], a.strides[::-1], a.itemsize)


def is_f_contiguous(a):
    """Whether the elements lie densely, first axis fastest."""
    return _dense(a.shape, a.strides, a.itemsize)


def _dense(shape, strides, step):
    for length, stride in zip(shape, strides, strict=True):
        if length != 1:
            if stride != step:
                return 0 in shape
            step *= length
    return True


def sorted_axes(strides):
    """The axes from the largest stride to the smallest; equal strides stay in order."""
    return sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))


def kept_axes(a):
    """The order of axes in memory that NumPy gives a copy of order 'K'."""
    if is_c_contiguous(a):
        return list(range(a.ndim))
    if is_f_contiguous(a):
        return list(reversed(range(a.ndim)))
    return sorted_axes(a.strides)
