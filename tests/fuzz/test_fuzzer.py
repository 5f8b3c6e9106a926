"""The fuzzer itself: it finds planted bugs, shrinks them, survives crashes, and is quiet on
NumPy.
"""

import subprocess
import sys
import types

import numpy
import pytest

from tests.fuzz import worker
from tests.fuzz.data import DTYPES
from tests.fuzz.execute import Failure, Options, check, reference_statement, values_differ
from tests.fuzz.generate import generate, tells_roundings_apart
from tests.fuzz.program import is_inexact
from tests.fuzz.shrink import as_test, shrink
from tests.fuzz.state import RULES


def broken(**functions):
    """NumPy with some of its functions replaced."""
    module = types.ModuleType("broken")
    module.__getattr__ = lambda name: getattr(numpy, name)
    module.__dict__.update(functions)
    return module


def find(module, kind):
    """The first program that fails in that way, and its failure."""
    for number in range(3000):
        statements = generate(f"test:{number}")
        failure = check(statements, module)
        if failure is not None and failure.kind == kind:
            return statements, failure
    pytest.fail("no program found the planted bug")


def where_without_nan(condition, *branches):
    result = numpy.where(condition, *branches)
    return numpy.nan_to_num(result) if branches and numpy.ndim(result) else result


def ones_of_any_shape(shape, dtype=float):
    return numpy.ones(tuple(abs(n) for n in shape), dtype)


def transposed_copy(array, axes=None):
    return numpy.transpose(array, axes).copy()


def divide_as_float32(*arguments, **keywords):
    result = numpy.divide(*arguments, **keywords)
    return (
        result.astype("float32") if result.dtype == "float64" and "out" not in keywords else result
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "function", "kind", "lines"),
    [
        ("where", where_without_nan, "value", 4),
        ("ones", ones_of_any_shape, "exception", 1),
        ("divide", divide_as_float32, "dtype", 2),
        ("transpose", transposed_copy, "value", 3),
    ],
)
def test_finds_and_shrinks_a_planted_bug(name, function, kind, lines):
    module = broken(**{name: function})
    statements, failure = find(module, kind)
    small, last = shrink(statements, failure, lambda program: check(program, module))
    assert last.kind == kind
    assert len(small) <= lines, small
    assert name in "\n".join(small)
    compile(as_test(small, "planted"), "test", "exec")


@pytest.mark.filterwarnings("ignore")
def test_agrees_with_itself():
    for number in range(200):
        assert check(generate(f"quiet:{number}"), numpy) is None


def test_same_seed_same_program():
    assert generate("1:17") == generate("1:17")
    assert generate("1:17") != generate("2:17")


@pytest.mark.filterwarnings("ignore")
def test_programs_cover_every_rule_and_dtype():
    text = "\n".join(line for number in range(300) for line in generate(f"cover:{number}"))
    for word in (
        *DTYPES,
        "np.where",
        "out=",
        "where=",
        "::-1",
        "np.concatenate",
        "np.stack",
        ".reshape",
        "del ",
    ):
        assert word in text
    assert len(RULES) > 30


@pytest.mark.filterwarnings("ignore")
def test_skipped_rules_are_left_out():
    lines = [
        line
        for number in range(50)
        for line in generate(f"s:{number}", skip=("delete", "put", "error"))
    ]
    assert not any(line.startswith("del ") or "np.place(" in line for line in lines)


def test_values_differ():
    one = numpy.array([1.0, numpy.nan, -0.0])
    assert values_differ(one, numpy.array([1.0, -numpy.nan, 0.0]), 0, signed_zero=False) is None
    assert values_differ(one, numpy.array([1.0, numpy.nan, 0.0]), 0, signed_zero=True)
    near = numpy.nextafter(one, 2)
    assert "by up to 1 ulp" in values_differ(one[:1], near[:1], 0, signed_zero=False)
    assert values_differ(one[:1], near[:1], 1, signed_zero=False) is None
    assert values_differ(one[:1] * 1j, near[:1] * 1j, 1, signed_zero=False) is None


def test_overflow_of_complex_products():
    """Finite or not is a matter of rounding only among numbers whose products overflow."""
    got = numpy.array([1 + 2j, -1.7e38 + 0j], "complex64")
    want = numpy.array([1 + 2j, -numpy.inf + 0j], "complex64")
    assert values_differ(got, want, None, False, scale=1e38) is None
    assert values_differ(got, want, None, False, scale=1e10) is not None
    assert values_differ(got[:1], want[1:], None, False, scale=1e10) is not None
    parts = got.real.copy(), want.real.copy()
    assert values_differ(*parts, None, False, scale=1e38) is not None


def test_exact_programs_are_compared_bit_by_bit():
    assert is_inexact(["a1 = np.exp(a0)"])
    assert not is_inexact(["a1 = a0 + 1"])
    near = broken(add=lambda a, b: numpy.nextafter(numpy.add(a, b), 9.0))
    program = ["a0 = np.add(1.0, np.array([1.0, 2.0]))"]
    assert check(program, near, Options(ulp=4)).kind == "value"
    assert check([*program, "a1 = np.exp(a0 * 0)"], near, Options(ulp=4)) is None


