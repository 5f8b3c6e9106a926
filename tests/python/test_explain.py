"""What `explain` says of values that are still to be computed."""

import fuseau as np
import numpy
import pytest


def test_one_kernel():
    a = np.ones(100_000).eval()
    b = np.ones(100_000).eval()
    why = np.explain(np.sqrt(a * a + b) * 2.0)
    assert why.pending
    assert [s["what"] for s in why.steps] == ["kernel"]
    assert [v["stored"] for v in why.values if v["operation"] == "multiply"] == ["", "asked for"]
    assert why.bytes == why.least_bytes == 3 * 800_000
    assert why.temporary_bytes == 0
    # One kernel computes all operations.
    computed = [i for i, v in enumerate(why.values) if v["inputs"]]
    assert why.steps[0]["values"] == computed


def test_it_computes_nothing():
    a = np.ones(1000).eval()
    x = a + 1.0
    np.explain(x)
    assert np.explain(x).pending
    numpy.testing.assert_array_equal(x, numpy.full(1000, 2.0))
    assert not np.explain(x).pending


def test_a_reduction_is_stored():
    a = np.ones((300, 400)).eval()
    why = np.explain(a / a.sum(axis=1, keepdims=True))
    assert "a reduction" in [v["stored"] for v in why.values]
    assert len([s for s in why.steps if s["what"] == "kernel"]) == 2


def test_a_routine_has_its_name():
    a = np.ones((30, 40)).eval()
    why = np.explain((a + 1.0) @ a.T)
    assert "matmul" in [s["what"] for s in why.steps]
    assert "read as a whole from memory" in [v["stored"] for v in why.values]


def test_text_and_html():
    why = np.explain(np.arange(1000.0) * 2.0)
    assert "multiply" in str(why)
    assert "moves" in repr(why)
    assert "<table>" in why._repr_html_()
    known = np.ones(3).eval()
    assert "in memory" in str(np.explain(known))


def test_the_tier():
    a = np.ones(10_000).eval()
    before = np.explain(a * 3.25 - 1.0)
    (a * 3.25 - 1.0).eval()
    after = np.explain(a * 3.25 - 1.0)
    assert "new" in before.tier
    assert "run 1 times" in after.tier


@pytest.mark.parametrize("wrong", [3, numpy.ones(2), [1]])
def test_wrong_argument(wrong):
    with pytest.raises(TypeError, match="takes a fuseau array"):
        np.explain(wrong)


def test_a_long_loop_is_one_kernel_again_and_again():
    x, a = np.ones(1000), np.full(1000, 0.5)
    np.synchronize()
    for i in range(128):
        x = x * (i + 0.5) + a
    kernels = [s["kernel"] for s in np.explain(x).steps]
    assert len(kernels) == 2
    assert kernels[0] == kernels[1]
