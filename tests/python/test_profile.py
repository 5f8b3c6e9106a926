"""Profiles: what is noted, what is made of it, and the files that users get."""

import json
import os
import threading

import fuseau as fnp
import pytest
from fuseau import _fuseau
from fuseau._profile import analysis, merge, take, trace
from processes import run as run_program
from test_commands import call

N = 300


def run_of(work):
    """The profile of a call."""
    _fuseau.start_profile()
    try:
        work()
    finally:
        run = take()
    return run


def events_of(run, kind):
    return [e for t in run.threads for e in t.events if e.kind == kind]


def line_of(function, text):
    """The place of the line of a function that holds a text."""
    code = function.__code__
    with open(code.co_filename) as file:
        lines = file.readlines()
    for number in range(code.co_firstlineno, len(lines)):
        if text in lines[number]:
            return f"{code.co_filename}:{number + 1}"
    raise AssertionError(text)


def stencil(steps=60):
    grid = fnp.zeros((N, N))
    grid[0] = 40.0
    center = grid[1:-1, 1:-1]
    for _ in range(steps):
        around = grid[:-2, 1:-1] + grid[2:, 1:-1]  # first
        center[:] = 0.25 * (around + grid[1:-1, :-2] + grid[1:-1, 2:])  # second
    return float(grid.sum())  # wanted


def test_evaluations_know_their_lines():
    run = run_of(stencil)
    evaluations = events_of(run, "evaluation")
    assert evaluations
    lines = {line for e in evaluations for line in e.lines}
    assert line_of(stencil, "# first") in lines
    assert line_of(stencil, "# second") in lines
    assert line_of(stencil, "# wanted") in {e.line for e in evaluations}
    assert sum(e.number for e in evaluations) >= 60 * 5


def test_kernels_have_the_lines_that_they_compute():
    log = run_program(
        """
        import json, fuseau as np
        from fuseau import _fuseau
        from fuseau._profile import analysis, take
        _fuseau.start_profile()
        a = np.ones((700, 700))
        b = np.exp(a) + 1.0
        c = b.sum(axis=0)
        b.eval(), c.eval()
        print(json.dumps(analysis.kernels(take())))
        """,
        FUSEAU_JIT="always",
    )
    kernels = json.loads(log)
    assert kernels
    assert all(k["bytes"] > 0 and k["time"] > 0 and k["lines"] for k in kernels)
    lines = {line for k in kernels for line in k["lines"]}
    assert {"<string>:7", "<string>:8"} <= lines


def test_costs_are_shared_by_lines():
    run = run_of(stencil)
    costs = dict(analysis.costs_by_line(run))
    assert all(os.path.exists(place.rpartition(":")[0]) for place in costs)
    assert costs[line_of(stencil, "# second")] > 0
    main = run.drivers()[0]
    assert sum(costs.values()) <= sum(e.self_time for e in main.events) + 1
    rows = analysis.annotated(run)
    assert any("center[:] =" in text for row in rows for _, text in row["source"])
    assert len(rows) <= 10


def test_compiles_have_stages():
    log = run_program(
        """
        import json, fuseau as np
        from fuseau import _fuseau
        from fuseau._profile import analysis, take
        _fuseau.start_profile()
        a = np.linspace(0.0, 1.0, 400_000)
        float((np.sqrt(a * 3.25 + 0.125) - a / 7.5).sum())
        print(json.dumps(analysis.compiles(take())))
        """,
        FUSEAU_JIT="always",
    )
    (compiled, *_) = json.loads(log)
    stages = [name for name, _, _ in compiled["stages"]]
    assert {"import", "fuse", "outline"} <= set(stages)
    assert any(name.startswith(("generate ", "load ")) for name in stages)
    assert sum(time for _, time, _ in compiled["stages"]) <= compiled["time"]
    assert compiled["operations"] > 3


def test_memory_in_use():
    def large():
        a = fnp.ones(1_000_000)
        return (a + 1.0).eval()

    run = run_of(large)
    most = max(size for _, size in run.memory[0])
    assert most >= 8_000_000
    times = [time for time, _ in run.memory[0]]
    assert times == sorted(times) and times[0] >= 0 and times[-1] <= run.time


@pytest.mark.filterwarnings("ignore::fuseau.FallbackWarning")
def test_functions_of_numpy():
    def through_the_door():
        fnp._fallback.call("sort_complex", None, (fnp.ones(3),), {})  # door

    run = run_of(through_the_door)
    (event,) = events_of(run, "numpy")
    assert event.name == "sort_complex"
    assert event.line == line_of(through_the_door, "# door")


