"""What `fuseau run` does about ranks before it runs a program, and after one was lost."""

import atexit
import contextlib
import os
import sys

from .._launch import environment
from .._launch.options import BATCH_LAUNCHERS


def enter(request, arguments, words):
    """Makes this process what is asked for.

    `arguments` are all of the command, `words` those that every rank is started with. Returns None
    in a process that runs the program, and the exit status in one that has done its work.
    """
    if environment.place() is not None:
        # Of a job whose program another process runs; else `import fuseau` has joined it.
        from .. import _worker

        return _worker.main()
    program = ["-m", "fuseau", "run", *words]
    if request.output:
        os.makedirs(request.output, exist_ok=True)
        os.environ["FUSEAU_OUTPUT"] = request.output
    if request.dry_run:
        return _show(request, program)
    if request.max_restarts and not _is_supervised():
        from .._launch import restart

        command = [sys.executable, "-m", "fuseau", "run", *arguments]
        return restart.supervise(command, environment.clean(), request.max_restarts)
    if request.ranks == 1 and request.launcher == "none":
        if request.gpus:
            _use_gpu()
        return None
    _require_alone()
    if request.launcher in BATCH_LAUNCHERS:
        from .._launch import batch

        return batch.execute(request, program)
    from .._launch import start

    if not request.spmd:
        start.as_asked(request)
        return None
    from .._launch.enter import separate

    _hash_alike()
    separate(0)
    # Registered before the end of the ranks, so called after it.
    started = []
    atexit.register(_fail_with_others, started)
    started.append(start.as_asked(request, program))
    return None


def _use_gpu():
    from .. import _fuseau

    try:
        _fuseau.set_process_device("gpu")
    except RuntimeError as error:
        raise ValueError(f"--gpus: {error}") from error


def _hash_alike():
    """Starts this process anew if its sets of strings could be in another order than others'."""
    if environment.HASH_SEED not in os.environ:
        os.environ.update(environment.hash_seed())
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _fail_with_others(started):
    """A job has failed if one of its ranks has."""
    failed = [rank for cluster in started for rank in cluster.ranks if rank.failed]
    if failed:
        for rank in failed:
            print(f"fuseau run: rank {rank.number}: {rank.end}", file=sys.stderr)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _require_alone():
    from .. import _fuseau

    job = _fuseau.ranks()
    if job is not None:
        raise ValueError(f"this process is one of {job['size']} ranks already; drop the flags")


def _show(request, program):
    """Prints what would be started."""
    from .._launch import show

    print(show.text(request, program))
    return 0


def _is_supervised():
    return "FUSEAU_RESTART" in os.environ


@contextlib.contextmanager
def restartable():
    """The loss of a rank ends a program with a status of its own, for who restarts it."""
    try:
        yield
    except Exception as error:
        if not _is_supervised():
            raise
        from .. import RankFailure
        from .._launch.restart import RANK_LOST

        if not isinstance(error, RankFailure):
            raise
        sys.exit(RANK_LOST)
