"""When work is interpreted and when it is compiled, and that nobody can tell from the results.

Each program runs in a process of its own, since what was compiled stays for the whole process.
"""

import textwrap

import processes
import pytest

PRELUDE = """
import os, threading, time
import numpy
import fuseau as np

def compiled():
    return np.stats()["kernels_compiled"]

def repeat_until_compiled(work, seconds=60):
    '''Until a kernel ran.'''
    end = time.monotonic() + seconds
    while np.stats()["launches"] == 0:
        work()
        assert time.monotonic() < end, "nothing was compiled"
"""


def run(program, **environment):
    return processes.run(PRELUDE + textwrap.dedent(program), FUSEAU_CACHE="0", **environment)


def test_small_work_seen_once_is_not_compiled():
    run(
        """
        a = np.arange(10.0)
        for shift in range(1, 6):
            assert (a[shift:] * 2 + 1).tolist() == (numpy.arange(10.0)[shift:] * 2 + 1).tolist()
        time.sleep(0.1)
        assert compiled() == 0
        """
    )


def test_work_that_comes_again_is_compiled_in_the_background():
    run(
        """
        a = np.linspace(0, 1, 1000)
        want = (numpy.sqrt(numpy.linspace(0, 1, 1000) * 2) + 1).tobytes()

        def work():
            assert (np.sqrt(a * 2) + 1).tobytes() == want

        repeat_until_compiled(work)
        assert compiled() > 0
        work()
        """
    )


def test_large_work_waits_for_its_plan():
    run(
        """
        a = np.ones(5_000_000)
        b = np.sqrt(a * 2 + 1) - a / 3
        b.eval()
        assert compiled() > 0
        """
    )


@pytest.mark.parametrize("mode", ["0", "1", "always", "mixed"])
def test_modes_give_the_same_bytes(mode):
    run(
        """
        def program(np):
            out = []
            x = np.linspace(0.1, 3.0, 3000).reshape(30, 100)
            y = x.copy()
            for i in range(6):
                inner = y[1:-1, 1:-1]
                inner[:] = 0.25 * (y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:])
                y[i, ::3] = np.sqrt(x[i, ::3]) / (i + 1)
                out.append((y * 1.5 - x).sum())
                out.append((y > x).sum(axis=0))
                out.append(np.where(y > 1, y.T.copy().T, x).max(axis=1))
            return out + [y, y.astype("float32"), (y * 100).astype("int64") // 7]

        for mine, theirs in zip(program(np), program(numpy), strict=True):
            assert numpy.asarray(mine).tobytes() == numpy.asarray(theirs).tobytes()
        """,
        FUSEAU_JIT=mode,
    )


def test_a_changing_number_makes_no_new_programs():
    run(
        """
        x, a = np.ones(10), np.ones(10)
        def steps(first, count):
            global x
            for i in range(first, first + count):
                x = (x + a * (i * 1e-9)) * 0.5

        steps(0, 20_000)
        x.eval()
        before = np.stats()
        resident = int(open("/proc/self/statm").read().split()[1])
        steps(20_000, 80_000)
        x.eval()
        after = np.stats()
        assert after["plan_misses"] - before["plan_misses"] <= 2
        assert after["kernels_compiled"] <= 8
        grown = (int(open("/proc/self/statm").read().split()[1]) - resident) * 4096
        assert grown < 32 << 20, grown
        """
    )


def test_many_different_programs_take_bounded_memory():
    run(
        """
        def programs(first, count):
            for i in range(first, first + count):
                (np.ones(i % 1000 + 3)[1:] * 2.0 + float(i)).eval()
                np.arange(float(i + 2))[i // 2 :].sum().item()

        def resident():
            return int(open("/proc/self/statm").read().split()[1]) * 4096

        programs(0, 3000)
        before = resident()
        programs(3000, 6000)
        assert resident() - before < 16 << 20, resident() - before
        """,
        FUSEAU_PLAN_CACHE_BYTES="1M",
    )


@pytest.mark.parametrize("mode", ["1", "mixed"])
def test_exit_while_the_compiler_works(mode):
    run(
        """
        a = np.linspace(0, 1, 500)
        for i in range(60):
            b = a
            for _ in range(i):
                b = np.sqrt(b * 2 + 1) - 0.1
            float(b[0])
        """,
        FUSEAU_JIT=mode,
    )


@pytest.mark.parametrize("mode", ["1", "mixed"])
def test_fork_while_the_compiler_works(mode):
    run(
        """
        a = np.linspace(0, 1, 2000)

        def work(i):
            b = a
            for _ in range(i + 1):
                b = np.sqrt(b * 2 + 1) - 0.1
            return float(b[7])

        want = [work(i) for i in range(12)]
        for round in range(4):
            for i in range(12):
                work(i)
            child = os.fork()
            if child == 0:
                ok = [work(i) for i in range(12)] == want
                big = float((np.ones(2_000_000) * 3 - 1).sum()) == 4_000_000
                os._exit(0 if ok and big else 1)
            assert os.waitpid(child, 0)[1] == 0
        assert [work(i) for i in range(12)] == want
        """,
        FUSEAU_JIT=mode,
    )


@pytest.mark.parametrize("mode", ["1", "mixed"])
def test_threads_share_arrays(mode):
    run(
        """
        import sys
        sys.setswitchinterval(1e-5)
        shared = np.arange(1000.0)
        grid = np.zeros((4, 500))
        errors = []

        def work(number):
            try:
                mine = grid[number]
                for i in range(300):
                    value = float((shared * number + i)[10])
                    assert value == 10.0 * number + i, value
                    mine += 1
                    mine[: i % 7 + 1] *= 1.0
                    if i % 10 == 0:
                        assert float(mine[3]) == i + 1
                        assert (shared[::2] + mine[:500]).shape == (500,)
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not errors, errors
        assert (numpy.asarray(grid) == 300).all()
        assert (numpy.asarray(shared) == numpy.arange(1000.0)).all()
        """,
        FUSEAU_JIT=mode,
    )


def test_pending_operations_are_computed_and_dropped_without_recursion():
    run(
        """
        a = np.ones(3)
        for _ in range(100_000):
            a = a + 1
        b = np.ones(3)
        for _ in range(100_000):
            b = b * 1.5
        del b
        assert a.tolist() == [100001.0] * 3
        """,
        FUSEAU_WINDOW="1000000",
        FUSEAU_JIT="0",
    )
