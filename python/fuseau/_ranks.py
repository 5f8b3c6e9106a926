"""The job of many ranks that this process belongs to."""

import atexit
import contextlib

from . import _fuseau


class RankFailure(RuntimeError):
    """A rank of the job was lost; arrays that it held parts of are lost with it.

    Attributes
    ----------
    rank : int
        The rank that was lost.
    host : str
        The host it ran on.
    phase : str
        What this process did when it found out, such as "transfer" or "agreement".
    """

    def __init__(self, message, rank=-1, host="", phase=""):
        super().__init__(message)
        self.rank, self.host, self.phase = rank, host, phase

    def __reduce__(self):
        return type(self), (*self.args, self.rank, self.host, self.phase)


def join(variables=None):
    """Joins the job that the environment tells of, if it does; tells whether it did.

    `variables` come before those of the environment.
    """
    from ._launch import threads, ucx

    ucx.choose()
    if not _fuseau.join_ranks(variables or {}):
        return False
    threads.limit_blas(_fuseau.machine()["threads"])
    atexit.register(leave)
    if ranks()["mode"] == "spmd":
        _agree_on_chance()
    return True


def _agree_on_chance():
    """Every rank runs the program, so what it draws without a seed is what the first rank draws."""
    import random

    import numpy.random

    random.seed(entropy())
    numpy.random.seed(entropy_words())


def entropy():
    """A seed that nobody can foresee, the same on all ranks that run the program."""
    import secrets

    return int.from_bytes(_fuseau.share_on_ranks(secrets.token_bytes(16)), "little")


def entropy_words():
    """The same, as NumPy's older generators take it."""
    import numpy.random

    return numpy.random.SeedSequence(entropy()).generate_state(8)


def ranks():
    """What this process is among the ranks of its job: `rank`, `size`, and `mode`.

    The mode is "controller" if rank 0 alone runs the program, "spmd" if all do, and "single" for a
    process on its own.
    """
    return _fuseau.ranks() or {"rank": 0, "size": 1, "mode": "single"}


def on_first_rank(work):
    """Calls `work` on the first rank. What it raises is an error of all that run the program."""
    about = ranks()
    if about["mode"] != "spmd":
        work()
        return
    error, names = None, []
    if about["rank"] == 0:
        try:
            work()
        except Exception as raised:
            error = raised
            own = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
            names = [own.__name__, str(error)]
    try:
        _fuseau.agree_on_ranks(*names)
    except Exception:
        if error is None:
            raise
        # The first rank knows more than the others were told.
        raise error from None


def leave(fetch=False):
    """Lets the other ranks go. With `fetch`, what they hold comes to this process first."""
    atexit.unregister(leave)
    try:
        if fetch:
            _fuseau.leave_ranks(True)
    finally:
        # Who fetches nothing does not care whether all are there.
        with contextlib.suppress(RankFailure):
            _fuseau.leave_ranks(False)
