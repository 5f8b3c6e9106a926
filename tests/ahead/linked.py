"""Compiled functions as Python functions, and what tests hold them against."""

import ctypes

import numpy
from fuseau._ahead.program import by_value


class Linked:
    """A compiled function that takes and gives NumPy arrays. No size is checked here."""

    def __init__(self, compiled, path, runtime):
        self.compiled = compiled
        library = ctypes.CDLL(path)
        self._function = getattr(library, compiled.name)
        self._program = ctypes.c_char.in_dll(library, f"{compiled.name}_program")
        self._shape = runtime.fuseau_kernels_result_shape
        self._message = runtime.fuseau_kernels_message
        self._message.restype = ctypes.c_char_p

    def sizes(self, arrays):
        found = {}
        for argument, array in zip(self.compiled.arguments, arrays, strict=True):
            for letter, size in zip(argument.dimensions, numpy.shape(array), strict=True):
                if isinstance(letter, str):
                    found[letter] = size
        return [found[letter] for letter in self.compiled.letters]

    def result_shape(self, sizes, place):
        rank = len(self.compiled.results[place].shape)
        shape = (ctypes.c_int64 * max(rank, 1))()
        code = self._shape(
            ctypes.byref(self._program), (ctypes.c_int64 * max(len(sizes), 1))(*sizes), place, shape
        )
        if code:
            raise ValueError(self._message().decode())
        return tuple(shape[:rank])

    def call(self, sizes, arrays, results):
        words = [ctypes.c_int64(size) for size in sizes]
        for argument, array, written in zip(
            self.compiled.arguments, arrays, self.compiled.written, strict=True
        ):
            if by_value(argument, written):
                kind = numpy.ctypeslib.as_ctypes_type(numpy.dtype(argument.dtype))
                words.append(kind(numpy.asarray(array, argument.dtype).item()))
            else:
                words.append(ctypes.c_void_p(None if array is None else array.ctypes.data))
        words += [ctypes.c_void_p(None if r is None else r.ctypes.data) for r in results]
        code = self._function(*words)
        return code, self._message().decode()

    def __call__(self, *arrays):
        sizes = self.sizes(arrays)
        results = [
            numpy.empty(self.result_shape(sizes, place), result.dtype)
            for place, result in enumerate(self.compiled.results)
        ]
        code, message = self.call(sizes, arrays, results)
        if code:
            raise ValueError(message)
        return results


def same_bits(got, want):
    """Whether two arrays have the same type, shape and bytes (NaNs count as equal)."""
    got, want = numpy.asarray(got), numpy.asarray(want)
    assert (got.dtype, got.shape) == (want.dtype, want.shape)
    both = (got != got) & (want != want)
    assert numpy.where(both, 0, got).tobytes() == numpy.where(both, 0, want).tobytes()
