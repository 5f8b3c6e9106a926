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


def common_axes(arrays):
    """The order of axes in memory that NumPy gives a joint result of these arrays.

    Axes are sorted by stride, the largest first. Lengths of 1 have no say, and where arrays differ,
    the order of the axes wins.
    """
    order = []
    for axis in range(arrays[0].ndim):
        place = len(order)
        for i in reversed(range(len(order))):
            larger = _is_larger(arrays, axis, order[i])
            if larger is False:
                break
            if larger:
                place = i
        order.insert(place, axis)
    return order


def _is_larger(arrays, axis, other):
    """Whether the strides of an axis are the larger ones; None if no array can tell."""
    answers = [
        abs(a.strides[axis]) > abs(a.strides[other])
        for a in arrays
        if a.shape[axis] != 1 and a.shape[other] != 1
    ]
    return all(answers) if answers else None
