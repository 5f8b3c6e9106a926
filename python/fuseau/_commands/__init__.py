"""The command `fuseau`. Each of its commands is a module here with a function `main(arguments)`
and a function `parser()`. Its docstring begins with the line that `fuseau --help` shows.
"""

import importlib
import sys

COMMANDS = ("run", "compile", "cache", "bench", "doctor", "info", "completion")


def main(arguments=None):
    """Runs a command and returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    name = arguments[0] if arguments else "--help"
    if name in COMMANDS:
        return command(name).main(arguments[1:])
    if name in ("-h", "--help"):
        print(_help())
        return 0
    if name == "--version":
        import fuseau

        print(f"fuseau {fuseau.__fuseau_version__}")
        return 0
    print(f"fuseau: no command {name!r}. There are: {', '.join(COMMANDS)}.", file=sys.stderr)
    return 2


def command(name):
    """The module of a command."""
    return importlib.import_module(f"{__name__}.{name}")


def _help():
    out = [
        "usage: fuseau COMMAND ...",
        "",
        "NumPy programs, recorded lazily and run as fused, parallel code.",
        "",
        "commands:",
    ]
    out += [f"  {name:12}{command(name).__doc__.splitlines()[0]}" for name in COMMANDS]
    out += ["", "options:", "  --version   print the version", "  -h, --help  print this help", ""]
    out.append(
        "`fuseau COMMAND --help` explains a command; `python -m fuseau` is the same program."
    )
    return "\n".join(out)
