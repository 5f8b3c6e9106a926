"""Ranks on the nodes of a Ray cluster, each by an actor of its own."""

import contextlib
import logging

from . import engine
from .launcher import Rank

_START_SECONDS = 60


class Ray(engine.EngineLauncher):
    """Ray spreads the actors over its nodes."""

    def __init__(self):
        super().__init__()
        self._ray = _import_ray()
        if not self._ray.is_initialized():
            # One that runs; a cluster of this machine alone would be no better than "local".
            # What Ray tells of itself while all is well is not for the program's error output.
            self._ray.init(address="auto", logging_level=logging.WARNING)
        self._actors = []
        self.host = _address(self._ray)

    def capacity(self):
        return int(self._ray.available_resources().get("CPU", 0))

    def launch(self, n, variables):
        actor = self._ray.remote(num_cpus=1, scheduling_strategy="SPREAD", max_restarts=0)(_Actor)
        self._actors = [actor.remote() for _ in range(1, n)]
        hosts = self._hosts()
        counts = [self.host, *hosts]
        started = []
        for number, (one, host) in enumerate(zip(self._actors, hosts, strict=True), 1):
            add = {**engine.network_of(host), **variables(number)}
            started.append((Rank(number, host), one.serve.remote(add, counts.count(host))))
        self._begin(started)

    def _hosts(self):
        try:
            return self._ray.get([a.host.remote() for a in self._actors], timeout=_START_SECONDS)
        except self._ray.exceptions.GetTimeoutError:
            self._release()
            raise ValueError(
                f"Ray started fewer than {len(self._actors)} actors in {_START_SECONDS} s; "
                f"it has {self.capacity()} processors to spare"
            ) from None

    def _ends(self):
        done, _ = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=0)
        for task in self._tasks:
            yield self._end(task) if task in done else None

    def _end(self, task):
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            return f"its actor of Ray: {str(error).splitlines()[0]}"

    def _await(self, tasks, seconds):
        if tasks:
            self._ray.wait(tasks, num_returns=len(tasks), timeout=seconds)
        self._release()

    def _release(self):
        for actor in self._actors:
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.kill(actor)


class _Actor:
    """What runs on a node."""

    def host(self):
        import ray

        return _address(ray)

    def serve(self, variables, local_ranks):
        return engine.serve(variables, local_ranks)


def _address(ray):
    """The address of this node in the network that Ray uses."""
    me = ray.get_runtime_context().get_node_id()
    return next(node["NodeManagerAddress"] for node in ray.nodes() if node["NodeID"] == me)


def _import_ray():
    try:
        import ray
    except ImportError:
        raise ValueError("a cluster of Ray needs Ray: pip install ray") from None
    return ray
