"""A finished training goes on from its last state as a new job."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
import torch

from storage.errors import SafelightError
from storage.records import Base, Catalog, CheckedPhoto, Concept, Job, Kind, Status
from training.recipe.recipe import Recipe
from training.run import checkpoint
from training.run.loop import train
from training.scheduler.layout import clear_folder, write_job_folder
from training.styles.writer import read_tensors

ALICE = 1001
HERE = Base("embedded", "Here", "sd1", "embedded:diffusion", 64, "none", "tests", present=True)
CATALOG = Catalog(bases=(HERE,))


async def lay_out(queue, job: Job) -> Job:
    """Claim a job, and write its folder."""
    claimed = await queue.store.jobs.claim("w", [Kind.TRAIN])
    assert claimed.id == job.id
    await write_job_folder(queue.store, claimed, CATALOG)
    return claimed


async def finish(queue, job: Job) -> None:
    """Settle a job whose training has written its files."""
    folder = queue.home.job_folder(job.folder)
    (file,) = folder.result.glob("*.safetensors")
    known = {"method": "lora", "family": "sd1", "trigger": "mydog", "concept": Concept.LOOK}
    await queue.store.styles.add(job, file, **known)
    clear_folder(folder)
    await queue.store.jobs.end_run(job.id, job.fence, Status.DONE)


async def finish_with_state(queue) -> Job:
    """Return a finished training of which only the last state is real."""
    job = await lay_out(queue, await queue.add_training())
    folder = queue.home.job_folder(job.folder)
    recipe = Recipe.from_json(folder.read_request()["recipe"])
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    state = checkpoint.take_snapshot((40, recipe, [0.1], {}), {}, optimizer)
    folder.kept.mkdir()
    state.write(folder.checkpoints).rename(folder.kept_state)
    folder.result.mkdir()
    (folder.result / "mydog.safetensors").write_bytes(b"weights")
    await finish(queue, job)
    return job


async def go_on(queue, job: Job, steps: int) -> Job:
    """Queue a job that goes on with a finished one, and lay it out."""
    request = job.request | {"steps": steps, "stop_after": 0, "continues": job.id}
    new = await queue.add_job(Kind.TRAIN, ALICE, request, "embedded", dataset=job.dataset)
    return await lay_out(queue, new)


@pytest.mark.slow(3)
@pytest.mark.parametrize(
    ("schedule", "asked"), [("constant", {"steps": 2}), ("cosine", {"steps": 3, "stop_after": 2})]
)
async def test_exact(queue, bases, run_task, schedule, asked):
    """Its file has the weights of one longer run, and becomes that of the same style.

    A run that was to stop is on the schedule of all its steps, which may then not be constant.
    """
    options = {"lr_scheduler": schedule, "ema_decay": 0.9}
    asked = {"sample_prompts": ["a mydog"], "options": options} | asked
    first = await lay_out(queue, await queue.add_training(**asked))
    events = run_task(train(queue.home.job_folder(first.folder), bases))
    assert (events[0].steps, events[-1].steps, events[-1].early) == (2, 2, False)
    await finish(queue, first)

    second = await go_on(queue, first, 3)
    events = run_task(train(queue.home.job_folder(second.folder), bases))
    await finish(queue, second)
    (style,) = await queue.store.styles.list_for(ALICE)
    assert not second.request["stop_after"]
    longer = {key: value for key, value in second.request.items() if key != "continues"}
    whole = await queue.add_job(Kind.TRAIN, ALICE, longer, "embedded", dataset=first.dataset)
    folder = queue.home.job_folder((await lay_out(queue, whole)).folder)
    run_task(train(folder, bases))

    assert (events[0].step, events[0].rounds) == (2, (3,))
    assert (events[-1].steps, style.job) == (3, second.id)
    ours = read_tensors(queue.store.styles.file(style))
    others = read_tensors(folder.result / "mydog.safetensors")
    assert ours.keys() == others.keys()
    assert all(torch.equal(ours[name], others[name]) for name in ours)
    steps = [each.step for each in await queue.store.checkpoints.list_for(style)]
    assert steps == [2, 3]


async def test_recipe(queue):
    """It has the recipe of then, its captions too, with new steps, and a checkpoint of that."""
    first = await finish_with_state(queue)
    photo, *_ = await queue.store.photos.list_for(first.dataset, ALICE)
    await queue.store.photos.set_caption(photo.id, ALICE, "on the beach")
    second = await go_on(queue, first, 52)
    folder = queue.home.job_folder(second.folder)
    recipe = Recipe.from_json(folder.read_request()["recipe"])

    assert not any("beach" in photo.caption for photo in recipe.photos)
    assert (recipe.steps, recipe.continued_from, recipe.accepted) == (52, 40, first.created)
    saved = checkpoint.read_newest(folder.checkpoints, recipe)
    assert saved is not None
    assert (saved.step, saved.recipe) == (40, recipe)
    assert checkpoint.read_newest(folder.checkpoints, replace(recipe, continued_from=0)) is None


@pytest.mark.parametrize("change", ["added", "removed", "swapped", "state"])
async def test_refused(queue, change):
    """It cannot go on exactly with other photos, nor without the state."""
    first = await finish_with_state(queue)
    store = queue.store
    photo, *_ = await store.photos.list_for(first.dataset, ALICE)
    if change in {"added", "swapped"}:
        dataset = await store.datasets.get(first.dataset, ALICE)
        pixels = queue.home.photo_file(photo.digest).read_bytes() + b"other"
        size = (64, 64, pixels, b"preview", ())
        await store.photos.add(dataset, CheckedPhoto(sha256(pixels).hexdigest(), 1 << 40, *size))
    if change in {"removed", "swapped"}:
        await store.photos.remove(photo.id, ALICE)
    if change == "state":
        queue.home.job_folder(first.folder).kept_state.unlink()
    with pytest.raises(SafelightError) as refused:
        await go_on(queue, first, 52)

    assert refused.value.code == ("state_gone" if change == "state" else "photos_changed")
