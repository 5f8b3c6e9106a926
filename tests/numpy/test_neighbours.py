"""Arrays next to NumPy's other classes: matrices, flat iterators, pointers, lists of objects."""

import ctypes

import fuseau
import numpy
import pytest


def both(use):
    """What a function of the module gives with NumPy and with fuseau."""
    results = []
    for np in (numpy, fuseau):
        try:
            results.append(use(np))
        except Exception as error:
            results.append((type(error), str(error).replace("fuseau", "numpy")))
    return results


pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")
MATRIX = numpy.array([[1.0, 2.0], [3.0, 4.0]]).view(numpy.matrix)
MASKED = numpy.ma.masked_array([1.0, 2.0], [False, True])

OPERATORS = [
    lambda np: MATRIX * np.ones((2, 2)),
    lambda np: np.ones((2, 2)) * MATRIX,
    lambda np: np.ones((2, 2)) @ MATRIX,
    lambda np: np.arange(4.0).reshape(2, 2) ** MATRIX,
    lambda np: MATRIX * np.ones(2),
    lambda np: np.ones(2) - MASKED,
    lambda np: MASKED / np.zeros(2),
    lambda np: np.sum(np.ones(3)) * MATRIX,
]


@pytest.mark.parametrize("use", OPERATORS)
def test_operators_of_numpys_subclasses(use):
    theirs, ours = both(use)
    assert type(ours) is type(theirs) and repr(ours) == repr(theirs)


def flat_write(np):
    a = np.arange(6).reshape(2, 3)
    a.flat[np.array([4, 0])] = np.array([7, 8])
    a.flat[a.ravel() == 2] = 9
    return a


FLAT = [
    lambda np: np.arange(6).reshape(2, 3).flat[np.arange(6) % 2 == 0],
    lambda np: np.arange(6).reshape(2, 3).flat[np.array([1, 5])],
    lambda np: np.arange(6).reshape(2, 3).T.flat[1:4],
    lambda np: numpy.asarray(list(np.arange(6).reshape(2, 3).T.flat)),
    lambda np: np.sum(np.arange(6).flat),
    lambda np: np.arange(3).flat == np.arange(3),
    lambda np: np.asarray(np.arange(6).reshape(2, 3).flat),
    flat_write,
]


@pytest.mark.parametrize("use", FLAT)
def test_flat(use):
    theirs, ours = both(use)
    numpy.testing.assert_array_equal(theirs, numpy.asarray(ours), strict=True)


def test_flat_is_one_of_numpys():
    a = fuseau.ones((2, 2))
    assert isinstance(a.flat, numpy.flatiter)
    assert a.flat.base is a and len(a.flat) == 4
    with pytest.raises(TypeError, match="Cannot delete"):
        del a.flat[0]


# The results are compared as text: values, types and errors.
LIKE_NUMPY = [
    lambda np: np.zeros(True),
    lambda np: np.sum(np.ones((2, 2)), True),
    lambda np: np.ones(1).reshape(True, -1),
    lambda np: np.take(np.ones((3, 3)), [0], False),
    lambda np: np.copyto(np.arange(3, dtype="u1"), 3, casting="equiv"),
    lambda np: np.concatenate([[1, 2], [3]], casting="same_value"),
    lambda np: np.concatenate([np.float32(1), 1.0], axis=None).dtype,
    lambda np: np.arange(start=4),
    lambda np: np.array([1, 2], copy="always"),
    lambda np: np.ones(2).astype(int, copy=numpy._CopyMode.NEVER),
    lambda np: np.add(1, 2, np.ones(()), out=np.ones(())),
    lambda np: np.matmul(np.ones((0, 1, 1)), np.ones((0, 1, 1)), out=np.ones((1, 1, 1))),
    lambda np: np.add.outer(np.ones((1,) * 33), np.ones((1,) * 33)),
    lambda np: np.modf(np.ones(2), np.empty(2), np.empty(2)),
    lambda np: np.divmod(np.arange(3), 2, where=np.array([True, True, True])),
    lambda np: np.arange(10)[np.arange(10).reshape(5, 2).T].flags.f_contiguous,
    lambda np: (
        np.arange(12)
        .reshape(4, 3)[np.array([[0, 1], [2, 3]]).T, np.array([[0, 1], [2, 0]]).T]
        .flags.f_contiguous
    ),
    lambda np: np.round(np.arange(6.0).reshape(2, 3).T * 1j, 2).flags.f_contiguous,
    lambda np: np.zeros(9, "i1")[1:].view("i4").flags.aligned,
    lambda np: np.zeros(8, "i1")[4:].view("i4").flags.aligned,
    lambda np: type(np.copy(MASKED, subok=True)),
    lambda np: np.object,
    lambda np: __import__("operator").concat(np.ones(2), np.ones(2)),
    lambda np: np.stack(x for x in range(3)),
    lambda np: np.array(np.arange(4).reshape(2, 2), order="F", copy=numpy._CopyMode.IF_NEEDED),
]


