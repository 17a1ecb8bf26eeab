"""The course of comparisons: their trainings are queued one after the other, then graded.

What is next is decided by `storage.planning.comparison` from what the database knows, so that it
goes on after a restart of the scheduler or the bot.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from storage.errors import UserError
from storage.planning.comparison import Grading, Step, decide_step, halve, plan_round
from storage.records import Job, Status
from storage.requests import JudgedStyle, JudgeRequest
from storage.store import Store
from storage.tables.comparisons import Comparison, ComparisonState, Entry
from training.worker.execution import describe_failure

log = logging.getLogger(__name__)

GRADES = "grades.json"  #: in the folder of the job that graded


class ComparisonCourse:
    """Moves comparisons on."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def advance(self) -> None:
        """Do what is next in every comparison that has not ended."""
        for comparison in await self.store.comparisons.list_open():
            try:
                await self.advance_one(comparison)
            except sqlite3.Error:
                raise
            except Exception as error:
                failed = describe_failure(error)
                log.exception("Comparison %s failed", comparison.id)
                await self.store.comparisons.fail(comparison, failed.to_json())

    async def advance_one(self, comparison: Comparison) -> None:
        """Do what is next in a comparison."""
        entries = await self.store.comparisons.list_entries(comparison.id)
        racing = {entry.number: entry for entry in entries if entry.out is None}
        if comparison.state is ComparisonState.JUDGING:
            await self.take_grades(comparison, entries)
            return
        stages = {number: one.find_stage(comparison.round) for number, one in racing.items()}
        step, numbers = decide_step(stages)
        chosen = [racing[number] for number in numbers]
        if step is Step.TRAIN:
            share, (entry,) = comparison.shares[comparison.round], chosen
            request = plan_round(entry.request, share, entry.job if comparison.round else None)
            await self.store.comparisons.train(comparison, entry, request)
        elif step is Step.JUDGE:
            if comparison.is_last_round:  # its grid shows all that there are
                ended = [entry for entry in entries if entry.out is not None and entry.style]
                chosen = sorted(chosen + ended, key=lambda entry: entry.number)
            request = asdict(make_judge_request(comparison, chosen))
            await self.store.comparisons.judge(comparison, request)
        elif step is Step.FAIL:
            await self.store.comparisons.fail(comparison, await self.find_error(entries))

    async def take_grades(self, comparison: Comparison, entries: Sequence[Entry]) -> None:
        """Once the entries are graded, have the better half go on, or end."""
        racing = {entry.number: entry for entry in entries if entry.out is None}
        job = await self.find_job(comparison.judging)
        if job is not None and not job.status.ended:
            return
        if job is None or job.status is not Status.DONE:
            await self.store.comparisons.fail(comparison, job.error if job else None)
            return
        file = self.store.home.job_folder(job.folder).result / GRADES
        content = json.loads(await asyncio.to_thread(file.read_bytes))
        grades = {int(number): Grading.from_json(one) for number, one in content["grades"].items()}
        if comparison.is_last_round or not grades.keys() & racing.keys():
            more = {name: value for name, value in content.items() if name != "grades"}
            await self.store.comparisons.finish(comparison, grades, more)
            return
        grades = {number: one for number, one in grades.items() if number in racing}
        sizes = {number: int(racing[number].request.get("file_bytes", 0)) for number in grades}
        await self.store.comparisons.grade(comparison, grades, halve(grades, sizes))

    async def find_error(self, entries: Sequence[Entry]) -> dict[str, Any] | None:
        """Return the error of the last training that failed."""
        jobs = [await self.find_job(entry.job) for entry in entries]
        return next((job.error for job in reversed(jobs) if job and job.error), None)

    async def find_job(self, number: int | None) -> Job | None:
        """Return a job, None if it is gone."""
        try:
            return None if number is None else await self.store.jobs.get(number)
        except UserError:
            return None


def make_judge_request(comparison: Comparison, entries: Sequence[Entry]) -> JudgeRequest:
    """Return the request that draws with the styles of some entries."""
    first = entries[0].request
    judged = [JudgedStyle(each.number, each.style or 0, each.base, each.label) for each in entries]
    return JudgeRequest(
        entries[0].base,
        comparison.name,
        first["trigger"],
        first["concept"],
        first.get("class_word", ""),
        tuple(judged),
    )
