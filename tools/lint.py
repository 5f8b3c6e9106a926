#!/usr/bin/env python3
"""Checks what a compiler does not: layering, formatting, encoding."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# A folder may include only from these (tests and tools from anywhere).
MAY_INCLUDE = {
    "runtime/base": {"runtime/base"},
    "runtime": {"runtime/base", "runtime"},
    "distrib": {"runtime/base", "runtime", "distrib"},
    "ir": {"runtime/base", "ir"},
    "passes": {"runtime/base", "ir", "passes"},
    "codegen": {"runtime/base", "runtime", "ir", "passes", "codegen"},
    "frontend": {"runtime/base", "runtime", "distrib", "ir", "passes", "codegen", "frontend"},
    "python": {"runtime/base", "runtime", "ir", "frontend", "python"},
}
# What a layer may also include of others: descriptions without code.
MAY_INCLUDE_FILES = {"passes": {"runtime/transfer.h"}}
# Only these may include LLVM or MLIR.
COMPILER_FOLDERS = {"ir", "passes", "codegen"}
INCLUDE = re.compile(r'^\s*#include\s+["<]([^">]+)[">]', re.M)
LONG_FILE = 700


def files(*suffixes):
    """Tracked and new files of the project with one of the suffixes."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\n")
    return [ROOT / name for name in listed if name.endswith(suffixes) and (ROOT / name).exists()]


def folder_of(name):
    """The layer that a path belongs to, or None."""
    if name.startswith("runtime/base/"):
        return "runtime/base"
    top = name.split("/")[0]
    return top if top in MAY_INCLUDE else None


def check_layers():
    for path in files(".h", ".cc"):
        name = path.relative_to(ROOT).as_posix()
        layer = folder_of(name)
        if layer is None:
            continue
        test = name.endswith("_test.cc") or "/testing/" in name
        for include in INCLUDE.findall(path.read_text()):
            if include in MAY_INCLUDE_FILES.get(layer, ()):
                continue
            target = folder_of(include)
            if target and target not in MAY_INCLUDE[layer] and not test:
                yield f"{name}: a file of {layer} may not include {include}"
            if include.startswith(("llvm/", "mlir/")) and layer not in COMPILER_FOLDERS:
                yield f"{name}: {layer} may not include {include}"


def check_text():
    for path in files(".h", ".cc", ".td", ".py", ".txt", ".cmake", ".mlir"):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(errors="replace")
        if not text.isascii():
            line = next(i for i, s in enumerate(text.split("\n"), 1) if not s.isascii())
            yield f"{name}:{line}: not ASCII"
        if text.count("\n") > LONG_FILE and not name.endswith(".txt"):
            yield f"{name}: more than {LONG_FILE} lines; look for a seam"


def check_format():
    tool = shutil.which("clang-format-22") or shutil.which("clang-format")
    if tool is None:
        return
    sources = [str(p) for p in files(".h", ".cc")]
    result = subprocess.run(
        [tool, "--dry-run", "-Werror", *sources], cwd=ROOT, capture_output=True, text=True
    )
    if result.returncode:
        found = re.findall(r"^(\S+?):\d+:\d+: error", result.stderr, re.M)
        for path in sorted(set(found)):
            yield f"{Path(path).relative_to(ROOT)}: run clang-format"


def check_python():
    result = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "-q", "python", "tests", "tools"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        yield result.stdout.strip() or result.stderr.strip()


def main():
    problems = []
    for check in (check_layers, check_text, check_format, check_python):
        problems += check()
    for problem in problems:
        print(problem)
    print(f"lint: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
