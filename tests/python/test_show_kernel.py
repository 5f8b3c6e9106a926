"""`show_kernel` prints what a GPU would run, without one."""

import fuseau as np
import pytest


def shown(capsys, array, **options):
    np.show_kernel(array, **options)
    return capsys.readouterr().out


def test_prints_the_source_of_a_fused_kernel(capsys):
    a = np.arange(1000.0).reshape(10, 100).eval()
    text = shown(capsys, np.sqrt(a * 2.0 + 1.0).sum(axis=1))
    assert text.startswith('#include "fuseau.cuh"')
    assert "SquareRoot(" in text
    assert "ReduceRows<Kernel>(args)" in text
    assert "blocks of 8 x 32 threads" in text
    assert text.count("__global__") == 1


def test_computes_nothing(capsys):
    a = np.ones(5000) + 1
    first = shown(capsys, a)
    assert first == shown(capsys, a)
    assert np.explain(a).pending
    assert float(a.sum()) == 10000


def test_says_what_is_left_to_the_processor(capsys):
    a = np.ones((30, 40)).eval()
    assert "// left to the processor: matmul\n" in shown(capsys, a @ a.T)
    z = np.ones(5000, complex).eval()
    assert "// left to the processor: no GPU code for exp.D->D\n" in shown(capsys, np.exp(z))


def test_prelude_on_request(capsys):
    a = np.ones(5000) * 3
    assert "namespace fuseau {" not in shown(capsys, a)
    assert "struct Operand" in shown(capsys, np.ones(5000) * 3, prelude=True)


def test_a_known_value_launches_nothing(capsys):
    a = np.ones(100) * 2
    a.eval()
    assert shown(capsys, a) == "nothing: the value is in memory\n"


def test_refuses_what_is_no_array():
    with pytest.raises(TypeError, match=r"show_kernel\(\) takes a fuseau array, not list"):
        np.show_kernel([1, 2])
