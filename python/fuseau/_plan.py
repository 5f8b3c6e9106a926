"""Jobs of many ranks that are planned and not run."""

from . import _fuseau


class Plan:
    """What the ranks of a job would do for a program, as a context manager.

    Within it this process behaves as rank 0 of `ranks`, and nothing that ranks would cut is
    computed, sent or given memory. Arrays of any size may be recorded; reading an element of one
    is an error. The plan of a program is that of a job whose other ranks compute for rank 0.

    Parameters
    ----------
    ranks : int
        The number of ranks.
    of : sequence of int
        The ranks whose work `take` tells.
    """

    def __init__(self, ranks, of=(0,)):
        self.ranks, self.of = ranks, tuple(of)

    def __enter__(self):
        _fuseau.begin_plan(self.ranks, list(self.of))
        return self

    def __exit__(self, *error):
        try:
            # What is still recorded would be computed by this process alone.
            _fuseau.take_plan()
        finally:
            _fuseau.leave_ranks()

    def take(self):
        """Plans all that is recorded, and tells what was planned since the last call, as a dict.

        `programs` are the windows of operations that ran, each with `runs` (how often), `gathered`
        (operations that need all of a value on every rank) and `work`: for each rank of `of` its
        `steps` in order (`what`, `bytes`, `flops`, `sizes`, `together` and more), its `exchanges`
        (`sends` and `receives` as pairs of rank and bytes, `copied` bytes) in the order of those
        steps that are one, and `copies`, the updates that could not be done in place, and why.
        `commands` and `command_bytes` are what rank 0 sent to all others.
        """
        return _fuseau.take_plan()
