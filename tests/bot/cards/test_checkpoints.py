"""The choice of a checkpoint on a result's card."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import pytest

from bot import wording
from storage.events import CheckpointChosen, FoldsTried, Note, StrengthScored
from tests.fakes.discord import draw_photo


@pytest.fixture
async def result(kit, scheduler):
    """Alice's finished training with two earlier checkpoints, and the message of its result."""
    alice, job = await scheduler.start_training()
    folder = kit.store.home.job_folder(job.folder)
    folder.kept.mkdir(parents=True)
    for step in (50, 75, 100):
        await scheduler.report_preview(job, step)
        folder.kept_style(step).write_bytes(b"step %d" % step)
    folder.kept_state.write_bytes(b"state")
    await scheduler.report_result(job)
    style = await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    (thread,) = kit.channel.threads
    return alice, style, thread


def read_options(kit, message):
    """Return the options to choose a checkpoint: value and whether it is in use."""
    rows = [each for each in kit.components(message) if each["type"] == 3]
    return [(each["value"], each.get("default", False)) for each in rows[0]["options"]]


def describe_pictures(kit, message):
    """Return the alternative text of the best checkpoint's picture beside that of the end."""
    galleries = [each["items"] for each in kit.components(message) if each["type"] == 12]
    shown = {
        item["media"]["url"].rpartition("/")[2]: item for items in galleries for item in items
    }
    return shown["best-and-last.png"]["description"]


async def test_strip(kit, result):
    """The result shows the same picture at each checkpoint, which is in use, and until when."""
    _, _, thread = result
    message = thread.last_message

    assert "checkpoints.png" in [each.filename for each in message.attachments]
    assert read_options(kit, message) == [("50", False), ("75", False), ("100", True)]
    assert kit.says(message, wording.result.IN_USE, step=100)
    assert "You can use another one until" in kit.text(message)


async def test_whole(kit, scheduler):
    """Of a whole model the card says that only its last checkpoint is kept."""
    _, job = await scheduler.start_training()
    await scheduler.finish_training(job, full_model=True)
    await scheduler.let_bot_poll()

    (thread,) = kit.channel.threads
    assert kit.says(thread.last_message, wording.result.IN_USE_WHOLE, step=100)


@pytest.mark.parametrize(
    ("choice", "template"),
    [
        (CheckpointChosen(75, 100, 75, (75, 100), (0.61, 0.4), (0.04, 0.05)), "IN_USE_BEST"),
        (CheckpointChosen(100, 100, 75, (75, 100), (0.5, 0.4), (0.2, 0.05)), "IN_USE_SAME"),
    ],
)
async def test_reason(kit, scheduler, choice, template):
    """The card says why a checkpoint was taken and the training stopped, with both pictures."""
    _, job = await scheduler.start_training()
    folder = kit.store.home.job_folder(job.folder)
    folder.kept.mkdir(parents=True)
    for step in (75, 100):
        await scheduler.report_preview(job, step)
        folder.kept_style(step).write_bytes(b"step %d" % step)
    await scheduler.add_event(job, replace(choice, stopped=True))
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    (message,) = kit.find_messages("is ready")

    facts = {"step": choice.step, "last": 100, "score": "61 ± 4", "last_score": "40 ± 5"}
    assert kit.says(message, getattr(wording.result, template), **facts)
    assert kit.says(message, wording.result.STOPPED, last=100, best=75)
    assert [value for value, used in read_options(kit, message) if used] == [str(choice.step)]
    assert "best-and-last.png" in [each.filename for each in message.attachments]
    assert "step 75: best, step 100: stopped" in describe_pictures(kit, message)


async def test_pair(kit, scheduler):
    """A best checkpoint before the end has the last one beside it, and then the owner's own."""
    alice, job = await scheduler.start_training()
    folder = kit.store.home.job_folder(job.folder)
    folder.kept.mkdir(parents=True)
    for step in (50, 75, 100):
        await scheduler.report_preview(job, step)
        folder.kept_style(step).write_bytes(b"step %d" % step)
    await scheduler.add_event(job, Note("folds", {"fold": 3, "folds": 3}))
    await scheduler.add_event(job, FoldsTried((10, 20), (0.5, 0.4), (0.6, 0.9), 100))
    choice = CheckpointChosen(75, 100, 75, (75, 100), (0.61, 0.4), (0.04, 0.05))
    await scheduler.add_event(job, choice)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    (message,) = kit.find_messages("is ready")
    assert kit.says(message, wording.result.BEST_EARLIER, last=100, best=75)
    assert describe_pictures(kit, message).endswith("at step 75: best, step 100: last")
    assert kit.says(message, wording.result.FOLDS, held_out="50", trained="60")
    assert kit.says(message, wording.result.FOLDS_ENDED, last=100)

    await alice.select(message, ["50"])

    (message,) = kit.find_messages("is ready")
    assert describe_pictures(kit, message).endswith("step 100: last, step 50: yours")


async def test_use(kit, result):
    """Another checkpoint becomes the style's file, also after a restart; the card shows it."""
    alice, style, thread = result
    await kit.restart()
    await alice.select(thread.last_message, ["75"])

    (chosen,) = await kit.store.styles.list_for(alice.id)
    message = thread.last_message
    assert kit.store.styles.file(chosen).read_bytes() == b"step 75"
    assert (chosen.digest, chosen.checkpoint) == (hashlib.sha256(b"step 75").hexdigest(), 75)
    assert chosen.id == style.id
    assert kit.says(message, wording.result.IN_USE_CHOSEN, step=75, best=100)
    assert read_options(kit, message) == [("50", False), ("75", True), ("100", False)]
    names = [each.filename for each in message.attachments]
    assert names[:2] == ["step-000075-0.png", "step-000075-1.png"]
    (file,) = (each for each in message.attachments if each.filename == "my_dog.safetensors")
    assert await file.read() == b"step 75"


