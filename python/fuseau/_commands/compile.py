"""Compile a function to code that C and C++ programs link, or a recorded run to kernels.

The function is called with arrays that have no values, and what it records becomes kernels and a
plan in one object file. A letter in place of a size stands for any size. With RECORDING, a folder
that `fuseau run --record` has filled or a .mlir file of it, the kernels go to a folder for
FUSEAU_CACHE_DIR instead.
"""

import argparse
import importlib.util
import os
import sys
import traceback

_USAGE = """fuseau compile FILE.py:FUNCTION --arg TYPE[SIZES] ... [options]
       fuseau compile RECORDING -o CACHE [--cpu CPU]"""
_MORE = """
types: bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 c64 c128, and NumPy's names of them
what to emit: object, header, static (an archive with the runtime library within), shared, llvm,
asm, mlir

examples:
  fuseau compile heat.py:step --arg "f64[n,m]" --arg f64 -o build/step
  fuseau compile heat.py:step --arg "f64[n,m]" --arg f64 --size n=100,m=200 --emit static
  fuseau run --record traces prog.py && fuseau compile traces -o cache --cpu x86-64-v3
  FUSEAU_ISA=x86-64-v3 FUSEAU_CACHE_DIR=cache FUSEAU_CACHE_READONLY=1 python prog.py
  cc main.c build/step.o -I$(fuseau compile --include-dir) -L$(fuseau compile --library-dir) \\
    -lfuseau_kernels_runtime -lstdc++ -lm -lpthread
"""


def main(arguments):
    """Compiles, and prints the names of the files."""
    made = parser()
    options = made.parse_args(arguments)
    from .._ahead import SignatureError, artifacts

    for flag, folder in (
        ("include_dir", "include"),
        ("library_dir", "lib"),
        ("cmake_dir", "cmake"),
    ):
        if getattr(options, flag):
            print(os.path.join(artifacts.kernels_folder(), folder))
            return 0
    if options.source is None:
        made.error("expected FILE.py:FUNCTION, or a folder of recorded traces")
    try:
        if _is_recording(options.source):
            print(_compile_recording(options))
            return 0
        for path in _compile(options):
            print(path)
    except (SignatureError, NotImplementedError, RuntimeError) as error:
        print(f"fuseau compile: {_place(error)}{error}", file=sys.stderr)
        return 2
    return 0


def _place(error):
    """The line of the function that an error comes from, if it is one of them."""
    frames = traceback.extract_tb(error.__traceback__)
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    ours = [not frame.filename.startswith(package) for frame in frames]
    if True not in ours:
        return ""
    last = frames[len(ours) - 1 - ours[::-1].index(True)]
    return f"{last.filename}:{last.lineno}: " if os.path.isfile(last.filename) else ""


def parser():
    """The command's arguments."""
    made = argparse.ArgumentParser(
        prog="fuseau compile",
        usage=_USAGE,
        description=__doc__.splitlines()[0],
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("source", nargs="?", metavar="SOURCE", help="FILE.py:FUNCTION, or a recording")
    add(
        "--arg",
        action="append",
        default=[],
        metavar="[NAME:]TYPE[SIZES]",
        help="an argument: f64[n,m], f32[100], f64; once for each, in order",
    )
    add(
        "--size",
        action="append",
        default=[],
        metavar="n=100,m=200",
        help="sizes that letters may stand for, once for each choice (default: any)",
    )
    add("--emit", default="object,header", metavar="WHAT", help="what to write (object,header)")
    add("-o", dest="output", metavar="NAME", help="files are NAME.o, NAME.h, ... (FUNCTION)")
    add("--name", help="name of the C function (FUNCTION)")
    add(
        "--cpu",
        default="native",
        choices=("native", "x86-64-v2", "x86-64-v3", "x86-64-v4"),
        help="processors that the code is for (native: as this one)",
    )
    add("--arch", metavar="ARCH", help="graphics processors that the code is for")
    add("--numpy", action="store_true", help="`import numpy` in FILE.py gives fuseau")
    for what in ("include", "library", "cmake"):
        add(f"--{what}-dir", action="store_true", help=f"print the {what} folder and end")
    return made


def _is_recording(source):
    return os.path.isdir(source) or source.endswith(".mlir")


def _compile_recording(options):
    """Fills a folder for FUSEAU_CACHE_DIR, and says with how much."""
    from .. import _fuseau
    from .._ahead import SignatureError

    if not os.path.exists(options.source):
        raise SignatureError(f"source {options.source!r}: there is no such file or folder")
    if options.arg or options.size or options.name:
        raise SignatureError(
            "recorded traces have their types and sizes; drop --arg, --size, --name"
        )
    if not options.output:
        raise SignatureError("-o CACHE is missing: the folder that gets the kernels")
    cpu = "" if options.cpu == "native" else options.cpu
    cache = os.path.abspath(options.output)
    try:
        traces, kernels = _fuseau.compile_recording(options.source, cache, cpu)
    except (ValueError, RuntimeError) as error:
        raise SignatureError(str(error)) from None
    return f"{cache}: {kernels} kernels of {traces} traces"


def _compile(options):
    from .. import _ahead
    from .._ahead import SignatureError, artifacts

    emits = [word.strip() for word in options.emit.split(",") if word.strip()]
    artifacts.check_emits(emits)
    if options.arch:
        raise SignatureError("--arch: this version compiles for processors only")
    path, colon, name = options.source.rpartition(":")
    if not colon or not name.isidentifier():
        raise SignatureError(f"source {options.source!r}: expected FILE.py:FUNCTION")
    arguments = [_ahead.parse_argument(text) for text in options.arg]
    sizes = [_ahead.parse_sizes(text) for text in options.size]
    compiled = _ahead.compile_function(
        _load(path, name, options.numpy),
        arguments,
        name=options.name,
        sizes=sizes,
        cpu=options.cpu,
    )
    stem = options.output or compiled.name
    folder = os.path.dirname(stem)
    if folder:
        os.makedirs(folder, exist_ok=True)
    return _ahead.write(compiled, stem, emits)


def _load(path, name, as_numpy):
    """The function of the file."""
    from .._ahead import SignatureError

    folder = os.path.dirname(os.path.abspath(path))
    if as_numpy:
        from .._substitute import Chosen, install

        install(Chosen([], folder=folder))
    spec = importlib.util.spec_from_file_location("_fuseau_compiled", path)
    if spec is None or not os.path.isfile(path):
        raise SignatureError(f"source {path!r}: there is no such Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, folder)
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        raise SignatureError(f"source {path!r}: it has no function {name}")
    return function