def test_element_reads_are_counted_by_line():
    def loop():
        a = fnp.arange(50.0).eval()
        total = 0.0
        for i in range(50):
            total += a[i]  # read
        return total

    run = run_of(loop)
    assert run.tallies["element_reads"][line_of(loop, "# read")] == 50


def test_nothing_is_noted_unless_it_runs():
    stencil()
    run = run_of(lambda: None)
    assert not run.threads and not run.memory


def test_events_beyond_the_limit_are_counted():
    out = run_program(
        """
        import fuseau as np
        from fuseau import _fuseau
        from fuseau._profile import page, take
        _fuseau.start_profile()
        for _ in range(30):
            float(np.ones(10).sum())
        run = take()
        print(sum(len(t.events) for t in run.threads), run.dropped > 10)
        assert f'"dropped":{run.dropped}' in page.text(run)
        """,
        FUSEAU_PROFILE_EVENTS="8",
    )
    assert out.split() == ["8", "True"]


def test_a_child_of_fork_has_no_profile():
    out = run_program(
        """
        import os, fuseau as np
        from fuseau import _fuseau
        from fuseau._profile import take
        _fuseau.start_profile()
        float(np.ones(10).sum())
        child = os.fork()
        if child == 0:
            good = not _fuseau.profiling() and float(np.ones(10).sum()) == 10.0
            os._exit(0 if good else 1)
        print(os.waitpid(child, 0)[1], float(np.ones(20).sum()))
        print(len([e for t in take().threads for e in t.events if e.kind == "evaluation"]))
        """
    )
    assert out.split() == ["0", "20.0", "2"]


def test_one_at_a_time():
    _fuseau.start_profile()
    try:
        with pytest.raises(RuntimeError, match="a profile runs already"):
            _fuseau.start_profile()
    finally:
        take()
    with pytest.raises(RuntimeError, match="no profile runs"):
        _fuseau.stop_profile()


def test_values_recorded_before_have_no_line():
    a = fnp.ones(100_000) + 1.0
    run = run_of(a.eval)
    assert all(not e.lines for e in events_of(run, "evaluation"))


def test_threads_of_the_program():
    def work():
        def one():
            for _ in range(20):
                float((fnp.ones(1000) * 2.0).sum())

        threads = [threading.Thread(target=one) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    run = run_of(work)
    assert len(events_of(run, "evaluation")) == 60


def test_graphs_that_were_evaluated():
    run = run_of(stencil)
    names = [node[0] for graph in run.graphs for node in graph["nodes"]]
    assert "add" in names and "update" in names and "sum" in names
    assert all(i < n for g in run.graphs for n, node in enumerate(g["nodes"]) for i in node[2])
    assert any(n[3] == line_of(stencil, "# first") for g in run.graphs for n in g["nodes"])


def test_the_trace_is_what_perfetto_reads(tmp_path):
    run = run_of(stencil)
    trace.write(run, tmp_path / "trace.json")
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    complete = [e for e in events if e["ph"] == "X"]
    assert {"evaluation"} <= {e["cat"] for e in complete}
    assert all({"ts", "dur", "pid", "tid", "name"} <= e.keys() for e in complete)
    assert any(e["ph"] == "C" for e in events)
    names = [e for e in events if e["ph"] == "M" and e["name"] == "thread_name"]
    assert "program" in [e["args"]["name"] for e in names]


def test_the_block_writes_its_folder(tmp_path):
    with fnp.profile(tmp_path / "new" / "folder"):
        b = fnp.ones(200_000) + 1.0
    assert b.sum() == 400_000
    assert sorted(os.listdir(tmp_path / "new" / "folder")) == ["report.html", "trace.json"]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError), fnp.profile(tmp_path / "file"):
        pass
    assert not _fuseau.profiling()


PROGRAM = """
import fuseau as np
a = np.ones((600, 600))
for _ in range(30):
    a = a * 1.5 + a.T
print(float(a[0, 0]))
"""


@pytest.mark.parametrize("words", [["--profile=out"], ["--profile"]])
def test_the_command(tmp_path, words):
    (tmp_path / "prog.py").write_text(PROGRAM)
    status, _, err = call(["-m", "fuseau", "run", *words, "prog.py"], tmp_path)
    assert status == 0, err
    folder = tmp_path / ("out" if "=" in words[0] else "fuseau-profile")
    assert "the profile is in" in err
    assert "prog.py:5" in (folder / "report.html").read_text()


