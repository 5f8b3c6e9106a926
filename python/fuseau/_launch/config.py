"""FUSEAU_CONFIG: the flags of `fuseau run` for plain `python` and notebooks."""

import argparse
import shlex

from .options import BATCH_LAUNCHERS, add_flags, request


class _Parser(argparse.ArgumentParser):
    """Its errors are exceptions, since the process is the user's."""

    def error(self, message):
        raise ValueError(message)


def read(config):
    """The request in the text of FUSEAU_CONFIG."""
    parser = _Parser(add_help=False, allow_abbrev=False)
    add_flags(parser)
    try:
        asked = request(parser.parse_args(shlex.split(config)))
        _check(asked)
    except ValueError as error:
        raise ValueError(f"FUSEAU_CONFIG={config}: {error}") from None
    return asked


def _check(asked):
    if asked.launcher in BATCH_LAUNCHERS:
        raise ValueError(
            f"{asked.launcher} starts every process of a job; "
            f"use `fuseau run --launcher {asked.launcher}`"
        )
    own = {"--spmd": asked.spmd, "--dry-run": asked.dry_run, "--max-restarts": asked.max_restarts}
    for flag, given in own.items():
        if given:
            raise ValueError(f"{flag} is for `fuseau run` only")