async def test_others(kit, result):
    """Only the style's owner chooses, and only what is still kept."""
    alice, style, thread = result
    bob = kit.add_member("bob")
    answer = await bob.select(thread.last_message, ["75"])
    assert kit.says(answer, wording.errors.ERRORS["style_not_own"])
    await kit.store.checkpoints.remove_old(10**12)
    answer = await alice.select(thread.last_message, ["75"])

    assert kit.says(answer, wording.errors.ERRORS["checkpoint_gone"], step=75)
    assert await kit.store.styles.list_for(alice.id) == [style]


async def test_more(kit, result):
    """30 % more steps are a new job from the last state, for the owner alone."""
    alice, style, thread = result
    before = await kit.store.jobs.get(style.job)
    state = kit.store.home.job_folder(before.folder).kept_state
    state.unlink()
    answer = await alice.click(thread.last_message, custom_id=f"style:more:{style.id}")
    assert kit.says(answer, wording.errors.ERRORS["state_gone"])
    state.write_bytes(b"state")
    bob = kit.add_member("bob")
    answer = await bob.click(thread.last_message, custom_id=f"style:more:{style.id}")
    assert kit.says(answer, wording.errors.ERRORS["style_not_own"])
    kit.bot.settings.member_quota_mib = 1
    kept = kit.store.home.job_folder(before.folder).kept_style(50)
    os.truncate(kept, 2 << 20)
    answer = await alice.click(thread.last_message, custom_id=f"style:more:{style.id}")
    assert kit.says(answer, wording.errors.ERRORS["quota_full"], used=2, more=0, most=1)
    os.truncate(kept, 7)

    await alice.click(thread.last_message, custom_id=f"style:more:{style.id}")

    (job,) = await kit.store.jobs.list_open()
    changes = {"steps": 130, "continues": before.id, "file_bytes": 0}
    assert job.request == before.request | changes
    assert (job.dataset, job.channel) == (before.dataset, before.channel)


async def test_more_once(kit, result):
    """A second press is refused while the first one works, and while its training is open."""
    alice, style, thread = result
    message, button = thread.last_message, f"style:more:{style.id}"
    kit.bot.running_commands.add((alice.id, "", "train"))
    answer = await alice.click(message, custom_id=button)
    assert kit.says(answer, wording.errors.ERRORS["still_busy"])
    kit.bot.running_commands.clear()

    await alice.click(message, custom_id=button)
    answer = await alice.click(message, custom_id=button)

    (job,) = await kit.store.jobs.list_open()
    assert kit.says(answer, wording.errors.ERRORS["more_busy"], job=job.id)


async def test_more_elsewhere(kit, scheduler):
    """A result in direct messages leads round no role, block or limit of its server."""
    alice, job = await scheduler.start_training()
    folder = kit.store.home.job_folder(job.folder)
    folder.kept.mkdir(parents=True)
    folder.kept_state.write_bytes(b"state")
    kit.env.inject_error(
        "POST", f"/channels/{kit.channel.id}/messages", status=403, code=50001, times=None
    )
    kit.env.inject_error(
        "POST", f"/channels/{kit.channel.id}/threads", status=403, code=50001, times=None
    )
    style = await scheduler.finish_training(job)
    await scheduler.let_bot_poll(5)
    message = alice.user.dm_channel.last_message

    answer = await alice.user.click(message, custom_id=f"style:more:{style.id}")

    assert kit.says(answer, wording.errors.ERRORS["server_other"])
    assert await kit.store.jobs.list_open() == []


async def test_everything(kit, scheduler):
    """A result with all that one can have is within Discord's limits, and has its file."""
    _, job = await scheduler.start_training()
    folder = kit.store.home.job_folder(job.folder)
    folder.kept.mkdir(parents=True)
    await scheduler.report_preview(job, 0)
    steps = (2, *range(4, 104, 4))
    for step in steps:
        await scheduler.report_preview(job, step)
        folder.kept_style(step).write_bytes(b"step %d" % step)
    folder.kept_state.write_bytes(b"state")
    scores = (0.61,) * len(steps)
    chosen = CheckpointChosen(2, 100, 2, steps, scores, (0.04,) * len(steps), stopped=True)
    await scheduler.add_event(job, chosen)
    strengths = (0.4, 0.6, 0.8, 1.0, 1.2, 1.4)
    for strength in strengths:
        folder.strength_picture(strength).write_bytes(draw_photo(int(strength * 10)))
    tried = StrengthScored(0.8, strengths, (0.5, 0.5, 0.9, 0.5, 0.5, 0.5), (0.02,) * 6)
    await scheduler.add_event(job, tried)
    await scheduler.report_result(job)
    needs = {"ComfyUI": "a", "A1111": "b", "Forge": "c"}
    await scheduler.finish_training(job, readable_by=("diffusers",), readable_with=needs)
    await scheduler.let_bot_poll()
    await scheduler.let_bot_poll()

    (message,) = kit.find_messages("is ready")
    names = [each.filename for each in message.attachments]
    assert {"checkpoints.png", "strengths.png", "my_dog.safetensors"} <= {*names}
    assert len(names) <= 10
    options = read_options(kit, message)
    assert len(options) == 25
    assert options[0] == ("2", True)
