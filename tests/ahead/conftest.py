"""Compiled functions, linked into shared libraries."""

import ctypes
import os
import subprocess

import pytest
from fuseau import _ahead
from fuseau._ahead import artifacts
from linked import Linked


@pytest.fixture(scope="session")
def runtime(tmp_path_factory):
    """The runtime library as a shared one, so that a process has it once."""
    path = str(tmp_path_factory.mktemp("runtime") / "libruntime.so")
    whole = ["-Wl,--whole-archive", artifacts.runtime_library(), "-Wl,--no-whole-archive"]
    command = ["c++", "-shared", "-o", path, *whole, "-static-libstdc++", "-static-libgcc"]
    subprocess.run([*command, "-Wl,--exclude-libs,libstdc++.a", "-lm", "-lpthread"], check=True)
    return ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)


@pytest.fixture
def link(tmp_path, runtime):
    """Compiles a function for arguments such as "f64[n]" and links it."""

    def make(function, *arguments, **options):
        parsed = [_ahead.parse_argument(text) for text in arguments]
        options.setdefault("name", "compiled")
        compiled = _ahead.compile_function(function, parsed, **options)
        stem = str(tmp_path / f"program{len(os.listdir(tmp_path))}")
        (part,) = _ahead.write(compiled, stem, ("object",))
        subprocess.run(["cc", "-shared", "-o", f"{stem}.so", part], check=True)
        return Linked(compiled, f"{stem}.so", runtime)

    return make
