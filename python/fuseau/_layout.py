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


def c_strides(shape, itemsize):
    """The strides of a dense array, last axis fastest."""
    strides, step = [], itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n or 1
    return tuple(reversed(strides))


def f_strides(shape, itemsize):
    """The strides of a dense array, first axis fastest."""
    return tuple(reversed(c_strides(shape[::-1], itemsize)))


def sorted_axes(strides):
    """The axes from the largest stride to the smallest; equal strides stay in order."""
    return sorted(range(len(strides)), key=lambda axis: -abs(strides[axis]))


def reshaped_strides(shape, strides, new_shape, itemsize, order="C"):
    """The strides of a view with another shape of the same size, or None if there is none.

    Both shapes are cut into groups of axes of equal size. A group can be reshaped if its old axes
    follow each other without gaps.
    """
    if order == "F":
        result = reshaped_strides(shape[::-1], strides[::-1], new_shape[::-1], itemsize)
        return None if result is None else result[::-1]
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    result = []
    first = 0
    begin = 0
    while begin < len(new_shape) and first < len(old):
        end, last = begin + 1, first + 1
        old_size, new_size = old[first][0], new_shape[begin]
        while old_size != new_size:
            if new_size < old_size:
                new_size *= new_shape[end]
                end += 1
            else:
                old_size *= old[last][0]
                last += 1
        for (_, stride), (count, inner) in zip(
            old[first : last - 1], old[first + 1 : last], strict=True
        ):
            if stride != count * inner:
                return None
        group = [old[last - 1][1]]
        for n in reversed(new_shape[begin + 1 : end]):
            group.append(group[-1] * n)
        result.extend(reversed(group))
        begin, first = end, last
    # What is left has length 1.
    filler = result[-1] if result else itemsize
    return tuple(result) + (filler,) * (len(new_shape) - begin)
