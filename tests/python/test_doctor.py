"""`fuseau doctor`: each rule has programs that it speaks of and programs that it does not."""

import json
import os

import pytest
from fuseau import _doctor
from fuseau._profile import merge
from test_commands import call

# Rule: a program with the habit (marked `# here`), and one without that does the same work.
PROGRAMS = {
    "element-loop": (
        """
a = np.arange(2000.0).eval()
total = 0.0
for x in a:  # here
    total += float(x)
""",
        """
a = np.arange(2000.0).eval()
total = 0.0
for x in a.tolist():
    total += float(x)
total = float(a.sum())
""",
    ),
    "element-reads": (
        """
a = np.arange(2000.0).eval()
total = 0.0
for i in range(2000):
    total += a[i]  # here
""",
        """
a = np.arange(2000.0).eval()
total = float(a[:2000].sum()) + float(a[5])
""",
    ),
    "element-writes": (
        """
a = np.zeros(2000)
for i in range(2000):
    a[i] = i * 2.0  # here
print(a.sum())
""",
        """
a = np.zeros(2000)
a[:] = np.arange(2000) * 2.0
print(a.sum())
""",
    ),
    "fallback": (
        """
import numpy
a = numpy.array([str(i % 100) for i in range(100_000)])
for _ in range(3):
    np._fallback.call("unique", None, (a,), {})  # here
""",
        """
a = np.arange(100_000) % 100
for _ in range(3):
    np.unique(a)
""",
    ),
    "growing": (
        """
parts = []
for i in range(60):
    parts.append(np.ones(30_000) * i)
    total = float(sum((p * 1.5).sum() for p in parts))  # here
""",
        """
total = 0.0
for i in range(60):
    total += float((np.ones(30_000) * i * 1.5).sum())
""",
    ),
    "tiny": (
        """
total = 0.0
for i in range(3000):
    x = np.array([1.0, 2.0, 3.0])
    total += float((x * i).sum())  # here
""",
        """
i = np.arange(3000.0)[:, None]
x = np.array([1.0, 2.0, 3.0])
total = float((x * i).sum())
""",
    ),
}


def findings_of(folder, text, *words):
    (folder / "prog.py").write_text("import fuseau as np\n" + text)
    status, out, err = call(["-m", "fuseau", "doctor", "--json", *words, "prog.py"], folder)
    assert status == 0, err
    return json.loads(out[out.index("[") :])


@pytest.mark.parametrize("rule", PROGRAMS)
def test_speaks_of_the_habit_at_its_line(tmp_path, rule):
    text = PROGRAMS[rule][0]
    line = next(n for n, row in enumerate(text.split("\n"), 1) if "# here" in row) + 1
    found = findings_of(tmp_path, text.replace("print(", "np.eval("))
    mine = [f for f in found if f["rule"] == rule]
    assert [f["place"].rpartition("/")[2] for f in mine] == [f"prog.py:{line}"], found
    assert mine[0]["found"] and mine[0]["advice"]


@pytest.mark.parametrize("rule", PROGRAMS)
def test_is_silent_without_it(tmp_path, rule):
    assert findings_of(tmp_path, PROGRAMS[rule][1].replace("print(", "np.eval(")) == []


def profile_of(*events, **more):
    run = merge.Run(1000, 1e9, [""], [], {}, [], {}, [], 0)
    thread = merge.Thread(0, "program", list(events))
    merge.nest(thread.events)
    run.threads = [thread]
    for name, value in more.items():
        setattr(run, name, value)
    return run


def test_a_write_that_copies():
    graphs = [{"runs": 1, "nodes": [["update", "float64[3]", [], "p.py:4"]], "outputs": []}]
    slow = merge.Event("copy", "copy", 0, 500, bytes=10**6, lines=("p.py:3", "p.py:4"))
    (found,) = _doctor.copied(profile_of(slow, graphs=graphs))
    assert found.place == "p.py:4"
    quick = merge.Event("copy", "copy", 0, 5, bytes=10**6, lines=("p.py:3", "p.py:4"))
    assert not list(_doctor.copied(profile_of(quick, graphs=graphs)))


def test_compiles_again_and_again():
    def compiled(count):
        events = [
            merge.Event("compile", "compile", 100 * i, 50, lines=("p.py:2",)) for i in range(count)
        ]
        return profile_of(*events, merge.Event("wait", "compiler", 0, 900))

    (found,) = _doctor.compiles(compiled(9))
    assert found.place == "p.py:2" and "9 compiles" in found.found
    assert not list(_doctor.compiles(compiled(2)))


def test_the_forms_of_the_report(tmp_path):
    text = PROGRAMS["element-reads"][0]
    (tmp_path / "prog.py").write_text("import fuseau as np\n" + text)
    status, out, err = call(["-m", "fuseau", "doctor", "prog.py"], tmp_path)
    assert status == 0 and out == ""
    assert "element-reads" in err and "prog.py:6" in err
    status, _, _ = call(["-m", "fuseau", "doctor", "--html", "out.html", "prog.py"], tmp_path)
    assert status == 0 and "element-reads" in (tmp_path / "out.html").read_text()
    (tmp_path / "prog.py").write_text("import fuseau\n")
    _, _, err = call(["-m", "fuseau", "doctor", "prog.py"], tmp_path)
    assert "no costly habits found" in err


def test_a_program_that_fails_is_reported_and_fails(tmp_path):
    (tmp_path / "prog.py").write_text("raise SystemExit(7)")
    status, _, err = call(["-m", "fuseau", "doctor", "prog.py"], tmp_path)
    assert status == 7 and "no costly habits" in err
    status, _, err = call(["-m", "fuseau", "doctor", "none.py"], tmp_path)
    assert status == 2 and "none.py" in err
    status, _, err = call(["-m", "fuseau", "doctor"], tmp_path)
    assert status == 2 and "a program is missing" in err


EXAMPLES = ["stencil.py", "jacobi.py", "black_scholes.py", "mandelbrot.py", "cfd.py"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_false_alarm_on_the_examples(tmp_path, name):
    folder = os.path.join(os.path.dirname(__file__), "..", "..", "python", "examples")
    path = os.path.abspath(os.path.join(folder, name))
    status, _, err = call(["-m", "fuseau", "doctor", "--html", "out.html", path], tmp_path)
    assert status == 0, err
    assert "no costly habits found" in (tmp_path / "out.html").read_text()


def test_no_false_alarm_on_the_workloads(tmp_path):
    bench = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "bench"))
    status, out, err = call(["-c", WORKLOADS, bench], tmp_path)
    assert status == 0, err
    found = json.loads(out)
    assert len(found) > 30
    assert {case: rows for case, rows in found.items() if rows} == {}


WORKLOADS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import fuseau as np
import workloads
from fuseau import _doctor, _fuseau
from fuseau._profile import take

found = {}
for workload in workloads.WORKLOADS.values():
    case = workloads.Case(workload, next(iter(workload.quick or workload.sizes)))
    inputs = {k: np.asarray(v) if hasattr(v, "shape") else v for k, v in case.inputs().items()}
    _fuseau.start_profile()
    result = workload.run(np, **inputs)
    np.synchronize()
    found[case.id] = _doctor.as_json(_doctor.examine(take()))
print(json.dumps({case: json.loads(rows) for case, rows in found.items()}))
"""
