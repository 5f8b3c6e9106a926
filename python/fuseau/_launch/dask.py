"""Ranks on the workers of a Dask cluster.

Each rank is a process that a task starts; a task is pinned to one worker. Dask does not end a task
whose worker is gone, it waits for a worker of that address. So a thread looks after the workers.
"""

import sys
import threading

from . import threads
from .launcher import Launcher, Rank, describe
from .local import WORKER, child_environ
from .processes import Child, Processes

_LOOPBACK = "127.0.0.1"
_LOOK_SECONDS = 1.0


def is_client(candidate):
    """Whether it is a Client of Dask, which need not be installed."""
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(candidate, distributed.Client)


def client_of_environment():
    """A client of the scheduler that Dask's own configuration names."""
    try:
        import dask.config
        import distributed
    except ImportError:
        raise ValueError("--launcher dask needs Dask: pip install dask distributed") from None
    address = dask.config.get("scheduler-address", None)
    if address is None:
        raise ValueError("--launcher dask: no scheduler is named; set DASK_SCHEDULER_ADDRESS")
    return distributed.Client(address)


class Dask(Launcher):
    """Starts each rank by a task on a worker of its own."""

    def __init__(self, client):
        super().__init__()
        self._client = client
        self.host = _own_host(client)
        self._started = []  # (rank, worker, task)
        self._stopping = threading.Event()
        self._watcher = None

    def capacity(self):
        """How many ranks it can start."""
        return len(self._workers())

    def launch(self, n, variables):
        workers = sorted(self._workers().items(), key=lambda item: (item[1]["host"], item[0]))
        if len(workers) < n - 1:
            raise ValueError(
                f"{n} ranks need {n - 1} workers of Dask beside this process; "
                f"there are {len(workers)}"
            )
        workers = workers[: n - 1]
        hosts = [self.host, *(about["host"] for _, about in workers)]
        self._stopping.clear()
        self._started = []
        for number, (address, about) in enumerate(workers, 1):
            host = about["host"]
            task = self._client.submit(
                serve,
                {**_network(host), **variables(number)},
                hosts.count(host),
                workers=[address],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
            self._started.append((Rank(number, host), address, task))
        self.ranks = [rank for rank, _, _ in self._started]
        self._watcher = threading.Thread(target=self._watch, name="fuseau-dask", daemon=True)
        self._watcher.start()

    def stop(self, seconds=5.0):
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
        for _, _, task in self._started:
            # Its process ends when rank 0 leaves; this is for a task that never began.
            task.cancel()

    def _watch(self):
        while not self._stopping.wait(_LOOK_SECONDS):
            workers = self._workers()
            for rank, address, task in self._started:
                if rank.end is not None:
                    continue
                if address not in workers:
                    rank.end = f"its worker of Dask, {address}, is gone"
                elif task.done():
                    rank.end = _end(task)
                else:
                    continue
                self._lost(rank)

    def _workers(self):
        return self._client.scheduler_info(n_workers=-1)["workers"]


def serve(variables, local_ranks):
    """The task: a rank as a process beside this worker of Dask. Returns how it ended."""
    import distributed

    # The worker's thread is for other tasks.
    distributed.secede()
    if "FUSEAU_NUM_THREADS" not in variables:
        count = threads.share(local_ranks)
        variables = {**variables, **({"FUSEAU_NUM_THREADS": str(count)} if count else {})}
    child = Child([sys.executable, *WORKER], {**child_environ(), **variables})
    Processes([child], lambda _: None).wait()
    return describe(child.status)


def _end(task):
    return task.result() if task.status == "finished" else f"its task: {task.status}"


def _network(host):
    return {} if host == _LOOPBACK else {"FUSEAU_INTERFACE": host}


def _own_host(client):
    """The address that this process has in the network of the scheduler."""
    from distributed.comm import get_address_host

    address = client.scheduler_comm.comm.local_address
    return _LOOPBACK if address.startswith("inproc:") else get_address_host(address)
