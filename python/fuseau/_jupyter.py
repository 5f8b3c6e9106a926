"""Notebooks: `%load_ext fuseau` gives the magic `%%fuseau`, and progress of long evaluations."""

import contextlib
import html
import sys
import threading
import time

from . import _fuseau

_ACTS = ("time", "profile", "explain", "doctor")


def load(shell):
    """Registers what notebooks get. Called by IPython for `%load_ext fuseau`."""
    shell.register_magic_function(
        lambda line, cell=None: magic(shell, line, cell), "line_cell", "fuseau"
    )


def magic(shell, line, cell=None):
    """`%%fuseau time`, `profile`, `explain NAME` or `doctor` of a cell.

    `time` tells how long it took to record, to compile and to compute. `profile [FOLDER]` shows the
    costliest lines and writes the page of the profile. `explain NAME` shows how the value of a name
    would be computed after the cell. `doctor` shows costly habits. As `%fuseau explain NAME` it
    takes no cell.
    """
    words = line.split()
    act = words[0] if words else "time"
    if act not in _ACTS:
        raise ValueError(f"%%fuseau {act}: expected one of {', '.join(_ACTS)}")
    if act == "explain":
        return _explain(shell, words[1:], cell)
    if cell is None:
        raise ValueError(f"%fuseau {act} works on a cell: write %%fuseau {act}")
    if act == "time":
        return _time(shell, cell)
    run = _profiled(shell, cell)
    if act == "doctor":
        from . import _doctor

        return _Html(_doctor.as_html(_doctor.examine(run)), _doctor.text(_doctor.examine(run)))
    return _profile(run, words[1] if len(words) > 1 else None)


class _Html:
    """A result that notebooks show as HTML and terminals as text."""

    def __init__(self, markup, text):
        self._markup, self._text = markup, text

    def _repr_html_(self):
        return self._markup

    def __repr__(self):
        return self._text


def _run(shell, cell):
    result = shell.run_cell(cell)
    # The shell has shown the error already.
    if not result.success:
        return False
    _fuseau.synchronize()
    return True


def _profiled(shell, cell):
    from ._profile import take

    _fuseau.start_profile()
    try:
        _run(shell, cell)
    finally:
        run = take()
    return run


def _time(shell, cell):
    from ._profile import analysis

    started = time.perf_counter()
    run = _profiled(shell, cell)
    whole = time.perf_counter() - started
    shares = {name: ns / 1e9 for name, ns in analysis.shares(run).items()}
    compiled = sum(row["time"] for row in analysis.compiles(run)) / 1e9
    rows = [f"{name:26}{seconds * 1e3:10.2f} ms" for name, seconds in shares.items()]
    if compiled:
        rows.append(f"{'compiles (beside it)':26}{compiled * 1e3:10.2f} ms")
    text = "\n".join([f"{'in all':26}{min(whole, run.time / 1e9) * 1e3:10.2f} ms", *rows])
    return _Html(f"<pre>{html.escape(text)}</pre>", text)


def _profile(run, folder):
    from ._profile import DEFAULT_FOLDER, analysis, write

    path = write(run, folder or DEFAULT_FOLDER)
    rows = analysis.annotated(run)
    lines = [
        f"{100 * row['share']:5.1f} %  {row['place']}  "
        + next((t.strip() for n, t in row["source"] if n == row["line"]), "")
        for row in rows
    ]
    text = "\n".join([*lines, f"the page: {path}"])
    return _Html(f"<pre>{html.escape(text)}</pre>", text)


def _explain(shell, names, cell):
    from ._explain import explain

    if len(names) != 1:
        raise ValueError("%fuseau explain wants the name of one array")
    if cell is not None and not shell.run_cell(cell).success:
        return None
    if names[0] not in shell.user_ns:
        raise NameError(f"name {names[0]!r} is not defined")
    return explain(shell.user_ns[names[0]])


def array_html(array):
    """An array for notebooks: type, shape and size above its text. None for a single element."""
    if array.ndim == 0:
        return None
    text = repr(array)
    about = f"{array.dtype} &middot; shape {array.shape} &middot; {_size(array.nbytes)}"
    return (
        f"<div><small>fuseau.ndarray &middot; {about}</small>"
        f'<pre style="margin:2px 0">{html.escape(text)}</pre></div>'
    )


def _size(count):
    for unit in ("B", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


@contextlib.contextmanager
def progress(every=0.5, file=None):
    """While the block runs, a line tells what long evaluations have done so far.

    Parameters
    ----------
    every : float
        Seconds between two looks. A block that is quicker shows nothing.
    file : file-like, optional
        Where the line goes; standard error by default.
    """
    if not every > 0:
        raise ValueError(f"every={every!r}, expected a positive number of seconds")
    file = file or sys.stderr
    over = threading.Event()
    begun = time.perf_counter()
    before = _fuseau.stats()

    def watch():
        shown = False
        while not over.wait(every):
            now = _fuseau.stats()
            moved = (now["bytes_moved"] - before["bytes_moved"]) / 1e9
            file.write(
                f"\rfuseau: {time.perf_counter() - begun:6.1f} s, "
                f"{now['windows'] - before['windows']} evaluations, "
                f"{now['launches'] - before['launches']} kernels, {moved:.1f} GB"
            )
            file.flush()
            shown = True
        if shown:
            file.write("\n")

    watcher = threading.Thread(target=watch, daemon=True, name="fuseau-progress")
    watcher.start()
    try:
        yield
        _fuseau.synchronize()
    finally:
        over.set()
        watcher.join()
