"""Wrong input: NumPy's exception with NumPy's message, nothing changed, and the program goes on."""

import os
import pickle
import subprocess
import sys
import textwrap
import time

import numpy
import pytest
from checks import MODULE, agree, np

RAISING = {
    "number and output": lambda np: np.remainder(np.ones(3, "u2"), -1, out=np.zeros(3, bool)),
    "output": lambda np: np.remainder(np.ones(3, "u2"), 1, out=np.zeros(3, bool)),
    "shape mismatch": lambda np: np.ones(3) + np.ones(4),
    "shape mismatch 2-d": lambda np: np.ones((2, 3)) * np.ones((3, 2)),
    "shape mismatch function": lambda np: np.maximum(np.ones((2, 3)), np.ones((4, 1, 2))),
    "where shapes": lambda np: np.where(np.ones(3, bool), np.ones(4), 0),
    "axis too large": lambda np: np.ones((2, 3)).sum(axis=2),
    "axis too small": lambda np: np.max(np.ones((2, 3)), axis=-3),
    "axis twice": lambda np: np.ones((2, 3)).sum(axis=(0, 0)),
    "axis twice by sign": lambda np: np.ones((2, 3)).sum(axis=(1, -1)),
    "axis is a float": lambda np: np.ones((2, 3)).sum(axis=1.0),
    "axis is text": lambda np: np.ones((2, 3)).sum(axis="x"),
    "argmax axis": lambda np: np.argmax(np.ones((2, 3)), axis=2),
    "mean axis": lambda np: np.mean(np.ones(3), axis=1),
    "axis of 0-d": lambda np: np.array(1.0).sum(axis=1),
    "int += float": lambda np: np.ones(3, "int32").__iadd__(0.5),
    "int /= int": lambda np: np.ones(3, "int32").__itruediv__(2),
    "int *= complex": lambda np: np.ones(3, "int8").__imul__(1j),
    "float += complex": lambda np: np.ones(3).__iadd__(np.ones(3, complex)),
    "uint += int": lambda np: np.ones(3, "uint64").__iadd__(np.ones(3, "int8")),
    "bool += int": lambda np: np.ones(3, bool).__iadd__(1),
    "out casting": lambda np: np.add(np.ones(3), 1, out=np.ones(3, "int64")),
    "out shape": lambda np: np.add(np.ones(3), 1, out=np.ones(4)),
    "out cannot broadcast": lambda np: np.add(np.ones((2, 3)), 1, out=np.ones(3)),
    "in-place cannot grow": lambda np: np.ones(3).__iadd__(np.ones((2, 3))),
    "bitwise of floats": lambda np: np.ones(3) & np.ones(3),
    "shift of floats": lambda np: np.ones(3) << 1,
    "invert of floats": lambda np: ~np.ones(3),
    "bool minus bool": lambda np: np.ones(3, bool) - np.ones(3, bool),
    "minus bool": lambda np: -np.ones(3, bool),
    "complex floor_divide": lambda np: np.ones(3, complex) // 2,
    "complex remainder": lambda np: np.ones(3, complex) % 2,
    "floor of complex": lambda np: np.floor(np.ones(3, complex)),
    "int ** -1": lambda np: np.ones(3, int) ** -1,
    "index too large": lambda np: np.ones(3)[3],
    "index too small": lambda np: np.ones(3)[-4],
    "index on axis 1": lambda np: np.ones((3, 4))[1, 4],
    "index write": lambda np: np.ones(3).__setitem__(7, 1.0),
    "too many indices": lambda np: np.ones((3, 4))[0, 1, 2],
    "too many indices 0-d": lambda np: np.array(1)[0],
    "two ellipses": lambda np: np.ones((3, 4))[..., ...],
    "index is a float": lambda np: np.ones(3)[1.0],
    "index is text": lambda np: np.ones(3)["a"],
    "slice of floats": lambda np: np.ones(3)[1.5:],
    "slice step 0": lambda np: np.ones(3)[::0],
    "mask too short": lambda np: np.ones(3)[np.ones(2, bool)],
    "mask write too short": lambda np: np.ones((3, 4)).__setitem__(np.ones((3, 3), bool), 0),
    "mask values": lambda np: np.ones(3).__setitem__(np.ones(3, bool), np.ones(2)),
    "setitem shape": lambda np: np.ones((2, 3)).__setitem__(0, np.ones(4)),
    "setitem shape 2": lambda np: np.ones((2, 3)).__setitem__(slice(None), np.ones((3, 2))),
    "setitem text": lambda np: np.ones(3).__setitem__(0, "text"),
    "setitem a list of two": lambda np: np.ones(3).__setitem__(0, [1, 2]),
    "setitem complex": lambda np: np.ones(3).__setitem__(0, 1j),
    "reshape": lambda np: np.ones(6).reshape(4),
    "reshape 2": lambda np: np.ones((2, 3)).reshape(4, -1),
    "reshape two unknown": lambda np: np.ones(6).reshape(-1, -1),
    "reshape of floats": lambda np: np.ones(6).reshape(2.0, 3),
    "transpose too many": lambda np: np.ones((2, 3)).transpose(0, 1, 2),
    "transpose twice": lambda np: np.ones((2, 3)).transpose(0, 0),
    "transpose axis": lambda np: np.transpose(np.ones((2, 3)), (0, 2)),
    "swapaxes": lambda np: np.ones((2, 3)).swapaxes(0, 2),
    "broadcast_to": lambda np: np.broadcast_to(np.ones(3), (3, 4)),
    "broadcast_to fewer": lambda np: np.broadcast_to(np.ones((2, 3)), (3,)),
    "squeeze": lambda np: np.squeeze(np.ones((2, 1)), axis=0),
    "expand_dims": lambda np: np.expand_dims(np.ones(3), 3),
    "concatenate nothing": lambda np: np.concatenate([]),
    "concatenate shapes": lambda np: np.concatenate([np.ones((2, 3)), np.ones((2, 4))]),
    "concatenate ranks": lambda np: np.concatenate([np.ones((2, 3)), np.ones(3)]),
    "concatenate axis": lambda np: np.concatenate([np.ones(3), np.ones(3)], axis=1),
    "concatenate 0-d": lambda np: np.concatenate([np.ones(()), np.ones(())]),
    "stack shapes": lambda np: np.stack([np.ones(3), np.ones(4)]),
    "stack nothing": lambda np: np.stack([]),
    "stack axis": lambda np: np.stack([np.ones(3)], axis=2),
    "min of nothing": lambda np: np.min(np.zeros(0)),
    "max of nothing axis": lambda np: np.max(np.zeros((0, 3)), axis=0),
    "argmin of nothing": lambda np: np.argmin(np.zeros(0)),
    "argmax of nothing axis": lambda np: np.argmax(np.zeros((2, 0)), axis=1),
    "negative size": lambda np: np.zeros(-1),
    "negative sizes": lambda np: np.ones((2, -1)),
    "shape is text": lambda np: np.zeros("x"),
    "shape is a float": lambda np: np.zeros(2.5),
    "unknown dtype": lambda np: np.zeros(3, dtype="no such type"),
    "astype unknown": lambda np: np.zeros(3).astype("no such type"),
    "astype safe": lambda np: np.zeros(3).astype("int32", casting="safe"),
    "astype casting": lambda np: np.zeros(3).astype("int32", casting="no such rule"),
    "linspace": lambda np: np.linspace(0, 1, -1),
    "arange step 0": lambda np: np.arange(1, 2, 0),
    "truth": lambda np: bool(np.ones(2)),
    "truth of nothing": lambda np: bool(np.zeros(0)),
    "float of two": lambda np: float(np.ones(2)),
    "int of two": lambda np: int(np.ones(2)),
    "item of two": lambda np: np.ones(2).item(),
    "item index": lambda np: np.ones(2).item(5),
    "len of 0-d": lambda np: len(np.array(1)),
    "iterate 0-d": lambda np: list(np.array(1)),
    "unhashable": lambda np: hash(np.ones(2)),
    "no such attribute": lambda np: np.ones(2).no_such,
    "array + None": lambda np: np.ones(2) + None,
    "array + list of text": lambda np: np.ones(2) + ["a", "b"],
    "array + dict": lambda np: np.ones(2) + {},
    "uint8 + 300": lambda np: np.ones(2, "uint8") + 300,
    "int64 + 2**70": lambda np: np.ones(2, "int64") + 2**70,
    "copyto casting": lambda np: np.copyto(np.ones(3, int), np.ones(3)),
    "copyto shape": lambda np: np.copyto(np.ones(3), np.ones(4)),
    "set shape": lambda np: setattr(np.ones(6), "shape", (4,)),
    "clip nothing": lambda np: np.ones(3).clip("a", "b"),
}
NOT_ONE_MESSAGE = {
    "clip nothing",
    "array + list of text",
    "no such attribute",
    "array + dict",
    "array + None",
    "unhashable",
}
"""Messages that name NumPy's classes, or what only its own fallbacks say."""


