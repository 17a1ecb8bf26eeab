"""One job that a worker holds, as the trainer sees it: its events copied, its end settled once."""

from __future__ import annotations

import logging
import sqlite3
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storage.planning.durations import TimingKey, total_seconds
from storage.records import Event, JobCommand, Kind, Status, Timing
from storage.requests import TrainRequest
from training.scheduler.layout import base, clear, frozen, lay_out
from training.worker.eventlog import ending, ends, read
from training.worker.execution import told
from training.worker.inbox import Command, Inbox, Request

if TYPE_CHECKING:
    from storage.records import Catalog, Job
    from storage.store import Store

log = logging.getLogger(__name__)

LEASE = 30.0  #: seconds
BEAT = 10.0  #: seconds between two renewals
LATER = 5.0  #: seconds until something is tried again that the disk had no room for
STATUS = {
    "paused": Status.PAUSED,
    "cancelled": Status.CANCELLED,
    "done": Status.DONE,
    "failed": Status.FAILED,
}


class Claim:
    """A job under a fence. Every step is safe to repeat: a killed trainer's next one does."""

    def __init__(self, store: Store, job: Job, inbox: Inbox) -> None:
        self.store, self.job, self.inbox = store, job, inbox
        self.folder = store.home.run(job.id)
        self.mark = f"run {job.id}"
        self.offset = 0
        self.final: Event | None = None
        self.passed: JobCommand | None = None
        self.beaten = time.monotonic()
        self.later = 0.0

    @classmethod
    async def open(cls, store: Store, job: Job, inbox: Inbox) -> Claim:
        """Go on where the events were last copied; the end may have been, and not settled."""
        claim = cls(store, job, inbox)
        claim.offset = await store.events.cursor(claim.mark)
        claim.final = ending(claim.folder.events, job.fence)
        return claim

    async def begin(self, catalog: Catalog) -> bool:
        """Lay the folder out and ask the worker; False when the job has failed at once."""
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

    async def follow(self) -> bool:
        """Copy what happened since the last time; return whether the job is off our hands."""
        if time.monotonic() < self.later:
            return False
        try:
            return await self._follow()
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it ends this job alone
            if told(error)["code"] == "disk_full":
                log.warning("Job %s waits for room on the disk", self.job.id)
                self.later = time.monotonic() + LATER
                return False
            await self.fail(error)
            return True

    async def _follow(self) -> bool:
        events, offset = read(self.folder.events, self.offset)
        for event in events:
            await self._use(event)
        if offset > self.offset:
            await self.store.events.append(self.job.id, events, (self.mark, offset))
            self.offset = offset
            self.final = next((e for e in events if ends(e, self.job.fence)), self.final)
        if self.final is not None:
            await self.settle(self.final)
        return self.final is not None

    async def _use(self, event: Event) -> None:
        """Keep what an event brings, before anybody can read of it."""
        if event.kind == "caption":
            await self.store.photos.captioned(event.facts["photo"], event.facts["caption"])
        elif event.kind == "done" and self.job.kind is Kind.TRAIN and ends(event, self.job.fence):
            request = TrainRequest.from_json(self.job.request)
            family = base(await self.store.catalog.read(), self.job.base).family
            await self.store.styles.add(
                self.job,
                self.folder.result / event.facts["file"],
                method=request.method,
                family=family,
                trigger=request.trigger,
                concept=request.concept,
                whole=bool(event.facts.get("whole")),
            )

    async def listen(self) -> bool:
        """Pass a wish on and keep the lease; False when the job is no longer ours."""
        job = await self.store.jobs.get(self.job.id)
        if job.fence != self.job.fence or job.status is not Status.RUNNING:
            log.warning("Job %s is no longer ours", job.id)
            self.inbox.send(Request(Command.CANCEL, self.job.id, self.job.fence))
            return False
        if job.requested is not None and job.requested is not self.passed:
            self.inbox.send(Request(Command(job.requested), job.id, job.fence))
            self.passed = job.requested
        if time.monotonic() - self.beaten > BEAT:
            await self.store.jobs.beat(job.id, job.fence, LEASE)
            self.beaten = time.monotonic()
        return True

    async def settle(self, event: Event) -> None:
        """Record how the run ended."""
        if event.facts.get("leaving"):
            await self.store.jobs.release(self.job.id, self.job.fence, counted=False)
            return
        status = STATUS[event.kind]
        error = cause(event) if status is Status.FAILED else None
        settled = await self.store.jobs.settle(self.job.id, self.job.fence, status, error)
        if settled and status is Status.DONE:
            await self._measure(event)
        if status.ended:
            await forget(self.store, self.job.id)

    async def release(self, *, counted: bool) -> None:
        """Give the job back, whose worker is gone; what it wrote until then counts."""
        if not await self.follow():
            left = await self.store.jobs.release(self.job.id, self.job.fence, counted=counted)
            if left.status.ended:
                await forget(self.store, self.job.id)

    async def fail(self, error: Exception) -> None:
        """End the job for something that went wrong on this side."""
        facts = told(error)
        if "reference" in facts:
            log.error("Bug %s with job %s", facts["reference"], self.job.id, exc_info=error)
        self.inbox.send(Request(Command.CANCEL, self.job.id, self.job.fence))
        await self.store.jobs.settle(self.job.id, self.job.fence, Status.FAILED, facts)
        await forget(self.store, self.job.id)

    async def _measure(self, event: Event) -> None:
        """Remember the pace of a training that ran in one piece and to its end."""
        facts, store = event.facts, self.store
        if self.job.kind is not Kind.TRAIN or self.job.fence > 1 or facts["early"]:
            return
        (began, *_) = await store.events.of(self.job.id, "started")
        served = await store.events.of(self.job.id, "served")
        seconds = event.at - (self.job.started or event.at)
        seconds -= sum(other.facts["seconds"] for other in served)
        request, recipe = TrainRequest.from_json(self.job.request), frozen(self.folder) or {}
        photos = [
            photo
            for each in (recipe, *recipe.get("other_concepts", ()))
            for photo in each["photos"]
        ]
        pace = Timing(1 / facts["speed"], facts["photo"], facts["picture"], 0.0)
        counted = (
            facts["steps"],
            len(photos),
            request.num_class_images,
            1 + len(request.other_datasets),
        )
        pace = replace(pace, overhead=max(0.0, seconds - total_seconds(pace, *counted)))
        start = base(await store.catalog.read(), self.job.base)
        gait = TimingKey.from_training(
            began.facts["device"], start, request, request.concept, request.options
        )
        await store.durations.add_run(gait, pace)


async def forget(store: Store, job: int) -> None:
    """Remove what an ended job no longer needs, and all of it where its member has left."""
    clear(store.home.run(job))
    await store.jobs.purged(job)


def cause(event: Event) -> dict[str, Any]:
    """Return the code and facts of a failure."""
    return {key: fact for key, fact in event.facts.items() if key != "fence"}
