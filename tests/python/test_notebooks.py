"""Notebooks: what arrays look like, the magic, progress, interrupts; the tour runs top to bottom."""

import io
import json
import os
import time

import fuseau as fnp
import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "python", "examples")


def execute(cells, folder, **options):
    """The outputs of the cells of a notebook, a list for each."""
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    client = nbclient.NotebookClient(
        book,
        timeout=180,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        **options,
    )
    client.execute()
    return [cell.outputs for cell in book.cells]


def text(outputs):
    return json.dumps(outputs)


@pytest.fixture(autouse=True)
def package(monkeypatch):
    folder = os.path.dirname(os.path.dirname(fnp.__file__))
    monkeypatch.setenv("PYTHONPATH", folder)


@pytest.mark.filterwarnings("ignore")
def test_arrays_and_the_magic(tmp_path):
    setup, shown, timed, profiled, explained, sick, wrong = execute(
        [
            "import fuseau as np\n%load_ext fuseau",
            "np.ones((3, 2)) * 2.5",
            "%%fuseau time\na = np.ones((500, 500))\nb = float((a * 2).sum())",
            "%%fuseau profile out\nb = float((a * 3).sum())",
            "c = a + 1\n%fuseau explain c",
            "%%fuseau doctor\nfor i in range(1000):\n    a[0, i % 500]",
            "%fuseau dance",
        ],
        tmp_path,
        allow_errors=True,
    )
    assert setup == []
    assert "float64" in shown[0]["data"]["text/html"] and "(3, 2)" in shown[0]["data"]["text/html"]
    assert "in all" in text(timed) and "Python" in text(timed)
    assert "out/report.html" in text(profiled) and (tmp_path / "out" / "report.html").exists()
    assert "recorded" in text(explained) and "add" in text(explained)
    assert "element-reads" in text(sick)
    assert "expected one of time, profile, explain, doctor" in text(wrong)


@pytest.mark.filterwarnings("ignore")
def test_an_interrupt_stops_a_long_evaluation(tmp_path):
    book = nbformat.v4.new_notebook()
    cells = [
        "import fuseau as np, os, signal, threading, time",
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "begun = time.time()\n"
        "a = np.ones(2_000_000)\n"
        "while time.time() < begun + 100: a = np.sin(a) + float(a[0])",
        "print('went on after', time.time() - begun < 60, float(np.ones(3).sum()))",
    ]
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbclient.NotebookClient(book, timeout=180, kernel_name="python3", allow_errors=True).execute()
    assert "KeyboardInterrupt" in text(book.cells[1].outputs)
    assert "went on after True 3.0" in text(book.cells[2].outputs)


def test_a_single_element_has_no_table():
    assert fnp.ones(3).sum()._repr_html_() is None


def test_html_of_arrays():
    html = fnp.array([1, 2, 3])._repr_html_()
    assert "int64" in html and "24 B" in html and "array([1, 2, 3])" in html


def test_progress_tells_what_was_done():
    out = io.StringIO()
    with fnp.progress(every=0.01, file=out):
        begun = time.monotonic()
        while time.monotonic() < begun + 0.3:
            float((fnp.ones(100_000) * 2.0).sum())
    assert "evaluations" in out.getvalue() and out.getvalue().endswith("\n")


def test_progress_of_a_quick_block_is_silent():
    out = io.StringIO()
    with fnp.progress(every=60, file=out):
        pass
    assert out.getvalue() == ""
    with (
        pytest.raises(ValueError, match="every=0, expected a positive number"),
        fnp.progress(every=0),
    ):
        pass


@pytest.mark.filterwarnings("ignore")
def test_the_tour(tmp_path):
    path = os.path.join(EXAMPLES, "tour.ipynb")
    book = nbformat.read(path, as_version=4)
    assert sum(cell.cell_type == "code" for cell in book.cells) >= 12
    assert all(not cell.get("outputs") for cell in book.cells), "the tour is stored without outputs"
    client = nbclient.NotebookClient(
        book, timeout=180, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
