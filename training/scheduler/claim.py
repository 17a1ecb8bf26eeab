"""One job that a worker holds: its events are copied, its end is settled once."""

from __future__ import annotations

import logging
import sqlite3
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.planning.durations import TimingKey, total_seconds
from storage.records import Event, JobCommand, Kind, Status, Timing
from storage.requests import TrainRequest
from training.recipe.names import current_names
from training.scheduler.layout import clear_folder, frozen_recipe, lay_out
from training.worker.eventlog import ending, ends, read
from training.worker.execution import told
from training.worker.inbox import Command, Inbox, Request

if TYPE_CHECKING:
    from storage.records import Catalog, Job
    from storage.store import Store

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0  #: between two renewals of the lease
RETRY_SECONDS = 5.0  #: until what the disk had no room for is tried again
#: by the kind of the event that ends a run
STATUSES = {
    "paused": Status.PAUSED,
    "cancelled": Status.CANCELLED,
    "done": Status.DONE,
    "failed": Status.FAILED,
}


class Claim:
    """A job under a fence. Each step may be repeated by the next scheduler if this one dies."""

    def __init__(self, store: Store, job: Job, inbox: Inbox) -> None:
        self.store, self.job, self.inbox = store, job, inbox
        self.folder = store.home.job_folder(job.id)
        self.cursor_name = f"run {job.id}"
        self.offset = 0
        self.final: Event | None = None
        self.forwarded: JobCommand | None = None
        self.renewed_at = time.monotonic()
        self.retry_at = 0.0

    @classmethod
    async def open(cls, store: Store, job: Job, inbox: Inbox) -> Claim:
        """Resume where events were last copied; the end may have been copied, but not settled."""
        claim = cls(store, job, inbox)
        claim.offset = await store.events.cursor(claim.cursor_name)
        claim.final = ending(claim.folder.events_file, job.fence)
        return claim

    async def start(self, catalog: Catalog) -> bool:
        """Lay the folder out and ask the worker to run the job; return False if that failed."""
        if self.final is not None:
            return True
        try:
            await lay_out(self.store, self.job, catalog)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it ends this job alone
            await self.fail(error)
            return False
        self.inbox.send(Request(Command.RUN, self.job.id, self.job.fence))
        return True

    async def copy_events(self) -> bool:
        """Copy the events since the last call; return whether the job has ended."""
        if time.monotonic() < self.retry_at:
            return False
        try:
            return await self._copy_events()
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it ends this job alone
            if told(error)["code"] == "disk_full":
                log.warning("Job %s waits for room on the disk", self.job.id)
                self.retry_at = time.monotonic() + RETRY_SECONDS
                return False
            await self.fail(error)
            return True

    async def _copy_events(self) -> bool:
        events, offset = read(self.folder.events_file, self.offset)
        for event in events:
            await self._store_event(event)
        if offset > self.offset:
            await self.store.events.append(self.job.id, events, (self.cursor_name, offset))
            self.offset = offset
            self.final = next((e for e in events if ends(e, self.job.fence)), self.final)
        if self.final is not None:
            await self.settle(self.final)
        return self.final is not None

    async def _store_event(self, event: Event) -> None:
        """Store the caption or style of an event before the event can be read."""
        if event.kind == "caption":
            await self.store.photos.set_generated_caption(
                event.facts["photo"], event.facts["caption"]
            )
        elif event.kind == "done" and self.job.kind is Kind.TRAIN and ends(event, self.job.fence):
            request = TrainRequest.from_json(self.job.request)
            family = (await self.store.catalog.read()).find_base(self.job.base).family
            await self.store.styles.add(
                self.job,
                self.folder.result / event.facts["file"],
                method=request.method,
                family=family,
                trigger=request.trigger,
                concept=request.concept,
                whole=bool(event.facts.get("whole")),
            )

    async def forward_command(self) -> bool:
        """Forward a member's command and renew the lease; return False if the job is another's."""
        job = await self.store.jobs.get(self.job.id)
        if job.fence != self.job.fence or job.status is not Status.RUNNING:
            log.warning("Job %s was claimed by another scheduler, or settled", job.id)
            self.inbox.send(Request(Command.CANCEL, self.job.id, self.job.fence))
            return False
        if job.requested is not None and job.requested is not self.forwarded:
            self.inbox.send(Request(Command(job.requested), job.id, job.fence))
            self.forwarded = job.requested
        if time.monotonic() - self.renewed_at > RENEW_SECONDS:
            await self.store.jobs.extend_lease(job.id, job.fence, LEASE_SECONDS)
            self.renewed_at = time.monotonic()
        return True

    async def settle(self, event: Event) -> None:
        """Record how the run ended."""
        if event.facts.get("leaving"):
            await self.store.jobs.release(self.job.id, self.job.fence, counted=False)
            return
        status = STATUSES[event.kind]
        error = failure_facts(event) if status is Status.FAILED else None
        settled = await self.store.jobs.end_run(self.job.id, self.job.fence, status, error)
        if settled and status is Status.DONE:
            await self._record_timing(event)
        if status.ended:
            await purge_job(self.store, self.job.id)

    async def release(self, *, counted: bool) -> None:
        """Give the job of a dead worker back to the queue, unless its events say it has ended."""
        if not await self.copy_events():
            left = await self.store.jobs.release(self.job.id, self.job.fence, counted=counted)
            if left.status.ended:
                await purge_job(self.store, self.job.id)

    async def fail(self, error: Exception) -> None:
        """End the job for an error on the scheduler's side."""
        facts = told(error)
        if "reference" in facts:
            log.error("Bug %s with job %s", facts["reference"], self.job.id, exc_info=error)
        self.inbox.send(Request(Command.CANCEL, self.job.id, self.job.fence))
        await self.store.jobs.end_run(self.job.id, self.job.fence, Status.FAILED, facts)
        await purge_job(self.store, self.job.id)

    async def _record_timing(self, event: Event) -> None:
        """Store how long the parts of a training took, if it ran in one piece to its end."""
        facts, store = event.facts, self.store
        if self.job.kind is not Kind.TRAIN or self.job.fence > 1 or facts["early"]:
            return
        (started, *_) = await store.events.of(self.job.id, "started")
        served = await store.events.of(self.job.id, "served")
        seconds = event.at - (self.job.started or event.at)
        seconds -= sum(other.facts["seconds"] for other in served)
        request = TrainRequest.from_json(self.job.request)
        counts = (
            facts["steps"],
            count_photos(frozen_recipe(self.folder) or {}),
            request.num_class_images,
            1 + len(request.other_datasets),
        )
        timing = Timing(1 / facts["speed"], facts["photo"], facts["picture"], 0.0)
        timing = replace(timing, overhead=max(0.0, seconds - total_seconds(timing, *counts)))
        base = (await store.catalog.read()).find_base(self.job.base)
        device = started.facts["device"]
        key = TimingKey.from_training(device, base, request, request.concept, request.options)
        await store.durations.add_run(key, timing)


async def purge_job(store: Store, job: int) -> None:
    """Remove what an ended job no longer needs; all of it, if its member was erased."""
    clear_folder(store.home.job_folder(job))
    await store.jobs.purge(job)


def count_photos(recipe: dict[str, Any]) -> int:
    """Return the number of photos of all concepts in a recipe's JSON."""
    recipe = current_names(recipe)
    concepts = (recipe, *recipe.get("other_concepts", ()))
    return sum(len(concept.get("photos", ())) for concept in concepts)


def failure_facts(event: Event) -> dict[str, Any]:
    """Return the code and facts of a failure."""
    return {key: fact for key, fact in event.facts.items() if key != "fence"}
