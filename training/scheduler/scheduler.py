"""`python -m training`: the process that owns the queue. It is light: torch is never here."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from storage.disk import roomy
from storage.errors import UserError
from storage.records import Catalog, Event, Job, Status
from storage.tables.catalog import catalog as catalog_of
from training.scheduler.claim import LEASE, Claim, forget
from training.scheduler.handle import Station
from training.scheduler.layout import model, style
from training.worker.folder import Desk

if TYPE_CHECKING:
    from storage.store import Store
    from training.scheduler.backend import Backend
    from training.settings import TrainingSettings

log = logging.getLogger(__name__)

POLL = 0.15  #: seconds between two turns
HOUR = 3600.0  #: seconds between two looks for models that are too old
DAY = 24 * HOUR
RARELY = 5.0  #: seconds between two looks at what should not be needed
PATIENCE = 8.0  #: seconds a worker may take to put its jobs down
TROUBLE = 20  #: turns in a row that fail before the trainer gives up


class Trainer:
    """Claims jobs for its workers and settles what they did."""

    def __init__(self, store: Store, settings: TrainingSettings, backend: Backend) -> None:
        self.store, self.settings, self.backend = store, settings, backend
        self.stations = [
            Station(name, Desk(store.home.workers / name), backend) for name in settings.devices
        ]
        self.catalog = Catalog()
        self.seen: dict[str, object] = {}
        self.checked = self.expired = 0.0
        self.warned: set[int] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then let the workers put their jobs down."""
        await self.adopt()
        failed = 0
        while not stop.is_set():
            try:
                await self.turn()
                failed = 0
            except Exception:
                failed += 1
                log.exception("A turn failed")
                if failed == TROUBLE:
                    raise
            await asyncio.sleep(POLL if not failed else 1)
        await self.leave()

    async def adopt(self) -> None:
        """Take up what an earlier trainer left: running jobs and half-removed folders."""
        self.catalog = await self.store.catalog.read()
        for job in await self.store.jobs.open():
            if job.status is Status.RUNNING:
                await self.take_up(job)
        for job_id in await self.store.jobs.doomed():
            await forget(self.store, job_id)
        await self.tidy()

    async def take_up(self, job: Job) -> None:
        """Hold a running job again; whether its worker lives shows at the next turn."""
        known = {station.name: station for station in self.stations}
        desk = Desk(self.store.home.workers / (job.worker or "none"))
        claim = await Claim.open(self.store, job, desk.inbox)
        station = known.get(job.worker or "")
        if station is None:  # a worker of other settings
            if (handle := desk.handle()) is not None:
                await asyncio.to_thread(self.backend.stop, handle)
            await claim.release(counted=True)
        elif station.alive():
            if await claim.begin(self.catalog):
                station.claims.append(claim)
        else:
            await claim.release(counted=True)

    async def tidy(self) -> None:
        """Clear the folders of jobs that ended while nobody could."""
        open_jobs = {job.id for job in await self.store.jobs.open()}
        for path in (self.store.home.path / "runs").iterdir():
            if path.name.isdigit() and int(path.name) not in open_jobs:
                folder = self.store.home.run(int(path.name))
                left = (folder.checkpoints, folder.photos, folder.classes, style(folder))
                if any(place.exists() for place in (*left, *filter(None, [model(folder)]))):
                    await forget(self.store, int(path.name))

    async def turn(self) -> None:
        """Look after every worker and its jobs once."""
        for station in self.stations:
            await self.tend(station)
        if time.monotonic() - self.checked > RARELY:
            self.checked = time.monotonic()
            held = {claim.job.id for station in self.stations for claim in station.claims}
            for job in await self.store.jobs.stalled():
                if job.id not in held:
                    await self.take_up(job)
        if self.settings.days and time.time() - self.expired > HOUR:
            self.expired = time.time()
            await self.expire()

    async def expire(self) -> None:
        """Remove the files of whole models that are older than the operator keeps them."""
        for old in await self.store.styles.expire(time.time() - self.settings.days * DAY):
            log.info("The model of style %s was removed after %s days", old.id, self.settings.days)

    async def tend(self, station: Station) -> None:
        """Keep a worker alive, follow its jobs, and give it the next."""
        if not await asyncio.to_thread(station.alive):
            await self.bury(station)
            station.start()
            return
        for claim in list(station.claims):
            if await claim.follow() or not await claim.listen():
                station.claims.remove(claim)
        if station.ready:
            await self.publish(station)
            await self.give(station)

    async def bury(self, station: Station, *, counted: bool = True) -> None:
        """Give back the jobs of a worker that is gone."""
        for claim in list(station.claims):
            await claim.release(counted=counted)
            station.claims.remove(claim)

    async def publish(self, station: Station) -> None:
        """Publish what a worker can do, when it is new."""
        if (body := station.news()) is not None:
            self.catalog = catalog_of(body)
            await self.store.catalog.publish(self.catalog)
            log.info("Worker %s is ready: %s", station.name, self.catalog.device)

    async def give(self, station: Station) -> None:
        """Claim a worker's next job, if one waits and it may be started."""
        wanted = station.wants()
        seen = (wanted, await self.store.events.newest(), time.monotonic() // RARELY)
        if not wanted[0] or self.seen.get(station.name) == seen:
            return
        self.seen[station.name] = seen
        if not await self.room():
            return
        job = await self.store.jobs.claim(station.name, *wanted, lease=LEASE)
        if job is not None:
            claim = await Claim.open(self.store, job, station.desk.inbox)
            if await claim.begin(self.catalog):
                station.claims.append(claim)
            self.seen.pop(station.name)

    async def room(self) -> bool:
        """Return whether the disk has room for a job; if not, tell those that wait."""
        try:
            roomy(self.settings)
        except UserError as low:
            waiting = [j for j in await self.store.jobs.open() if j.status is Status.QUEUED]
            note = Event("note", {"code": low.code, **low.facts}, time.time())
            for job in waiting:
                if job.id not in self.warned:
                    log.warning("Job %s is not started: %s", job.id, low)
                    await self.store.events.append(job.id, [note])
                    self.warned.add(job.id)
            return False
        self.warned.clear()
        return True

    async def leave(self) -> None:
        """Let the workers put their jobs down, then end."""
        deadline = time.monotonic() + PATIENCE
        serving = list(self.stations)
        for station in serving:
            station.leave()
        while serving:
            for station in list(serving):
                if not station.alive():
                    await self.bury(station, counted=False)
                    serving.remove(station)
                elif time.monotonic() > deadline:
                    log.warning("Worker %s did not leave and is ended", station.name)
                    await asyncio.to_thread(station.stop)
            await asyncio.sleep(POLL)
