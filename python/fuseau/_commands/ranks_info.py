"""What can start ranks on this machine and carry their data: a part of `fuseau info`."""

import ctypes
import importlib.util
import shutil

from .._launch import ucx

_COMMANDS = ("mpirun", "srun", "jsrun")
_PACKAGES = {"dask": "distributed", "ray": "ray"}


def collect():
    """What is there, as a dict."""
    launchers = [name for name in _COMMANDS if shutil.which(name)]
    launchers += [
        name for name, package in _PACKAGES.items() if importlib.util.find_spec(package) is not None
    ]
    return {
        "launchers": launchers,
        "ucx": _version(ucx.library(), "ucp_get_version_string"),
        "pmix": _version("libpmix.so.2", "PMIx_Get_version"),
    }


def rows(report):
    """The same for people."""
    return {
        "launchers": ", ".join(["this machine (fuseau run -n)", *report["launchers"]]),
        "UCX": report["ucx"] or "none: many ranks need libucp.so.0 (Debian: libucx0)",
        "PMIx": report["pmix"] or "none: mpirun and srun need libpmix.so.2 (Debian: libpmix2)",
    }


def _version(library, function):
    """The version that a shared library gives, or None if there is none."""
    try:
        ask = getattr(ctypes.CDLL(library), function)
    except (OSError, AttributeError):
        return None
    ask.restype = ctypes.c_char_p
    return ask().decode()
