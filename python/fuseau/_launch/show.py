"""The commands and the environment of a job, for `fuseau run --dry-run`."""

import shlex
import sys

from . import batch, threads
from .job import Job
from .local import WORKER
from .options import BATCH_LAUNCHERS


def text(request, program):
    """What would be started; `program` is what a rank runs that runs the program."""
    if request.launcher in BATCH_LAUNCHERS:
        return _process(batch.variables(request), batch.command(request, program))
    if request.launcher != "none":
        return f"{request.launcher} starts ranks 1 to {request.ranks - 1}; rank 0 is this process"
    count = request.threads or threads.share(request.ranks)
    job = Job(request.ranks, spmd=request.spmd, interface=request.interface, threads_per_rank=count)
    with job:
        others = [sys.executable, *(program if request.spmd else WORKER)]
        shown = [_process(job.variables(rank), others) for rank in range(1, request.ranks)]
    return "\n".join(["# rank 0 is this process", *shown])


def _process(variables, command):
    values = {**variables, "FUSEAU_TOKEN": "(hidden)"}
    return shlex.join([*(f"{name}={value}" for name, value in values.items()), *command])
