"""`python -m training`: the process that owns the queue. It is light: it never imports torch."""

from __future__ import annotations

import asyncio
import logging
import math
import time

from storage.carefultime import read_careful_time
from storage.disk import FullDiskNotice, check_disk_space
from storage.errors import UserError
from storage.events import Note
from storage.records import Catalog, Job, Release, Status
from storage.store import Store
from storage.tables.catalog import catalog_from_json
from storage.tables.claims import Preferences
from training.scheduler.backend import Backend
from training.scheduler.choice import list_elsewhere, list_fitting, list_warm
from training.scheduler.claim import LEASE_SECONDS, Claim, purge_job
from training.scheduler.cluster import Cluster
from training.scheduler.comparing import ComparisonCourse
from training.scheduler.handle import WorkerHandle
from training.scheduler.layout import clear_folder
from training.scheduler.nodes import Nodes
from training.scheduler.waiting import WaitingNotes, note_absent, note_staying
from training.settings import TrainingSettings
from training.worker.folder import WorkerFolder, name_folder

log = logging.getLogger(__name__)

POLL_SECONDS = 0.15  #: between two turns
DAY_SECONDS = 86400.0
EXPIRE_SECONDS = 3600.0  #: between two searches for models that are too old
SWEEP_SECONDS = 5.0  #: between two searches for running jobs without a worker
COMPARE_SECONDS = 1.0  #: between two looks at comparisons and at other machines
DISK_LOW = "disk_low"  #: the code of the error and of the note
MAX_STOP_SECONDS = 8.0  #: that a worker may take to put its jobs down
MAX_FAILED_TURNS = 20  #: in a row, before the scheduler gives up
MORE_ROOM_MIB = 16  #: than a job found too little, before the next one is started
MAX_ROOM_SECONDS = 600.0  #: then one is started all the same: quotas show no free space


