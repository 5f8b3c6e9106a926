"""On what arrays are computed: the processors of this machine, or a GPU."""

import contextlib

from ._fuseau import set_device, synchronize


class device(contextlib.ContextDecorator):
    """What the operations of this thread are computed on while the context lasts.

    `name` is "cpu", "gpu", "auto" (whichever is likely to be faster, with the transfers) or
    "emulated" (the whole way of a GPU on a test double of its driver; builds for development have
    it). Arrays have no device: their bytes are where they were made or wanted last, and move when
    somebody else wants them. What was recorded before is computed before, and what is recorded
    inside is computed at the end at the latest.

    Errors
    ------
    ValueError for another name; RuntimeError if the device cannot be used here, with the reason.
    """

    def __init__(self, name):
        if not isinstance(name, str):
            raise TypeError(f"device() takes the name of a device, not {type(name).__name__}")
        self.name = name
        self._before = []

    def __enter__(self):
        synchronize()
        self._before.append(set_device(self.name))
        return self

    def __exit__(self, *exc_info):
        try:
            synchronize()
        finally:
            set_device(self._before.pop())
