"""Tasks: results are those of one call with the whole arrays, for any number of shards."""

import fuseau as fnp
import numpy
import pytest
from test_commands import call

RNG = numpy.random.default_rng(11)
X = RNG.normal(size=(57, 8))
W = RNG.normal(size=(57,))


def smooth(x):
    out = x.copy()
    out[2:-2] = (x[:-4] + x[1:-3] + x[2:-2] + x[3:-1] + x[4:]) / 5
    return out


@pytest.mark.parametrize("shards", [None, 1, 2, 5, 28, 1000])
def test_a_stencil_with_a_halo(shards):
    found = fnp.task(smooth, halo=2, shards=shards)(fnp.array(X))
    assert type(found) is fnp.ndarray
    numpy.testing.assert_array_equal(numpy.asarray(found), smooth(X))


def test_without_the_halo_it_would_be_wrong():
    found = fnp.task(smooth, halo=0, shards=4)(fnp.array(X))
    assert not numpy.array_equal(numpy.asarray(found), smooth(X))


def test_shards_are_what_the_function_gets():
    rows = []

    @fnp.task(halo=1, shards=3)
    def watch(x):
        rows.append(x[:, 0].tolist())
        assert not x.flags.writeable
        return x

    watch(fnp.arange(9.0).reshape(9, 1))
    assert sorted(rows) == [[0, 1, 2, 3], [2, 3, 4, 5, 6], [5, 6, 7, 8]]


def test_several_inputs_and_outputs_and_what_is_not_cut():
    @fnp.task(inputs=["x", "w"], outputs=2, shards=4)
    def both(x, w, scale, table, *, shift=0.0):
        assert table.shape == (3,) and len(x) == len(w)
        return x * w[:, None] * scale + table.sum(), (x > shift).sum(axis=1)

    table = numpy.arange(3.0)
    first, second = both(fnp.array(X), fnp.array(W), 2.0, fnp.array(table), shift=0.5)
    numpy.testing.assert_array_equal(numpy.asarray(first), X * W[:, None] * 2.0 + 3.0)
    numpy.testing.assert_array_equal(numpy.asarray(second), (X > 0.5).sum(axis=1))


def test_values_are_those_of_the_call():
    x = fnp.ones((10, 2))
    y = fnp.task(lambda a: a + 1.0, shards=2)(x * 3.0)
    x += 5.0
    assert (y == 4.0).all()


def test_an_error_of_the_function_passes():
    def bad(x):
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        fnp.task(bad, shards=3)(fnp.ones(9))


@pytest.mark.parametrize(
    "keywords, error, text",
    [
        ({"halo": -1}, ValueError, "halo=-1, expected 0 or more"),
        ({"halo": 1.5}, TypeError, "halo=1.5, expected a whole number"),
        ({"shards": 0}, ValueError, "shards=0, expected 1 or more"),
        ({"outputs": 0}, ValueError, "outputs=0, expected 1 or more"),
        ({"inputs": ["y"]}, ValueError, "smooth has no parameter 'y'"),
        ({"inputs": "x"}, TypeError, "expected a sequence of names"),
    ],
)
def test_wrong_declarations(keywords, error, text):
    with pytest.raises(error, match=text):
        fnp.task(smooth, **keywords)
    with pytest.raises(TypeError, match="wants a function, not int"):
        fnp.task(3)


def test_wrong_calls():
    with pytest.raises(ValueError, match=r"same number of rows, not \{'a': 3, 'b': 4\}"):
        fnp.task(lambda a, b: a)(fnp.ones(3), fnp.ones(4))
    with pytest.raises(ValueError, match="not none"):
        fnp.task(lambda a: a)(3.0)
    with pytest.raises(ValueError, match=r"got 3 rows and returned an array of shape \(2,\)"):
        fnp.task(lambda a: a[1:])(fnp.ones(3))
    with pytest.raises(TypeError, match="expected a tuple of 2 arrays"):
        fnp.task(lambda a: a, outputs=2)(fnp.ones(3))


def test_on_many_ranks_it_gathers_and_says_so(tmp_path):
    (tmp_path / "prog.py").write_text(
        """
import fuseau as np

@np.task(shards=3)
def double(x):
    return x * 2.0

for _ in range(2):
    x = np.ones((800, 800)) + 1.0
    print(float(double(x).sum()))
"""
    )
    status, out, err = call(["-m", "fuseau", "run", "-n", "2", "prog.py"], tmp_path)
    assert status == 0, err
    assert out.split() == [str(800 * 800 * 4.0)] * 2
    assert err.count("a task gathers its arrays") == 1
