"""A rank that computes for the program of rank 0: `python -m fuseau._worker`."""

import sys

from . import _fuseau


def main():
    """Does what rank 0 says until it leaves, and returns the exit status."""
    return _fuseau.serve_ranks()


if __name__ == "__main__":
    sys.exit(main())