def test_the_environment(tmp_path, monkeypatch):
    (tmp_path / "prog.py").write_text(PROGRAM)
    monkeypatch.setenv("FUSEAU_PROFILE", "env-out")
    status, _, err = call(["prog.py"], tmp_path)
    assert status == 0, err
    assert (tmp_path / "env-out" / "trace.json").exists()


@pytest.mark.parametrize("flags", [[], ["--spmd"]])
def test_ranks(tmp_path, flags):
    text = PROGRAM.replace("600", "1200")
    (tmp_path / "prog.py").write_text(text)
    words = ["-m", "fuseau", "run", "-n", "3", *flags, "--profile=out", "prog.py"]
    status, _, err = call(words, tmp_path)
    assert status == 0, err
    events = json.loads((tmp_path / "out" / "trace.json").read_text())["traceEvents"]
    ranks = {e["pid"] for e in events if e["ph"] == "X"}
    assert ranks == {0, 1, 2}
    for rank in ranks:
        mine = [e for e in events if e["ph"] == "X" and e["pid"] == rank]
        assert any(e["cat"] == "exchange" for e in mine)
        lines = {line for e in mine for line in e["args"]["lines"]}
        assert any(line.endswith("prog.py:5") for line in lines), rank
    sends = [e for e in events if e["ph"] == "i"]
    assert {e["pid"] for e in sends} == {0, 1, 2}
    assert "from rank" in (tmp_path / "out" / "report.html").read_text()


def text_of(rank, host, clock, began, events=(), names=("",)):
    columns = ["kind", "name", "begin", "time", "bytes", "flops", "number", "lines", "line", "peer"]
    return json.dumps(
        {
            "rank": rank,
            "host": host,
            "clock": clock,
            "profile": {
                "kinds": ["evaluation", "exchange", "kernel"],
                "columns": columns,
                "began": began,
                "ended": began + 1000,
                "dropped": 0,
                "names": list(names),
                "places": [""],
                "lines": [[]],
                "tallies": {},
                "threads": [{"name": "t", "rank": 0, "events": list(events)}],
            },
        }
    )


def test_clocks_of_other_hosts_are_found_by_meetings():
    # The second rank's clock is 5,000 ahead.
    first = text_of(
        0, "a", [[100, 140], [200, 230]], 0, [2, 1, 300, 10, 0, 0, 0, 0, 0, -1], ["", "x"]
    )
    other = text_of(
        1, "b", [[5110, 5142], [5205, 5228]], 5000, [2, 1, 320, 10, 0, 0, 0, 0, 0, -1], ["", "y"]
    )
    run = merge.merge([first, other])
    begins = {t.events[0].name: t.events[0].begin for t in run.threads}
    assert abs(begins["y"] - begins["x"] - 20) <= 15


def test_the_critical_path_goes_through_who_came_last():
    evaluation, exchange, kernel = 0, 1, 2

    def events(kernel_end, end):
        return [
            *[evaluation, 1, 0, end, 0, 0, 7, 0, 0, -1],
            *[kernel, 2, 0, kernel_end, 0, 0, 1, 0, 0, -1],
            *[exchange, 3, kernel_end, end - kernel_end, 8, 0, 7, 0, 0, -1],
        ]

    names = ["", "part of an evaluation", "work", "exchange"]
    first = text_of(0, "a", [], 0, events(100, 900), names)
    other = text_of(1, "a", [], 0, events(800, 900), names)
    path = analysis.critical_path(merge.merge([first, other]))
    assert [(p["rank"], p["what"], p["begin"], p["end"]) for p in path] == [
        (1, "work", 0, 800),
        (0, "exchange", 800, 900),
        (0, "Python", 900, 1000),
    ]
    assert analysis.path_sums(path)[0] == {"rank": 1, "what": "work", "time": 800}


def test_a_rank_that_is_lost_takes_the_profile_with_it(tmp_path):
    (tmp_path / "prog.py").write_text(
        """
import glob, os, signal
import fuseau as np

a = (np.ones((1200, 1200)) + 1.0).eval()
for task in glob.glob("/proc/self/task/*/children"):
    for child in open(task).read().split():
        os.kill(int(child), signal.SIGKILL)
print(float((a * 2.0).sum()))
"""
    )
    words = ["-m", "fuseau", "run", "-n", "2", "--profile=out", "prog.py"]
    status, _, err = call(words, tmp_path)
    assert status != 0
    assert "RankFailure" in err and "fuseau: there is no profile: " in err
    assert os.listdir(tmp_path / "out") == []
