"""NumPy's interface with lazy, fused, parallel evaluation: `import fuseau as np`.

Operations on arrays are recorded. They run, fused into few loops, when a value is needed: for
printing, `float`, `if`, `numpy.asarray`, `.eval()` and the like. Names of NumPy that have no
native form are computed by NumPy, with one warning for each.
"""

import importlib as _importlib
import os as _os
import sys as _sys

# ruff: noqa: E402
if "FUSEAU_PARENT" in _os.environ:
    from ._launch.processes import tie_to_parent as _tie_to_parent

    _tie_to_parent()  # Before all else: the parent may end while imports take their time.

from . import _fuseau

_fuseau.require_main_interpreter()  # Before NumPy, which no second interpreter can load.

import numpy as _numpy
from numpy import __array_api_version__, __array_namespace_info__

from . import (
    _computed,
    _creation,
    _elementwise,
    _errstate,
    _fallback,
    _flags,
    _launch,
    _methods,
    _printing,
    _protocols,
    _reductions,
    _routines,
    _shape,
    _ufunc,
)
from ._base import NATIVE_FUNCTIONS as _NATIVE_FUNCTIONS
from ._explain import Explanation, explain, show_kernel
from ._fallback import FallbackError, FallbackWarning, fallback_count
from ._fuseau import kernels, ndarray, stats, synchronize, ufunc
from ._namespace import SubmoduleFinder as _SubmoduleFinder
from ._namespace import coverage, is_public, public_names, resolve
from ._ranks import RankFailure, ranks
from ._substitute import install_as_numpy

__version__ = _numpy.__version__
"""NumPy's, since programs compare it to know what NumPy can do."""
__fuseau_version__ = "0.1.0"


def _late_method(module, name):
    """A method whose module is imported when it is first called."""

    def method(self, *args, **kwargs):
        own = getattr(_importlib.import_module(f"fuseau.{module}"), name)
        return own(self, *args, **kwargs)

    method.__name__ = name
    method.__qualname__ = f"ndarray.{name}"
    method.__doc__ = f"See `fuseau.{module}.{name}`."
    return method


_fuseau.set_hooks(
    {
        "fallback": _fallback.call,
        "computed": _fallback.call_quietly,
        "ask_numpy": _fallback.ask_numpy,
        "repr": _printing.array_repr,
        "str": _printing.array_str,
        "format": _printing.array_format,
        "flags": _flags.Flags,
        "array_ufunc": _protocols.array_ufunc,
        "array_function": _protocols.array_function,
        "ufunc_method": _ufunc.method,
    }
)
_methods.attach()
ndarray.plot_graph = _late_method("_graphs", "plot_graph")
ndarray._repr_html_ = _late_method("_jupyter", "array_html")
_errstate.follow()
_sys.meta_path.append(_SubmoduleFinder)
if not _os.environ.keys().isdisjoint(_launch.HINTS):
    from ._launch.enter import enter as _enter

    _enter()

if "FUSEAU_PROFILE" in _os.environ:
    from ._profile import follow_environment as _follow_environment

    _follow_environment()

globals().update(_fuseau.UFUNCS)
globals().update(_NATIVE_FUNCTIONS)

_OWN_NAMES = (
    "CheckpointError",
    "Explanation",
    "FallbackError",
    "FallbackWarning",
    "RankFailure",
    "checkpoint",
    "cluster",
    "coverage",
    "device",
    "eval",
    "explain",
    "fallback_count",
    "install_as_numpy",
    "profile",
    "progress",
    "ranks",
    "restore",
    "show_kernel",
    "task",
)


# Few programs need them, and they need more of Python's library than all the rest.
_LATE = {
    "CheckpointError": "_checkpoint",
    "checkpoint": "_checkpoint",
    "device": "_device",
    "io": "io",
    "profile": "_profile",
    "progress": "_jupyter",
    "restore": "_checkpoint",
    "task": "_task",
}


def eval(*arrays):
    """Computes arrays together and returns them, a single one as itself.

    Blocks until the values are there. Errors that were waiting in the recorded operations are
    raised here.
    """
    _fuseau.evaluate(list(arrays))
    return arrays[0] if len(arrays) == 1 else arrays


def cluster(where="local", n=None, *, threads_per_rank=None, interface=None, verbose=False):
    """Starts ranks that compute for this program, which becomes rank 0 of `n`.

    `where` is "local" for processes of this machine, a Client of Dask for its workers, or "ray" for
    a Ray cluster. The result ends the ranks by `shutdown()` or as a context manager.
    """
    from ._launch import start

    return start.cluster(
        where, n, threads_per_rank=threads_per_rank, interface=interface, verbose=verbose
    )


def load_ipython_extension(shell):
    """What `%load_ext fuseau` calls: registers the magic `%%fuseau`."""
    from . import _jupyter

    _jupyter.load(shell)


def ops_json_path():
    """The path of the list of native operations that the build made from the table."""
    import os

    return os.path.join(os.path.dirname(__file__), "_generated", "ops.json")


def __getattr__(name):
    if name == "__all__":
        return [*_numpy.__all__, *_OWN_NAMES]
    if name.startswith("__"):
        raise AttributeError(f"module 'fuseau' has no attribute {name!r}")
    if name in _LATE:
        module = _importlib.import_module(f"fuseau.{_LATE[name]}")
        globals()[name] = value = module if name == "io" else getattr(module, name)
        return value
    try:
        if not is_public(name):
            # What programs should not use is NumPy's own.
            return getattr(_numpy, name)
        value = resolve(name)
    except AttributeError as error:
        # NumPy says what to use in place of what it had once.
        raise AttributeError(str(error).replace("'numpy'", "'fuseau'", 1)) from None
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_LATE, *public_names()})
