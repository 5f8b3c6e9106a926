"""Makes `checks` importable under every import mode of pytest."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


@pytest.fixture
def no_door():
    """Nothing may go through the door to NumPy."""
    from checks import IS_NUMPY, np

    before = 0 if IS_NUMPY else np.fallback_count()
    yield
    assert IS_NUMPY or np.fallback_count() == before
