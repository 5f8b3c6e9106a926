"""The arithmetic of tools/scaling: small plans whose times are known."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "tools/scaling"))
import model

INSIDE = model.Link(latency=1e-6, bandwidth=1e9)
BETWEEN = model.Link(latency=10e-6, bandwidth=1e8)
MACHINE = model.Machine(INSIDE, BETWEEN, ranks_per_node=4, copy_bandwidth=1e9)
RATES = model.Rates(alone=1e9, together=4e9)


def kernel(size, together=1):
    return {"what": "kernel", "bytes": size, "together": together}


def work(rank, messages, steps=(), number=0, copied=0):
    exchange = {"number": number, "sends": messages, "receives": messages, "copied": copied}
    return {"rank": rank, "steps": [*steps, {"what": "exchange"}], "exchanges": [exchange]}


def plan(*works, runs=1):
    programs = [{"runs": runs, "gathered": [], "work": list(works)}]
    return {"programs": programs, "commands": 0, "command_bytes": 0}


def test_kernels_that_go_together_are_faster():
    assert RATES.seconds(kernel(4e9)) == 4.0
    assert RATES.seconds(kernel(4e9, together=8)) == 1.0


def test_a_message_inside_a_node():
    step = model.step_of(plan(work(0, [(1, 1000)], [kernel(1e6)])), MACHINE, RATES, 2, 1)
    assert step.compute == pytest.approx(1e-3)
    assert step.exchange == pytest.approx(1e-6 + 1000 / 1e9)
    assert (step.messages, step.sent) == (1, 1000)


def test_bytes_of_a_step_are_those_of_its_share_of_the_runs():
    twice = model.step_of(plan(work(0, [(1, 1000)]), runs=6), MACHINE, RATES, 2, 3)
    once = model.step_of(plan(work(0, [(1, 1000)]), runs=2), MACHINE, RATES, 2, 1)
    assert vars(twice) == pytest.approx(vars(once))
    assert twice.sent == 2000


def test_ranks_of_a_node_share_its_network():
    # Inner ranks send to another node as well: all four do.
    works = [work(rank, [(rank + 4, 1000)]) for rank in (0, 1, 3)]
    step = model.step_of(plan(*works), MACHINE, RATES, 8, 1)
    assert step.exchange == pytest.approx(10e-6 + 4 * 1000 / 1e8)
    # Only the last one does.
    works = [work(0, [(1, 8)]), work(1, [(2, 8)]), work(3, [(4, 1000)])]
    step = model.step_of(plan(*works), MACHINE, RATES, 8, 1)
    assert step.exchange == pytest.approx(10e-6 + 1000 / 1e8)


def test_exchanges_are_matched_by_number():
    works = [work(0, [(1, 8)], number=1), work(1, [], number=1)]
    works.append(work(3, [(4, 1000)], number=2))
    step = model.step_of(plan(*works), MACHINE, RATES, 8, 1)
    assert step.exchange == pytest.approx(10e-6 + 1000 / 1e8)


def test_the_slowest_rank_counts():
    works = [work(0, [], [kernel(1e6)]), work(1, [], [kernel(3e6)])]
    assert model.step_of(plan(*works), MACHINE, RATES, 2, 1).compute == pytest.approx(3e-3)


def test_hops():
    assert model.hops_seconds(MACHINE, 1) == 0
    assert model.hops_seconds(MACHINE, 4) == pytest.approx(2e-6)
    assert model.hops_seconds(MACHINE, 5) == pytest.approx(2e-6 + 10e-6)
    assert model.hops_seconds(MACHINE, 4096) == pytest.approx(2e-6 + 100e-6)
    job = plan(work(0, []), runs=2)
    job.update(commands=3, command_bytes=3000)
    step = model.step_of(job, MACHINE, RATES, 2, 1)
    assert step.agree == pytest.approx(2 * 1e-6 + 3 * (1e-6 + 1000 / 1e9))


@pytest.mark.parametrize("ranks, expected", [(1, [0]), (2, [0, 1]), (4, [0, 1, 3])])
def test_sample_of_few(ranks, expected):
    assert model.sample(ranks, 4) == expected


def test_sample_of_many():
    assert model.sample(32, 8) == [0, 3, 7, 16, 19, 23]
