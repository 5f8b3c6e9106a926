"""Times calls in turns, so that a shared machine's moods meet all of them."""

import statistics
import time

import measure


def medians(calls, rounds=5, budget=3.0):
    """Median seconds of each call. Every round times each of them once, a short one as often as
    fills 30 ms. After `budget` seconds the round that runs is the last, but there are at least two.
    """
    repeats = [max(1, int(0.03 / max(measure.seconds(call), 1e-7))) for call in calls]
    times = [[] for _ in calls]
    start = time.perf_counter()
    for done in range(1, rounds + 1):
        for call, values, count in zip(calls, times, repeats, strict=True):
            values.append(measure.seconds(call, calls=count))
        if done >= 2 and time.perf_counter() - start > budget:
            break
    return [statistics.median(values) for values in times]
