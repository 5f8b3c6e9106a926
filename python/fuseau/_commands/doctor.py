"""Run a program and tell its costly habits, by line, with the better form.

The program runs as with `fuseau run`, to its end; what is found follows its output on standard
error, or goes to standard output or a file as the options say.
"""

import argparse
import sys

from . import program

_USAGE = """fuseau doctor [--json | --html FILE] PROGRAM.py ...
       fuseau doctor [--json | --html FILE] -m MODULE ..."""
_WITH_VALUE = ("--html",)


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau doctor",
        usage=_USAGE,
        description=__doc__.splitlines()[0],
        epilog=__doc__.partition("\n\n")[2],
        allow_abbrev=False,
    )
    made.add_argument("--json", action="store_true", help="print a list of objects")
    made.add_argument("--html", metavar="FILE", help="write a page")
    made.add_argument("--numpy", action="store_true", help="fuseau stands for NumPy")
    return made


def main(arguments):
    """Runs the program; raises what it raises, after its report."""
    place = 0
    while place < len(arguments) and arguments[place].startswith("-"):
        if arguments[place] in ("-m", "-c"):
            break
        place += 2 if arguments[place] in _WITH_VALUE else 1
    made = parser()
    options = made.parse_args(arguments[:place])
    words = arguments[place:]
    if not words:
        made.error("a program is missing: PROGRAM.py, -m MODULE, -c CODE")
    if words[0] in ("-m", "-c") and len(words) < 2:
        made.error(f"{words[0]} wants a {'module' if words[0] == '-m' else 'text'} after it")

    from .. import _doctor, _fuseau
    from .._profile import take

    if options.numpy:
        from .run import _install

        _install([], words)
    _fuseau.start_profile()
    try:
        program.run(words)
    except program.NotFound as error:
        take()
        print(f"fuseau doctor: {error}", file=sys.stderr)
        return error.status
    finally:
        if _fuseau.profiling():
            findings = _doctor.examine(take())
            _report(_doctor, findings, options)
    return 0


def _report(doctor, findings, options):
    sys.stdout.flush()
    if options.html:
        with open(options.html, "w", encoding="utf-8") as file:
            file.write(doctor.as_html(findings))
    elif options.json:
        print(doctor.as_json(findings))
    else:
        print(f"fuseau doctor:\n{doctor.text(findings)}", file=sys.stderr)
