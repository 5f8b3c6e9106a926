"""What the extension promises beyond the values that the fuzzer compares.

Runs on the package of the build folder, with the compiler or (FUSEAU_JIT=0) without.
"""

import copy
import gc
import os
import pickle
import signal
import threading
import time
import weakref

import fuseau as np
import numpy
import pytest
from fuseau import _fuseau


def pending():
    return _fuseau.stats()["pending"]


# --- Laziness ----------------------------------------------------------------


def test_operations_are_recorded_and_evaluated_once():
    a = np.arange(5.0)
    b = a * 2 + 1
    assert b.is_pending
    assert b.eval() is b
    assert not b.is_pending
    assert b.tolist() == [1, 3, 5, 7, 9]


def test_dead_operations_are_never_run():
    np.synchronize()
    a = np.ones(4)
    a.eval()
    before = pending()
    for _ in range(10):
        a + 1
    assert pending() == before


def test_reader_keeps_the_version_it_was_made_with():
    a = np.arange(6.0)
    a.eval()
    old = a + 0
    view = a[1:4]
    a[2] = 100
    assert old.tolist() == [0, 1, 2, 3, 4, 5]
    assert view.tolist() == [1, 100, 3]


def test_version_survives_a_write_that_is_evaluated_first():
    a = np.arange(6.0)
    a.eval()
    old = a * 10
    a[1:-1] = a[:-2] + a[2:]
    a.eval()
    assert old.tolist() == [0, 10, 20, 30, 40, 50]
    assert a.tolist() == [0, 2, 4, 6, 8, 5]


def test_copy_shares_until_one_is_written():
    a = np.arange(4.0)
    a.eval()
    b = a.copy()
    assert not b.is_pending
    b[0] = 9
    a[1] = 8
    assert a.tolist() == [0, 8, 2, 3]
    assert b.tolist() == [9, 1, 2, 3]


def test_scalar_is_bound_to_the_value_at_its_making():
    a = np.zeros(3) + 1
    s = a[1]
    assert s.is_scalar
    a[1] = 5
    assert s == 1.0
    assert hash(s) == hash(1.0)
    t = s
    s += 1
    assert float(s) == 2.0
    assert float(t) == 1.0


def test_long_chain_is_evaluated_and_dropped():
    limit = _fuseau.stats()["recorded"] + 100_000
    a = np.zeros(2)
    while _fuseau.stats()["recorded"] < limit:
        for _ in range(1000):
            a = a + 1
    n = float(a[0])
    assert n >= 100_000
    del a
    gc.collect()


# --- Foreign memory ----------------------------------------------------------


def test_numpy_view_shares_memory_both_ways():
    a = np.arange(4.0) + 1
    view = numpy.asarray(a)
    view[0] = 50
    assert a.tolist() == [50, 2, 3, 4]
    a[1] = 60
    assert view.tolist() == [50, 60, 3, 4]
    a += 1
    assert view.tolist() == [51, 61, 4, 5]
    a[...] = np.arange(4.0)
    assert view.tolist() == [0, 1, 2, 3]


def test_reader_made_before_exposure_keeps_its_version():
    a = np.arange(4.0)
    a.eval()
    b = a + 1
    view = numpy.asarray(a)
    view[:] = 0
    assert b.tolist() == [1, 2, 3, 4]
    c = a + 1
    view[:] = 7
    assert c.tolist() == [1, 1, 1, 1]


def test_exposure_ends_with_the_last_numpy_array():
    a = np.arange(4.0)
    view = numpy.asarray(a)
    part = view[1:3]
    b = a + 1
    assert not b.is_pending
    del view
    assert not (a + 1).is_pending
    del part
    gc.collect()
    assert (a + 1).is_pending


def test_export_of_a_copy_is_its_own():
    a = np.arange(4.0)
    a.eval()
    b = a.copy()
    numpy.asarray(b)[0] = 9
    assert a.tolist() == [0, 1, 2, 3]


def test_export_outlives_the_array():
    view = numpy.asarray(np.arange(5) * 2)
    gc.collect()
    assert view.tolist() == [0, 2, 4, 6, 8]


def test_foreign_operand_is_read_at_once():
    x = numpy.arange(4.0)
    a = np.zeros(4) + x
    x[:] = 100
    assert a.tolist() == [0, 1, 2, 3]


def test_buffer_protocol_and_dlpack():
    a = np.arange(6).reshape(2, 3)
    with memoryview(a) as view:
        assert view.shape == (2, 3)
        assert view.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert numpy.from_dlpack(a[:, ::2]).tolist() == [[0, 2], [3, 5]]


def test_snapshot_is_not_changed_by_later_writes():
    a = np.arange(3.0)
    before = _fuseau.snapshot(a)
    a[0] = 9
    a.eval()
    assert before.tolist() == [0, 1, 2]
    assert not before.flags.writeable


# --- Python's protocols ------------------------------------------------------


