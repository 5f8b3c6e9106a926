"""Run a Python program, with --numpy an unmodified NumPy program, on one or many processes.

The program is run as `python` runs it: its arguments, exit status, tracebacks and answer to Ctrl-C
are the same. With -n N it is rank 0 of N, and the other ranks compute for it.
"""

import argparse
import os
import sys

from .._launch import options as job_flags
from . import program, ranks

_USAGE = """fuseau run [options] PROGRAM.py ...
       fuseau run [options] -m MODULE ...
       fuseau run [options] -c CODE ..."""
_MORE = """
With --numpy, `import numpy` gives fuseau in the program: in its main file and in the modules of its
folder (with -m: of its package). Installed libraries and NumPy itself keep NumPy, except those
named by --packages. Without it the program is run as it is, for programs that import fuseau.

examples:
  fuseau run --numpy simulate.py --steps 100
  fuseau run --numpy --packages mylib -m mylib.main
  fuseau run -n 4 simulate.py
  fuseau run --launcher srun --nodes 2 --ranks-per-node 4 --cpus 8 simulate.py
"""


def main(arguments):
    """Runs the program; raises what it raises."""
    own, rest = _split(arguments)
    made = parser()
    options = made.parse_args(own)
    if not rest:
        made.error("a program is missing: PROGRAM.py, -m MODULE, -c CODE, or - for standard input")
    if rest[0] in ("-m", "-c") and len(rest) < 2:
        made.error(f"{rest[0]} wants a {'module' if rest[0] == '-m' else 'text'} after it")
    if options.record:
        _record(os.path.abspath(options.record), made)
    packages = [name for name in options.packages.split(",") if name]
    try:
        request = job_flags.request(options)
        if request.spmd and rest[0] == "-":
            raise ValueError("--spmd: only rank 0 has standard input, and with it the program")
        status = ranks.enter(request, arguments, [*_own_words(options), *rest])
        if status is not None:
            return status
        if options.numpy or packages:
            _install(packages, rest)
        if options.profile or options.dataflow or options.event:
            from .._profile import follow_program

            follow_program(options.profile, options.dataflow, options.event)
    except ValueError as error:
        made.error(str(error))
    try:
        with ranks.restartable():
            program.run(rest)
    except program.NotFound as error:
        print(f"fuseau run: {error}", file=sys.stderr)
        return error.status
    return 0


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau run",
        usage=_USAGE,
        description=__doc__.splitlines()[0],
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--numpy", action="store_true", help="fuseau stands for NumPy")
    made.add_argument(
        "--profile",
        metavar="FOLDER",
        nargs="?",
        const="fuseau-profile",
        help="profile the program: --profile=FOLDER gets report.html and trace.json, "
        "by default fuseau-profile",
    )
    made.add_argument(
        "--dataflow",
        metavar="FILE",
        help="write a graph of what was recorded (.svg, .pdf, .png, .dot; Graphviz makes pictures)",
    )
    made.add_argument("--event", metavar="FILE", help="the same of what was run, on all ranks")
    made.add_argument(
        "--packages",
        metavar="NAMES",
        default="",
        help="other packages that see fuseau, too, separated by commas; implies --numpy",
    )
    made.add_argument(
        "--record",
        metavar="DIR",
        help="write what is compiled to DIR, for `fuseau compile DIR -o CACHE`",
    )
    job_flags.add_flags(made)
    return made


_WITH_VALUE = ("--packages", "--record", "--dataflow", "--event", *job_flags.WITH_VALUE)


def _split(arguments):
    """Our options, and the program with its own arguments, which may look like ours."""
    place = 0
    while place < len(arguments):
        word = arguments[place]
        if word in ("-m", "-c", "-") or not word.startswith("-"):
            break
        place += 2 if word in _WITH_VALUE else 1
    return arguments[:place], arguments[place:]


def _record(folder, made):
    """Starts this process anew with recording, unless it records already."""
    if os.environ.get("FUSEAU_RECORD") == folder:
        return
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        made.error(f"--record {folder!r}: {error.strerror}")
    # All that runs is compiled, whether or not that pays here.
    os.environ.update(FUSEAU_RECORD=folder, FUSEAU_JIT="always")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _own_words(options):
    """The options that hold in every rank."""
    words = ["--numpy"] if options.numpy else []
    if options.packages:
        words += ["--packages", options.packages]
    for name in ("profile", "dataflow", "event"):
        if value := getattr(options, name):
            words.append(f"--{name}={value}")
    return words


def _install(packages, rest):
    from .._substitute import Chosen, install

    folder = os.getcwd()
    if rest[0] == "-m":
        packages = [*packages, rest[1].partition(".")[0]]
    elif rest[0] not in ("-c", "-"):
        path = os.path.realpath(rest[0])
        folder = path if os.path.isdir(path) else os.path.dirname(path)
    install(Chosen(packages, folder=folder))
