"""Runs a program in this process as the command `python` would."""

import builtins
import importlib.machinery
import importlib.util
import io
import os
import sys
import types
import zipfile


class NotFound(Exception):
    """There is no such program; `status` is what `python` exits with."""

    def __init__(self, message, status):
        super().__init__(message)
        self.status = status


def run(words):
    """Runs the program that `words` name, as arguments of `python`, until its end.

    Its SystemExit passes. The traceback of any other exception is printed without our own frames,
    and the exception passes for the exit status, which for KeyboardInterrupt is a signal.
    """
    kind = words[0]
    if kind == "-m":
        _start(os.getcwd(), ["-m", *words[2:]])
        load = _module(words[1])
    elif kind == "-c":
        _start("", ["-c", *words[2:]])
        load = _Text(words[1], "<string>")
    elif kind == "-":
        _start("", words)
        load = _Text(sys.stdin.read(), "<stdin>")
    elif os.path.isdir(kind) or zipfile.is_zipfile(kind):
        _start(kind, words)
        load = _archive(kind)
    else:
        _start(os.path.dirname(os.path.realpath(kind)), words)
        load = _script(os.path.abspath(kind))
    _execute(load)


def _start(folder, argv):
    if not getattr(sys.flags, "safe_path", False):
        # What is there belongs to the command `fuseau`.
        sys.path[0] = folder
    sys.argv[:] = argv


class _Text:
    """A program as text or bytes."""

    spec = None

    def __init__(self, source, name, file=None):
        self._source, self._name, self.file = source, name, file

    def code(self):
        return compile(self._source, self._name, "exec", dont_inherit=True)


class _Module:
    """A program as a module that Python found."""

    def __init__(self, spec):
        self.spec = spec
        self.file = spec.origin if spec.has_location else None

    def code(self):
        return self.spec.loader.get_code(self.spec.name)


def _script(path):
    try:
        with io.open_code(path) as file:
            return _Text(file.read(), path, path)
    except OSError as error:
        raise NotFound(f"cannot open file {path!r}: {error.strerror}", 2) from None


def _archive(path):
    spec = importlib.machinery.PathFinder.find_spec("__main__", [path])
    if spec is None:
        raise NotFound(f"can't find '__main__' module in {path!r}", 1)
    return _Module(spec)


def _module(name):
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            package, name = name, f"{name}.__main__"
            spec = importlib.util.find_spec(name)
            if spec is None:
                message = f"{package!r} is a package and cannot be run directly"
                raise NotFound(f"No module named {name}; {message}", 1)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        spec = None
    if spec is None:
        raise NotFound(f"No module named {name}", 1)
    if not hasattr(spec.loader, "get_code") or spec.loader.get_code(name) is None:
        raise NotFound(f"No code object available for {name}", 1)
    if spec.has_location:
        sys.argv[0] = spec.origin
    return _Module(spec)


def _execute(load):
    main = types.ModuleType("__main__")
    main.__builtins__ = builtins
    if sys.version_info < (3, 14):
        main.__annotations__ = {}
    if load.file is not None:
        main.__file__ = load.file
        main.__cached__ = None
    if load.spec is not None:
        main.__spec__ = load.spec
        main.__loader__ = load.spec.loader
        main.__package__ = load.spec.parent
    elif load.file is not None:
        main.__loader__ = importlib.machinery.SourceFileLoader("__main__", load.file)
    sys.modules["__main__"] = main
    code = None
    try:
        code = load.code()
        exec(code, main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        # The first frame is ours; of a program that does not compile, all are.
        trace = error.__traceback__.tb_next if code is not None else None
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.excepthook = _silent
        raise


def _silent(*_):
    """Keeps Python from printing again what was printed."""