@pytest.mark.parametrize("name", RAISING)
def test_type_and_message(name):
    problem = agree(RAISING[name], message=name not in NOT_ONE_MESSAGE, label=name)
    assert problem is not None, "NumPy itself accepts this"


def test_axis_error_is_numpys():
    for function in (lambda: np.ones(2).sum(axis=5), lambda: np.concatenate([np.ones(2)], axis=3)):
        with pytest.raises(numpy.exceptions.AxisError, match="out of bounds"):
            function()
    assert issubclass(numpy.exceptions.AxisError, (ValueError, IndexError))


def test_errors_come_at_the_call():
    """Not when the value is needed: the wrong line must be in the traceback."""
    with pytest.raises(ValueError, match="could not be broadcast"):
        np.ones(3) + np.ones(4)
    with pytest.raises(IndexError, match="out of bounds"):
        np.ones(3)[5]
    a = np.ones(3, "int32")
    with pytest.raises(TypeError, match="Cannot cast ufunc"):
        a += 0.5
    with pytest.raises(ValueError, match="could not broadcast"):
        a[:2] = np.ones(3)


def test_nothing_changes_when_a_statement_fails():
    def run(np):
        a = np.arange(6).reshape(2, 3)
        b = a * 2
        for wrong in (
            lambda: a.__iadd__(0.5),
            lambda: a.__setitem__(slice(None), np.ones(5)),
            lambda: a.__setitem__((0, 7), 1),
            lambda: np.add(a, np.ones((2, 2)), out=a),
            lambda: np.add(a, 0.5, out=a),
            lambda: a.__iadd__(np.ones((3, 2), int)),
        ):
            with pytest.raises((TypeError, ValueError, IndexError)):
                wrong()
        a += 1
        return a, b

    agree(run)


