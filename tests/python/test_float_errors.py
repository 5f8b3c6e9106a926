"""Floating-point errors are NumPy's whatever computes them: the interpreter, compiled kernels, one
thread or several; and nothing warns where NumPy does not.
"""

import json
import os
import subprocess
import sys
import warnings

import numpy
import pytest

NAN, INF = numpy.nan, numpy.inf


def odd(np, n, dtype="f8"):
    """Numbers without errors, some of them NaN and infinite; `n` leaves the rest of a vector."""
    x = numpy.linspace(-3, 3, n, dtype=dtype)
    x[n // 3] = NAN
    x[n // 2] = INF
    return np.array(x)


def plain(np, n, dtype="f8"):
    return np.array(numpy.linspace(1, 3, n, dtype=dtype))


def with_zero(np, n, dtype="f8"):
    x = numpy.linspace(1, 3, n, dtype=dtype)
    x[n - 1] = 0
    return np.array(x)


def masked_divide(np):
    y = with_zero(np, 37)
    out = np.zeros(37)
    np.divide(plain(np, 37), y, out=out, where=y != 0)
    return out


def masked_log(np):
    x = with_zero(np, 21)
    return np.log(x, out=np.zeros(21), where=x > 0)


def masked_but_bad(np):
    y = with_zero(np, 37)
    return np.divide(plain(np, 37), y, out=np.zeros(37), where=y < 1)


def blow_up(np):
    x = plain(np, 50)
    for _ in range(12):
        x *= x
        x *= 1e30
    return x


def in_place(np):
    x = plain(np, 1000)
    x /= with_zero(np, 1000)
    return x


def stencil(np):
    x = np.zeros((40, 40))
    x[0] = 1e308
    for _ in range(3):
        x[1:-1, 1:-1] = x[:-2, 1:-1] + x[2:, 1:-1] + x[1:-1, :-2] + x[:-2, 1:-1]
    return x


# What raises errors, by whom.
ERRORS = {
    "divide": lambda np: plain(np, 37) / with_zero(np, 37),
    "divide f4": lambda np: plain(np, 37, "f4") / with_zero(np, 37, "f4"),
    "last of many": lambda np: plain(np, 300_007) / with_zero(np, 300_007),
    "zero by zero": lambda np: (plain(np, 9) - plain(np, 9)) / np.zeros(9),
    "log": lambda np: np.log(with_zero(np, 33)) * 2,
    "log of negative": lambda np: np.log(-plain(np, 33)) + 1,
    "sqrt": lambda np: np.sqrt(odd(np, 19)) + 1,
    "overflow": lambda np: plain(np, 1001) * 1e308 * 10,
    "exp": lambda np: np.exp(plain(np, 77) * 1000),
    "two": lambda np: np.log(with_zero(np, 10)) + 1 / with_zero(np, 10),
    "inf - inf": lambda np: odd(np, 20) - odd(np, 20),
    "sine": lambda np: np.sin(odd(np, 20)) + np.cos(plain(np, 20)),
    "power": lambda np: plain(np, 20) ** (with_zero(np, 20) * 1000),
    "cast": lambda np: (odd(np, 20) * 2).astype("i8") + 1,
    "cast small": lambda np: (odd(np, 20) * 2).astype("i2") + 1,
    "narrow": lambda np: (plain(np, 20) * 1e300).astype("f4"),
    "integers": lambda np: np.arange(20) // (np.arange(20) % 3),
    "remainders": lambda np: np.arange(20) % (np.arange(20) % 3),
    "float remainder": lambda np: plain(np, 20) % with_zero(np, 20),
    "floor divide": lambda np: plain(np, 20) // with_zero(np, 20),
    "reciprocal": lambda np: np.reciprocal(with_zero(np, 20)),
    "sum": lambda np: (plain(np, 200) * 1e307).sum(),
    "sum of both": lambda np: np.array([INF, 1, -INF, 2]).sum(),
    "sum of rows": lambda np: (plain(np, 200) * 1e307).reshape(10, 20).sum(axis=0),
    "prod": lambda np: (plain(np, 200) * 1e300).prod(),
    "fmax keeps": lambda np: np.fmax(plain(np, 37) / with_zero(np, 37), 2.0) * 3,
    "complex less": lambda np: (1 / with_zero(np, 7) + 1j) < 1j,
    "complex": lambda np: (plain(np, 7) + 1j) / (with_zero(np, 7) * 0j),
    "running": lambda np: np.cumsum(plain(np, 200) * 1e307),
    "running product": lambda np: np.cumprod(plain(np, 200) * 1e300),
    "matmul": lambda np: (plain(np, 16) * 1e200).reshape(4, 4) @ np.full((4, 4), 1e200),
    "matmul of integers": lambda np: np.arange(4) @ np.arange(4),
    "vector product": lambda np: np.dot(plain(np, 16) * 1e200, plain(np, 16) * 1e200),
    "masked": masked_but_bad,
    "blow up": blow_up,
    "in place": in_place,
    "stencil": stencil,
}
# What raises none.
QUIET = {
    "less": lambda np: (odd(np, 37) < 1) & (odd(np, 37) >= -1),
    "less f4": lambda np: (odd(np, 37, "f4") < 1) | (odd(np, 37, "f4") > 2),
    "extremes": lambda np: np.maximum(odd(np, 37), 0.5) + np.minimum(odd(np, 37), 7),
    "largest": lambda np: (odd(np, 370) * 2).max() + (odd(np, 37) * 2).min(),
    "largest of rows": lambda np: (odd(np, 370).reshape(10, 37) * 2).max(axis=1),
    "fmax": lambda np: np.fmax(odd(np, 37), 0.5),
    "clip": lambda np: np.clip(odd(np, 37), -1, 1),
    "where": lambda np: np.where(odd(np, 37) > 0, odd(np, 37), 0.0),
    "tests": lambda np: np.isnan(odd(np, 37)) | np.isfinite(odd(np, 37)) | np.isinf(odd(np, 9)[0]),
    "sign": lambda np: np.sign(odd(np, 37)) + np.floor(odd(np, 37)) + np.rint(odd(np, 37)),
    "arithmetic": lambda np: odd(np, 37) * 2 + 1 - odd(np, 37) / 3,
    "sum": lambda np: odd(np, 1000).sum() + odd(np, 37).mean(),
    "tail": lambda np: np.log(plain(np, 13)) / np.sqrt(plain(np, 13)),
    "every tail": lambda np: [1 / np.log(plain(np, n) + 1) for n in range(1, 40)][-1],
    "steps": lambda np: 1 / np.log(plain(np, 41) + 1)[::3],
    "rows": lambda np: 1 / (plain(np, 35).reshape(5, 7) + plain(np, 35).reshape(7, 5).T),
    "bool": lambda np: odd(np, 37).astype(bool),
    "float": lambda np: odd(np, 37).astype("f4").astype("f8"),
    "integers": lambda np: np.arange(20) // (np.arange(20) + 1) % 7,
    "unsigned": lambda np: plain(np, 20).astype("u8") + plain(np, 20).astype("u4"),
    "power": lambda np: plain(np, 20) ** 3.5,
    "exp": lambda np: np.exp(-plain(np, 20)) + np.tanh(odd(np, 20)),
    "masked divide": masked_divide,
    "masked log": masked_log,
}
CASES = {
    **{f"error: {k}": v for k, v in ERRORS.items()},
    **{f"quiet: {k}": v for k, v in QUIET.items()},
}


def warned(compute, filters):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter(filters)
        numpy.asarray(compute())
    return sorted({str(w.message) for w in seen if issubclass(w.category, RuntimeWarning)})


def all_warned(np, filters="default"):
    return {name: warned(lambda case=case: case(np), filters) for name, case in CASES.items()}


def expected():
    with numpy.errstate(all="warn", under="ignore"):
        return all_warned(numpy)


TIERS = {
    "interpreted": {"FUSEAU_JIT": "0"},
    "compiled": {"FUSEAU_JIT": "always"},
    "threads": {"FUSEAU_JIT": "always", "FUSEAU_NUM_THREADS": "4"},
    "one by one": {"FUSEAU_EAGER": "1"},
}


@pytest.mark.parametrize("tier", TIERS)
def test_warnings_are_numpys_in_every_tier(tier):
    child = subprocess.run(
        [sys.executable, __file__],
        env={**os.environ, **TIERS[tier]},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    got = json.loads(child.stdout)
    want = expected()
    assert {k: v for k, v in got.items() if v != want[k]} == {}


if __name__ == "__main__":
    import fuseau

    print(json.dumps(all_warned(fuseau)))
