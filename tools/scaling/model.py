"""How long a planned step takes: the arithmetic, and nothing else.

A rank computes, and waits for its exchanges; nothing of them is hidden, as it is today. Ranks wait
for each other in every exchange, so a step takes as long as the slowest rank of the sample.
"""

from dataclasses import dataclass, replace
from math import ceil, log2


@dataclass(frozen=True)
class Link:
    latency: float  # seconds for a message
    bandwidth: float  # bytes a second, each way
    # Seconds that a rank spends on each message, besides.
    overhead: float = 0.0

    def seconds(self, messages, sent, received):
        if messages == 0:
            return 0.0
        return self.latency + self.overhead * messages + max(sent, received) / self.bandwidth


@dataclass(frozen=True)
class Machine:
    inside: Link  # between ranks of a node
    between: Link  # between nodes; its bandwidth is that of the node, for all its ranks
    ranks_per_node: int
    copy_bandwidth: float  # bytes copied a second by a rank

    def node(self, rank):
        return rank // self.ranks_per_node


@dataclass(frozen=True)
class Rates:
    """Bytes that kernels move a second, by a rank all of whose neighbours compute, too.

    `alone` is for kernels that go through memory by themselves, `together` for those of which
    several go through the same rows together.
    """

    alone: float
    together: float

    def seconds(self, step):
        # A pair is the usual update with its halo: nothing is saved by it.
        rate = self.together if step["together"] > 2 else self.alone
        return step["bytes"] / rate


@dataclass(frozen=True)
class Step:
    """A step of a program on one rank, or on the slowest."""

    compute: float = 0.0
    exchange: float = 0.0
    agree: float = 0.0
    messages: float = 0.0  # sent by this rank
    sent: float = 0.0  # bytes
    moved: float = 0.0  # bytes, by kernels

    @property
    def seconds(self):
        return self.compute + self.exchange + self.agree


def sample(ranks, ranks_per_node):
    """The ranks that stand for all: of the first and the middle node the first, an inner one and
    the last. Parts are in the order of ranks, so the first and the last have neighbours elsewhere.
    """
    middle = ranks // 2 // ranks_per_node * ranks_per_node
    chosen = set()
    for first in (0, middle):
        last = min(first + ranks_per_node, ranks) - 1
        chosen |= {first, (first + last) // 2, last}
    return sorted(chosen)


def node_bytes(machine, ranks, works, number):
    """Bytes that the node of these sampled ranks sends to and gets from others in an exchange.

    `works` are those of one node. Ranks that are not in the sample do as its inner one.
    """
    out, into = [], []
    for work in works:
        node = machine.node(work["rank"])
        # A rank that has no part in an exchange leaves it out.
        exchange = work["by_number"].get(number, {"sends": (), "receives": ()})
        for way, sums in (("sends", out), ("receives", into)):
            sums.append(sum(n for peer, n in exchange[way] if machine.node(peer) != node))
    inner = len(works) // 2
    others = min(machine.ranks_per_node, ranks) - len(works)
    return sum(out) + others * out[inner], sum(into) + others * into[inner]


def exchange_seconds(machine, rank, exchange, node_sent, node_received):
    """One exchange of a rank. Its node's other ranks use the network at the same time."""
    node = machine.node(rank)
    seconds = 2 * exchange["copied"] / machine.copy_bandwidth
    inside, between = [0, 0, 0], [0, 0, 0]
    for way, messages in enumerate((exchange["sends"], exchange["receives"]), start=1):
        for peer, count in messages:
            link = inside if machine.node(peer) == node else between
            link[0] += 1
            link[way] += count
    seconds += machine.inside.seconds(*inside)
    if between[0]:
        seconds += machine.between.seconds(between[0], node_sent, node_received)
    return seconds


def hops_seconds(machine, ranks, count=0):
    """A message of `count` bytes to or from all ranks along a tree."""
    inside = ceil(log2(min(ranks, machine.ranks_per_node)))
    between = ceil(log2(ceil(ranks / machine.ranks_per_node)))
    return inside * machine.inside.seconds(1, count, 0) + between * machine.between.seconds(
        1, count, 0
    )


def step_of(plan, machine, rates, ranks, steps):
    """A step of the program whose `steps` steps were planned, on the slowest rank."""
    totals = {}
    runs = 0
    for program in plan["programs"]:
        runs += program["runs"]
        nodes = {}
        for work in program["work"]:
            work["by_number"] = {e["number"]: e for e in work["exchanges"]}
            nodes.setdefault(machine.node(work["rank"]), []).append(work)
        for works in nodes.values():
            for work in works:
                part = _run(machine, rates, ranks, work, works)
                before = totals.get(work["rank"], Step())
                totals[work["rank"]] = _add(before, part, program["runs"])
    slowest = max(totals.values(), key=lambda s: s.seconds)
    # A run begins with a command and ends when all ranks agree.
    agree = runs * hops_seconds(machine, ranks)
    command = plan["command_bytes"] / max(plan["commands"], 1)
    agree += plan["commands"] * hops_seconds(machine, ranks, command)
    slowest = replace(slowest, agree=agree)
    return Step(**{name: value / steps for name, value in vars(slowest).items()})


def _run(machine, rates, ranks, work, works):
    compute = sum(rates.seconds(s) for s in work["steps"] if s["what"] != "exchange")
    moved = sum(s["bytes"] for s in work["steps"] if s["what"] != "exchange")
    exchange = messages = sent = 0
    for e in work["exchanges"]:
        of_node = node_bytes(machine, ranks, works, e["number"])
        exchange += exchange_seconds(machine, work["rank"], e, *of_node)
        messages += len(e["sends"])
        sent += sum(count for _, count in e["sends"])
    return Step(compute, exchange, 0.0, messages, sent, moved)


def _add(a, b, times):
    return Step(**{name: value + times * vars(b)[name] for name, value in vars(a).items()})
