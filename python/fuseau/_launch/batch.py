"""Command lines of the engines that start every process of a job: mpirun, srun, jsrun.

Every rank runs `fuseau run PROGRAM`, which is the program on rank 0, and with --spmd on all; on the
others it serves. What ranks have in common goes with the environment, the token first of all: a
command line can be read by everybody on the machine.
"""

import os
import secrets
import shlex
import shutil
import sys

from . import environment


def command(request, program):
    """The command that starts all ranks; `program` is what each runs, as arguments of Python."""
    start = {"mpirun": _mpirun, "srun": _srun, "jsrun": _jsrun}[request.launcher]
    return [*start(request), *request.launcher_extra, sys.executable, *program]


def variables(request):
    """What the environment of the command has in addition."""
    out = {"FUSEAU_SPMD": str(int(request.spmd)), "FUSEAU_TOKEN": secrets.token_hex(16)}
    if request.spmd:
        out.update(environment.hash_seed())
    if request.threads:
        out["FUSEAU_NUM_THREADS"] = str(request.threads)
    if request.interface:
        out["FUSEAU_INTERFACE"] = request.interface
    if request.output:
        out["FUSEAU_OUTPUT"] = request.output
    return out


def execute(request, program):
    """Becomes the launcher: its signals and its exit status are ours."""
    words = command(request, program)
    if shutil.which(words[0]) is None:
        raise ValueError(f"--launcher {request.launcher}: there is no {words[0]} on the PATH")
    if request.verbose:
        print("fuseau:", shlex.join(words), file=sys.stderr, flush=True)
    os.execvpe(words[0], words, {**environment.clean(), **variables(request)})


def _mpirun(request):
    words = ["mpirun", "-n", str(request.ranks)]
    if request.ranks_per_node:
        words += ["--map-by", f"ppr:{request.ranks_per_node}:node"]
    # Threads of a rank need more than the one core that mpirun would bind it to.
    words += ["--bind-to", "none"]
    # By name: mpirun takes the values from its own environment, and other nodes get these alone.
    exported = {*environment.clean(), *variables(request)}
    for name in sorted(exported):
        if name.startswith("FUSEAU_") or name == environment.HASH_SEED:
            words += ["-x", name]
    return words


def _srun(request):
    words = ["srun", "--mpi=pmix", f"--ntasks={request.ranks}"]
    if request.nodes:
        words += [f"--nodes={request.nodes}"]
    if request.ranks_per_node:
        words += [f"--ntasks-per-node={request.ranks_per_node}"]
    if request.threads:
        words += [f"--cpus-per-task={request.threads}"]
    # Ranks end by themselves when one is lost, and the program says which; srun would be faster and
    # end the program before it has said anything.
    return [*words, "--kill-on-bad-exit=0"]


def _jsrun(request):
    # A resource set for each rank.
    words = ["jsrun", f"--nrs={request.ranks}", "--tasks_per_rs=1"]
    if request.ranks_per_node:
        words += [f"--rs_per_host={request.ranks_per_node}"]
    if request.threads:
        words += [f"--cpu_per_rs={request.threads}", "--bind=none"]
    return words
