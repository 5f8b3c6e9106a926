"""What goes wrong around a program: no memory, wrong settings, Ctrl-C, ends and forks of processes."""

import pytest
from processes import run, start

# --- Settings ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FUSEAU_NUM_THREADS", "many", "a whole number from 0 to 1024"),
        ("FUSEAU_NUM_THREADS", "-3", "a whole number from 0 to 1024"),
        ("FUSEAU_NUM_THREADS", "1e3", "a whole number from 0 to 1024"),
        ("FUSEAU_NUM_THREADS", "99999999999999999999", "a whole number from 0 to 1024"),
        ("FUSEAU_POOL_BYTES", "12Q", "a whole number from 0 on, with K, M, G or T if you like"),
        ("FUSEAU_CACHE_BYTES", "-1", "a whole number from 0 on, with K, M, G or T if you like"),
        ("FUSEAU_JIT", "2", "0, 1, always or mixed"),
        ("FUSEAU_EAGER", "perhaps", "0 or 1"),
        ("FUSEAU_ISA", "avx9", "x86-64-v2, x86-64-v3 or x86-64-v4"),
        ("FUSEAU_FALLBACK", "loud", "warn, silent or error"),
        (
            "FUSEAU_DISABLE",
            "fuse,speed",
            "all, simplify, split, fuse, collapse, place, sweep, bands or overlap, or several of these with commas",
        ),
    ],
)
def test_wrong_settings_are_refused(name, value, expected):
    done = start("import fuseau", **{name: value})
    assert done.returncode == 1
    message = f"ValueError: {name}={value} does not make sense: expected {expected}"
    assert done.stderr.splitlines()[-1] == message


def test_right_and_empty_settings_are_taken():
    run(
        "import fuseau; assert float(fuseau.ones(3).sum()) == 3",
        FUSEAU_NUM_THREADS="",
        FUSEAU_POOL_BYTES="64MiB",
        FUSEAU_JIT="off",
        FUSEAU_EAGER="no",
        FUSEAU_LOG="1",
        FUSEAU_DISABLE="fuse, bands",
    )


def test_unknown_settings_get_a_warning():
    done = start("import fuseau", FUSEAU_NUM_TREADS="4")
    assert done.returncode == 0
    assert done.stderr == (
        "fuseau: warning: FUSEAU_NUM_TREADS=4 is ignored: fuseau has no setting of that name\n"
    )


def test_a_folder_that_takes_no_dump_gets_a_warning():
    done = start(
        "import fuseau as np; assert float((np.ones(100) * 2).sum()) == 200",
        FUSEAU_JIT="always",
        FUSEAU_DUMP="llvm",
        FUSEAU_DUMP_DIR="/proc/nowhere",
    )
    assert done.returncode == 0
    assert "fuseau: warning: FUSEAU_DUMP_DIR: cannot write /proc/nowhere/" in done.stderr


# --- Memory ------------------------------------------------------------------


@pytest.mark.parametrize("room", [2, 12, 40, 70, 100, 200, 400])
@pytest.mark.parametrize("warm", [False, True])
def test_little_memory_is_an_error_and_no_end(room, warm):
    """`room` MiB may be mapped from a certain moment on. Of these a thread takes up to 80."""
    done = start(
        """
        import resource, sys
        import numpy
        import fuseau as np

        def work(n):
            a = np.ones(n)
            b = np.sin(a) * 2 + a[::-1]
            c = np.sort(np.sqrt(b) + n)
            d = np.concatenate([b, c])
            d[1:-1] += d[:-2]
            return float((d > 3).sum()), numpy.asarray(c)[:3].tolist()

        want = work(1000)
        if sys.argv[2] == "True":
            work(300_000)
        mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        limit = mapped + (int(sys.argv[1]) << 20)
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        refused = []
        for n in [10**k * m for k in range(3, 9) for m in (1, 3, 6)]:
            try:
                work(n)
            except MemoryError as error:
                refused.append(str(error))
        assert "Unable to allocate 4.47 GiB" in refused, refused
        try:
            assert work(1000) == want
            print("works")
        except MemoryError:
            pass
        """,
        room,
        warm,
    )
    assert done.returncode == 0, done.stderr
    assert "works" in done.stdout or room < 200


# --- The end of a process ----------------------------------------------------


@pytest.mark.parametrize("size", [30, 3_000_000])
def test_threads_that_compute_do_not_disturb_the_end(size):
    printed = run(
        """
        import sys, threading, time
        import fuseau as np

        def work():
            b = np.ones(int(sys.argv[1]))
            while True:
                b = np.exp(np.sin(b))
                b.eval()

        for _ in range(3):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.5)
        print("end")
        """,
        size,
    )
    assert printed == "end\n"


