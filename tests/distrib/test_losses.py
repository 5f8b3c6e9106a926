"""Each phase of a job loses a rank once; `kill_matrix.py` does so many times."""

import random
import signal
import zlib

import pytest
from losses import MODES, RANKS, TRANSPORTS, Loss, lose, phases_of

CASES = [(mode, phase) for mode in MODES for phase in phases_of(mode)]


def choice_of(*words):
    """The same in each run."""
    return random.Random(zlib.crc32(" ".join(words).encode()))


@pytest.mark.parametrize(("mode", "phase"), CASES)
def test_kill(mode, phase):
    choice = choice_of(mode, phase)
    transport = choice.choice(list(TRANSPORTS))
    loss = lose(Loss(phase, transport, mode, choice.randrange(RANKS), leeway=3), choice)
    assert not loss.faults, f"{loss}\n{loss.output}"


@pytest.mark.parametrize("mode", MODES)
def test_stop(mode):
    choice = choice_of(mode)
    loss = lose(
        Loss("transfer", "shm", mode, choice.randrange(RANKS), signal.SIGSTOP, leeway=2), choice
    )
    assert not loss.faults, f"{loss}\n{loss.output}"
