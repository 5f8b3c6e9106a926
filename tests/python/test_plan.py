"""Plans of jobs: what ranks would do, told without doing it."""

import fuseau as np
import pytest
from fuseau._plan import Plan

ROW = 8 * 4098  # bytes of a row of the plate


def steady(ranks, of, steps=5):
    """What ranks do in `steps` steps once the plate is there."""
    with Plan(ranks, of) as plan:
        grid = np.zeros((4098, 4098))
        center = grid[1:-1, 1:-1]
        for _ in range(2):
            for _ in range(steps):
                center[:] = 0.2 * (
                    center + grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, 2:] + grid[1:-1, :-2]
                )
            taken = plan.take()
        (program,) = taken["programs"]
        assert program["runs"] == 1
        return program


def test_steps_of_a_stencil_send_their_halo_to_the_neighbours_at_once():
    first, inner, last = steady(8, [0, 3, 7])["work"]
    for work, neighbours in ((first, [1]), (inner, [2, 4]), (last, [6])):
        assert len(work["exchanges"]) == 1
        for exchange in work["exchanges"]:
            assert [peer for peer, _ in exchange["sends"]] == neighbours
            assert exchange["sends"] == exchange["receives"]
            # A row for each step; the first and the last element are perhaps left out.
            for _, count in exchange["sends"]:
                assert 5 * ROW - 16 <= count <= 5 * ROW
            assert exchange["copied"] == 0


def test_each_step_goes_through_memory_once():
    for work in steady(8, [0, 3, 7])["work"]:
        assert work["copies"] == []
        kernels = [s for s in work["steps"] if s["what"] == "kernel"]
        part = 8 * 4096 * 4096 / 8
        assert 10 * part <= sum(s["bytes"] for s in kernels) <= 10.2 * part


def test_one_rank_exchanges_nothing():
    (work,) = steady(1, [0])["work"]
    assert work["exchanges"] == []


def test_nothing_is_computed():
    made = np.stats()["buffers_made"]
    launches = np.stats()["launches"]
    with Plan(256) as plan:
        # 800 GB
        huge = np.ones((100_000, 1_000_000))
        huge += 1.0
        (program,) = plan.take()["programs"]
        assert program["work"][0]["exchanges"] == []
        with pytest.raises(RuntimeError, match="only planned"):
            float(huge[3, 4])
        total = np.sum(huge)
        plan.take()
        with pytest.raises(RuntimeError, match="only planned"):
            float(total)
    assert np.stats()["launches"] == launches
    assert np.stats()["buffers_made"] == made


def test_what_is_small_is_computed():
    with Plan(4):
        assert float(np.arange(10.0).sum()) == 45.0


def test_ranks_of_a_plan():
    with Plan(6):
        assert np.ranks()["size"] == 6
        with pytest.raises(ValueError, match="already"):
            Plan(2).__enter__()
    assert np.ranks()["size"] == 1
    with pytest.raises(ValueError, match="rank 5 of a plan of 4"):
        Plan(4, [5]).__enter__()
    with pytest.raises(ValueError, match="0 ranks"):
        Plan(0, []).__enter__()
