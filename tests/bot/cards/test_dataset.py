"""The dataset card says what became of the captions."""

from __future__ import annotations

import pytest

from bot import wording
from bot.wording import fill, say
from storage.events import Note
from storage.records import Kind, Status


@pytest.mark.parametrize("failed", [False, True])
async def test_what_became_of_the_captions(kit, scheduler, failed):
    """Photos that were removed before their turn are counted; a failure has its reason."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=2)
    await alice.click(await kit.open_dataset(alice), label="Caption again")
    job = await scheduler.claim(Kind.CAPTION)
    if failed:
        error = {"code": "captioner_missing", "captioner": "blip"}
        await kit.store.jobs.end_run(job.id, job.fence, Status.FAILED, error)
    else:
        await scheduler.add_event(job, Note("photos_gone", {"photos": 1}))
        await kit.store.jobs.end_run(job.id, job.fence, Status.DONE)

    said = kit.text(await kit.open_dataset(alice))

    assert wording.dataset.CAPTIONS_PENDING not in said
    assert (fill(wording.dataset.CAPTIONS_FAILED, why="").strip() in said) is failed
    assert (say(wording.job.NOTES["photos_gone"], photos=1) in said) is not failed
