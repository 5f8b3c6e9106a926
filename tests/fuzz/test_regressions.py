"""Programs on which NumPy and the module once differed, as the shrinker printed them.

The module is named by FUSEAU_TEST_MODULE. Paste a shrunk program as a function below, or add its
text to PROGRAMS.
"""

import importlib
import os
import textwrap

import pytest

from tests.fuzz.execute import check

MODULE = os.environ.get("FUSEAU_TEST_MODULE", "fuseau")

PROGRAMS = [
    """
    a0 = np.array([1.0, -0.0, inf, nan])
    a1 = a0[1:]
    a2 = a0 + a0
    a1[...] = a0[:-1]
    a3 = a1.sum()
    """,
]


def assert_agrees(text):
    failure = check(textwrap.dedent(text).strip().splitlines(), importlib.import_module(MODULE))
    assert failure is None, f"{failure.kind}: {failure.message}"


@pytest.mark.parametrize("text", PROGRAMS)
def test_program(text):
    assert_agrees(text)