READ_ONLY = {
    "setitem": lambda np, a: a.__setitem__(0, 1),
    "slice": lambda np, a: a.__setitem__(slice(None), 1),
    "mask": lambda np, a: a.__setitem__(a > 0, 1),
    "in place": lambda np, a: a.__iadd__(1),
    "out": lambda np, a: np.add(a, 1, out=a),
    "fill": lambda np, a: a.fill(1),
    "copyto": lambda np, a: np.copyto(a, 1),
    "view of it": lambda np, a: a[1:].__setitem__(0, 1),
}


@pytest.mark.parametrize("name", READ_ONLY)
def test_read_only(name):
    def by_flag(np):
        a = np.ones(3)
        a.setflags(write=False)
        READ_ONLY[name](np, a)

    def by_broadcast(np):
        READ_ONLY[name](np, np.broadcast_to(np.ones(1), (3,)))

    assert agree(by_flag, message=True) is not None
    assert agree(by_broadcast, message=True) is not None


def test_a_view_of_a_read_only_array_stays_read_only():
    def run(np):
        a = np.ones(3)
        a.setflags(write=False)
        a[1:].setflags(write=True)

    assert agree(run, message=True) is not None


@pytest.mark.parametrize(
    "make",
    (
        lambda np: np.from_dlpack(np.ones(3)),
        lambda np: np.frombuffer(bytes(24)),
        lambda np: pickle.loads(pickle.dumps(np.ones(1000))),
    ),
    ids=("dlpack", "bytes", "pickle"),
)
def test_foreign_memory_cannot_be_made_writable(make):
    def run(np):
        a = make(np)
        a.setflags(write=False)
        a.flags.writeable = True

    assert agree(run, message=True) is not None


