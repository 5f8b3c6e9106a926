"""The examples by hand and by CMake, and all that can be emitted."""

import shutil
import subprocess
import sys

import numpy
import pytest
from command import EXAMPLES, LINK, environment, fuseau_command, has, run
from fuseau._ahead import artifacts


def numbers(text):
    return [float.fromhex(word) for word in text.split()]


def heat(n, m):
    """What kernels.py does, by NumPy."""
    i = numpy.arange(n * m)
    grid = ((i * i % 101) / 7).reshape(n, m)
    center = grid[1:-1, 1:-1]
    for _ in range(4):
        change = 0.1 * (
            grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:] - 4.0 * center
        )
        center += change
    return [numpy.abs(change).max(), *grid.ravel()]


def normalize(n):
    i = numpy.arange(3 * n)
    points = ((i * i % 97).astype("f4") / numpy.float32(9)).reshape(n, 3)
    mean = points.mean(axis=0)
    rest = points - mean
    return [*(rest / numpy.sqrt((rest * rest).mean(axis=0))).ravel(), *mean]


def compile_heat(folder, *words):
    done = fuseau_command(
        "compile",
        f"{EXAMPLES}/kernels.py:heat",
        "--arg",
        "f64[n,m]",
        "--arg",
        "f64",
        *words,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_c_by_hand(tmp_path):
    assert compile_heat(tmp_path) == ["heat.o", "heat.h"]
    kernels = artifacts.kernels_folder()
    run(
        "cc",
        f"{EXAMPLES}/heat.c",
        f"{tmp_path}/heat.o",
        f"-I{tmp_path}",
        f"-I{kernels}/include",
        f"-L{kernels}/lib",
        *LINK,
        "-Wall",
        "-Werror",
        "-o",
        f"{tmp_path}/heat",
    )
    for n, m in ((6, 8), (3, 3), (100, 57), (700, 900)):
        assert numbers(run(f"{tmp_path}/heat", str(n), str(m))[0]) == heat(n, m)
    linked = run("ldd", f"{tmp_path}/heat")[0]
    assert not any(name in linked for name in ("python", "LLVM", "absl"))


def test_static_archive_needs_no_other_library(tmp_path):
    compile_heat(tmp_path, "--emit", "static,header")
    include = f"{artifacts.kernels_folder()}/include"
    run(
        "cc",
        f"{EXAMPLES}/heat.c",
        f"{tmp_path}/libheat.a",
        f"-I{tmp_path}",
        f"-I{include}",
        *LINK[1:],
        "-o",
        f"{tmp_path}/heat",
    )
    assert numbers(run(f"{tmp_path}/heat", "9", "7")[0]) == heat(9, 7)


@pytest.mark.parametrize("cpu", ["x86-64-v2", "x86-64-v3"])
def test_other_processors(cpu, tmp_path):
    if cpu == "x86-64-v3" and not has("avx2"):
        pytest.skip("this machine has no AVX2")
    compile_heat(tmp_path, "--emit", "static,header", "--cpu", cpu)
    include = f"{artifacts.kernels_folder()}/include"
    run(
        "cc",
        f"{EXAMPLES}/heat.c",
        f"{tmp_path}/libheat.a",
        f"-I{tmp_path}",
        f"-I{include}",
        *LINK[1:],
        "-o",
        f"{tmp_path}/heat",
    )
    assert numbers(run(f"{tmp_path}/heat", "40", "31")[0]) == heat(40, 31)


def test_a_processor_without_the_instructions_is_an_error(tmp_path):
    if has("avx512f"):
        pytest.skip("this machine has AVX-512")
    compile_heat(tmp_path, "--emit", "static,header", "--cpu", "x86-64-v4")
    include = f"{artifacts.kernels_folder()}/include"
    run(
        "cc",
        f"{EXAMPLES}/heat.c",
        f"{tmp_path}/libheat.a",
        f"-I{tmp_path}",
        f"-I{include}",
        *LINK[1:],
        "-o",
        f"{tmp_path}/heat",
    )
    done = subprocess.run([f"{tmp_path}/heat"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "compiled for x86-64-v4" in done.stderr


def test_texts(tmp_path):
    names = compile_heat(tmp_path, "--emit", "llvm,asm,mlir")
    texts = [(tmp_path / name).read_text() for name in names]
    assert "define i32 @heat(i64" in texts[0]
    assert "heat_program:" in texts[1]
    assert "fuseau.add" in texts[2]


def test_by_cmake(tmp_path):
    script = tmp_path / "fuseau"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fuseau "$@"\n')
    script.chmod(0o755)
    done = subprocess.run(
        [
            "cmake",
            "-S",
            EXAMPLES,
            "-B",
            tmp_path / "build",
            f"-DFUSEAU_COMMAND={script}",
            f"-DCMAKE_PREFIX_PATH={artifacts.kernels_folder()}/cmake",
        ],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    done = subprocess.run(
        ["cmake", "--build", tmp_path / "build"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert numbers(run(f"{tmp_path}/build/heat", "6", "8")[0]) == heat(6, 8)
    out, err = run(f"{tmp_path}/build/normalize", "50")
    assert numbers(out) == normalize(50)
    assert err.strip() == "result0 has 2 elements along axis 1, expected 3"
    assert shutil.which("cc")