def test_exit_handlers_compute():
    printed = run(
        """
        import atexit
        import fuseau as np

        a = np.ones(100_000)
        for i in range(100):
            a = a * 0.5 + i
        atexit.register(lambda: print(float(a[2]) > 0))
        """
    )
    assert printed == "True\n"


# --- Interpreters and processes ----------------------------------------------


@pytest.mark.parametrize("first", ["", "import fuseau as np; float(np.ones(3).sum())"])
def test_subinterpreters_are_refused(first):
    subinterpreters = pytest.importorskip("_xxsubinterpreters")
    del subinterpreters
    printed = run(
        f"""
        import _xxsubinterpreters as interpreters
        {first}
        other = interpreters.create()
        try:
            interpreters.run_string(other, "import fuseau")
        except interpreters.RunFailedError as error:
            print(error)
        interpreters.destroy(other)
        import fuseau as np
        assert float((np.ones(3) * 2).sum()) == 6
        """
    )
    assert "ImportError" in printed
    assert "fuseau works in the main interpreter of a process only" in printed


def test_nothing_is_begun_while_a_process_forks():
    """A hook of the program runs between ours and the fork, and other threads go on meanwhile."""
    run(
        """
        import os, signal, threading, time
        os.register_at_fork(before=lambda: time.sleep(0.01))
        import numpy
        import fuseau as np

        going = True
        theirs = np.zeros(400_000)

        def work():
            global theirs
            while going:
                theirs += 1
                theirs += np.sin(theirs) * 0
                theirs.eval()

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        mine = np.arange(1000.0)
        for i in range(15):
            mine = mine + 1
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                good = float(mine[3]) == 4.0 + i
                values = numpy.asarray(theirs * 1.0)
                good = good and bool((values == values[0]).all())
                x = np.arange(300_000.0)
                x[1:] += x[:-1] * 2
                y = numpy.arange(300_000.0)
                y[1:] += y[:-1] * 2
                os._exit(0 if good and x.tolist() == y.tolist() else 1)
            assert os.waitpid(child, 0)[1] == 0
        going = False
        for thread in threads:
            thread.join()
        """
    )


# --- Ctrl-C ------------------------------------------------------------------


def test_interrupts_at_any_moment():
    run(
        """
        import os, random, signal, threading, time
        import numpy
        import fuseau as np

        signal.signal(signal.SIGINT, signal.default_int_handler)
        moments = random.Random(5)
        base = numpy.arange(250_000.0) % 7 + 0.5

        def program(np, a, steps):
            b = a * 1.0
            for _ in range(steps):
                b = np.sqrt(b * 1.25 + a[::-1]) - 0.125
            grid = b.reshape(500, 500).copy()
            for _ in range(steps):
                grid[1:-1, 1:-1] = 0.25 * (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, 2:] + grid[1:-1, :-2])
            return grid.sum(axis=0) + np.sort(b[:1000])[:500], np.cumsum(b)

        want = {steps: [x.tobytes() for x in program(numpy, base, steps)] for steps in (3, 8, 20)}
        a = np.array(base)
        late = 0
        for moment in range(50):
            steps = moments.choice(list(want))
            delay = moments.random() * (0.02 if moment % 2 else 0.1)
            begin = time.monotonic()
            timer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                while time.monotonic() - begin < 10:
                    np.eval(*program(np, a, steps))
                raise AssertionError("not interrupted")
            except KeyboardInterrupt:
                late = max(late, time.monotonic() - begin - delay)
            timer.join()
            assert [x.tobytes() for x in program(np, a, steps)] == want[steps]
        assert a.tobytes() == base.tobytes()
        assert late < 3, late
        """
    )


# --- Long runs ---------------------------------------------------------------


def test_a_long_mixed_loop_takes_constant_memory():
    run(
        """
        import gc
        import numpy
        import fuseau as np

        def resident():
            gc.collect()
            return int(open("/proc/self/statm").read().split()[1]) * 4096

        def mixed(rounds):
            grid, v = np.zeros((12, 12)), np.arange(10.0)
            for i in range(rounds):
                grid[1:-1, 1:-1] = 0.25 * (grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, 2:] + v)
                v = v * 0.999 + i % 10
                w = np.concatenate([v, v[::-1]])
                number = np.where(w > 3, w, -np.sort(w)).sum()
                if i % 5 == 0:
                    float(number), numpy.asarray(grid[2]), v.tolist(), str(v[:2]), v[v > 3]
                if i % 5 == 1:
                    try:
                        v + np.ones(3)
                    except ValueError:
                        pass
                if i % 5 == 2:
                    v @ v, np.dot(grid, grid), np.linspace(0, 1, 5)

        mixed(3000)
        before = resident()
        mixed(10_000)
        assert resident() - before < 4 << 20, resident() - before
        """
    )
