"""Version 2024.12 of the array API standard: for each function a call with all of its parameters.

The names in the calls: `x`, `y` matrices of float64, `s` a positive definite one, `v` a vector, `i`,
`j` matrices of int64, `b` one of bool, `c` one of complex128.
"""

ELEMENTWISE = {
    "x": """abs acos asin atan atanh ceil cos cosh exp expm1 floor isfinite isinf isnan log log10
        log1p log2 logical_not negative positive reciprocal round sign signbit sin sinh sqrt square
        tan tanh trunc asinh acosh""",
    "c": "conj imag real",
    "i": "bitwise_invert",
    "x, y": """add atan2 copysign divide equal floor_divide greater greater_equal hypot less
        less_equal logaddexp maximum minimum multiply nextafter not_equal pow remainder subtract""",
    "b, b": "logical_and logical_or logical_xor",
    "i, j": "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift",
}

CALLS = """
arange(1, 9, 2, dtype=xp.float32, device="cpu")
arange(5, stop=None, step=1)
asarray([1, 2], dtype=xp.float32, device="cpu", copy=True)
broadcast_arrays(x, v)
broadcast_to(v, (2, 3))
can_cast(xp.int32, xp.float64)
can_cast(x, xp.float32)
astype(x, xp.int16, copy=True, device="cpu")
clip(x, min=0.3, max=0.6)
clip(x, None, 0.6)
concat([x, y], axis=1)
concat([x, y], axis=None)
count_nonzero(b, axis=1, keepdims=True)
cumulative_prod(x, axis=1, dtype=xp.float32, include_initial=True)
cumulative_sum(x, axis=1, dtype=xp.float32, include_initial=True)
diff(x, axis=1, n=1, prepend=y, append=y)
empty((2, 0), dtype=xp.int8, device="cpu")
empty_like(x[:0], dtype=xp.int8, device="cpu")
expand_dims(x, axis=1)
eye(3, 4, k=1, dtype=xp.int8, device="cpu")
finfo(xp.float32).bits
flip(x, axis=1)
from_dlpack(x, device="cpu", copy=True)
full((2, 3), 7, dtype=xp.int8, device="cpu")
full_like(x, 7, dtype=xp.int8, device="cpu")
iinfo(xp.int8).max
isdtype(xp.float32, ("real floating", xp.int8))
linspace(0, 1, num=5, dtype=xp.float32, device="cpu", endpoint=False)
matmul(s, s)
matrix_transpose(x)
meshgrid(v, v, indexing="ij")
moveaxis(x, 0, 1)
nonzero(b)
ones((2, 3), dtype=xp.int8, device="cpu")
ones_like(x, dtype=xp.int8, device="cpu")
permute_dims(x, axes=(1, 0))
repeat(x, 2, axis=1)
repeat(v, i[0, :])
reshape(x, (3, 2), copy=True)
result_type(x, xp.float32, 1)
roll(x, (1, 2), axis=(0, 1))
searchsorted(v, x, side="right", sorter=xp.asarray([0, 1, 2]))
squeeze(x[None], axis=0)
stack([x, y], axis=1)
take(x, xp.asarray([0, 2]), axis=1)
take_along_axis(x, xp.asarray([[0, 1], [2, 0]]), axis=1)
tensordot(x, y, axes=((0, 1), (0, 1)))
tile(x, (2, 2))
tril(x, k=1)
triu(x, k=1)
unique_all(i)
unique_counts(i)
unique_inverse(i)
unique_values(i)
unstack(x, axis=1)
vecdot(x, y, axis=-1)
where(b, x, y)
zeros((2, 3), dtype=xp.int8, device="cpu")
zeros_like(x, dtype=xp.int8, device="cpu")
all(b, axis=1, keepdims=True)
any(b, axis=1, keepdims=True)
argmax(x, axis=1, keepdims=True)
argmin(x, axis=1, keepdims=True)
argsort(x, axis=1, stable=True)
sort(x, axis=1, stable=True)
max(x, axis=1, keepdims=True)
mean(x, axis=1, keepdims=True)
min(x, axis=1, keepdims=True)
prod(x, axis=1, dtype=xp.float32, keepdims=True)
std(x, axis=1, correction=1, keepdims=True)
sum(x, axis=1, dtype=xp.float32, keepdims=True)
var(x, axis=1, correction=1, keepdims=True)
fft.fft(v, n=4, axis=-1, norm="ortho")
fft.ifft(v, n=4, axis=-1, norm="ortho")
fft.fftn(x, s=(2, 4), axes=(0, 1), norm="ortho")
fft.ifftn(x, s=(2, 4), axes=(0, 1), norm="ortho")
fft.rfft(v, n=4, axis=-1, norm="ortho")
fft.irfft(v, n=4, axis=-1, norm="ortho")
fft.rfftn(x, s=(2, 4), axes=(0, 1), norm="ortho")
fft.irfftn(x, s=(2, 4), axes=(0, 1), norm="ortho")
fft.hfft(v, n=4, axis=-1, norm="ortho")
fft.ihfft(v, n=4, axis=-1, norm="ortho")
fft.fftfreq(5, d=0.1, device="cpu")
fft.rfftfreq(5, d=0.1, device="cpu")
fft.fftshift(x, axes=(0,))
fft.ifftshift(x, axes=(0,))
linalg.cholesky(s, upper=True)
linalg.cross(v, v[::-1], axis=-1)
linalg.det(s)
linalg.diagonal(x, offset=1)
linalg.eigh(s)
linalg.eigvalsh(s)
linalg.inv(s)
linalg.matmul(s, s)
linalg.matrix_norm(x, keepdims=True, ord=1)
linalg.matrix_power(s, 3)
linalg.matrix_rank(s, rtol=1e-9)
linalg.matrix_transpose(x)
linalg.outer(v, v)
linalg.pinv(x, rtol=1e-9)
linalg.qr(x, mode="reduced")
linalg.slogdet(s)
linalg.solve(s, v)
linalg.svd(x, full_matrices=False)
linalg.svdvals(x)
linalg.tensordot(x, y, axes=2)
linalg.trace(s, offset=1, dtype=xp.float32)
linalg.vecdot(x, y, axis=-1)
linalg.vector_norm(x, axis=1, keepdims=True, ord=1)
"""

UNKNOWN_TO_NUMPY = """
argsort(x, descending=True)
sort(x, descending=True)
fft.fftfreq(5, dtype=xp.float32)
fft.rfftfreq(5, dtype=xp.float32)
"""
"""Parameters of the standard that NumPy does not have, and fuseau so does not either."""

METHODS = """
x.dtype
x.device
x.mT
x.ndim
x.shape
x.size
x.T
abs(x)
x + y
2 + x
i & j
bool(x[0, 0])
complex(x[0, 0])
x == y
float(x[0, 0])
x // y
x >= y
x[..., None, 1:]
x[b]
x[xp.asarray([1, 0]), xp.asarray([0, 2])]
x > y
i[0, 0].__index__()
int(x[0, 0])
~i
x <= y
i << 1
x < y
s @ s
x % y
x * y
x != y
-x
i | j
+x
x ** 2
i >> 1
x - y
x / y
i ^ j
x.__dlpack_device__()
x.to_device("cpu", stream=None)
"""

CONSTANTS = "e inf nan newaxis pi"
DTYPES = """bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64
    complex128"""


def calls():
    """All calls as text, each with its function."""
    out = [
        f"{name}({operands})" for operands, names in ELEMENTWISE.items() for name in names.split()
    ]
    return out + CALLS.strip().split("\n")