def test_pickle_and_copy():
    a = np.arange(6.0).reshape(2, 3).T
    for b in (pickle.loads(pickle.dumps(a)), copy.copy(a), copy.deepcopy(a)):
        assert type(b) is np.ndarray
        assert b.tolist() == a.tolist()
    s = pickle.loads(pickle.dumps(a.sum()))
    assert s.is_scalar
    assert float(s) == 15


def test_weak_references():
    a = np.ones(3)
    ref = weakref.ref(a)
    assert ref() is a
    del a
    assert ref() is None


def test_base_is_the_owner():
    a = np.zeros((3, 4))
    assert a.base is None
    assert a[1:][0].base is a


@pytest.mark.parametrize(
    ("convert", "error", "text"),
    [
        (bool, ValueError, "more than one element is ambiguous"),
        (float, TypeError, "only 0-dimensional arrays"),
        (int, TypeError, "only 0-dimensional arrays"),
        (hash, TypeError, "unhashable type"),
        (lambda a: [1][a], TypeError, "only integer scalar arrays"),
        (lambda a: a[5], IndexError, "index 5 is out of bounds for axis 0 with size 3"),
        (lambda a: a[0, 0], IndexError, "array is 1-dimensional, but 2 were indexed"),
        (lambda a: a["x"], IndexError, "only integers, slices"),
        (lambda a: a[..., ...], IndexError, "single ellipsis"),
        (lambda a: a + np.ones(4), ValueError, r"shapes \(3,\) \(4,\)"),
        (lambda a: a & 1, TypeError, "ufunc 'bitwise_and' not supported"),
        (lambda a: a.reshape(2, -1), ValueError, r"array of size 3 into shape \(2,newaxis\)"),
        (lambda a: a.sum(axis=1), ValueError, "axis 1 is out of bounds"),
        (lambda a: np.ones((2**40, 2**10)), MemoryError, "Unable to allocate"),
    ],
)
def test_errors_are_raised_at_the_call(convert, error, text):
    with pytest.raises(error, match=text):
        convert(np.arange(3.0))


def test_weak_python_numbers():
    a = np.array([1, 2], dtype="uint8")
    assert (a + 1).dtype == numpy.uint8
    assert (a + 1.0).dtype == numpy.float64
    assert (a < 300).tolist() == [True, True]
    assert (a == -1).tolist() == [False, False]
    with pytest.raises(OverflowError, match="Python integer 300 out of bounds for uint8"):
        a + 300


def test_failed_operation_leaves_everything_as_it_was():
    a = np.arange(3)
    with pytest.raises(TypeError, match="Cannot cast ufunc 'add' output"):
        a += 0.5
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        a += np.ones((2, 3), int)
    assert a.tolist() == [0, 1, 2]


def test_number_of_a_small_pending_array_is_bound_to_its_value():
    a = np.arange(4.0) * 2
    number = a[1]
    later = number + 1
    a[1] = 100
    numpy.asarray(a)[1] = 7
    assert float(number) == 2
    assert float(later) == 3
    assert (np.arange(3.0) * number).tolist() == [0, 2, 4]
    assert float(number * 3) == 6
    assert a.tolist() == [0, 7, 4, 6]


# --- Threads and interrupts --------------------------------------------------


def test_threads_record_and_evaluate():
    problems = []

    def work(seed):
        a = np.full(1000, float(seed))
        for _ in range(50):
            a = a * 1.5 - a * 0.5
            if float(a[3]) != seed:
                problems.append(seed)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


def test_interrupt_leaves_arrays_usable():
    a = np.arange(2_000_000.0)
    b = a
    for _ in range(20):
        b = np.exp(np.sin(b))
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        while True:
            b.eval()
            if time.monotonic() - start > 5:
                break
            b = np.exp(np.sin(b))
    timer.join()
    assert float(b[0]) == float(b[:1].sum())
    assert float(a[5]) == 5.0


def test_child_process_computes():
    stop = threading.Event()

    def work():
        b = np.ones(100_000)
        while not stop.is_set():
            b = np.exp(np.sin(b))
            b.eval()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        a = np.arange(1000.0)
        for _ in range(5):
            a = a + 1
            child = os.fork()
            if child == 0:
                os._exit(0 if float(a[10] * 2) == float(a.tolist()[10] * 2) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        thread.join()


def test_a_loop_over_elements_computes_the_array():
    """A few elements of a pending array stay lazy; a loop over them does not pile up operations."""
    a = np.arange(1000.0).reshape(10, 100)
    a[1:] += a[:-1]
    first = a[5, 7] + 1
    assert np.stats()["pending"] > 0
    row = [a[5, j] * 2 + a[4, j] for j in range(100)]
    assert np.stats()["pending"] <= 40
    want = numpy.arange(1000.0).reshape(10, 100)
    want[1:] += want[:-1].copy()
    assert float(first) == want[5, 7] + 1
    assert [float(x) for x in row] == (want[5] * 2 + want[4]).tolist()
