"""Arrays that only the garbage collector frees, at other moments on each rank of a job."""

import gc
import importlib
import sys

np = importlib.import_module(sys.argv[1])
rank = np.ranks()["rank"] if hasattr(np, "ranks") else 0


class Cell:
    """A value in a cycle."""

    def __init__(self, value):
        self.value, self.me = value, self


if rank % 2:
    gc.disable()
else:
    gc.set_threshold(5, 1, 1)
total = 0.0
grid = np.arange(1000.0)
for step in range(200):
    lost = Cell(grid * step + 1)  # It is computed wherever it is alive.
    grid += 1  # In place, unless somebody reads the old value.
    kept = Cell(np.sqrt(grid))
    if step % 3 == 0:
        seen = Cell(memoryview(kept.value))  # Other code sees its memory.
        kept.value[5] = step
        grid[7:9] = kept.value[4:6]
    if step % 7 == 0:
        total += float(kept.value[3])
    if step % 11 == 0:
        snapshot = Cell(np.sort(kept.value[::-1]))
        kept.value[3:5] = snapshot.value[:2]
    if step % 50 == 0 and rank % 2:
        gc.collect()
print(total.hex(), float(grid.sum()).hex(), float(kept.value.sum()).hex())
