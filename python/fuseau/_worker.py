"""A rank that computes for the program of rank 0: `python -m fuseau._worker`."""

import sys

from . import RankFailure, _fuseau
from ._launch import threads, ucx


def main():
    """Does what rank 0 commands until it leaves, and returns the exit status."""
    ucx.choose()
    threads.limit_blas(_fuseau.machine()["threads"])
    try:
        _fuseau.serve_ranks()
    except RankFailure as error:
        # Rank 0 tells of the others.
        if error.rank == 0:
            print(f"fuseau: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
