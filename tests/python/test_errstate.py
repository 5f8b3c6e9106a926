"""Floating-point errors: warned of when computed, acted on at the call where that is asked for."""

import threading
import warnings

import fuseau
import numpy
import pytest


@pytest.fixture(autouse=True)
def usual_state():
    with fuseau.errstate(all="warn", under="ignore"):
        yield


def warned(compute):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        compute()
    return sorted(str(w.message) for w in seen if issubclass(w.category, RuntimeWarning))


CASES = {
    "divide": lambda np: np.array([1.0, 0.0]) / np.zeros(2),
    "log": lambda np: np.log(np.array([-1.0, 0.0])),
    "sqrt": lambda np: np.sqrt(np.array([-1.0])),
    "overflow": lambda np: np.array([1e300]) * 1e300,
    "exp": lambda np: np.exp(np.array([1e4, 1.0])),
    "integers": lambda np: np.arange(3) // np.zeros(3, int),
    "remainder": lambda np: np.arange(3) % np.zeros(3, int),
    "cast": lambda np: np.array([numpy.nan, 1.0]).astype(int),
    "narrow": lambda np: np.array([1e300]).astype("f4"),
    "quiet": lambda np: np.array([numpy.nan, numpy.inf]) * 2 + 1 > 0,
    "extremes": lambda np: np.maximum(np.array([numpy.nan, 1.0]), 0.5),
    "sine": lambda np: np.sin(np.array([1e6, -3.0, numpy.nan])),
}


@pytest.mark.parametrize("name", CASES)
def test_warnings_are_numpys(name):
    expected = warned(lambda: CASES[name](numpy))
    assert warned(lambda: numpy.asarray(CASES[name](fuseau))) == expected


@pytest.mark.parametrize("name", ["divide", "log", "overflow", "integers", "cast"])
def test_raise_acts_at_the_call(name):
    with fuseau.errstate(all="raise"), pytest.raises(FloatingPointError) as ours:
        CASES[name](fuseau)
    with numpy.errstate(all="raise"), pytest.raises(FloatingPointError) as theirs:
        CASES[name](numpy)
    assert str(ours.value) == str(theirs.value)


def test_what_was_ignored_when_recorded_stays_ignored():
    with fuseau.errstate(divide="ignore"):
        result = fuseau.ones(2) / fuseau.zeros(2)
    assert warned(result.eval) == []


def test_a_warning_may_be_an_error_and_the_value_stays():
    # An expression that was not compiled by the tests before.
    result = fuseau.log2(fuseau.zeros(2)) * 0.375
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            result.eval()
    assert result.tolist() == [-numpy.inf, -numpy.inf]


def test_raise_acts_every_time():
    x = fuseau.zeros(100)
    for _ in range(20):
        with fuseau.errstate(all="raise"), pytest.raises(FloatingPointError):
            fuseau.log10(x) * 3.5


def test_decorator_and_seterr():
    @fuseau.errstate(all="raise")
    def divide():
        return fuseau.ones(2) / fuseau.zeros(2)

    with pytest.raises(FloatingPointError):
        divide()
    old = fuseau.seterr(all="ignore")
    try:
        assert warned((fuseau.ones(2) / fuseau.zeros(2)).eval) == []
    finally:
        fuseau.seterr(**old)
    assert fuseau.geterr() == old


def test_what_was_watched_when_recorded_warns_under_another_state():
    result = fuseau.ones(2) / fuseau.zeros(2)
    with fuseau.errstate(all="ignore"):
        assert warned(result.eval) == ["divide by zero encountered in divide"]


def test_states_of_one_evaluation_do_not_mix():
    x, zero = fuseau.ones(3), fuseau.zeros(3)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        with fuseau.errstate(divide="ignore"):
            ignored = x / zero
        (ignored - ignored + fuseau.log(zero)).eval()
    assert sorted(str(w.message) for w in seen) == [
        "divide by zero encountered in log",
        "invalid value encountered in subtract",
    ]


def test_threads_have_states_of_their_own():
    inside, recorded = threading.Event(), threading.Event()

    def ignore():
        with fuseau.errstate(all="ignore"):
            inside.set()
            recorded.wait(10)

    thread = threading.Thread(target=ignore)
    thread.start()
    inside.wait(10)
    result = fuseau.ones(2) / fuseau.zeros(2)
    recorded.set()
    thread.join()
    assert warned(result.eval) == ["divide by zero encountered in divide"]


def test_a_listener_gets_the_warning_where_it_belongs():
    with pytest.warns(RuntimeWarning, match="divide by zero encountered in divide"):
        _ = fuseau.ones(2) / fuseau.zeros(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning, match="encountered in scalar divide"):
            fuseau.ones(2).sum() / 0
    # Nobody listens any more: nothing is computed before it is wanted.
    windows = fuseau.stats()["windows"]
    lazy = fuseau.ones(3) * 2
    assert fuseau.stats()["windows"] == windows
    assert lazy.tolist() == [2, 2, 2]


def test_the_place_is_the_users_line():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fuseau.mean(fuseau.array([numpy.inf, -numpy.inf]))
        str(fuseau.diff(fuseau.array([numpy.inf, numpy.inf])))
    assert {w.filename for w in seen} == {__file__}


WORDS = {
    "operator of scalars": lambda np: np.ones(3).sum() / 0,
    "function of scalars": lambda np: np.divide(np.ones(3).sum(), 0),
    "operator of an array": lambda np: np.array(1.0) / 0,
    "power": lambda np: np.array([1e200])[0] ** 3,
    "power of a scalar": lambda np: np.full(1, 1e200).max() ** 3,
    "power of a scalar of a third type": lambda np: np.zeros(1, int).max() ** -0.5,
    "element": lambda np: np.array([1, 2])[0] // 0,
    "dot": lambda np: np.dot(np.full((2, 2), 1e200), np.full((2, 2), 1e200)),
    "method dot": lambda np: np.full(2, 1e200).dot(np.full(2, 1e200)),
    "inner": lambda np: np.inner(np.full(2, 1e200), np.full(2, 1e200)),
    "vdot": lambda np: np.vdot(np.full(2, 1e200), np.full(2, 1e200)),
    "matmul": lambda np: np.full((2, 2), 1e200) @ np.full((2, 2), 1e200),
    "mean": lambda np: np.array([numpy.inf, -numpy.inf]).mean(),
    "accumulate": lambda np: np.cumprod(np.full(3, 1e200)),
    "assignment": lambda np: np.zeros(2, "f4").__setitem__(0, np.float64(1e300)),
    "assigned array": lambda np: np.zeros(2, "f4").__setitem__(..., np.full(2, 1e300)),
}


@pytest.mark.parametrize("name", WORDS)
def test_words_are_numpys(name):
    assert warned(lambda: WORDS[name](fuseau)) == warned(lambda: WORDS[name](numpy))
