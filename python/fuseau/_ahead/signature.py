"""What a compiled function takes: types, sizes and names."""

import dataclasses
import keyword
import re

# Short names of types; NumPy's names are taken, too.
TYPES = {
    "bool": "bool",
    "i8": "int8",
    "u8": "uint8",
    "i16": "int16",
    "u16": "uint16",
    "i32": "int32",
    "u32": "uint32",
    "i64": "int64",
    "u64": "uint64",
    "f32": "float32",
    "f64": "float64",
    "c64": "complex64",
    "c128": "complex128",
}
C_TYPES = {
    "bool": "bool",
    **{f"{u}int{n}": f"{u}int{n}_t" for u in ("", "u") for n in (8, 16, 32, 64)},
    "float32": "float",
    "float64": "double",
    "complex64": "fuseau_complex64",
    "complex128": "fuseau_complex128",
}
_C_WORDS = set(
    """alignas alignof and asm auto bool break case catch char class const constexpr continue
    default delete do double else enum explicit export extern false float for friend goto if inline
    int long main mutable namespace new noexcept not nullptr operator or private protected public
    register restrict return short signed sizeof static struct switch template this throw true try
    typedef typeid typename union unsigned using virtual void volatile while xor""".split()
)
_ARGUMENT = re.compile(r"(?:(\w+)\s*:)?\s*(\w+)\s*(?:\[([^\]]*)\])?\s*")
_LETTER = re.compile(r"[A-Za-z_]\w*")


class SignatureError(ValueError):
    """A signature that makes no sense; the text says what was given and what was expected."""


@dataclasses.dataclass
class Argument:
    """`dimensions` are sizes (int) or letters (str)."""

    name: str
    dtype: str
    dimensions: tuple

    def shape(self, sizes):
        return tuple(sizes[d] if isinstance(d, str) else d for d in self.dimensions)

    @property
    def is_complex(self):
        return self.dtype.startswith("complex")

    def __str__(self):
        inner = ", ".join(map(str, self.dimensions))
        return f"{self.dtype}[{inner}]" if self.dimensions else self.dtype


def parse_argument(text):
    """The argument that a text like "f64[n, 3]", "f32" or "grid: f64[n, m]" describes."""
    match = _ARGUMENT.fullmatch(text)
    if not match:
        raise SignatureError(
            f"argument {text!r}: expected a type and sizes, such as f64[n, m], f32[100] or f64"
        )
    name, dtype, inner = match.groups()
    full = TYPES.get(dtype, dtype)
    if full not in C_TYPES:
        raise SignatureError(
            f"argument {text!r}: unknown type {dtype!r}; expected one of {', '.join(TYPES)}"
        )
    words = [word.strip() for word in inner.split(",")] if inner and inner.strip() else []
    return Argument(name or "", full, tuple(_dimension(word, text) for word in words))


def _dimension(word, text):
    if re.fullmatch(r"\d+", word):
        return int(word)
    if _LETTER.fullmatch(word):
        return word
    raise SignatureError(
        f"argument {text!r}: {word!r} is no size; expected a number or a letter such as n"
    )


def parse_sizes(text):
    """The sizes of a text like "n=100,m=200", as a dict."""
    sizes = {}
    for part in text.split(","):
        letter, equals, number = (word.strip() for word in part.partition("="))
        if not equals or not _LETTER.fullmatch(letter) or not re.fullmatch(r"\d+", number):
            raise SignatureError(f"sizes {text!r}: expected letters and numbers, as in n=100,m=200")
        sizes[letter] = int(number)
    return sizes


def letters(arguments):
    """The letters in the order in which they first stand."""
    found = [d for a in arguments for d in a.dimensions if isinstance(d, str)]
    return list(dict.fromkeys(found))


def name_arguments(arguments, names):
    """Gives nameless arguments those of the function's parameters, and makes all fit for C."""
    taken = set(letters(arguments))
    for place, argument in enumerate(arguments):
        name = argument.name or (names[place] if place < len(names) else f"x{place}")
        argument.name = free_name(name, taken)
        taken.add(argument.name)


def free_name(name, taken):
    """The name, with underscores behind it if C or somebody else has it."""
    while name in taken or name in _C_WORDS or keyword.iskeyword(name):
        name += "_"
    return name


def check_function_name(name):
    """Raises SignatureError for what cannot be the name of a C function."""
    if not re.fullmatch(r"[A-Za-z]\w*", name) or name in _C_WORDS:
        raise SignatureError(f"name {name!r}: expected the name of a C function")
