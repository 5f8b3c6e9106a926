"""The files that a compiled program becomes."""

import os
import shlex
import shutil
import struct
import subprocess

from . import header
from .signature import SignatureError

# What may be emitted, and how the file's name ends.
EMITS = {
    "object": ".o",
    "header": ".h",
    "static": ".a",
    "shared": ".so",
    "llvm": ".ll",
    "asm": ".s",
    "mlir": ".mlir",
}
# Code for graphics processors, which this version does not make.
GPU_EMITS = ("cuda", "cubin", "ptx")
_LIBRARY = "libfuseau_kernels_runtime.a"


def kernels_folder():
    """The folder with the headers, the library and the CMake package for compiled programs."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kernels")


def check_emits(names):
    """Raises SignatureError unless all of them can be emitted."""
    for name in names:
        if name in GPU_EMITS:
            raise SignatureError(
                f"--emit {name}: this version compiles for processors only; expected some of "
                f"{', '.join(EMITS)}"
            )
        if name not in EMITS:
            raise SignatureError(f"--emit {name!r}: expected some of {', '.join(EMITS)}")


def write(compiled, stem, emits=("object", "header")):
    """Writes files named `stem` with the endings of EMITS, and returns their names.

    Libraries get the prefix "lib". "static" has the runtime library within; "shared" needs a C++
    compiler (CXX, or c++) to link it.
    """
    check_emits(emits)
    folder, base = os.path.split(stem)
    written = []
    for name in emits:
        library = name in ("static", "shared") and not base.startswith("lib")
        path = os.path.join(folder, f"{'lib' * library}{base}{EMITS[name]}")
        _WRITERS[name](compiled, path)
        written.append(path)
    return written


def _write_text(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _write_object(compiled, path):
    with open(path, "wb") as file:
        file.write(compiled.code["object"])


def runtime_library():
    """The path of the runtime library."""
    path = os.path.join(kernels_folder(), "lib", _LIBRARY)
    if not os.path.exists(path):
        raise SignatureError(f"this installation has no {_LIBRARY}: expected it at {path}")
    return path


def _write_static(compiled, path):
    members = [(f"{compiled.name}.o", compiled.code["object"])]
    defined = [(compiled.name, 0), (f"{compiled.name}_program", 0)]
    with open(runtime_library(), "rb") as file:
        runtime = file.read()
    for place, (name, content) in enumerate(_archive_members(runtime), 1):
        members.append((name, content))
        defined += [(symbol, place) for symbol in _RUNTIME_SYMBOLS]
    with open(path, "wb") as file:
        file.write(_archive(members, defined))


_RUNTIME_SYMBOLS = ("fuseau_kernels_run", "fuseau_kernels_result_shape", "fuseau_kernels_message")
_MAGIC = b"!<arch>\n"


def _member(name, content):
    head = f"{name:<16}{0:<12}{0:<6}{0:<6}{'644':<8}{len(content):<10}`\n".encode()
    return head + content + b"\n" * (len(content) % 2)


def _archive(members, defined):
    """An archive whose index says in which member each symbol is defined."""
    names = b"".join(symbol.encode() + b"\0" for symbol, _ in defined)
    index = 4 + 4 * len(defined) + len(names)
    at = [len(_MAGIC) + 60 + index + index % 2]
    blocks = [_member(f"{name}/"[-16:], content) for name, content in members]
    for block in blocks:
        at.append(at[-1] + len(block))
    offsets = struct.pack(f">{len(defined) + 1}I", len(defined), *(at[m] for _, m in defined))
    return _MAGIC + _member("/", offsets + names) + b"".join(blocks)


def _archive_members(data):
    """Names and contents of an archive's objects, without its index."""
    at, long_names = len(_MAGIC), b""
    while at < len(data):
        name = data[at : at + 16].decode().strip()
        size = int(data[at + 48 : at + 58])
        content = data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
        if name == "//":
            long_names = content
        elif name not in ("/", "/SYM64/"):
            if name.startswith("/"):
                start = int(name[1:])
                name = long_names[start : long_names.index(b"/", start)].decode()
            yield name.rstrip("/")[:15], content


def _write_shared(compiled, path):
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    if shutil.which(compiler[0]) is None:
        raise SignatureError(
            f"--emit shared links with a C++ compiler, and there is no {compiler[0]!r}; install "
            "one or name it with CXX"
        )
    script, part = f"{path}.map", f"{path}.o"
    symbols = "; ".join((compiled.name, f"{compiled.name}_program", *_RUNTIME_SYMBOLS))
    _write_text(script, f"{{ global: {symbols}; local: *; }};\n")
    _write_object(compiled, part)
    command = [*compiler, "-shared", "-s", "-o", path, part, runtime_library()]
    # With the C++ library inside, other programs need no certain version of it.
    command += ["-static-libstdc++", "-static-libgcc", "-lm", "-lpthread"]
    command += [f"-Wl,--version-script={script}", "-Wl,--gc-sections"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise SignatureError(
            f"--emit shared: {' '.join(command)} failed: {error.stderr.strip()}"
        ) from None
    finally:
        os.remove(script)
        os.remove(part)


_WRITERS = {
    "object": _write_object,
    "header": lambda compiled, path: _write_text(path, header.text(compiled)),
    "static": _write_static,
    "shared": _write_shared,
    "llvm": lambda compiled, path: _write_text(path, compiled.code["llvm"]),
    "asm": lambda compiled, path: _write_text(path, compiled.code["asm"]),
    "mlir": lambda compiled, path: _write_text(path, compiled.code["mlir"]),
}
