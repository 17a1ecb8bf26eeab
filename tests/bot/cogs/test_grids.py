"""`/grid`: strengths by checkpoints, prompts by styles."""

from __future__ import annotations

import pytest

from bot import wording
from bot.wording.errors import ERRORS
from storage.folders import JobFolder


def keep_checkpoints(kit, job, *steps):
    """Write the styles of a training's checkpoints."""
    folder = JobFolder(kit.store.home.job_folder(job.folder).path)
    for step in steps:
        path = folder.kept_style(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights")


async def test_strength(kit, scheduler):
    """A style's checkpoints are rows, evenly over its training, and strengths columns."""
    alice, job = await scheduler.start_training()
    style = await scheduler.finish_training(job)
    keep_checkpoints(kit, job, 25, 50, 75, 100, 125, 150, 175)

    card = await alice.slash(kit.channel, "grid strength", style=style.name, seed=4)
    drawn = await scheduler.claim()
    await scheduler.finish_sample(drawn)
    await scheduler.let_bot_poll()

    request = drawn.request
    assert not card.ephemeral
    assert [each["checkpoint"] for each in request["styles"]] == [25, 75, 100, 125, 175]
    assert (request["columns"], len(request["cells"]), request["seed"]) == (6, 30, 4)
    assert request["cells"][0]["label"] == "25 · 0.4"
    assert "mydog" in request["prompt"]
    shown = await kit.fetch_card(await kit.store.jobs.get(drawn.id))
    assert [a.filename for a in shown.attachments] == ["0.png"]
    assert wording.sample.GRID_ROWS in kit.text(shown)
    assert kit.labels(shown)[0] == wording.sample.REMOVE


async def test_without_checkpoints(kit, scheduler):
    """A style whose checkpoints are gone is one row."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)

    await alice.slash(kit.channel, "grid strength", style=style.name, prompt="a mydog")

    (job,) = await kit.store.jobs.list_open()
    assert [each["label"] for each in job.request["cells"]] == [
        "0.4", "0.6", "0.8", "1.0", "1.2", "1.4",
    ]  # fmt: skip


async def test_checkpoints_of_others(kit, scheduler):
    """Who was given a style draws it as it is; its other checkpoints are its owner's alone."""
    alice, job = await scheduler.start_training()
    style = await scheduler.finish_training(job)
    keep_checkpoints(kit, job, 25, 50)
    await kit.store.styles.share(style.id, alice.id, kit.guild.id)
    bob = kit.add_member("bob")

    await bob.slash(kit.channel, "grid strength", style=style.name)

    (job,) = await kit.store.jobs.list_open()
    assert [each["checkpoint"] for each in job.request["styles"]] == [0]


async def test_long_prompts(kit, scheduler):
    """Prompts that are each short enough make a grid, however long they are together."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)
    prompts = [f"{number} {'dog ' * 80}".strip() for number in range(5)]

    await alice.slash(kit.channel, "grid styles", prompts="; ".join(prompts), style=style.name)

    (job,) = await kit.store.jobs.list_open()
    assert [each["prompt"] for each in job.request["cells"][::2]] == prompts


async def test_waiting(kit, scheduler):
    """A grid takes the place of as many samples as have its pictures."""
    alice, job = await scheduler.start_training()
    style = await scheduler.finish_training(job)
    keep_checkpoints(kit, job, 25, 50, 75, 100)
    await alice.slash(kit.channel, "grid strength", style=style.name)

    answer = await alice.slash(kit.channel, "sample", prompt="a dog")

    assert kit.says(answer, ERRORS["samples_many"], most=5)
    assert len(await kit.store.jobs.list_open()) == 1


async def test_styles(kit, scheduler):
    """The same prompts are drawn with several styles, and without one unless another is named."""
    alice = kit.add_member("alice")
    first = await scheduler.add_style(alice)
    second = await scheduler.add_style(alice, "my cat", trigger="mycat")
    asked = {"prompts": "a dog; a mycat", "style": first.name}

    plain = await alice.slash(kit.channel, "grid styles", **asked)
    await alice.slash(kit.channel, "grid styles", **asked, second=second.name, third="none")

    one, other = await kit.store.jobs.list_open()
    assert [each["label"] for each in one.request["cells"]] == [
        "1 · my dog", "1 · No style", "2 · my dog", "2 · No style",
    ]  # fmt: skip
    assert [each["style"] for each in other.request["styles"]] == [first.id, second.id, 0]
    assert "1 a dog; 2 a mycat" in kit.text(plain)


@pytest.mark.parametrize(
    ("prompts", "code"), [("a dog", "grid_prompts"), ("a;b;c;d;e;f", "grid_large")]
)
async def test_refused(kit, scheduler, prompts, code):
    """A grid of one row or of too many is refused with a sentence."""
    alice = kit.add_member("alice")
    style = await scheduler.add_style(alice)

    answer = await alice.slash(kit.channel, "grid styles", prompts=prompts, style=style.name)

    assert kit.says(answer, ERRORS[code])
    assert await kit.store.jobs.list_open() == []
