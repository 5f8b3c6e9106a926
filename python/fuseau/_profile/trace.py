"""A profile in the Trace Event Format, which Perfetto and chrome://tracing read."""

import json


def events(run):
    """The list of events: ranks are processes there, times are in microseconds."""
    out = []
    for rank, host in enumerate(run.hosts):
        name = f"rank {rank}" + (f" on {host}" if host else "")
        out.append({"ph": "M", "name": "process_name", "pid": rank, "args": {"name": name}})
    for number, thread in enumerate(run.threads):
        where = {"pid": thread.rank, "tid": number}
        out.append({"ph": "M", "name": "thread_name", **where, "args": {"name": thread.name}})
        out.extend(_complete(event, where, run.bandwidth) for event in thread.events)
    for rank, points in run.memory.items():
        out.extend(
            {
                "ph": "C",
                "name": "memory in use",
                "pid": rank,
                "ts": time / 1000,
                "args": {"bytes": size},
            }
            for time, size in points
        )
    for rank, event in run.sends:
        out.append(
            {
                "ph": "i",
                "s": "p",
                "name": f"send to rank {event.peer}",
                "pid": rank,
                "tid": 0,
                "ts": event.begin / 1000,
                "args": {"bytes": event.bytes},
            }
        )
    return out


def _complete(event, where, bandwidth):
    args = {"lines": sorted(set(event.lines))}
    if event.line:
        args["wanted by"] = event.line
    if event.bytes:
        args["bytes"] = event.bytes
        if event.kind in ("kernel", "routine", "copy") and event.time:
            args["GB/s"] = round(event.bytes / event.time, 2)
            if bandwidth:
                args["share of bandwidth"] = round(1e9 * event.bytes / event.time / bandwidth, 3)
    if event.flops:
        args["operations"] = event.flops
    return {
        "ph": "X",
        "name": event.name,
        "cat": event.kind,
        "ts": event.begin / 1000,
        "dur": event.time / 1000,
        **where,
        "args": args,
    }


def write(run, path):
    """Writes the trace as a file of JSON."""
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"traceEvents": events(run), "displayTimeUnit": "ms"}, file)
