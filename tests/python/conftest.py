"""Settings of the tests of the Python package."""

import warnings

import fuseau
import numpy
import pytest


@pytest.fixture(autouse=True)
def no_noise():
    """Warnings of the numbers themselves and of the door do not matter to most tests."""
    with warnings.catch_warnings(), numpy.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        warnings.simplefilter("ignore", fuseau.FallbackWarning)
        yield
