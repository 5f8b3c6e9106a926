"""Products whose bits NumPy's dot has from elsewhere than its matmul."""

import numpy
import pytest
from checks import agree

ONE = [[-0.0], [1.0], [-2.5]]


@pytest.mark.parametrize("name", ["dot", "inner", "vdot", "matmul", "vecdot"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "int64"])
@pytest.mark.parametrize("ranks", [(1, 1), (2, 2), (1, 2), (2, 1)])
@pytest.mark.parametrize("x", ONE)
@pytest.mark.parametrize("y", ONE)
def test_of_one_element(name, dtype, ranks, x, y):
    """The sign of zero, too: multiplied, or added to 0.0."""

    def product(np):
        a, b = (
            np.asarray(numpy.array(v, dtype).reshape((1,) * n))
            for v, n in zip((x, y), ranks, strict=True)
        )
        return getattr(np, name)(a, b)

    agree(product)


def test_of_one_element_is_written_to():
    agree(lambda np: np.add(1.0, 2.0, out=np.dot(np.ones(1), np.ones((1, 1)))))
