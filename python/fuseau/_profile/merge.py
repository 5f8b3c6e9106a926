"""From what each rank has noted to one profile with one clock, one list of names and of lines."""

import json
from dataclasses import dataclass, field


@dataclass(slots=True)
class Event:
    """What a thread did from `begin` for `time`, in nanoseconds since the profile began."""

    kind: str
    name: str
    begin: int
    time: int
    bytes: int = 0  # moved at least; in use, for "memory"
    flops: int = 0  # an estimate, in additions
    number: int = 0  # of operations of an evaluation, or of a run of all ranks
    lines: tuple = ()  # that made the work, each as often as it made an operation
    line: str = ""  # that asked for it
    peer: int = -1  # of "send"
    depth: int = 0  # how many events of the thread it is in
    self_time: int = 0  # without those in it

    @property
    def end(self):
        """When it was over."""
        return self.begin + self.time


@dataclass
class Thread:
    """A thread of a rank and its events by time, outer ones first."""

    rank: int
    name: str
    events: list = field(default_factory=list)


@dataclass
class Run:
    """A profile of all ranks."""

    time: int  # nanoseconds
    bandwidth: float  # bytes a second of the machine of the first rank
    hosts: list  # by rank
    threads: list
    memory: dict  # rank: list of (time, bytes in use)
    sends: list  # of (rank, Event)
    tallies: dict  # what is counted by line: name: {line: count}
    graphs: list  # evaluated by the first rank: dicts `runs`, `nodes`, `outputs`
    dropped: int  # events that were not kept

    @property
    def places(self):
        """All lines of the program that occur, "file:line"."""
        found = set()
        for thread in self.threads:
            for event in thread.events:
                found.update(event.lines)
                if event.line:
                    found.add(event.line)
        return sorted(found)

    def drivers(self):
        """The thread of each rank that does its evaluations, by rank."""
        best = {}
        for thread in self.threads:
            weight = sum(e.time for e in thread.events if e.kind == "evaluation")
            if weight > best.get(thread.rank, (-1, None))[0]:
                best[thread.rank] = weight, thread
        return {rank: thread for rank, (_, thread) in sorted(best.items())}


def merge(texts, graphs="[]", bandwidth=0.0):
    """One `Run` of what `_fuseau.stop_profile` gives."""
    parts = [json.loads(text) for text in texts]
    first = parts[0]
    began = min(p["profile"]["began"] for p in parts if "profile" in p)
    ended = max(p["profile"]["ended"] for p in parts if "profile" in p)
    run = Run(
        time=ended - began,
        bandwidth=bandwidth,
        hosts=[p.get("host", "") for p in parts],
        threads=[],
        memory={},
        sends=[],
        tallies={},
        graphs=json.loads(graphs),
        dropped=sum(p["profile"]["dropped"] for p in parts if "profile" in p),
    )
    for part in parts:
        if "profile" in part:
            _add(run, part, _offset(first, part) - began)
    run.threads = [t for t in run.threads if t.events]
    run.threads.sort(key=lambda t: (t.rank, _ORDER.get(t.name, 1), t.name))
    _number_workers(run.threads)
    _fill_lines(run)
    return run


_ORDER = {"program": 0, "compiler": 2}
_WORKER = "fuseau-worker"


def _offset(first, part):
    """What makes a time of this rank's clock one of the first rank's.

    Ranks that come together do so after each has begun to and before any is back, so each meeting
    bounds the difference from both sides. Processes of one host have one clock.
    """
    pairs = list(zip(first.get("clock", ()), part.get("clock", ()), strict=True))
    if part is first or not pairs or first["host"] == part["host"]:
        return 0
    least = max(before - after for (before, _), (_, after) in pairs)
    most = min(after - before for (_, after), (before, _) in pairs)
    return (least + most) // 2


def _add(run, part, offset):
    profile = part["profile"]
    names, kinds, places = profile["names"], profile["kinds"], profile["places"]
    sets = [tuple(_place(places, i) for i in lines) for lines in profile["lines"]]
    width = len(profile["columns"])
    for listed in profile["threads"]:
        rank = listed["rank"] or part["rank"]
        thread = Thread(rank, listed["name"])
        numbers = listed["events"]
        for i in range(0, len(numbers), width):
            kind, name, begin, time, size, flops, number, lines, line, peer = numbers[i : i + width]
            event = Event(
                kinds[kind],
                names[name],
                begin + profile["began"] + offset,
                time,
                size,
                flops,
                number,
                sets[lines],
                _place(places, line),
                peer,
            )
            if event.kind == "memory":
                run.memory.setdefault(rank, []).append((event.begin, event.bytes))
            elif event.kind == "send":
                run.sends.append((rank, event))
            else:
                thread.events.append(event)
        nest(thread.events)
        if any(e.kind == "evaluation" for e in thread.events):
            thread.name = "program" if rank == 0 else "rank"
        run.threads.append(thread)
    for points in run.memory.values():
        points.sort()
    for name, rows in profile["tallies"].items():
        counts = run.tallies.setdefault(name, {})
        for line, count in rows:
            place = _place(places, line)
            counts[place] = counts.get(place, 0) + count


def _place(places, number):
    return places[number] if number < len(places) else ""


def nest(events):
    """Sorts events of one thread by time, and finds which are in which."""
    events.sort(key=lambda e: (e.begin, -e.time))
    open_ = []
    for event in events:
        while open_ and open_[-1].end <= event.begin:
            open_.pop()
        event.depth = len(open_)
        event.self_time = event.time
        if open_:
            open_[-1].self_time -= event.time
        open_.append(event)


def _number_workers(threads):
    seen = {}
    for thread in threads:
        if thread.name == _WORKER:
            seen[thread.rank] = seen.get(thread.rank, 0) + 1
            thread.name = f"worker {seen[thread.rank]}"


def _fill_lines(run):
    """Ranks that only compute get the lines of the first rank for the same run."""
    part_name = "part of an evaluation"
    known = {}
    for thread in run.threads:
        for event in thread.events:
            if event.name == part_name and event.lines:
                known[event.number] = event.lines
    for thread in run.threads:
        lines, end = (), -1
        for event in thread.events:
            if event.name == part_name:
                lines, end = event.lines or known.get(event.number, ()), event.end
            if not event.lines and event.begin <= end:
                event.lines = lines