@pytest.mark.parametrize("use", LIKE_NUMPY)
def test_calls_that_numpy_refuses_or_takes(use):
    theirs, ours = both(use)
    assert repr(ours) == repr(theirs)


def test_gathered_elements_in_the_order_of_the_indices():
    x = numpy.arange(24.0).reshape(4, 6)
    rows = numpy.array([[0, 1, 3], [2, 3, 0]])
    for index in [rows.T, (rows.T, rows.T), (rows.T, rows[:1].T), (rows, slice(None, None, 2))]:
        ours = tuple(map(lift, index)) if isinstance(index, tuple) else lift(index)
        expected, got = x[index], fuseau.array(x)[ours]
        numpy.testing.assert_array_equal(expected, numpy.asarray(got), strict=True)
        assert got.strides == expected.strides


def lift(index):
    """A fuseau array with the values and the order of axes of an index."""
    return index if isinstance(index, slice) else fuseau.asarray(index.T.copy()).T


def test_a_matrix_of_named_parts():
    part = fuseau.ones((2, 2))
    assert fuseau.bmat("part, part; part, part").shape == (4, 4)
    assert fuseau.r_["part; part"].shape == (4, 2)
    assert part is not None


def test_objects_stay_the_same_objects():
    items = [None, fuseau.array([3]), "x"]
    made = fuseau.array(items, dtype=object)
    assert all(x is y for x, y in zip(made, items, strict=True))


def test_a_list_that_holds_itself():
    endless = []
    endless.append(endless)
    for np in (numpy, fuseau):
        assert np.array([endless], dtype=object).dtype == object


class ArrayLike:
    def __array__(self, dtype=None, copy=None):
        return fuseau.array(1)


def test_array_likes_in_lists_and_indices():
    assert fuseau.array([ArrayLike(), ArrayLike()]).tolist() == [1, 1]
    assert float(fuseau.arange(6.0).reshape(2, 3)[1, ArrayLike()]) == 4.0


def test_arguments_of_foreign_functions():
    pointer = fuseau.ctypeslib.ndpointer(dtype=fuseau.float64, ndim=1, flags="C_CONTIGUOUS")
    assert pointer is fuseau.ctypeslib.ndpointer(fuseau.float64, 1, None, "C_CONTIGUOUS")
    a = fuseau.arange(3.0)
    address = ctypes.cast(pointer.from_param(a)._as_parameter_, ctypes.c_void_p).value
    assert ctypes.c_double.from_address(address + 8).value == 1.0
    with pytest.raises(TypeError, match="array must have data type float64"):
        pointer.from_param(fuseau.arange(3))


def test_random_choice_gives_a_number():
    assert isinstance(fuseau.random.default_rng(0).choice(2), numpy.integer | int)
    assert isinstance(numpy.random.default_rng(), fuseau.random.Generator)


def test_resize_in_place():
    a = fuseau.eye(3)
    a.resize()
    a.resize(None)
    assert a.shape == (3, 3)
    view = fuseau.zeros((10, 0))[...]
    view.resize((0, 100))
    assert view.shape == (0, 100)
    with pytest.raises(TypeError):
        a.resize(refcheck="hi")


def test_the_third_argument_of_maximum():
    with pytest.warns(DeprecationWarning, match="more than 2 positional"):
        fuseau.maximum(fuseau.ones(1), fuseau.zeros(1), fuseau.empty(1))
