"""Graphs in Graphviz's language, and pictures of them where its `dot` is there."""

import html
import os
import shutil
import subprocess

_FORMATS = (".svg", ".pdf", ".png", ".dot")
_GIVEN = ("input", "scalar", "iota")
_HEAD = (
    'digraph fuseau {{\n  label={title}; labelloc=t; rankdir=TB; fontname="Helvetica";\n'
    '  node [shape=box, style="rounded,filled", fillcolor="#eef1f5", fontname="Helvetica", '
    "fontsize=10];\n  edge [color=gray40];"
)
_MAX_LINES = 3
_MAX_EVENTS = 400


def quote(text):
    """A text as Graphviz takes it."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def of_explanation(explanation):
    """What was recorded, and what is run for it: values in the box of their kernel."""
    lines = [_HEAD.format(title=quote(f"computed by {explanation.tier}"))]
    boxed = set()
    for number, step in enumerate(explanation.steps):
        values = [i for i in step["values"] if i not in boxed]
        boxed.update(values)
        label = f"{step['what']} {step['kernel']}".strip()
        lines.append(f"  subgraph cluster_{number} {{ label={quote(label)}; color=steelblue;")
        lines += [f"    {_value(i, explanation.values[i])}" for i in values]
        lines.append("  }")
    for i, value in enumerate(explanation.values):
        if i not in boxed:
            lines.append(f"  {_value(i, value)}")
        lines += [f"  v{k} -> v{i};" for k in value["inputs"]]
    return "\n".join([*lines, "}"])


def _value(number, value):
    label = f"{value['operation']}\n{value['type']}"
    color = "#ffffff" if value["operation"] in _GIVEN else "#d8f3dc" if value["stored"] else ""
    fill = f', fillcolor="{color}"' if color else ""
    return f"v{number} [label={quote(label)}{fill}];"


def of_recorded(run):
    """The graphs that a program had recorded when it evaluated them, each once."""
    lines = [_HEAD.format(title=quote(f"{len(run.graphs)} graphs that were evaluated"))]
    for g, graph in enumerate(run.graphs):
        title = f"evaluated {graph['runs']} times" if graph["runs"] != 1 else "evaluated once"
        lines.append(f"  subgraph cluster_{g} {{ label={quote(title)}; color=gray;")
        outputs = set(graph["outputs"])
        for i, (name, dtype, inputs, place) in enumerate(graph["nodes"]):
            label = "\n".join(filter(None, (name, dtype, _short(place))))
            color = ', fillcolor="#d8f3dc"' if i in outputs else ""
            color = ', fillcolor="#ffffff"' if name in _GIVEN else color
            lines.append(f"    g{g}_{i} [label={quote(label)}{color}];")
            lines += [f"    g{g}_{k} -> g{g}_{i};" for k in inputs]
        lines.append("  }")
    return "\n".join([*lines, "}"])


def of_events(run):
    """What was run: kernels, routines and transfers of each rank in their order, and who sent what
    to whom. Only the first ones of a long program are shown.
    """
    lines = []
    shown = 0
    total = 0
    last_of_run = {}
    for rank, thread in run.drivers().items():
        lines.append(f"  subgraph cluster_{rank} {{ label={quote(f'rank {rank}')}; color=gray;")
        before = None
        for i, event in enumerate(thread.events):
            if event.kind not in ("kernel", "routine", "copy", "exchange", "numpy"):
                continue
            if (event.kind, event.name) == ("routine", "exchange"):
                continue  # The exchange in it comes next.
            total += 1
            if total - shown > _MAX_EVENTS or shown >= _MAX_EVENTS * (rank + 1):
                continue
            shown += 1
            name = f"r{rank}_{i}"
            places = [_short(line) for line in sorted(set(event.lines), key=_by_line)]
            places = places[:_MAX_LINES] + (["..."] if len(places) > _MAX_LINES else [])
            label = "\n".join([event.name, f"{event.time / 1000:,.1f} us", *places])
            color = ', fillcolor="#e5d4f7"' if event.kind == "exchange" else ""
            lines.append(f"    {name} [label={quote(label)}{color}];")
            if before:
                lines.append(f"    {before} -> {name};")
            before = name
            if event.kind == "exchange":
                last_of_run.setdefault((event.number, event.name), {}).setdefault(rank, name)
        lines.append("  }")
    sums = {}
    for rank, event in run.sends:
        names = last_of_run.get((event.number, event.name), {})
        if rank in names and event.peer in names:
            edge = names[rank], names[event.peer]
            sums[edge] = sums.get(edge, 0) + event.bytes
    for (a, b), size in sums.items():
        lines.append(
            f"  {a} -> {b} [label={quote(f'{size:,} bytes')}, color=purple, constraint=false];"
        )
    title = (
        "what was run" if shown == total else f"the first {shown} of {total} steps that were run"
    )
    return "\n".join([_HEAD.format(title=quote(title)), *lines, "}"])


def _by_line(place):
    file, _, line = place.rpartition(":")
    return file, int(line)


def _short(place):
    return os.path.basename(place)


def write(text, path):
    """Writes a graph in the format that the name ends with: .svg, .pdf, .png or .dot.

    Returns the path of what was written. Where Graphviz is not installed, that is a file `.dot` in
    place of a picture; it says how to make one of it.

    Raises
    ------
    ValueError
        If the name ends otherwise.
    """
    path = os.fspath(path)
    stem, ending = os.path.splitext(path)
    if ending not in _FORMATS:
        raise ValueError(f"{path!r} ends with {ending!r}, expected one of {', '.join(_FORMATS)}")
    if ending != ".dot":
        picture = picture_of(text, ending[1:])
        if picture is not None:
            with open(path, "wb") as file:
                file.write(picture)
            return path
        path = stem + ".dot"
        text = f"// Graphviz makes a picture of this: dot -T{ending[1:]} {path}\n{text}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return path


def picture_of(text, form):
    """The bytes of a picture ("svg", "pdf", "png"), or None where there is no `dot`."""
    command = shutil.which("dot")
    if command is None:
        return None
    done = subprocess.run(
        [command, f"-T{form}"], input=text.encode(), capture_output=True, timeout=120
    )
    if done.returncode:
        raise RuntimeError(f"Graphviz failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Plot:
    """A graph: `source` is its text for Graphviz; shows as a picture in notebooks."""

    def __init__(self, source):
        self.source = source

    def save(self, path):
        """Writes it as `write` does."""
        return write(self.source, path)

    def _repr_html_(self):
        picture = picture_of(self.source, "svg")
        if picture is not None:
            text = picture.decode()
            return text[text.index("<svg") :]
        return (
            "<p>Graphviz is not installed, so here is the graph's text:</p>"
            f"<pre>{html.escape(self.source)}</pre>"
        )

    def __repr__(self):
        return f"<graph of {self.source.count('[label=')} values>"


def plot_graph(self, path=None):
    """What is recorded for this array, as a graph: a Plot, which notebooks show.

    Boxes around values are the kernels that compute them; green values go to memory. With `path`
    the graph is written there too, as .svg, .pdf, .png or .dot. Computes nothing.
    """
    from ._explain import explain

    plot = Plot(of_explanation(explain(self)))
    if path is not None:
        plot.save(path)
    return plot
