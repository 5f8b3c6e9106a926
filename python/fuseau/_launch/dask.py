"""Ranks on the workers of a Dask cluster, each by a task that is pinned to a worker of its own."""

import sys

from . import engine
from .launcher import LOOPBACK, Rank


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


class Dask(engine.EngineLauncher):
    """A task whose worker is gone waits for ever, so it is the workers that are looked after."""

    def __init__(self, client):
        super().__init__()
        self._client = client
        self._places = []  # of the tasks: addresses of workers
        self.host = _own_host(client)

    def capacity(self):
        return len(self._workers())

    def launch(self, n, variables):
        workers = sorted(self._workers().items(), key=lambda item: (item[1]["host"], item[0]))
        if len(workers) < n - 1:
            raise ValueError(
                f"{n} ranks need {n - 1} workers of Dask beside this process; "
                f"there are {len(workers)}"
            )
        places = [(address, about["host"]) for address, about in workers[: n - 1]]
        hosts = [self.host, *(host for _, host in places)]
        self._places = [address for address, _ in places]
        started = []
        for number, (address, host) in enumerate(places, 1):
            task = self._client.submit(
                _serve,
                {**engine.network_of(host), **variables(number)},
                hosts.count(host),
                workers=[address],
                allow_other_workers=False,
                pure=False,
                retries=0,
            )
            started.append((Rank(number, host), task))
        self._begin(started)

    def _ends(self):
        workers = self._workers()
        for address, task in zip(self._places, self._tasks, strict=True):
            if address not in workers:
                yield f"its worker of Dask, {address}, is gone"
            elif task.done():
                yield (
                    task.result()
                    if task.status == "finished"
                    else f"its task: {task.exception()!r}"
                )
            else:
                yield None

    def _await(self, tasks, seconds):
        import distributed

        try:
            distributed.wait(tasks, timeout=seconds)
        except TimeoutError:
            self._client.cancel(tasks)

    def _workers(self):
        return self._client.scheduler_info(n_workers=-1)["workers"]


def _serve(variables, local_ranks):
    import distributed

    # The thread of the worker is for other tasks.
    distributed.secede()
    return engine.serve(variables, local_ranks)


def _own_host(client):
    """The address of this process in the network of the scheduler."""
    from distributed.comm import get_address_host

    address = client.scheduler_comm.comm.local_address
    return LOOPBACK if address.startswith("inproc:") else get_address_host(address)
