"""A recorded run becomes a folder of kernels with which the program compiles nothing."""

import os
import subprocess
import sys

from command import environment, fuseau_command

PROGRAM = """
import fuseau as np

grid = np.zeros((66, 70))
grid[0] = 40.0
center = grid[1:-1, 1:-1]
for _ in range(7):
    center[:] = 0.2 * (center + grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, 2:] + grid[1:-1, :-2])
x = np.linspace(0, 1, 20_000)
print(float(grid.sum()), float((np.exp(x) * x).mean()), np.sort(x * 3)[:2].tolist())
print(np.stats()["kernels_compiled"])
"""


def python(path, **settings):
    done = subprocess.run(
        [sys.executable, path],
        env={**environment(), "FUSEAU_JIT": "always", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results, compiled = done.stdout.splitlines()
    return results, int(compiled)


def test_nothing_is_compiled_with_a_shipped_cache(tmp_path):
    program = tmp_path / "prog.py"
    program.write_text(PROGRAM)
    traces, cache = str(tmp_path / "traces"), str(tmp_path / "cache")
    isa = "x86-64-v2"
    fresh, compiled = python(program, FUSEAU_CACHE="0", FUSEAU_ISA=isa)
    assert compiled > 0

    done = fuseau_command("run", "--record", traces, str(program))
    assert done.returncode == 0, done.stderr
    assert any(name.endswith(".mlir") for name in os.listdir(traces))
    done = fuseau_command("compile", traces, "-o", cache, "--cpu", isa)
    assert done.returncode == 0, done.stderr
    assert f"{cache}: {compiled} kernels of " in done.stdout

    os.chmod(cache, 0o500)
    settings = {"FUSEAU_CACHE_DIR": cache, "FUSEAU_CACHE_READONLY": "1", "FUSEAU_ISA": isa}
    assert python(program, **settings) == (fresh, 0)
    os.chmod(cache, 0o700)

    # The same with a single trace: its kernels are there already.
    one = os.path.join(traces, sorted(os.listdir(traces))[0])
    done = fuseau_command("compile", one, "-o", cache, "--cpu", isa)
    assert f"{cache}: 0 kernels of 1 traces" in done.stdout


def test_mistakes(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    done = fuseau_command("compile", str(empty), "-o", str(tmp_path / "cache"))
    assert done.returncode == 2 and "has no traces; expected a folder" in done.stderr
    (empty / "x.mlir").write_text("nonsense")
    done = fuseau_command("compile", str(empty), "-o", str(tmp_path / "cache"))
    assert done.returncode == 2 and "x.mlir is no trace" in done.stderr
    done = fuseau_command("compile", str(empty))
    assert done.returncode == 2 and "-o CACHE is missing" in done.stderr
