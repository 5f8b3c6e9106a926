"""Sums, extremes, scans and products. `reductions.py MODULE` computes with that module."""

import hashlib
import importlib
import sys

np = importlib.import_module(sys.argv[1])

x = np.sin(np.arange(300_007) * 0.37)
table = x[:300_000].reshape(600, 500)
for name, value in {
    "sum": x.sum(),
    "sum of a part": x[1:-1].sum(),
    "mean": x.mean(),
    "std": x.std(),
    "max": x.max(),
    "argmin": x.argmin(),
    "count": (x > 0.5).sum(),
    "norm": np.sqrt((x * x).sum()),
}.items():
    print(name, float(value).hex())
for name, array in {
    "rows": table.sum(axis=1),
    "columns": table.sum(axis=0),
    "largest": table.max(axis=0),
    "scan": np.cumsum(np.arange(300_000)),
    "sorted": np.sort(x),
    "turned": table.T.copy(),
    "centred": table - table.mean(axis=0),
}.items():
    print(name, hashlib.sha256(array.tobytes()).hexdigest())
