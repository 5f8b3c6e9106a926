#!/usr/bin/env python3
"""Writes everything that derives from the table of operations, `ir/ops.td`.

    gen_ops.py TABLE.json KIND OUTPUT

TABLE.json is what `llvm-tblgen --dump-json ir/ops.td` prints. KIND is one of

    op_table      C++ rows without MLIR: the recorder's table
    scalar_forms  C++ switch: the scalar form of each operation in a fused loop
    ufuncs        Python: names, aliases, docstrings of the ufuncs
    stubs         Python stubs of the ufuncs and reductions
    ops_json      the list that the tests walk
    coverage      the coverage page of the documentation
"""

import json
import sys
from dataclasses import dataclass

CLASSES = {
    "onBool": "kBool",
    "onSigned": "kSigned",
    "onUnsigned": "kUnsigned",
    "onFloat": "kFloat",
    "onComplex": "kComplex",
}

# The numbers of runtime/base/float_flags.h.
FLAGS = {"d": 1, "o": 2, "u": 4, "i": 8}


def camel_case(name):
    """The C++ constant of a name with underscores."""
    return "k" + "".join(part.capitalize() for part in name.split("_"))


@dataclass(frozen=True)
class Row:
    """One operation with its columns."""

    name: str
    numpy: str
    aliases: list
    family: str
    arity: int
    scalar: dict
    flops: int
    ulp: int
    vector_ulp: int
    raises: int
    combiner: str
    loop: str
    doc: str
    example: str

    @property
    def enum(self):
        return camel_case(self.name)

    @property
    def is_reduction(self):
        return self.family == "reduction" and bool(self.numpy)

    @property
    def is_ufunc(self):
        return self.family == "elementwise" and self.numpy and self.arity < 3


def load(path):
    """The rows of the table, in the order of their names."""
    with open(path) as file:
        table = json.load(file)
    rows = []
    for key in table["!instanceof"]["Row"]:
        record = table[key]
        form = table[record["scalar"]["def"]]
        rows.append(
            Row(
                name=record["opName"],
                numpy=record["numpyName"],
                aliases=record["aliases"],
                family=record["family"],
                arity=record["arity"],
                scalar={column: form[column] for column in CLASSES},
                flops=record["flops"],
                ulp=record["ulp"],
                vector_ulp=record["vectorUlp"],
                raises=sum(FLAGS[letter] for letter in record["raises"]),
                combiner=record["combiner"],
                loop=record["loop"],
                doc=record["doc"],
                example=record["example"],
            )
        )
    return sorted(rows, key=lambda row: row.name)


def op_table(rows):
    """Enum values and rows as macros, for ir/op_table.h and .cc."""
    out = ["// Generated from ir/ops.td by tools/gen_ops.py.", ""]
    out.append("#ifdef FUSEAU_OP_ENUM")
    out += [f"  {row.enum}," for row in rows]
    out += ["#endif", "", "#ifdef FUSEAU_OP_ROWS"]
    for row in rows:
        family = "k" + row.family.capitalize()
        combiner = camel_case(row.combiner or "none")
        out.append(
            f'  {{"{row.name}", "{row.numpy}", Family::{family}, {row.arity}, '
            f'{row.flops}, {row.raises}, Combiner::{combiner}, "{row.loop}"}},'
        )
    out.append("#endif")
    return out


def scalar_forms(rows):
    """The body of passes/scalar_forms.cc: one case per operation and class."""
    customs = sorted({row.enum for row in rows if "custom" in row.scalar.values()})
    out = ["// Generated from ir/ops.td by tools/gen_ops.py.", ""]
    out.append("#ifdef FUSEAU_CUSTOM_FORMS")
    out += [f"Value Custom{name[1:]}(FormBuilder& f);" for name in customs]
    out += ["#endif", "", "#ifdef FUSEAU_SCALAR_FORMS"]
    for row in rows:
        if row.family != "elementwise":
            continue
        out.append(f"case OpCode::{row.enum}:")
        out.append("  switch (f.cls) {")
        for column, cls in CLASSES.items():
            out.append(f"    case DTypeClass::{cls}:")
            out.append(f"      return {_form(row, row.scalar[column])};")
        out += ["  }", "  break;"]
    out.append("#endif")
    return out


def _form(row, form):
    if form == "":
        return "Value()"
    if form == "same":
        return "f.operands[0]"
    if form == "custom":
        return f"Custom{row.enum[1:]}(f)"
    if form == "loop":
        return f'f.Loop("{row.numpy}")'
    if form.startswith("cmp:"):
        predicate = form[4:]
        kind = "F" if predicate[0].isupper() else "I"
        return f"f.Compare{kind}(arith::Cmp{kind}Predicate::{predicate})"
    return f"f.Make<{form}>()"


def ufuncs(rows):
    """A Python module that lists the ufuncs."""
    out = [
        '"""The ufuncs and reductions of the table of operations. Generated from ir/ops.td."""',
        "",
    ]
    out.append("UFUNCS = {")
    for row in rows:
        if row.is_ufunc:
            out.append(f"    {row.numpy!r}: ({row.arity}, {tuple(row.aliases)!r}, {row.doc!r}),")
    out += ["}", "", "REDUCTIONS = {"]
    for row in rows:
        if row.is_reduction:
            out.append(f"    {row.numpy!r}: ({tuple(row.aliases)!r}, {row.doc!r}),")
    out.append("}")
    return out


def stubs(rows):
    """Type stubs of the generated names."""
    out = ["# Generated from ir/ops.td.", "from typing import Any", ""]
    out += ["from fuseau import ndarray, ufunc", ""]
    for row in rows:
        for name in [row.numpy, *row.aliases]:
            if row.is_ufunc:
                out.append(f"{name}: ufunc")
            elif row.is_reduction:
                out.append(
                    f"def {name}(a: Any, axis: Any = ..., dtype: Any = ..., out: Any = ..., "
                    "keepdims: bool = ..., initial: Any = ..., where: Any = ...) -> ndarray: ..."
                )
    return out


def ops_json(rows):
    """The operations as the tests see them."""
    kinds = {1: "unary", 2: "binary"}
    records = []
    for row in rows:
        if row.is_ufunc or row.is_reduction:
            records.append(
                {
                    "name": row.numpy,
                    "kind": "reduction" if row.family == "reduction" else kinds[row.arity],
                    "arity": row.arity,
                    "aliases": row.aliases,
                    "ulp": row.ulp,
                    "vector_ulp": row.vector_ulp,
                    "example": row.example,
                }
            )
    return json.dumps(records, indent=1).split("\n")


def coverage(rows):
    """The part of the coverage page on the operations: how each is computed, by class of types."""
    out = ["## Operations by type", "", "A dash means that NumPy has no such loop either.", ""]
    out += ["| function | bool | signed | unsigned | float | complex | meaning |"]
    out += ["|---|---|---|---|---|---|---|"]
    for row in rows:
        if not row.numpy:
            continue
        names = ", ".join(f"`{name}`" for name in [row.numpy, *row.aliases])
        if row.family == "reduction":
            cells = ["fused"] * 5
        else:
            words = {"": "-", "loop": "block", "routine": "routine"}
            cells = [words.get(form, "fused") for form in row.scalar.values()]
        out.append(f"| {names} | " + " | ".join(cells) + f" | {row.doc} |")
    return out


def main():
    table, kind, output = sys.argv[1:]
    writers = (op_table, scalar_forms, ufuncs, stubs, ops_json)
    writer = {w.__name__: w for w in writers}[kind]
    with open(output, "w") as file:
        file.write("\n".join(writer(load(table))) + "\n")


if __name__ == "__main__":
    main()
