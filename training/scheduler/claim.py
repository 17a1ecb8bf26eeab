"""One job that a worker holds: its events are copied, its end is settled once."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from storage.disk import FullDiskNotice, free_mib
from storage.events import (
    CheckpointSaved,
    Done,
    Ending,
    Event,
    Failed,
    LogEntry,
    Paused,
    PhotoCaptioned,
    PreviewsDrawn,
    Started,
)
from storage.photofiles import read_photo
from storage.places import name_for_timings
from storage.planning.durations import TimingKey, total_seconds
from storage.records import Catalog, Job, JobCommand, Kind, Release, Status, Timing
from storage.requests import TrainRequest
from storage.store import Store
from training.scheduler.class_images import keep_images
from training.scheduler.layout import clear_folder, frozen_recipe, list_photos, write_job_folder
from training.worker.eventlog import find_ending, find_unread, last_ending, read_entries
from training.worker.execution import describe_failure
from training.worker.inbox import Command, Inbox, Request

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
RENEW_SECONDS = 10.0  #: between two renewals of the lease
RETRY_SECONDS = 1.0  #: until what the disk had no room for is tried again
DISK_FULL = "disk_full"  #: the code of an error that the job waits out


class Claim:
    """A job under a fence. Each step may be repeated by the next scheduler if this one dies."""

    def __init__(self, store: Store, job: Job, inbox: Inbox) -> None:
        self.store, self.job, self.inbox = store, job, inbox
        self.folder = store.home.job_folder(job.folder)
        self.cursor_name = f"run {job.id}"
        self.offset = 0
        self.final: LogEntry[Ending] | None = None
        self.forwarded: JobCommand | None = None
        self.renewed_at = time.monotonic()
        self.retry_at = 0.0
        self.follows = False  #: whether all until now was read, as it happened or later
        self.preview_steps: set[int] = set()  #: whose previews have an event in the database
        self.disturbed = False  #: perhaps frozen for a while: its times tell nothing
        #: free space that was too little; None if it was not given back for that
        self.refused_mib: int | None = None
        later = f"what happens in job {job.id} is copied later"
        self.notice = FullDiskNotice(store.home.path, later)

    @classmethod
    async def open(cls, store: Store, job: Job, inbox: Inbox) -> Claim:
        """Resume where events were last copied; the end may have been copied, but not settled."""
        claim = cls(store, job, inbox)
        copied = await store.events.read_cursor(claim.cursor_name)
        claim.offset = find_unread(claim.folder.events_file, copied)
        if claim.offset < copied:
            log.warning("Job %s has lost the end of its event log", job.id)
            await store.events.save_cursor(claim.cursor_name, claim.offset)
        claim.preview_steps = list_preview_steps(
            await store.events.list_kind(job.id, PreviewsDrawn)
        )
        claim.final = find_ending(claim.folder.events_file, job.fence)
        return claim

    async def start(self, catalog: Catalog) -> bool:
        """Lay the folder out and ask the worker to run the job; return False if that failed."""
        if self.final is not None:
            return True
        try:
            await write_job_folder(self.store, self.job, catalog)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it ends this job alone
            await self.fail(error)
            return False
        self.inbox.send(Request(Command.RUN, self.job.id, self.job.fence, self.job.folder))
        return True

    async def copy_events(self) -> bool:
        """Copy the events since the last call; return whether the job has ended."""
        if time.monotonic() < self.retry_at:
            return False
        try:
            with self.notice.waiting():
                return await self._copy_events()
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - it ends this job alone
            await self.fail(error)
            return True
        self.retry_at = time.monotonic() + RETRY_SECONDS
        return False

    async def _copy_events(self) -> bool:
        read, offset = read_entries(self.folder.events_file, self.offset)
        if self.follows:  # what happens now has our time: the worker's clock may be another one
            read = [replace(entry, at=time.time()) for entry in read]
        self.follows = True
        kept = [entry for entry in read if await self._store_event(entry)]
        entries = drop_drawn(kept, self.preview_steps)
        if offset > self.offset:
            if any(isinstance(entry.event, CheckpointSaved) for entry in entries):
                await self.store.jobs.record_progress(self.job.id, self.job.fence)
            await self.store.events.append(self.job.id, entries, (self.cursor_name, offset))
            self.offset = offset
            self.preview_steps |= list_preview_steps(entries)
            self.final = last_ending(entries, self.job.fence) or self.final
        if self.final is not None:
            await self.settle(self.final)
        return self.final is not None

    async def _store_event(self, entry: LogEntry[Event]) -> bool:
        """Store the caption or style of an event before the event can be read.

        Returns False at the end of a training whose file a power cut has taken back.
        """
        event, ours = entry.event, entry.fence == self.job.fence
        if isinstance(event, PhotoCaptioned):
            await self.store.photos.set_generated_caption(event.photo, event.caption)
        elif isinstance(event, Done) and self.job.kind is Kind.CAPTION:
            await self._store_features()
        elif isinstance(event, Done) and self.job.kind is Kind.TRAIN and ours:
            return await self._store_style(event)
        return True

    async def _store_features(self) -> None:
        """Store what the worker's network saw in photos, and remove its file."""
        file = self.folder.features_file
        if not file.exists():
            return
        found = json.loads(await asyncio.to_thread(read_photo, file))
        for photo, features in found.items():
            await self.store.photos.set_features(int(photo), features)
        file.unlink(missing_ok=True)

    async def _store_style(self, event: Done) -> bool:
        """Store the style of a finished training; return False if its file is lost."""
        if (await self.store.jobs.get(self.job.id)).style is not None:
            return True
        request, file = TrainRequest.from_json(self.job.request), self.folder.result / event.file
        found_later = self.final is not None  # by this scheduler, maybe after a power cut
        if not await asyncio.to_thread(is_whole, file, event, compare=found_later):
            log.warning("Job %s has lost its result and continues from its last save", self.job.id)
            return False
        family = (await self.store.catalog.read()).find_base(self.job.base).family
        await self.store.styles.add(
            self.job,
            file,
            method=request.method,
            family=family,
            trigger=request.trigger,
            concept=request.concept,
            whole=event.full_model,
        )
        return True

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

    async def settle(self, entry: LogEntry[Ending]) -> None:
        """Record how the run ended; a training without its file is trained again."""
        event = entry.event
        if not await self._store_event(entry):
            await self._give_back(Release.INTERRUPTED)
            return
        if isinstance(event, Paused) and event.leaving:
            await self._give_back(Release.HANDED_BACK)
            return
        if isinstance(event, Failed) and event.code == DISK_FULL:
            self.refused_mib = int(event.facts.get("free", 0))
            await self._give_back(Release.HANDED_BACK)
            return
        error = event.to_json() if isinstance(event, Failed) else None
        settled = await self.store.jobs.end_run(self.job.id, self.job.fence, event.STATUS, error)
        if settled and isinstance(event, Done):
            await self._record_timing(event)
        if event.STATUS.ended:
            await purge_job(self.store, self.job)

    async def release(self, reason: Release) -> None:
        """Requeue the job of a dead worker, unless its events say it has ended."""
        if not await self.copy_events():
            await self._give_back(reason)

    async def _give_back(self, reason: Release) -> None:
        left = await self.store.jobs.release(self.job.id, self.job.fence, reason)
        log.info("Job %s was %s and is %s", self.job.id, reason.replace("_", " "), left.status)
        if left.status.ended:
            await purge_job(self.store, self.job)

    async def fail(self, error: Exception) -> None:
        """End the job for an error on the scheduler's side; give it back if the disk is full."""
        failed = describe_failure(error)
        if failed.code == DISK_FULL:
            self.refused_mib = free_mib(self.store.home)
            await self._give_back(Release.HANDED_BACK)
            return
        if failed.reference:
            log.error("Bug %s with job %s", failed.reference, self.job.id, exc_info=error)
        self.inbox.send(Request(Command.CANCEL, self.job.id, self.job.fence))
        await self.store.jobs.end_run(self.job.id, self.job.fence, Status.FAILED, failed.to_json())
        await purge_job(self.store, self.job)

    async def _record_timing(self, done: Done) -> None:
        """Store how long the parts of a training took, if it ran in one piece to its end.

        The worker has measured them; differences of times of the day would contain clock changes.
        """
        store, timings = self.store, done.timings
        in_one_piece = self.job.fence == 1 and not done.early and not self.disturbed
        parts = ("continues", "stop_after")
        in_one_piece = in_one_piece and not any(self.job.request.get(each) for each in parts)
        if self.job.kind is not Kind.TRAIN or not in_one_piece or not timings.steps_per_second:
            return
        (started, *_) = await store.events.list_kind(self.job.id, Started)
        request = TrainRequest.from_json(self.job.request)
        photos = len(list_photos(frozen_recipe(self.folder) or {}))
        concepts = 1 + sum(not other.class_photos for other in request.other_datasets)
        timing = Timing(
            1 / timings.steps_per_second, timings.photo_seconds, timings.picture_seconds, 0.0
        )
        known = total_seconds(timing, replace(request, steps=done.steps), photos, concepts)
        timing = replace(timing, overhead=max(0.0, timings.seconds - known))
        catalog = await store.catalog.read()
        base = catalog.find_base(self.job.base)
        device = name_for_timings(catalog, started.event.device)
        key = TimingKey.from_training(device, base, request, request.concept, request.options)
        await store.durations.add_run(key, timing)


