"""Which UCX carries the data of the ranks."""

import importlib.util
import os
from pathlib import Path

_VARIABLE = "FUSEAU_UCX_LIBRARY"


def choose():
    """Names the library of the package libucx, if it is installed and the user names no other.

    Ranks have to have one version of it. What pip has put beside us is as likely to be the same on
    all hosts as we are; what the system has is not.
    """
    if not os.environ.get(_VARIABLE) and (wheel := _wheel()) is not None:
        os.environ[_VARIABLE] = wheel


def library():
    """What a rank of this environment would load."""
    return os.environ.get(_VARIABLE) or _wheel() or "libucp.so.0"


def _wheel():
    package = importlib.util.find_spec("libucx")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).with_name("lib") / "libucp.so.0"
    return str(path) if path.exists() else None