class Scheduler:
    """Claims jobs for its workers and settles what they did."""

    def __init__(
        self,
        store: Store,
        settings: TrainingSettings,
        backend: Backend,
        cluster: Cluster | None = None,
    ) -> None:
        """`cluster` has the workers on other machines."""
        self.store, self.settings, self.backend = store, settings, backend
        self.workers = [
            WorkerHandle(
                f"{settings.box_name}/{name}", WorkerFolder(store.home.workers / name), backend
            )
            for name in settings.devices
        ]
        self.nodes = Nodes(store, settings.box_name, cluster)
        self.catalogs: dict[str, Catalog] = {}  #: by worker
        #: the state in which a worker last found no job: it is not asked again until this changes
        self.claim_tried: dict[str, object] = {}
        self.comparisons = ComparisonCourse(store)
        #: by the monotonic clock
        self.swept_at = self.expired_at = self.compared_at = -math.inf
        self.notes = WaitingNotes(store)
        self.poll_seconds, self.compare_seconds = POLL_SECONDS, COMPARE_SECONDS
        self.notice = FullDiskNotice(store.home.path, "the jobs wait for room")
        self.needed_mib, self.refused_at = 0, -math.inf  #: free space, since a job lacked room

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then let the workers put their jobs down."""
        self.workers += await self.nodes.find_known()
        await self.sort_orphans()
        await self.adopt_jobs()
        failed = 0
        while not stop.is_set():
            try:
                with self.notice.waiting():
                    await self.run_turn()
                failed = 0
            except Exception:
                failed += 1
                log.exception("A turn failed")
                if failed == MAX_FAILED_TURNS:
                    raise
            await asyncio.sleep(1 if failed or self.notice.full else self.poll_seconds)
        await self.stop_workers()
        await asyncio.to_thread(self.nodes.close)

    async def sort_orphans(self) -> None:
        """Put what another database left into quarantine; end the workers that may write there."""
        if await self.store.orphans.find_runs():
            for path in self.store.home.workers.iterdir():
                await self.stop_process(WorkerFolder(path))
        await self.store.orphans.sort()

    async def adopt_jobs(self) -> None:
        """Adopt what an earlier scheduler left: running jobs and half-removed folders."""
        self.catalogs = await self.store.catalog.read_all()
        for job in await self.store.jobs.list_open():
            if job.status is Status.RUNNING:
                await self.adopt_job(job)
        for job in await self.store.jobs.list_purgeable():
            await purge_job(self.store, job)
        await self.clear_ended_folders()

    async def adopt_job(self, job: Job) -> None:
        """Claim a running job again if its worker lives; else give it back to the queue."""
        folder = self.find_folder(job)
        claim = await Claim.open(self.store, job, folder.inbox)
        worker = next((each for each in self.workers if each.folder == folder), None)
        if worker is None:  # of a device that is no longer in the settings
            await self.stop_process(folder)
            await claim.release(Release.LEFT)
        elif await asyncio.to_thread(worker.check_alive):
            if await claim.start(self.catalogs.get(worker.name, Catalog())):
                worker.claims.append(claim)
            self.note_room(claim)
        else:  # it died while nobody watched
            await claim.release(Release.LEFT)

    async def stop_process(self, folder: WorkerFolder) -> None:
        """Kill the process that a worker's folder names."""
        handles = (worker for worker in self.workers if worker.folder == folder)
        backend = next((worker.backend for worker in handles), self.backend)
        if (process := folder.read_process()) is not None:
            await asyncio.to_thread(backend.stop, process)

    def find_folder(self, job: Job) -> WorkerFolder:
        """Return the folder of a running job's worker, also where this machine was renamed."""
        places = self.store.home.workers
        named = WorkerFolder(places / name_folder(job.worker or "none", self.settings.box_name))
        if named.read_process() is not None:
            return named
        holders = (WorkerFolder(path) for path in sorted(places.iterdir()))
        return next((folder for folder in holders if folder.holds(job.id)), named)

    async def clear_ended_folders(self) -> None:
        """Clear the folders of jobs that ended without a worker, or while no scheduler ran."""
        open_jobs = {job.folder for job in await self.store.jobs.list_open()}
        for path in self.store.home.runs.iterdir():
            if path.name in open_jobs:
                continue
            folder = self.store.home.job_folder(path.name)
            left = (folder.checkpoints, folder.photos, folder.class_images, folder.style_file)
            if any(place.exists() for place in (*left, *folder.grid_styles, folder.request_file)):
                clear_folder(folder)

    async def run_turn(self) -> None:
        """Serve every worker once; now and then, look for what was left behind."""
        for worker in list(self.workers):
            await self.serve_worker(worker)
        if time.monotonic() - self.compared_at > self.compare_seconds:
            self.compared_at = time.monotonic()
            await self.comparisons.advance()
            await self.nodes.look(self.workers)
        if time.monotonic() - self.swept_at > SWEEP_SECONDS:
            self.swept_at = time.monotonic()
            held = {claim.job.id for worker in self.workers for claim in worker.claims}
            for job in await self.store.jobs.list_stalled():
                if job.id not in held:
                    await self.adopt_job(job)
            await note_absent(self.notes, self.workers, self.catalogs)
            await note_staying(self.notes, self.workers, self.catalogs)
        if time.monotonic() - self.expired_at > EXPIRE_SECONDS:
            self.expired_at = time.monotonic()
            await self.remove_old()

    async def remove_old(self) -> None:
        """Remove what nobody needs any more, or what is too old."""
        now = await asyncio.to_thread(read_careful_time, self.store.home)
        await self.store.drafts.remove_old(now)
        await self.store.orphans.expire()
        await self.store.sweep()
        await self.clear_ended_folders()
        await self.remove_old_models(now)
        if days := self.settings.checkpoint_days:
            await self.store.checkpoints.remove_old(now - days * DAY_SECONDS)

    async def remove_old_models(self, now: float) -> None:
        """Remove the files of whole models older than SAFELIGHT_MODEL_DAYS, unless it is 0."""
        days = self.settings.full_model_days
        if not days:
            return
        for old in await self.store.styles.remove_full_models(now - days * DAY_SECONDS):
            log.info("The model of style %s was removed after %s days", old.id, days)

    async def serve_worker(self, worker: WorkerHandle) -> None:
        """Keep a worker alive, follow its jobs, and claim the next one for it."""
        if not await asyncio.to_thread(worker.check_alive):
            await self.release_jobs(worker)
            await asyncio.to_thread(worker.start)  # one elsewhere may take a while to answer
            return
        for claim in list(worker.claims):
            if await claim.copy_events() or not await claim.forward_command():
                worker.claims.remove(claim)
            self.note_room(claim)
        if worker.ready:
            worker.seen_at = time.monotonic()
            await self.publish_catalog(worker)
            await self.claim_job(worker)

    async def release_jobs(self, worker: WorkerHandle, reason: Release | None = None) -> None:
        """Requeue the jobs of a worker that is gone."""
        for claim in list(worker.claims):
            await claim.release(reason or worker.release_reason(claim))
            worker.claims.remove(claim)

    async def publish_catalog(self, worker: WorkerHandle) -> None:
        """Publish what a worker can do, if that has changed."""
        if (body := worker.new_catalog()) is not None:
            catalog = self.catalogs[worker.name] = catalog_from_json(body)
            names = [each.name for each in self.workers]
            await self.store.catalog.publish(catalog, worker.name, names)
            self.claim_tried.clear()  # what one can run, others leave to it
            log.info("Worker %s is ready: %s", worker.name, catalog.device)

    async def claim_job(self, worker: WorkerHandle) -> None:
        """Claim the next waiting job that a worker can take, if the disk has room."""
        catalog = self.catalogs.get(worker.name, Catalog())
        wanted = worker.wanted_jobs(
            list_fitting(worker, self.workers, self.settings.devices, catalog)
        )
        state = (wanted, await self.store.events.newest_id(), time.monotonic() // SWEEP_SECONDS)
        if not wanted[0] or self.claim_tried.get(worker.name) == state:
            return
        if self.nodes.is_drained(worker):
            return
        self.claim_tried[worker.name] = state
        if not await self.has_disk_space():
            return
        job = await self.store.jobs.claim(
            worker.name,
            *wanted,
            lease=LEASE_SECONDS,
            preferred=Preferences(
                list_elsewhere(worker, self.workers, self.catalogs),
                list_warm(worker, self.workers),
                away=worker.remote,
            ),
        )
        if job is not None:
            claim = await Claim.open(self.store, job, worker.folder.inbox)
            if await claim.start(catalog):
                worker.claims.append(claim)
            self.note_room(claim)
            self.claim_tried.pop(worker.name)

    def note_room(self, claim: Claim) -> None:
        """Note how much was free when a job found no room: the next one waits until it is more."""
        if claim.refused_mib is not None:
            self.needed_mib = claim.refused_mib + MORE_ROOM_MIB
            self.refused_at = time.monotonic()

    async def has_disk_space(self) -> bool:
        """Return whether the disk has room for a job; if not, note it in the jobs that wait."""
        refused = time.monotonic() - self.refused_at < MAX_ROOM_SECONDS
        more = self.needed_mib - self.settings.min_free_mib if refused else 0
        try:
            check_disk_space(self.settings, max(0, more))
        except UserError as low:
            waiting = await self.notes.list_waiting()
            await self.notes.tell(Note(DISK_LOW, dict(low.facts)), waiting)
            return False
        self.notes.forget(DISK_LOW)
        return True

    async def stop_workers(self) -> None:
        """Let the workers put their jobs down and end; kill those that do not in time."""
        deadline = time.monotonic() + MAX_STOP_SECONDS
        living = list(self.workers)
        for worker in living:
            worker.ask_to_leave()
        while living:
            for worker in list(living):
                if not await asyncio.to_thread(worker.check_alive):
                    living.remove(worker)
                    with self.notice.waiting():  # else the next scheduler releases them
                        await self.release_jobs(worker, Release.HANDED_BACK)
                elif time.monotonic() > deadline:
                    log.warning("Worker %s did not leave and is killed", worker.name)
                    await asyncio.to_thread(worker.stop)
            await asyncio.sleep(self.poll_seconds)
