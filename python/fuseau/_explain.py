"""`explain`: how a value would be computed, and why so; `show_kernel`: by which code on a GPU."""

import html

from . import _fuseau


def _size(count):
    for unit in ("B", "KB", "MB"):
        if count < 10_000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.0f} GB"


class Explanation:
    """What `explain` found. Prints as text, shows as a table in notebooks.

    Attributes
    ----------
    pending : bool
        Whether the value is still to be computed. If not, all else is empty.
    values : list of dict
        The recorded operations: `operation`, `type` (with shape), `inputs` (their places in this
        list), `stored` (why the result goes to memory; empty if it stays in registers), `copied`
        (why a write could not be done in place).
    steps : list of dict
        What is run, in order: `what`, `kernel`, `values` (that it computes), `sizes` (of its
        loops), `schedule`, `bytes` (moved at least), `flops` (an estimate).
    bytes, least_bytes : int
        Moved by all steps, and the least that any way of computing the results moves: what is read
        of the inputs and the results, once.
    temporary_bytes : int
        Buffers that are made on the way.
    tier : str
        By what it would be computed now, and why.
    """

    def __init__(self, report):
        vars(self).update(report)

    @property
    def tier(self):
        if not self.pending:
            return "nothing: the value is in memory"
        if self.failed:
            return "the interpreter: the compiler failed on it"
        if self.compiled:
            return f"compiled kernels; run {self.runs} times before"
        if self.runs == 0:
            return "new: interpreted at once if that is quicker than compiling, else compiled"
        waiting = "; its kernels are being compiled" if self.compiling else ""
        time = f"{1e6 * self.seconds:.1f} us"
        return f"the interpreter, in about {time}; run {self.runs} times before{waiting}"

    def _value(self, index):
        value = self.values[index]
        inputs = ", ".join(f"%{i}" for i in value["inputs"])
        return f"%{index} = {value['operation']}({inputs}) : {value['type']}"

    def _reason(self, value):
        if value["operation"] in ("input", "scalar", "iota"):
            return "given"
        if value["copied"]:
            return f"copied: {value['copied']}"
        return f"stored: {value['stored']}" if value["stored"] else "in registers"

    def __str__(self):
        lines = [f"computed by {self.tier}"]
        if not self.pending:
            return lines[0]
        lines.append("recorded:")
        lines += [f"  {self._value(i):60s} {self._reason(v)}" for i, v in enumerate(self.values)]
        lines.append("run:")
        for step in self.steps:
            results = ", ".join(f"%{i}" for i in step["values"])
            sizes = " x ".join(map(str, step["sizes"]))
            parts = [
                step["what"],
                step["kernel"],
                results and f"-> {results}",
                sizes,
                step["schedule"],
            ]
            lines.append(f"  {'  '.join(p for p in parts if p)}  {_size(step['bytes'])}")
        lines.append(
            f"moves {_size(self.bytes)}, the least is {_size(self.least_bytes)}; "
            f"temporary memory {_size(self.temporary_bytes)}"
        )
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        def table(head, rows):
            cells = "".join(f"<th>{html.escape(h)}</th>" for h in head)
            body = "".join(
                "<tr>" + "".join(f"<td>{html.escape(str(c))}</td>" for c in row) + "</tr>"
                for row in rows
            )
            return f"<table><tr>{cells}</tr>{body}</table>"

        lines = [f"<p>computed by {html.escape(self.tier)}</p>"]
        if self.pending:
            values = [(self._value(i), self._reason(v)) for i, v in enumerate(self.values)]
            steps = [
                (
                    f"{s['what']} {s['kernel']}",
                    ", ".join(f"%{i}" for i in s["values"]),
                    " x ".join(map(str, s["sizes"])),
                    s["schedule"],
                    _size(s["bytes"]),
                )
                for s in self.steps
            ]
            lines.append(table(("recorded", "where it is"), values))
            lines.append(table(("step", "computes", "sizes", "schedule", "moves"), steps))
            lines.append(
                f"<p>moves {_size(self.bytes)}, the least is {_size(self.least_bytes)}; "
                f"temporary memory {_size(self.temporary_bytes)}</p>"
            )
        return "".join(lines)


def explain(array):
    """How the array's value would be computed, and why so, without computing it.

    Parameters
    ----------
    array : ndarray
        An array of fuseau; one whose value is known already has nothing to explain.

    Returns
    -------
    Explanation
        The recorded operations, where each result is kept and why, the kernels that are run, the
        bytes that they move and the least that must be moved. Its kernels are compiled for it.

    Raises
    ------
    TypeError
        If it is no array of fuseau.
    """
    return Explanation(_fuseau.explain(array))


def show_kernel(array, prelude=False):
    """Prints the CUDA C++ of the kernels that computing the array on a GPU would launch.

    Computes and compiles nothing and needs no GPU. A step that is left to the processor is a
    comment with the reason.

    Parameters
    ----------
    array : ndarray
        An array of fuseau; one whose value is known already launches nothing.
    prelude : bool, optional
        Whether to print what all kernels share, too.

    Raises
    ------
    TypeError
        If it is no array of fuseau.
    """
    text = _fuseau.show_kernel(array, prelude)
    print(text if text else "nothing: the value is in memory")
