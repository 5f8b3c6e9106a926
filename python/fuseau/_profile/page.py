"""A profile as one page of HTML that needs nothing else."""

import importlib.resources
import json

from . import analysis

_LONGEST_PATH = 2000  # rows of the critical path that the page has


def write(run, path):
    """Writes the page."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text(run))


def text(run):
    """The page's text."""
    parts = {name: _part(f"page.{name}") for name in ("html", "css", "js")}
    data = json.dumps(content(run), separators=(",", ":"))
    # A name may hold what would end the script.
    data = data.replace("<", "\\u003c")
    page = parts["html"]
    for mark, part in (("CSS", parts["css"]), ("DATA", data), ("JS", parts["js"])):
        page = page.replace(f"/*{mark}*/", part, 1)
    return page


def _part(name):
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def content(run):
    """All that the page shows, as plain data. Texts are numbers of `texts`."""
    texts = _Texts()
    lanes = [
        {
            "rank": thread.rank,
            "name": thread.name,
            "columns": _columns(thread.events, texts),
        }
        for thread in run.threads
    ]
    path = analysis.critical_path(run)
    return {
        "time": run.time,
        "bandwidth": run.bandwidth,
        "hosts": run.hosts,
        "dropped": run.dropped,
        "shares": analysis.shares(run),
        "lanes": lanes,
        "memory": {rank: _steps(points) for rank, points in run.memory.items()},
        "kernels": analysis.kernels(run),
        "lines": analysis.annotated(run),
        "compiles": analysis.compiles(run),
        "traffic": [[*ranks, *sums] for ranks, sums in sorted(analysis.traffic(run).items())],
        "path": path[:_LONGEST_PATH],
        "pathSums": analysis.path_sums(path)[:20],
        "texts": texts.texts,
        "lineSets": texts.sets,
    }


class _Texts:
    """Texts and lists of them by number."""

    def __init__(self):
        self.texts, self.sets = [""], [[]]
        self._numbers, self._set_numbers = {"": 0}, {(): 0}

    def number(self, text):
        if text not in self._numbers:
            self._numbers[text] = len(self.texts)
            self.texts.append(text)
        return self._numbers[text]

    def set_number(self, texts):
        if texts not in self._set_numbers:
            self._set_numbers[texts] = len(self.sets)
            self.sets.append([self.number(t) for t in sorted(set(texts))])
        return self._set_numbers[texts]


def _columns(events, texts):
    return {
        "kind": [texts.number(e.kind) for e in events],
        "name": [texts.number(e.name) for e in events],
        "begin": [e.begin for e in events],
        "time": [e.time for e in events],
        "depth": [e.depth for e in events],
        "bytes": [e.bytes for e in events],
        "flops": [e.flops for e in events],
        "number": [e.number for e in events],
        "lines": [texts.set_number(e.lines) for e in events],
        "line": [texts.number(e.line) for e in events],
    }


def _steps(points, most=4000):
    """As many points as can be seen: of each span of time the highest."""
    if len(points) <= most:
        return points
    out = []
    for i in range(most):
        part = points[len(points) * i // most : len(points) * (i + 1) // most]
        out.append(max(part, key=lambda p: p[1]))
    return out
