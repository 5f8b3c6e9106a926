"""The header of a compiled program, for C and C++."""

import itertools

from .signature import C_TYPES

_HEAD = """/* Made by `fuseau compile` for {cpu}. */
#ifndef {guard}
#define {guard}

#include <stdbool.h>
#include <stdint.h>

#include "fuseau_kernels.h"

#ifdef __cplusplus
extern "C" {{
#endif

{comment}
int {name}({parameters});

/* The program, for the functions of fuseau_kernels.h. */
extern fuseau_program {name}_program;

#ifdef __cplusplus
}}  /* extern "C" */

#include "fuseau_kernels.hpp"

namespace fuseau {{

/* The same for arrays that know their sizes. Throws fuseau::Error. */
inline void {name}({cpp_parameters}) {{
{body}}}

}}  // namespace fuseau
#endif

#endif /* {guard} */
"""


def text(compiled):
    """The header as text."""
    from .program import by_value

    arguments = [
        (a, w, by_value(a, w)) for a, w in zip(compiled.arguments, compiled.written, strict=True)
    ]
    return _HEAD.format(
        cpu=compiled.cpu,
        guard=f"FUSEAU_PROGRAM_{compiled.name.upper()}_H_",
        name=compiled.name,
        comment=_comment(compiled),
        parameters=_c_parameters(compiled, arguments),
        cpp_parameters=_cpp_parameters(compiled, arguments),
        body=_cpp_body(compiled, arguments),
    )


def _sizes_text(variants, letters):
    """For which sizes the program is right."""
    if not letters:
        return []
    # What has a variant of its own is small.
    few = itertools.product(range(10), repeat=len(letters))
    if all(any(_fits(ranges, sizes) for ranges in variants) for sizes in few):
        return [f"Any sizes {', '.join(letters)}."]
    texts = [
        ", ".join(f"{x} {'=' if low == high else '>='} {low}" for x, (low, high) in ranges.items())
        for ranges in variants
    ]
    return ["Sizes: " + "; or ".join(texts) + "."]


def _fits(ranges, sizes):
    return all(low <= n <= high for n, (low, high) in zip(sizes, ranges.values(), strict=True))


def _shape_text(dimensions):
    return f"[{', '.join(map(str, dimensions))}]" if dimensions else ""


def _comment(compiled):
    lines = [*compiled.doc.splitlines(), ""] if compiled.doc else []
    for argument, written in zip(compiled.arguments, compiled.written, strict=True):
        lines.append(f"{argument.name}: {argument}{', new elements are written' * written}")
    for result in compiled.results:
        shape = _shape_text(result.shape)
        if "?" in result.shape:
            shape += ", see fuseau_kernels_result_shape"
        lines.append(f"{result.name}: {result.dtype}{shape}, written")
    lines += _sizes_text(compiled.variants, compiled.letters)
    lines += [
        "",
        "Arrays are dense, in C order; what is written overlaps nothing else. Returns FUSEAU_OK,",
        "or an error that fuseau_kernels_message() explains.",
    ]
    inner = "\n * ".join(line.replace("*/", "* /") for line in lines)
    return "\n".join(line.rstrip() for line in f"/* {inner}\n */".split("\n"))


def _c_parameters(compiled, arguments):
    words = [f"int64_t {letter}" for letter in compiled.letters]
    for argument, written, value in arguments:
        kind = C_TYPES[argument.dtype]
        if value:
            words.append(f"{kind} {argument.name}")
        else:
            words.append(f"{'' if written else 'const '}{kind}* {argument.name}")
    words += [f"{C_TYPES[r.dtype]}* {r.name}" for r in compiled.results]
    return ", ".join(words) or "void"


def _cpp_parameters(compiled, arguments):
    words = []
    for argument, written, value in arguments:
        kind = C_TYPES[argument.dtype]
        const = "" if written else "const "
        words.append(
            f"{kind} {argument.name}"
            if value
            else f"const View<{const}{kind}, {len(argument.dimensions)}>& {argument.name}"
        )
    words += [f"const View<{C_TYPES[r.dtype]}, {len(r.shape)}>& {r.name}" for r in compiled.results]
    return ",\n    ".join(words)


def _cpp_body(compiled, arguments):
    """Sizes come from the first array that has them; all others are held against them."""
    lines, known = [], set()
    for argument, _, value in arguments:
        if value:
            continue
        for axis, size in enumerate(argument.dimensions):
            at = f"{argument.name}.shape[{axis}]"
            if isinstance(size, str) and size not in known:
                known.add(size)
                lines.append(f"const std::int64_t {size} = {at};")
            else:
                lines.append(f'internal::CheckSize("{argument.name}", {axis}, {at}, {size});')
    sizes = ", ".join(compiled.letters) or "0"
    if compiled.results:
        lines.append(f"const std::int64_t sizes[] = {{{sizes}}};")
    for place, result in enumerate(compiled.results):
        lines.append(
            f'internal::CheckResult(&{compiled.name}_program, sizes, {place}, "{result.name}", '
            f"{result.name});"
        )
    words = list(compiled.letters)
    words += [a.name if value else f"{a.name}.data" for a, _, value in arguments]
    words += [f"{r.name}.data" for r in compiled.results]
    lines.append(f"internal::Check(::{compiled.name}({', '.join(words)}));")
    return "".join(f"  {line}\n" for line in lines)
