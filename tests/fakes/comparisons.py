"""Comparisons as members start them, and their trainings and grades as a worker reports them."""

from __future__ import annotations

import json

from bot import wording
from storage.events import PictureDrawn
from storage.records import Kind, Status
from tests.fakes.discord import draw_photo
from training.scheduler.comparing import ComparisonCourse


async def advance(kit):
    """Let the scheduler decide what is next, and the bot show it."""
    await ComparisonCourse(kit.store).advance()
    await kit.env.advance_time(10)


async def start(kit, who, **options):
    """Start a comparison, with the first training queued; return what the card before said."""
    options = {"dataset": "my dog", "method": "lora", "other_method": "embedding"} | options
    card = (await who.slash(kit.channel, "train compare", **options)).response
    said = kit.text(card)
    await who.click(card, label=wording.comparison.START)
    await advance(kit)
    return said


async def train(kit, scheduler, **facts):
    """Train the next entry to its end."""
    job = await scheduler.claim(Kind.TRAIN)
    await scheduler.report_step(job, 40)
    await scheduler.report_preview(job, 50)
    style = await scheduler.finish_training(job, **facts)
    await advance(kit)
    return job, style


async def judge(kit, scheduler, *scores, beats=(), bases=()):
    """Draw and grade the entries, with the numbers of those that the first one beats."""
    job = await scheduler.claim(Kind.GRADE)
    folder = kit.store.home.job_folder(job.folder).result
    folder.mkdir(parents=True)
    grades = {
        str(number): {
            "score": score, "spread": 0.03, "likeness": 0.6, "variety": 0.9, "copies": 0.0,
            "obedience": None if number else 0.8, "beats": [] if number else [*beats],
        }
        for number, score in enumerate(scores)
    }  # fmt: skip
    measured = {"likeness": 0.3, "own_likeness": 0.6, "variety": 1.2}
    content = {"grades": grades, "crossed": [], "bases": dict.fromkeys(bases, measured)}
    (folder / "grades.json").write_text(json.dumps(content))
    for name in ["0.png", "1.png"] if bases else ["0.png"]:
        (folder / name).write_bytes(draw_photo(1, (300, 200)))
        await scheduler.add_event(job, PictureDrawn(name))
    await kit.store.jobs.end_run(job.id, job.fence, Status.DONE)
    await advance(kit)
    return job
