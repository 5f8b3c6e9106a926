"""The flags that say how many ranks a job has and who starts them.

`fuseau run` and FUSEAU_CONFIG share them.
"""

import argparse
import shlex
from dataclasses import dataclass, field

LAUNCHERS = ("none", "mpirun", "srun", "jsrun", "dask", "ray")
BATCH_LAUNCHERS = ("mpirun", "srun", "jsrun")


def _count(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a positive number")
    return number


def _not_negative(text):
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number} is negative")
    return number


# argparse names a type by its function in messages.
_count.__name__ = _not_negative.__name__ = "whole number"

_WITH_VALUE = {
    "-n": {
        "long": "--ranks",
        "metavar": "N",
        "type": _count,
        "help": "processes that compute the program together; 1 by default",
    },
    "--nodes": {"metavar": "N", "type": _count, "help": "machines that they run on"},
    "--ranks-per-node": {"metavar": "M", "type": _count, "help": "ranks on each machine"},
    "--launcher": {
        "choices": LAUNCHERS,
        "default": "none",
        "help": "who starts them: none (this machine, the default), mpirun, srun, jsrun, "
        "or the workers of a running Dask or Ray cluster",
    },
    "--launcher-extra": {
        "metavar": "WORDS",
        "action": "append",
        "default": [],
        "help": "more arguments of mpirun, srun or jsrun, e.g. --launcher-extra=--oversubscribe",
    },
    "--cpus": {"metavar": "C", "type": _count, "help": "threads of each rank"},
    "--omps": {
        "metavar": "G",
        "type": _count,
        "help": "groups of threads of each rank; a rank has one pool of G times T threads",
    },
    "--ompthreads": {"metavar": "T", "type": _count, "help": "threads of a group"},
    "--gpus": {
        "metavar": "G",
        "type": _not_negative,
        "default": 0,
        "help": "GPUs: 1 for a program in one process; ranks compute on CPUs",
    },
    "--interface": {
        "metavar": "ADDRESS",
        "help": "network that the ranks use, as FUSEAU_INTERFACE; loopback by default",
    },
    "--output": {
        "metavar": "FOLDER",
        "help": "with --spmd: files for what ranks other than 0 print; otherwise it is dropped",
    },
    "--max-restarts": {
        "metavar": "K",
        "type": _not_negative,
        "default": 0,
        "help": "run the program again, up to K times, when a rank was lost; "
        "FUSEAU_RESTART tells it which run this is",
    },
}
_SWITCHES = {
    "--spmd": "every rank runs the program; otherwise rank 0 runs it and the others compute for it",
    "--verbose": "say what is started, and show what other ranks write, with their numbers",
    "--dry-run": "print the commands and their environment, and start nothing",
}
WITH_VALUE = tuple(name for names in _WITH_VALUE for name in (names, "--ranks"))


def add_flags(parser):
    """Adds the flags to a parser of argparse."""
    group = parser.add_argument_group("ranks")
    for name, about in _WITH_VALUE.items():
        keywords = dict(about)
        names = [name, keywords.pop("long")] if "long" in keywords else [name]
        group.add_argument(*names, **keywords)
    for name, text in _SWITCHES.items():
        group.add_argument(name, action="store_true", help=text)


@dataclass(frozen=True)
class Request:
    """A job as its flags ask for it."""

    ranks: int = 1
    nodes: int | None = None
    ranks_per_node: int | None = None
    launcher: str = "none"
    launcher_extra: list[str] = field(default_factory=list)
    threads: int | None = None  # of each rank
    interface: str | None = None
    output: str | None = None
    max_restarts: int = 0
    spmd: bool = False
    verbose: bool = False
    dry_run: bool = False
    gpus: int = 0


def request(options):
    """The job that parsed flags ask for; ValueError if they contradict each other."""
    ranks, nodes, ranks_per_node = _layout(options)
    if options.gpus > 1:
        raise ValueError("--gpus: a process uses one GPU at most so far")
    if options.gpus and (ranks > 1 or options.launcher != "none"):
        raise ValueError("--gpus: ranks compute on CPUs only so far")
    extra = [word for words in options.launcher_extra for word in shlex.split(words)]
    if extra and options.launcher not in BATCH_LAUNCHERS:
        raise ValueError("--launcher-extra is for mpirun, srun and jsrun")
    if options.launcher == "none" and (nodes or 1) > 1:
        raise ValueError("--nodes: other machines need a launcher: --launcher mpirun, srun, ...")
    if options.spmd and options.launcher in ("dask", "ray"):
        raise ValueError("--spmd: workers of Dask and Ray run no programs; use another launcher")
    if options.output and not options.spmd:
        raise ValueError("--output is for --spmd: other ranks than 0 run no program without it")
    return Request(
        ranks=ranks,
        nodes=nodes,
        ranks_per_node=ranks_per_node,
        launcher=options.launcher,
        launcher_extra=extra,
        threads=_threads(options),
        interface=options.interface,
        output=options.output,
        max_restarts=options.max_restarts,
        spmd=options.spmd,
        verbose=options.verbose,
        dry_run=options.dry_run,
        gpus=options.gpus,
    )


def _layout(options):
    """Ranks, nodes, ranks on a node; the latter two may stay open."""
    ranks, nodes, each = options.ranks, options.nodes, options.ranks_per_node
    if ranks is None:
        return (nodes or 1) * (each or 1), nodes, each
    if nodes is not None and each is not None and ranks != nodes * each:
        raise ValueError(f"{ranks} ranks are not {nodes} nodes with {each} ranks each")
    if nodes is not None and ranks < nodes:
        raise ValueError(f"{ranks} ranks cannot be on {nodes} nodes")
    return ranks, nodes, each


def _threads(options):
    if options.omps is None and options.ompthreads is None:
        return options.cpus
    if options.cpus is not None:
        raise ValueError("--cpus and --omps both give the threads of a rank; use one of them")
    if options.ompthreads is None:
        raise ValueError("--omps wants --ompthreads as well: how many threads a group has")
    return (options.omps or 1) * options.ompthreads
