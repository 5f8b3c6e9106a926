#!/usr/bin/env python3
"""Writes python/docs/coverage.md from the package as it is and from the table of operations.

    export PYTHONPATH=build/release/python
    python tools/gen_coverage.py [--check] build/release/ir/ops.json PAGE

With --check nothing is written; the exit status is 1 if the page is not current.
"""

import sys
from pathlib import Path

import gen_ops

# Why NumPy computes a function. A name that is native in the package needs no entry here.
REASONS = {
    "takes or gives matrices, objects, texts, dates or records, which have no native type": """
        bmat asmatrix busday_count busday_offset char datetime_as_string
        frompyfunc is_busday isnat rec strings fromstring
        """,
    "calls a Python function for each element or row": """
        apply_along_axis apply_over_axes fromiter piecewise vectorize nested_iters
        """,
    "not yet composed of native parts, step by step as NumPy does it": """
        asarray_chkfinite block c_ ediff1d geomspace logspace mgrid ogrid r_
        convolve correlate corrcoef cov cross einsum einsum_path gradient interp kron trapezoid
        unwrap matvec vecmat nan_to_num sinc i0 linalg.cross linalg.trace linalg.vector_norm
        linalg.matrix_norm linalg.norm linalg.multi_dot linalg.matrix_power cumulative_prod
        cumulative_sum nancumprod nancumsum nanargmax nanargmin nanmax nanmean nanmedian nanmin
        nanpercentile nanprod nanquantile nanstd nansum nanvar median percentile quantile
        """,
    "sorts, selects or counts in a way that has no routine yet": """
        argpartition digitize histogram histogram2d histogram_bin_edges histogramdd intersect1d isin
        lexsort partition searchsorted setdiff1d setxor1d sort_complex union1d unique unique_all
        unique_counts unique_inverse unique_values
        """,
    "writes or reads at index arrays in a way that has no routine yet": """
        argwhere choose delete diag_indices diag_indices_from diagflat fill_diagonal insert ix_
        mask_indices place put put_along_axis putmask ravel_multi_index resize row_stack select
        take_along_axis tril_indices tril_indices_from trim_zeros triu_indices triu_indices_from
        unravel_index vander
        """,
    "small arrays, where recording has nothing to gain": """
        bartlett blackman hamming hanning kaiser poly polyadd polyder polydiv
        polyfit polyint polymul polysub polyval polynomial roots
        fft.fftfreq fft.rfftfreq
        """,
    "has no operation in the table yet": """
        fix frexp isneginf isposinf packbits unpackbits real_if_close fft.fftshift fft.ifftshift
        linalg.outer linalg.tensordot linalg.matmul linalg.matrix_transpose linalg.vecdot
        linalg.diagonal
        """,
    "asks about memory or types of NumPy's arrays": """
        from_dlpack may_share_memory min_scalar_type require shares_memory
        """,
    "LAPACK, as NumPy calls it": """
        linalg linalg.cholesky linalg.cond linalg.det linalg.eig linalg.eigh linalg.eigvals
        linalg.eigvalsh linalg.inv linalg.lstsq linalg.matrix_rank linalg.pinv linalg.qr
        linalg.slogdet linalg.solve linalg.svd linalg.svdvals linalg.tensorinv linalg.tensorsolve
        """,
    "NumPy's own transforms": """
        fft fft.fft fft.fft2 fft.fftn fft.hfft fft.ifft fft.ifft2 fft.ifftn fft.ihfft fft.irfft
        fft.irfft2 fft.irfftn fft.rfft fft.rfft2 fft.rfftn
        """,
    "a module: its functions are NumPy's, with fuseau's arrays in and out": (
        "ctypeslib emath lib ma testing"
    ),
}
RANDOM = "NumPy's generators, so that the streams are NumPy's"
SECTIONS = ("", "linalg", "fft", "random")
WORDS = {
    "fused": "runs inside a compiled loop, with others if it can",
    "block": "runs inside a compiled loop, through NumPy's own inner loop on blocks of elements",
    "routine": "a step of its own, computed by the library on all cores",
    "native": "composed of the others, or a matter of shapes and views",
    "fallback": "NumPy computes it: arguments are evaluated, results become fuseau's arrays",
    "NumPy's": "NumPy's own object: types, constants, settings, and what reads and prints values",
}


