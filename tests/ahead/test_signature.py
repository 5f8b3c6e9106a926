"""Signatures, headers, and what the command says of mistakes."""

import fuseau
import pytest
from command import EXAMPLES, fuseau_command
from fuseau import _ahead
from fuseau._ahead import header


def test_arguments():
    argument = _ahead.parse_argument("grid: f64[n, 3]")
    assert (argument.name, argument.dtype, argument.dimensions) == ("grid", "float64", ("n", 3))
    assert _ahead.parse_argument("float32").dimensions == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f65[n]", "unknown type 'f65'; expected one of bool, i8"),
        ("f64[n", "expected a type and sizes"),
        ("f64[n+1]", "'n\\+1' is no size"),
    ],
)
def test_wrong_arguments(text, message):
    with pytest.raises(_ahead.SignatureError, match=message):
        _ahead.parse_argument(text)


def compiled(function, *arguments, **options):
    parsed = [_ahead.parse_argument(text) for text in arguments]
    return _ahead.compile_function(function, parsed, **options)


def test_header():
    def scale(x, factor, double):
        """Scales."""
        x *= factor
        return x[1:] + double, x.sum()

    text = header.text(compiled(scale, "f32[n,m]", "f32", "bool"))
    assert (
        "int scale(int64_t n, int64_t m, float* x, float factor, bool double_, float* result0, "
        "float* result1);" in text
    )
    assert "result0: float32[n - 1, m], written" in text
    assert "x: float32[n, m], new elements are written" in text
    assert "Any sizes n, m." in text


def test_header_names_the_sizes_that_a_function_takes():
    text = header.text(compiled(lambda x: x.max(), "f64[n]", name="top"))
    assert "Sizes: n >= 1." in text
    sizes = [{"n": 3}, {"n": 4}]
    text = header.text(compiled(lambda x: x + 1, "f64[n]", name="more", sizes=sizes))
    assert "Sizes: n = 3; or n = 4." in text


def test_sizes_that_do_not_fit():
    with pytest.raises(_ahead.SignatureError, match="expected one for each of n"):
        compiled(lambda x: x, "f64[n]", name="f", sizes=[{"m": 3}])
    with pytest.raises(_ahead.SignatureError, match="does not take the 2 arguments"):
        compiled(lambda x: x, "f64[n]", "f64", name="f")
    with pytest.raises(_ahead.SignatureError, match="expected the name of a C function"):
        compiled(lambda x: x, "f64[n]")


def test_complex_and_short_scalars():
    def mix(z, k, x):
        return x * z + k

    text = header.text(compiled(mix, "c128", "i8", "c64[4]"))
    assert "int mix(const fuseau_complex128* z, int8_t k, const fuseau_complex64* x" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([f"{EXAMPLES}/kernels.py"], "expected FILE.py:FUNCTION"),
        ([f"{EXAMPLES}/kernels.py:nothing"], "has no function nothing"),
        ([f"{EXAMPLES}/none.py:f"], "no such Python file"),
        (
            [f"{EXAMPLES}/kernels.py:heat", "--arg", "f64[n,m]", "--emit", "cubin"],
            "processors only",
        ),
        (
            [f"{EXAMPLES}/kernels.py:heat", "--arg", "f64[n,m]", "--emit", "exe"],
            "expected some of object",
        ),
        ([f"{EXAMPLES}/kernels.py:heat"], "does not take the 0 arguments"),
    ],
)
def test_mistakes_on_the_command_line(words, message, tmp_path):
    done = fuseau_command("compile", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and "Traceback" not in done.stderr


def test_folders(tmp_path):
    done = fuseau_command("compile", "--include-dir", cwd=tmp_path)
    assert done.stdout.strip().endswith("fuseau/kernels/include")
    assert fuseau.__file__
