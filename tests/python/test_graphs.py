"""Graphs of what is recorded and of what was run."""

import re
import shutil

import fuseau as fnp
import pytest
from fuseau import _graphs
from test_commands import call

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no Graphviz")


def pending():
    a = fnp.ones((50, 50)).eval()
    b = a * 2.0 + 1.0
    return b.sum(axis=0)


def test_an_array_has_the_graph_of_its_values():
    plot = pending().plot_graph()
    assert plot.source.startswith("digraph")
    for name in ("input", "multiply", "add", "sum"):
        assert f'label="{name}\\n' in plot.source
    assert "float64[50, 50]" in plot.source
    assert re.search(r"v\d+ -> v\d+;", plot.source)
    assert "kernel" in plot.source


def test_to_plot_computes_nothing():
    c = pending()
    before = fnp.stats()["windows"]
    c.plot_graph()
    assert fnp.stats()["windows"] == before
    assert (c == 150.0).all()


def test_a_value_in_memory_has_an_empty_graph():
    assert "->" not in fnp.ones(3).eval().plot_graph().source


@needs_dot
@pytest.mark.parametrize(
    "ending, magic", [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")]
)
def test_pictures(tmp_path, ending, magic):
    pending().plot_graph(tmp_path / f"graph.{ending}")
    assert (tmp_path / f"graph.{ending}").read_bytes().startswith(magic)


@needs_dot
def test_notebooks_show_a_picture():
    assert pending().plot_graph()._repr_html_().startswith("<svg")


def test_without_graphviz_there_is_the_text(tmp_path, monkeypatch):
    monkeypatch.setattr(_graphs.shutil, "which", lambda name: None)
    plot = pending().plot_graph()
    path = plot.save(tmp_path / "graph.svg")
    assert path.endswith("graph.dot")
    text = (tmp_path / "graph.dot").read_text()
    assert text.startswith("// Graphviz makes a picture of this: dot -Tsvg")
    assert "digraph" in text
    assert "Graphviz is not installed" in plot._repr_html_()


def test_a_name_of_no_format(tmp_path):
    with pytest.raises(ValueError, match=r"'\.gif', expected one of \.svg, \.pdf, \.png, \.dot"):
        pending().plot_graph(tmp_path / "graph.gif")


def test_texts_that_graphviz_would_read():
    assert _graphs.quote('a"b\\c\nd') == '"a\\"b\\\\c\\nd"'


PROGRAM = """
import fuseau as np
a = np.ones((1200, 1200))
for _ in range(3):
    a = a * 1.5 + a.T
print(float(a.sum()))
"""


@pytest.mark.parametrize("flags", [[], ["-n", "2"]])
def test_the_command(tmp_path, flags):
    (tmp_path / "prog.py").write_text(PROGRAM)
    words = ["--dataflow", "data.dot", "--event", "event.dot"]
    status, _, err = call(["-m", "fuseau", "run", *flags, *words, "prog.py"], tmp_path)
    assert status == 0, err
    data = (tmp_path / "data.dot").read_text()
    assert "multiply" in data and "prog.py:5" in data and "evaluated" in data
    event = (tmp_path / "event.dot").read_text()
    assert 'label="rank 0"' in event
    if flags:
        assert 'label="rank 1"' in event and " bytes" in event


@needs_dot
def test_graphviz_reads_what_the_command_writes(tmp_path):
    (tmp_path / "prog.py").write_text(PROGRAM)
    words = ["--dataflow", "data.svg", "--event", "event.pdf"]
    status, _, err = call(["-m", "fuseau", "run", *words, "prog.py"], tmp_path)
    assert status == 0, err
    assert b"<svg" in (tmp_path / "data.svg").read_bytes()
    assert (tmp_path / "event.pdf").read_bytes().startswith(b"%PDF")