def test_sets_are_not_of_rounded_numbers():
    rounded = {"a0": numpy.ones(3, complex), "a1": numpy.ones(3, int)}
    product = ["a0 = a0 * a0  # complex"]
    assert tells_roundings_apart("a2 = np.unique(a0)", product, rounded)
    assert tells_roundings_apart("a2 = np.union1d(a1, a0)", product, rounded)
    assert tells_roundings_apart("a2 = a0 % a0[::-1]", product, rounded)
    assert not tells_roundings_apart("a2 = a0[(data('int64', (3,), 5) % 3)]", product, rounded)
    assert not tells_roundings_apart("a2 = np.unique(a1)", product, rounded)
    assert not tells_roundings_apart("a2 = np.unique(a0)", ["a0 = a0 + a0"], rounded)
    assert not tells_roundings_apart("a2 = np.sort(a0)", product, rounded)


def test_numpy_copies_what_it_copies_from():
    """Between overlapping strided windows, also where the source has a name."""
    for source in ("a0[:22]", "a0.T[1:]"):
        assert reference_statement(f"a0[::2,] = {source}") == f"a0[::2,] = np.array({source})"
    copied = reference_statement("a0[::2] = a1")
    assert copied == "a0[::2] = a1.copy() if isinstance(a1, numpy.ndarray) else a1"


def test_numpy_negates_a_copy():
    """Of the strided float32 that NumPy 2.4 negates wrongly in place."""
    for operand in ("a0", "a1", "a0[...]", "a0.T"):
        text = f"np.negative({operand}, out=a0)"
        assert reference_statement(text) == f"np.negative(np.array({operand}), out=a0)"
    assert reference_statement("a2 = np.negative(a0)") == "a2 = np.negative(a0)"


def test_what_is_left_to_numpy_is_taken_over():
    """An operand of eight bits gives float16, which some modules leave to NumPy."""

    class Own(numpy.ndarray):
        pass

    taken = []
    module = broken(array=lambda x: taken.append(x) or numpy.array(x).view(Own))
    assert check(["a0 = np.ones(2) + 2j", "b0 = np.ones(2)"], module, Options()) is None
    assert [x.dtype for x in taken if type(x) is not int] == [complex]


def test_numpy_keeps_its_operands():
    """NumPy stores a sum in an operand of 256 KiB that nobody else holds, in that one's order."""
    program = [
        "a0 = np.ones((109, 301))",
        "a1 = np.ones_like(a0, order='F') + a0",
        "a2 = a1.flags.c_contiguous",
    ]
    assert check(program, numpy) is not None
    assert reference_statement("a1 = -f(a0) + a0") == "a1 = (_operand0 := (-f(a0))) + a0"
    assert reference_statement("a1 = a0 + a0[1:]") == "a1 = a0 + a0[1:]"


CRASHING = """
import os, time
from numpy import *
import numpy
def floor_divide(*arguments, **keywords):
    os.abort()
def __getattr__(name):
    return getattr(numpy, name)
"""


@pytest.fixture
def crashing_module(tmp_path, monkeypatch):
    (tmp_path / "crashing_numpy.py").write_text(CRASHING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "crashing_numpy"


def test_a_crash_is_a_failure_of_one_program(crashing_module):
    child = worker.Worker(crashing_module, "default", Options())
    try:
        assert child.run_program(["a0 = np.add(1, 2)"]) is None
        assert child.run_program(["a0 = np.floor_divide(1, 2)"]).kind == "crash"
        assert child.run_program(["a0 = np.add(1, 2)"]) is None
    finally:
        child.stop()


def test_a_hang_is_a_failure(monkeypatch):
    monkeypatch.setattr(worker, "HANG_SECONDS", 0.5)
    child = worker.Worker("numpy", "default", Options())
    try:
        assert child.run_program(["while True: pass"]).kind == "hang"
        assert child.run_program(["a0 = np.add(1, 2)"]) is None
    finally:
        child.stop()


def test_command_line_reports_crashes_and_counts(crashing_module):
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.run",
        "--module",
        crashing_module,
        "--programs",
        "600",
        "--shrink",
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    last = done.stdout.splitlines()[-1]
    assert done.returncode == 1
    assert "crash" in done.stdout
    assert "np.floor_divide" in done.stdout
    passed, failed = (int(part.split()[0]) for part in last.split(", "))
    assert failed >= 1
    assert passed + failed == 600


def test_shrinking_keeps_the_kind_of_failure():
    def run(program):
        if "bad" in "".join(program):
            return Failure("value", "bad")
        return Failure("dtype", "other") if program else None

    small, last = shrink(["a0 = 1 + 2", "a1 = bad + a0", "a2 = a1"], Failure("value", "bad"), run)
    assert small == ["a0 = bad"]
    assert last.kind == "value"


def test_shrinking_keeps_to_python():
    """Nothing can be stored in `a0.reshape(-1)`, only in a part of it."""

    def run(program):
        return Failure("value", "bad") if program and "2" in program[-1] else None

    small, _ = shrink(["a0.reshape(-1)[:] = 2"], Failure("value", "bad"), run)
    compile(small[0], "small", "exec")
