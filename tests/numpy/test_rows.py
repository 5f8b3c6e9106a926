"""Reductions followed by maps over arrays larger than the caches, bit for bit, on any number of threads."""

import os
import pathlib
import subprocess
import sys

import numpy
import pytest
import row_programs
from checks import MODULE, needs_fuseau, np


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", row_programs.SHAPES)
@pytest.mark.parametrize("program", row_programs.PROGRAMS, ids=lambda p: p.__name__)
def test_rows(program, shape, dtype):
    a = row_programs.matrix(shape, dtype)
    want = row_programs.results(numpy, program, a)
    got = row_programs.results(np, program, a)
    for w, g in zip(want, got, strict=True):
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        assert g.tobytes() == w.tobytes()


@needs_fuseau
def test_threads_and_tiles_do_not_change_bits():
    script = pathlib.Path(row_programs.__file__)

    def digest(**settings):
        return subprocess.run(
            [sys.executable, "-W", "ignore", script, MODULE],
            env={**os.environ, **settings},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    want = digest(FUSEAU_NUM_THREADS="1", FUSEAU_DISABLE="all")
    assert digest(FUSEAU_NUM_THREADS="1") == want
    assert digest(FUSEAU_NUM_THREADS="2") == want
    assert digest(FUSEAU_NUM_THREADS="5", FUSEAU_TILE_BYTES="16K") == want
