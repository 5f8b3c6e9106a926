"""Questions about the memory order of arrays, answered from shape and strides alone."""


def is_c_contiguous(a):
    """Whether the elements lie densely, last axis fastest. Axes of length 1 do not count."""
    return _dense(a.shape, a.strides, a.itemsize, reversed(range(a.ndim)))


def is_f_contiguous(a):
    """Whether the elements lie densely, first axis fastest."""
    return _dense(a.shape, a.strides, a.itemsize, range(a.ndim))


def _dense(shape, strides, step, axes):
    if 0 in shape:
        return True
    for axis in axes:
        if shape[axis] != 1:
            if strides[axis] != step:
                return False
            step *= shape[axis]
    return True


def sorted_axes(strides):
    """The axes from the largest stride to the smallest; equal strides stay in order."""
    return sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))