async def purge_job(store: Store, job: Job) -> None:
    """Remove what an ended job no longer needs; all of it, if its member was erased."""
    folder = store.home.job_folder(job.folder)
    recipe = frozen_recipe(folder) if job.kind is Kind.TRAIN else None
    base = (await store.catalog.read()).get_base(job.base)
    if recipe and base and folder.class_images.is_dir():
        await asyncio.to_thread(keep_images, store.home, folder, base, recipe)
    clear_folder(store.home.job_folder(job.folder))
    await store.jobs.purge(job.id)


def list_preview_steps(entries: Iterable[LogEntry[Event]]) -> set[int]:
    """Return the steps whose previews these events tell of."""
    return {entry.event.step for entry in entries if isinstance(entry.event, PreviewsDrawn)}


def drop_drawn(entries: list[LogEntry[Event]], known: set[int]) -> list[LogEntry[Event]]:
    """Drop the previews that a resumed run tells of once more."""
    kept = list[LogEntry[Event]]()
    for entry in entries:
        if not list_preview_steps([entry]) & (known | list_preview_steps(kept)):
            kept.append(entry)
    return kept


def is_whole(file: Path, done: Done, *, compare: bool) -> bool:
    """Return whether a training's file is there with all its bytes; `compare` them, too."""
    if not file.is_file() or file.stat().st_size != done.bytes:
        return False
    if not compare or not done.digest:
        return True
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest() == done.digest
