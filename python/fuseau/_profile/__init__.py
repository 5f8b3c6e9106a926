"""`fuseau.profile`: what ran when, on which thread of which rank, for which line of the program."""

import contextlib
import os
import sys
import time

from .. import _fuseau
from .._ranks import RankFailure

DEFAULT_FOLDER = "fuseau-profile"


@contextlib.contextmanager
def profile(folder=DEFAULT_FOLDER):
    """Profiles the block, and writes what it found to a folder when the block ends.

    Everything that was recorded in the block is computed in it. In a job of many ranks all of them
    take part; where every rank runs the program, all must enter the block.

    Parameters
    ----------
    folder : str or path
        Is made if need be. Gets `report.html`, a page that needs nothing else, and `trace.json` for
        Perfetto and for `chrome://tracing`.

    Raises
    ------
    RuntimeError
        If a profile runs already.
    OSError
        If the folder cannot be written.
    """
    begin(folder)
    try:
        yield
        _fuseau.synchronize()
    finally:
        end(folder)


def begin(folder):
    """Starts a profile that `end` writes to the folder, which is made now."""
    os.makedirs(folder, exist_ok=True)
    _fuseau.start_profile()


def end(folder):
    """Ends the profile and writes it, on the first rank. Returns the path of the page, or None."""
    run = take()
    return None if run is None else write(run, folder)


def write(run, folder):
    """Writes a profile to a folder, which is made if need be. Returns the path of the page."""
    from . import page, trace

    os.makedirs(folder, exist_ok=True)
    trace.write(run, os.path.join(folder, "trace.json"))
    path = os.path.join(folder, "report.html")
    page.write(run, path)
    return path


def take():
    """Ends the profile: a `merge.Run`, or None on ranks other than the first."""
    texts, graphs = _fuseau.stop_profile()
    about = _fuseau.ranks()
    if about is not None and about["rank"] != 0:
        return None
    from . import merge

    return merge.merge(texts, graphs, _fuseau.measure_bandwidth())


def follow_program(folder=None, dataflow=None, event=None):
    """Profiles from here to the end of the program, and says where the result is.

    `dataflow` and `event` are names of files for graphs of what was recorded, and of what was run.
    """
    import atexit

    if folder:
        os.makedirs(folder, exist_ok=True)
    _fuseau.start_profile()

    def finish():
        run = None
        try:
            if _fuseau.profiling():
                run = take()
        except RankFailure as error:
            print(f"fuseau: there is no profile: {error}", file=sys.stderr)
        if run is None:
            return
        if folder:
            print(f"fuseau: the profile is in {write(run, folder)}", file=sys.stderr)
        for path, graph in ((dataflow, "of_recorded"), (event, "of_events")):
            if path:
                from .. import _graphs

                written = _graphs.write(getattr(_graphs, graph)(run), path)
                print(f"fuseau: the graph is in {written}", file=sys.stderr)
                if written != path:
                    print(
                        "fuseau: it is no picture, since Graphviz is not installed "
                        "(Debian: graphviz)",
                        file=sys.stderr,
                    )

    atexit.register(finish)


def follow_environment():
    """As FUSEAU_PROFILE says. Processes that the program starts are not of this profile."""
    from .._launch import environment

    place = environment.place()
    if place is None or place.runs_program:
        folder = os.environ.pop("FUSEAU_PROFILE")
        if folder:
            follow_program(folder)


def note_numpy(name, work):
    """Calls `work`, which NumPy does, and notes how long it took."""
    begun = time.monotonic_ns()
    try:
        return work()
    finally:
        _fuseau.note_numpy(name, begun)
