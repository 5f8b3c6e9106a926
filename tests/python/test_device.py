"""Where arrays are computed: FUSEAU_DEVICE, np.device, and what moves between memory and a device.

The device is the emulated one: the runtime of GPUs over a double of the driver (runtime/cuda).
"""

import os
import subprocess
import sys
import textwrap

import fuseau as np
import numpy
import pytest


def counted(function):
    """What `function` gives, and how the counters changed."""
    before = np.stats()
    result = function()
    return result, {name: n - before[name] for name, n in np.stats().items()}


def run(code, **environment):
    """Runs a program of its own; its result, with both streams as text."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def emulated():
    with np.device("emulated"):
        yield


def test_results_are_those_of_numpy(emulated):
    def program(np):
        a = np.arange(5000.0).reshape(50, 100)
        b = np.sqrt(a + 1) * 3 - a.T.reshape(50, 100)
        b[:, 0] = b[0, :50] = -1.5
        c = np.cumsum(b, axis=1)
        return [numpy.asarray(x) for x in (a, b, c, b.sum(), c.max(axis=0), a[a > 17], a @ b.T)]

    for ours, theirs in zip(program(np), program(numpy), strict=True):
        numpy.testing.assert_array_equal(ours, theirs)


def test_values_stay_on_the_device(emulated):
    x = np.array(numpy.ones(100000))

    def steps():
        y = x
        for _ in range(10):
            y = np.eval(y * 1.5 + 2)
        return y

    y, counts = counted(steps)
    assert counts["gpu_runs"] == 10
    assert counts["bytes_uploaded"] == x.nbytes
    assert counts["bytes_downloaded"] == 0
    element, counts = counted(lambda: float(y[17]))
    assert counts["bytes_downloaded"] <= 8
    expected = 1.0
    for _ in range(10):
        expected = expected * 1.5 + 2
    assert element == expected
    assert (numpy.asarray(y) == expected).all()


def test_a_loop_is_one_graph_a_window(emulated):
    grid = np.zeros((60, 60))
    grid[0] = 100.0

    def steps(n):
        for _ in range(n):
            grid[1:-1, 1:-1] = 0.25 * (
                grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]
            )
        np.eval(grid)

    steps(40)
    steps(40)
    _, counts = counted(lambda: steps(40))
    assert 0 < counts["gpu_graphs"] + counts["gpu_launches"] <= counts["windows"] * 40
    expected = numpy.zeros((60, 60))
    expected[0] = 100.0
    for _ in range(120):
        expected[1:-1, 1:-1] = 0.25 * (
            expected[:-2, 1:-1] + expected[2:, 1:-1] + expected[1:-1, :-2] + expected[1:-1, 2:]
        )
    numpy.testing.assert_array_equal(numpy.asarray(grid), expected)


def test_numpys_view_and_the_device_see_each_other(emulated):
    x = np.zeros(3000)
    seen = numpy.asarray(x)
    for i in range(5):
        seen[7] = i
        x += 1
        assert seen[7] == i + 1
        assert float(x[7]) == i + 1
        assert seen[8] == i + 1


def test_a_context_ends_with_its_work(emulated):
    with np.device("cpu"):
        x = np.arange(1000.0) + 1
        _, counts = counted(lambda: np.eval(x * 2))
        assert counts["gpu_runs"] == 0
    y = np.eval(x + 1)
    _, counts = counted(lambda: np.eval(y * 3))
    assert counts["gpu_runs"] == 1


def test_an_error_state_that_raises_is_computed_on_processors(emulated):
    x = np.zeros(100)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        np.eval(1 / x)


def test_a_fork_leaves_the_device(emulated):
    x = np.eval(np.arange(1000.0) * 2)
    child = os.fork()
    if child == 0:
        same = (numpy.asarray(x + 1) == numpy.arange(1000.0) * 2 + 1).all()
        os._exit(0 if same else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert float((x + 1)[3]) == 7


def test_names_of_devices():
    with (
        pytest.raises(ValueError, match='there is no device "tpu"; expected "cpu"'),
        np.device("tpu"),
    ):
        pass
    with pytest.raises(TypeError, match="takes the name of a device, not int"):
        np.device(0)


def test_a_gpu_that_is_not_there_is_one_sentence():
    code = """
        import fuseau as np
        print(repr(float((np.arange(10.0) + 1)[3])))
        try:
            with np.device("gpu"):
                pass
        except RuntimeError as error:
            print(error)
    """
    done = run(code, FUSEAU_CUDA_DRIVER="libthere-is-none.so.1")
    assert done.returncode == 0, done.stderr
    number, sentence = done.stdout.strip().split("\n")
    assert number == "4.0"
    assert sentence.startswith('the device "gpu" cannot be used: there is no NVIDIA driver (')
    done = run(
        "import fuseau as np; float((np.arange(10.0) + 1).sum())",
        FUSEAU_DEVICE="gpu",
        FUSEAU_CUDA_DRIVER="libthere-is-none.so.1",
    )
    assert done.returncode != 0
    assert 'RuntimeError: the device "gpu" cannot be used: there is no' in done.stderr


def test_auto_without_a_gpu_is_processors():
    code = """
        import fuseau as np
        x = np.eval(np.arange(1e6) * 2)
        print(np.stats()["gpu_runs"], float(x[-1]))
    """
    done = run(code, FUSEAU_DEVICE="auto", FUSEAU_CUDA_DRIVER="libthere-is-none.so.1")
    assert done.stdout.split() == ["0", "1999998.0"], done.stderr


def test_a_setting_that_makes_no_sense():
    done = run("import fuseau", FUSEAU_DEVICE="tpu")
    assert (
        "FUSEAU_DEVICE=tpu does not make sense: expected cpu, gpu, auto or emulated" in done.stderr
    )


def test_full_device_is_a_memory_error():
    code = """
        import fuseau as np
        x = np.ones(1 << 20)
        try:
            np.eval(x + 1)
        except MemoryError as error:
            print(error)
        y = np.eval(np.ones(1000) * 2)
        print(float(y[0]))
    """
    done = run(code, FUSEAU_DEVICE="emulated", FUSEAU_DOUBLE_MEMORY=str(4 << 20))
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().split("\n")
    assert first.startswith("Unable to allocate 8.00 MiB on the GPU (Driver Double 0)"), first
    assert second == "2.0"


def test_a_failed_launch_is_an_error_and_the_next_one_works():
    code = """
        import fuseau as np
        x = np.arange(1000.0)
        y = x * 2 + 1
        try:
            np.eval(y)
        except RuntimeError as error:
            print(error)
        print(float(y[3]))
    """
    done = run(code, FUSEAU_DEVICE="emulated", FUSEAU_DOUBLE_FAIL="cuLaunchKernel:1")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.strip().split("\n")
    assert first == "the GPU's driver: cuLaunchKernel gives CUDA_ERROR_LAUNCH_FAILED (719)"
    assert second == "7.0"


def test_more_than_the_device_holds_goes_to_memory():
    code = """
        import fuseau as np
        kept = [np.eval(np.full(50000, float(i)) + 1) for i in range(60)]
        print(all(float(x[7]) == i + 1 and float(x.sum()) == 50000 * (i + 1)
                  for i, x in enumerate(kept)))
    """
    done = run(code, FUSEAU_DEVICE="emulated", FUSEAU_DOUBLE_MEMORY=str(8 << 20))
    assert done.stdout.strip() == "True", done.stderr


def test_the_kernels_of_a_gpu_on_the_emulated_device():
    code = """
        import numpy
        import fuseau as np
        def program(np):
            a = np.arange(700.0).reshape(7, 100) / 3
            b = np.sqrt(a + 1) * a[::-1] - 2
            return [numpy.asarray(x) for x in (b, b.sum(axis=1), b.max(axis=0), b.sum())]
        for ours, theirs in zip(program(np), program(numpy), strict=True):
            numpy.testing.assert_array_equal(ours, theirs)
        print(np.stats()["gpu_kernels_loaded"] > 0, np.stats()["gpu_host_steps"])
    """
    done = run(code, FUSEAU_DEVICE="emulated", FUSEAU_EMULATED_KERNELS="cuda")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "0"]
