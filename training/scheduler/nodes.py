"""The workers on other machines: those that have joined, and those that were there before."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable

from storage.store import Store
from storage.tables.nodes import Wish
from training.scheduler.cluster import Cluster
from training.scheduler.ferry.backend import RemoteBackend
from training.scheduler.ferry.remote import LostConnection
from training.scheduler.handle import WorkerHandle
from training.worker.folder import WorkerFolder, name_folder

log = logging.getLogger(__name__)


class Nodes:
    """Finds workers elsewhere, notes who is here, and does what the operator asked for."""

    def __init__(self, store: Store, box: str, cluster: Cluster | None) -> None:
        """`box` is this machine's name; without a cluster there is nobody elsewhere."""
        self.store, self.box, self.cluster = store, box, cluster
        self.wishes: dict[str, Wish] = {}  #: by worker

    async def find_known(self) -> list[WorkerHandle]:
        """Return the workers elsewhere that an earlier scheduler knew."""
        nodes = await self.store.nodes.list()
        self.wishes = {each.place: each.wish for each in nodes}
        return [self._open(each.place) for each in nodes if each.remote and self.cluster]

    async def look(self, workers: list[WorkerHandle]) -> None:
        """Add the workers of machines that have joined, remove those the operator removed."""
        await self._note(workers)
        if self.cluster is None:
            return
        try:
            places = set(await asyncio.to_thread(self.cluster.list_places))
        except LostConnection as away:
            log.debug("No machine can be reached: %s", away)
            return
        known = {worker.name for worker in workers}
        for worker in [each for each in workers if self.is_removed(each)]:
            if await self._dismiss(worker, places) and not worker.claims:
                workers.remove(worker)
                await self.store.nodes.forget(worker.name)
                log.info("Worker %s was removed", worker.name)
        for place in sorted(places - known):
            workers.append(self._open(place))
            await self.store.nodes.note(place, remote=True, here=False)
            log.info("Worker %s has joined", place)

    def is_drained(self, worker: WorkerHandle) -> bool:
        """Return whether the operator wants a worker to take no new job."""
        return self.wishes.get(worker.name, Wish.NONE) is not Wish.NONE

    def is_removed(self, worker: WorkerHandle) -> bool:
        """Return whether the operator wants a worker's machine to leave, with all its workers."""
        leaving = {
            place.rpartition("/")[0] for place, wish in self.wishes.items() if wish is Wish.REMOVE
        }
        return worker.remote and worker.name.rpartition("/")[0] in leaving

    def close(self) -> None:
        """Let the other machines go."""
        if self.cluster is not None:
            self.cluster.close()

    async def _note(self, workers: Iterable[WorkerHandle]) -> None:
        """Write who is here, if that has changed; read what the operator wishes."""
        nodes = {each.place: each for each in await self.store.nodes.list()}
        for worker in workers:
            known, now = nodes.get(worker.name), (worker.remote, worker.ready, worker.why_away)
            if known is None or (known.remote, known.here, known.why) != now:
                remote, here, why = now
                await self.store.nodes.note(worker.name, remote=remote, here=here, why=why)
        self.wishes = {place: node.wish for place, node in nodes.items()}

    async def _dismiss(self, worker: WorkerHandle, places: Collection[str]) -> bool:
        """Make a machine leave if it is here; return whether it is gone."""
        if self.cluster is None or worker.name not in places:
            return not worker.ready
        try:
            await asyncio.to_thread(self.cluster.dismiss, worker.name)
        except LostConnection as away:
            log.debug("Worker %s is away: %s", worker.name, away)
        return False

    def _open(self, place: str) -> WorkerHandle:
        if self.cluster is None:
            raise ValueError(place)
        name, home = name_folder(place, self.box), self.store.home
        backend = RemoteBackend(home, name, self.cluster.open(place))
        return WorkerHandle(place, WorkerFolder(home.workers / name), backend, remote=True)