def test_read_only_can_be_lifted():
    def run(np):
        a = np.ones(3)
        a.setflags(write=False)
        view = a[1:]
        copy = a.copy()
        a.setflags(write=True)
        a[0] = 2
        copy[0] = 3
        return a, copy, bool(a.flags.writeable), bool(view.flags.writeable)

    agree(run)


HUGE = {
    "zeros": lambda np: np.zeros(10**15),
    "ones 2-d": lambda np: np.ones((10**8, 10**7)),
    "empty": lambda np: np.empty(10**16, "int8"),
    "arange": lambda np: np.arange(10**15) + 1,
    "broadcast": lambda np: np.broadcast_to(np.ones((1, 1)), (10**8, 10**7)) + 1,
    "repeat": lambda np: np.broadcast_to(np.ones(1), (10**15,)).copy(),
    "linspace": lambda np: np.linspace(0, 1, 10**15),
}


@pytest.mark.parametrize("name", HUGE)
def test_huge_sizes_are_memory_errors(name):
    problem = agree(HUGE[name])
    assert isinstance(problem, MemoryError)
    agree(lambda np: np.ones(3) + 1)


TOO_BIG = {
    "zeros": lambda np: np.zeros(2**62),
    "zeros 2-d": lambda np: np.zeros((2**40, 2**40)),
    "dimension": lambda np: np.zeros(2**70),
    "broadcast": lambda np: np.broadcast_to(np.ones(1), (2**40, 2**40)),
}


@pytest.mark.parametrize("name", TOO_BIG)
def test_sizes_beyond_the_address_space(name):
    assert agree(TOO_BIG[name], label=name) is not None


def run_python(program, timeout=60):
    environment = dict(os.environ, FUSEAU_TEST_MODULE=MODULE)
    text = f"import importlib, time\nnp = importlib.import_module({MODULE!r})\n" + textwrap.dedent(
        program
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
    )
    return done, time.monotonic() - start


INTERRUPTED = """
    import os
    import signal
    import threading

    a = np.arange(4_000_000.0)
    kept = a * 2
    float(kept[3])
    threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        {work}
        print("not interrupted")
    except KeyboardInterrupt:
        print("interrupted", time.monotonic() - start)
    b = a[:10] + 1
    print(b.tolist() == list(range(1, 11)), float(kept[5]) == 10.0, float(a.sum()) == 7999998000000.0)
"""


@pytest.mark.parametrize(
    "work",
    [
        """
        start = time.monotonic()
        b = a
        for _ in range(10**6):
            b = np.sin(b) + np.cos(b)
        float(b.sum())
        """,
        """
        start = time.monotonic()
        b = a
        for _ in range(400):
            b = np.sin(b) + np.cos(b)
        float(b.sum())
        """,
    ],
    ids=["endless loop", "one long evaluation"],
)
def test_ctrl_c_stops_a_long_evaluation(work):
    work = textwrap.indent(textwrap.dedent(work).strip(), " " * 8).strip()
    done, _ = run_python(INTERRUPTED.format(work=work), timeout=120)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("interrupted"), first
    assert float(first.split()[1]) < 10, "the interrupt took too long"
    assert second == "True True True"


def test_many_pending_operations_evaluate_and_are_dropped():
    done, _ = run_python(
        """
        a = np.ones(3)
        for _ in range(100_000):
            a = a + 1
        b = np.ones(3)
        for _ in range(100_000):
            b = b * 1.5
        del b
        print(a.tolist())
        """
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[100001.0, 100001.0, 100001.0]"


def test_unevaluated_work_at_exit():
    done, _ = run_python("a = np.ones(1000)\nfor _ in range(100): a = a + 1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_uncaught_errors_name_the_line():
    done, _ = run_python("a = np.ones(3)\nb = a + np.ones(4)\nprint(b)")
    assert done.returncode == 1
    assert (
        "ValueError: operands could not be broadcast together with shapes (3,) (4,)" in done.stderr
    )
