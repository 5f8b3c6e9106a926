"""What a profile says: costs by line and by kernel, compiles, traffic, the critical path."""

import linecache
from collections import Counter

_KERNELS = ("kernel", "routine", "copy")
# What is an event of its own beside the program, or is in others already.
_BESIDE = ("work", "stage", "compile")


def costs_by_line(run):
    """Nanoseconds that the ranks spent for each line of the program, the costliest first.

    What a kernel takes is shared by the lines of its operations, each as often as it made one.
    """
    costs = Counter()
    for thread in run.threads:
        for event in thread.events:
            if event.kind in _BESIDE:
                continue
            lines = event.lines or ((event.line,) if event.line else ())
            for line in lines:
                costs[line] += event.self_time / len(lines)
    return costs.most_common()


def annotated(run, count=10, around=2):
    """The costliest lines with their source: dicts `place`, `time`, `share`, `source`.

    The source is a list of (number, text) with some lines around.
    """
    costs = costs_by_line(run)
    total = sum(time for _, time in costs) or 1
    rows = []
    for place, time in costs[:count]:
        file, _, number = place.rpartition(":")
        number = int(number)
        source = [
            (n, linecache.getline(file, n).rstrip("\n"))
            for n in range(max(1, number - around), number + around + 1)
        ]
        rows.append(
            {
                "place": place,
                "line": number,
                "time": int(time),
                "share": time / total,
                "source": [row for row in source if row[1] or row[0] == number],
            }
        )
    return rows


def kernels(run):
    """Kernels and routines of all ranks, the costliest first: dicts of sums."""
    found = {}
    for thread in run.threads:
        for event in thread.events:
            if event.kind not in _KERNELS:
                continue
            row = found.setdefault(
                (event.kind, event.name),
                {"kind": event.kind, "name": event.name, "calls": 0, "time": 0, "bytes": 0},
            )
            row["calls"] += 1
            row["time"] += event.self_time
            row["bytes"] += event.bytes
            row["lines"] = sorted(set(event.lines) | set(row.get("lines", ())))[:8]
    return sorted(found.values(), key=lambda row: -row["time"])


def compiles(run):
    """Every compile: dicts `rank`, `begin`, `time`, `operations`, `lines`, `stages`."""
    log = []
    for thread in run.threads:
        for event in thread.events:
            if event.kind == "compile":
                log.append(
                    {
                        "rank": thread.rank,
                        "begin": event.begin,
                        "time": event.time,
                        "operations": event.number,
                        "lines": sorted(set(event.lines)),
                        "stages": [],
                    }
                )
            elif event.kind == "stage" and log and event.end <= log[-1]["begin"] + log[-1]["time"]:
                log[-1]["stages"].append((event.name, event.time, event.bytes))
    return sorted(log, key=lambda row: row["begin"])


def traffic(run):
    """Bytes and messages that each rank sent to each other: {(from, to): (bytes, messages)}."""
    sums = {}
    for rank, event in run.sends:
        size, count = sums.get((rank, event.peer), (0, 0))
        sums[rank, event.peer] = size + event.bytes, count + 1
    return sums


def shares(run):
    """What the program's thread did, in nanoseconds: {"kernel": ..., "Python": ...}."""
    drivers = run.drivers()
    if 0 not in drivers:
        return {"Python": run.time}
    sums = Counter()
    for event in drivers[0].events:
        sums[_LABELS.get(event.kind, event.kind)] += event.self_time
    sums["Python"] = max(0, run.time - sum(sums.values()))
    return dict(sums.most_common())


_LABELS = {"evaluation": "overhead of evaluations", "wait": "waiting", "numpy": "NumPy"}


def critical_path(run):
    """What the end of the program waited for, backwards: the chain of work that had to be so long.

    It follows the first rank back in time. Where that rank waited for others it goes on with the
    one that came last, and where a rank waited for a command, with the first rank. Returns a list
    of dicts `rank`, `begin`, `end`, `what`, `lines` by time; neighbours that are alike are one.
    """
    segments = {rank: _segments(t, run.time) for rank, t in run.drivers().items()}
    if 0 not in segments:
        return []
    meetings = _meetings(segments)
    path, rank, now = [], 0, run.time
    at = {r: len(s) - 1 for r, s in segments.items()}
    while now > 0:
        own = segments[rank]
        while at[rank] >= 0 and own[at[rank]][0] >= now:
            at[rank] -= 1
        if at[rank] < 0:
            break
        begin, _, what, lines, key = own[at[rank]]
        other, since = meetings.get(key, (rank, begin)) if key else (rank, begin)
        if what == "Python" and rank != 0:
            rank = 0  # It had no command yet.
            continue
        if other != rank and begin < since < now:
            path.append((rank, since, now, what, lines))
            rank, now = other, since
            continue
        path.append((rank, begin, now, what, lines))
        now = begin
    return _joined(reversed(path))


def _segments(thread, end):
    """The thread's time without gaps: (begin, end, what, lines, key of the meeting or None)."""
    out, open_, now = [], [], 0
    counts = Counter()

    def until(time):
        nonlocal now
        if time <= now:
            return
        if open_:
            event, key = open_[-1]
            out.append((now, time, _what(event), event.lines, key))
        else:
            out.append((now, time, "Python", (), None))
        now = time

    for event in thread.events:
        if event.kind in _BESIDE:
            continue
        while open_ and open_[-1][0].end <= event.begin:
            until(open_[-1][0].end)
            open_.pop()
        until(event.begin)
        key = None
        if event.kind == "exchange" or (event.kind == "wait" and event.name == "other ranks"):
            group = (event.kind, event.name, event.number)
            counts[group] += 1
            key = (*group, counts[group])
        open_.append((event, key))
    while open_:
        until(open_[-1][0].end)
        open_.pop()
    until(end)
    return out


def _what(event):
    return event.name if event.kind in (*_KERNELS, "exchange") else f"{event.kind}: {event.name}"


def _meetings(segments):
    """Who came last to each meeting of ranks, and when: {key: (rank, time)}."""
    last = {}
    for rank, rows in segments.items():
        for begin, _, _, _, key in rows:
            if key and (key not in last or begin > last[key][1]):
                last[key] = rank, begin
    return last


def _joined(path):
    rows = []
    for rank, begin, end, what, lines in path:
        row = rows[-1] if rows else None
        if row and row["rank"] == rank and row["what"] == what and row["lines"] == list(lines)[:8]:
            row["end"] = end
            row["count"] += 1
            continue
        rows.append(
            {
                "rank": rank,
                "begin": begin,
                "end": end,
                "what": what,
                "lines": list(lines)[:8],
                "count": 1,
            }
        )
    return rows


def path_sums(path):
    """A critical path by what it consists of: dicts `rank`, `what`, `time`, the longest first."""
    sums = Counter()
    for row in path:
        sums[row["rank"], row["what"]] += row["end"] - row["begin"]
    return [{"rank": rank, "what": what, "time": time} for (rank, what), time in sums.most_common()]