class Coverage:
    """How each public name of NumPy is served."""

    def __init__(self, rows):
        import fuseau

        self._package = fuseau
        self._rows = {}
        for row in rows:
            for name in (row.numpy, *row.aliases):
                if name:
                    self._rows[name] = row
        self._reasons = {name: why for why, names in REASONS.items() for name in names.split()}

    def names(self, section):
        """The public names of a section, in order."""
        module = self._numpy(section)
        names = module.__all__ if section else self._package._namespace.public_names()
        return sorted(name for name in names if not name.startswith("_"))

    def word(self, path):
        """One of WORDS."""
        from fuseau._namespace import kind_of, resolve

        value = self._numpy(path)
        kind = kind_of(path, value)
        if kind == "fallback" or (path.startswith("random.") and resolve(path) is not value):
            return "fallback"
        if kind == "shared":
            return "NumPy's"
        row = self._rows.get(path)
        return "native" if row is None else self._word_of_row(row)

    @staticmethod
    def _word_of_row(row):
        forms = set(row.scalar.values()) - {""}
        if row.family == "reduction":
            return "fused"
        if "routine" in forms:
            return "routine"
        return "block" if forms == {"loop"} else "fused"

    def reason(self, path):
        """Why a name falls back, or None if nobody has said it."""
        return RANDOM if path.partition(".")[0] == "random" else self._reasons.get(path)

    def unexplained(self):
        """The names that fall back without a reason in REASONS."""
        paths = [f"{s}.{name}".lstrip(".") for s in SECTIONS for name in self.names(s)]
        return [p for p in paths if self.word(p) == "fallback" and self.reason(p) is None]

    def _numpy(self, path):
        import numpy

        value = numpy
        for part in filter(None, path.split(".")):
            value = getattr(value, part)
        return value

    def section(self, section):
        """The lines of a section: served names by word, and those that fall back by reason."""
        found = {}
        for name in self.names(section):
            path = f"{section}.{name}".lstrip(".")
            word = self.word(path)
            key = (list(WORDS).index(word), word, self.reason(path) if word == "fallback" else "")
            found.setdefault(key, []).append(name)
        out = [f"## `numpy{'.' * bool(section)}{section}`", "", "| how | names |", "|---|---|"]
        for (_, word, why), names in sorted(found.items(), key=lambda item: item[0][:1]):
            how = f"{word} ({len(names)})" + (f": {why}" if why else "")
            out.append(f"| {how} | {', '.join(f'`{name}`' for name in names)} |")
        return [*out, ""]


def page(rows):
    """The lines of the page."""
    coverage = Coverage(rows)
    out = ["# Coverage", "", "Generated from the package and from the table of operations.", ""]
    out += ["| word | meaning |", "|---|---|"]
    out += [f"| {word} | {meaning} |" for word, meaning in WORDS.items()]
    out += [
        "",
        "Other functions may still fall back for rare arguments, such as types that fuseau has no",
        "arrays for; `fuseau.fallback_count()` tells. Methods of arrays are served like the",
        "functions of their name. Submodules that are not shown are computed by NumPy.",
        "",
    ]
    for section in SECTIONS:
        out += coverage.section(section)
    return [*out, *gen_ops.coverage(rows)]


def main():
    check = sys.argv[1] == "--check"
    table, output = sys.argv[-2:]
    rows = gen_ops.load(table)
    missing = Coverage(rows).unexplained()
    if missing:
        sys.exit(f"no reason in tools/gen_coverage.py for: {' '.join(missing)}")
    text = "\n".join(page(rows)) + "\n"
    if check and Path(output).read_text() != text:
        sys.exit(f"{output} is not current; tools/gen_coverage.py without --check writes it")
    if not check:
        Path(output).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
