"""Programs on which NumPy and the module once differed, as the shrinker printed them.

The module is named by FUSEAU_TEST_MODULE. Paste a shrunk program as a function below, or add its
text to PROGRAMS.
"""

import importlib
import os
import textwrap

import pytest

from tests.fuzz.execute import check

MODULE = os.environ.get("FUSEAU_TEST_MODULE", "fuseau")

PROGRAMS = [
    """
    a0 = np.array([1.0, -0.0, inf, nan])
    a1 = a0[1:]
    a2 = a0 + a0
    a1[...] = a0[:-1]
    a3 = a1.sum()
    """,
    # The rounding error of a complex64 product, in a complex128.
    """
    a0 = data('complex128', (), 0)
    a1 = data('complex64', (1, 2, 3), 2)
    a2 = np.reciprocal(a1)
    np.multiply(a2[:, ::-1, ::-1], a1[:, :, ::-1], out=a2)
    a3 = a0 * a2
    """,
    # What has no type here is NumPy's own array, and so are views of it.
    """
    a0 = np.array((0,))
    a1 = a0.all(keepdims=True)
    a2 = np.nextafter(a1, a1) + 0.5j
    a3 = np.swapaxes(a2, 0, 0)
    a3[()] = a0
    """,
    # Python's complex numbers compute with NumPy's floats by themselves.
    """
    a0 = ()
    a1 = np.mean(a0)
    a2 = 0.5j - a1
    """,
    # A mask that is a view of what is written.
    """
    a1 = np.array(data('bool', (17,), 2561))
    a2 = np.flip(a1, axis=0)
    a2[a1] = False
    """,
    # The vectors of nonzero are columns of one array.
    """
    a0 = np.array([[0, 1], [2, 0]])
    a1 = a0.nonzero()[1]
    a2 = np.ascontiguousarray(a1)
    a2[:] = 7
    """,
    # keepdims of an element that is still lazy.
    """
    a0 = np.asarray(data('complex64', (100,), 2522)) + 1
    a1 = a0[5].argmax(axis=-1, keepdims=True)
    """,
    # The last bit of a magnitude, read as a Python number.
    """
    a0 = np.array([0.020077345959777015j, 0.07415884212884828 + 7.177799881151191j])
    a1 = abs(a0)
    a1 = a1[::-1] + a1
    a2 = a1.tolist()
    """,
    # A Python integer that int64 cannot hold, beside a mask.
    """
    a0 = np.array([False, True])
    a1 = np.where(a0, a0, 2**63)
    """,
    # An index that is an array of no dimensions copies; a scalar, also a lazy one, does not.
    """
    a0 = np.array([[1, 2], [3, 4]])
    a1 = a0[np.array(0)]
    a1[:] = 7
    a2 = a0[np.array([0, 0]).sum()]
    a2[:] = 8
    a3 = a0[..., np.array(1)]
    a3[:] = 9
    """,
    # Nothing to pad is a copy too.
    """
    a0 = np.asarray(1)
    a1 = np.pad(a0, 0)
    a1[...] = 0
    """,
    # Nothing to squeeze gives the array itself, whose shape may be set.
    """
    a0 = np.array([[1, 2, 3], [4, 5, 6]])
    a1 = np.squeeze(a0)
    a0.shape = (3, 2)
    """,
    # What NumPy cuts out of a larger array has gaps, so that its reshape is a copy.
    """
    a0 = np.histogram2d(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0]), bins=3)[0]
    a1 = a0.reshape(9)
    a0[...] = 7
    """,
    # Under a mask a scalar is cast whatever its value; a mean of no axes refuses any.
    """
    a0 = np.zeros(2, 'int8')
    a0[a0 == 0] = np.array(300) + 0
    a1 = np.zeros(2, 'int8')
    a1[np.array([True, False])] = np.array([300, 1])[0]
    a2 = np.ones(1)[0].mean(axis=0)
    a3 = np.array(1.0).mean(axis=0)
    """,
    # Edges around one row lie in C order, as the row does.
    """
    a0 = np.pad(np.array([[1, 2]]), 2, mode='edge')
    a0.reshape(-1)[:] = 7
    """,
    # A list of arrays is an array in C order, whatever theirs is.
    """
    a0 = np.array([[1, 2, 3], [4, 5, 6]]).T
    a1 = np.array([a0, a0]).strides
    a2 = np.sum([a0, a0], axis=0).strides
    """,
    # A mask that would spread what is reduced.
    """
    a0 = np.logical_or.reduce(np.array([0]), where=np.zeros(0, bool))
    a1 = np.sum(np.array([1]), where=np.zeros((2, 1), bool))
    a2 = np.max(np.array([1, 2]), initial=0, where=np.array([1, 0]))
    """,
]


def assert_agrees(text):
    failure = check(textwrap.dedent(text).strip().splitlines(), importlib.import_module(MODULE))
    assert failure is None, f"{failure.kind}: {failure.message}"


@pytest.mark.parametrize("text", PROGRAMS)
def test_program(text):
    assert_agrees(text)


def test_an_array_made_of_a_scalar_is_writable():
    assert_agrees(
        """
        a0 = np.sum(np.ones(3))
        a1 = a0[None]
        a1 -= 1
        a2 = a0[...]
        a2 += 2
        a3 = np.median((), keepdims=True)
        a3 -= 1
        """
    )


def test_a_padded_array_lies_in_c_order_unless_the_array_is_fortrans():
    assert_agrees(
        """
        a0 = np.arange(2.0).reshape(2, 1)
        a1 = np.pad(a0[:, [0, 0]][::-1], 1)
        a1.shape = -1
        a2 = np.pad(np.asfortranarray(np.arange(6.0).reshape(2, 3)), 1, 'edge')
        a3 = a2.T
        a3.shape = -1
        """
    )


def test_a_known_number_seen_as_several_of_a_smaller_type():
    assert_agrees(
        """
        a0 = np.argmin(np.zeros((1, 1)), axis=0)
        a0[:] = 1
        a1 = np.take(a0.view('int32'), [0, 1])
        a2 = np.sum(np.zeros((1, 1)), axis=0)
        a2[:] = 7
        a3 = np.cumsum(a2.view('int32'))
        a4 = np.argmax(a2.view('int16'))
        """
    )


def test_a_number_that_becomes_known_while_a_view_of_it_is_pending():
    assert_agrees(
        """
        a0 = np.count_nonzero(np.ones((1, 1)), axis=-2, keepdims=True)
        a1 = np.zeros((1, 2), 'complex64')
        a1[...] = a0.view('int32')
        n0 = a0[0, 0].item()
        """
    )


def test_a_known_number_read_whole_and_in_parts_by_one_evaluation():
    assert_agrees(
        """
        a1 = np.array(data('complex128', (1, 1), 762))
        a2 = a1.view('float64')
        a1[a1 > 0] = (1+2j)
        a3 = a1[::3, [-1, 0, 0]].T
        a4 = np.less.outer(a2, a1)
        a6 = a1[(a1 < 0)[..., 0]]
        numpy.asarray(a3)[...][:2, ...] = (0.5-0.5j)
        """
    )
