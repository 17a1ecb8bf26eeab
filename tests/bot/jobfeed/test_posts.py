"""What happens in a job is posted into its thread, and its end is told to those who wait."""

from __future__ import annotations

import io

import discord
import numpy as np
import pytest
from PIL import Image

from bot import wording
from bot.cards.result import allow_mentions
from storage.events import Note, RateFound
from storage.planning.prompts import recommend_prompts
from storage.records import Concept
from tests.fakes.discord import draw_photo


async def test_samples(kit, scheduler):
    """Previews are posted in the job's thread with their step; the card shows the newest."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await scheduler.report_step(job, 50)
    await scheduler.report_preview(job, 50)
    await scheduler.let_bot_poll(20)

    (thread,) = kit.channel.threads
    assert thread.name == f"my dog · LoRA · {job.id}"
    first, second = (m for m in thread.history() if m.components)
    assert "Before training" in kit.text(first)
    assert "step 50/100" in kit.text(second)
    assert [a.filename for a in second.attachments] == ["step-000050-0.png", "step-000050-1.png"]
    shown = await kit.fetch_card(job)
    assert f"<#{thread.id}>" in kit.text(shown)
    assert [a.filename for a in shown.attachments] == ["step-000050-0.png", "strip.png"]
    items = next(part["items"] for part in kit.components(second) if part["type"] == 12)
    assert [item["description"] for item in items] == ["a dog", "a dog on the moon"]


@pytest.mark.parametrize(
    ("rate", "template"), [(2e-4, wording.result.RATE_FOUND), (1e-3, wording.result.RATE_USUAL)]
)
async def test_learning_rate(kit, scheduler, rate, template):
    """A sweep's curve is posted with the rate that the training takes, or with the usual one."""
    _, job = await scheduler.start_training()
    await scheduler.add_event(job, Note("rate_search"))
    await scheduler.let_bot_poll()
    searching = kit.text(await kit.fetch_card(job))
    samples = kit.store.home.job_folder(job.folder).samples
    samples.mkdir(parents=True, exist_ok=True)
    (samples / "learning-rate.png").write_bytes(draw_photo())
    await scheduler.add_event(job, RateFound(rate, 1e-3, "learning-rate.png"))
    await scheduler.let_bot_poll(20)

    (thread,) = kit.channel.threads
    said = kit.text(thread.last_message)
    assert kit.says(said, template, usual="0.001", rate="0.0002")
    assert [a.filename for a in thread.last_message.attachments] == ["learning-rate.png"]
    assert wording.job.NOTES["rate_search"] in searching
    assert wording.job.NOTES["rate_search"] not in kit.text(await kit.fetch_card(job))


async def test_enlarged(kit, scheduler):
    """Pictures of 64 pixels are enlarged when posted, each pixel to a square, without blur."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()

    (thread,) = kit.channel.threads
    content = await thread.last_message.attachments[0].read()

    (drawn,) = kit.store.home.job_folder(job.folder).samples.glob("step-000000-0.png")
    with Image.open(io.BytesIO(content)) as picture, Image.open(drawn) as small:
        squares = np.asarray(small.convert("RGB")).repeat(8, 0).repeat(8, 1)
        assert small.size == (64, 64)
        assert len(small.getcolors()) > 1
        assert np.array_equal(np.asarray(picture), squares)


async def test_result(kit, scheduler):
    """The result shows what it draws, also as emoji and before, and delivers the file."""
    alice, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.report_step(job, 100)
    await scheduler.report_result(job)
    style = await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    (thread,) = kit.channel.threads
    result = thread.last_message
    said = kit.text(result)
    assert "my dog is ready" in said
    assert "LoRA on Safelight emoji · 100 steps in 48 s" in said
    assert kit.says(said, wording.result.BEST, candidates=3)
    assert kit.says(said, wording.result.BEFORE, prompt="a dog")
    assert kit.says(said, wording.result.PROMPT, trigger="mydog")
    assert [attachment.filename for attachment in result.attachments] == [
        *(f"step-000100-end-{at}.png" for at in range(4)),
        "4-step-000100-end-0.png",
        "step-000000-0.png",
        "my_dog.safetensors",
    ]
    with Image.open(io.BytesIO(await result.attachments[4].read())) as chat:
        assert chat.size == (640, 288)
    assert kit.labels(result) == [
        *recommend_prompts("mydog", Concept.SUBJECT, small=True),
        "Try it", "Share", "Get link again", "Watch it learn", "Grade it", "Delete", "Report",
    ]  # fmt: skip
    shown = kit.text(await kit.fetch_card(job))
    assert "Done** · 100 steps in 48 s" in shown
    assert result.jump_url in shown
    assert style.owner == alice.id
    assert len(kit.find_messages("step 100/100")) == 0  # the result says it


async def test_no_threads(kit, scheduler):
    """If threads are switched off, previews and result are posted in the channel."""
    await kit.restart(create_threads=False)
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    assert kit.channel.threads == []
    assert len(kit.find_messages("Before training")) == 1
    assert len(kit.find_messages("is ready")) == 1


async def test_pinged(kit, scheduler):
    """The owner and those who pressed Tell me are pinged once, at the end."""
    alice, job = await scheduler.start_training()
    bob = kit.add_member("bob")
    kit.add_member("carol")
    answer = await bob.click(await kit.fetch_card(job), label="Tell me")
    assert "tell you when it ends" in kit.text(answer)
    await scheduler.report_preview(job, 0)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    await scheduler.let_bot_poll(20)

    mentioned = [
        request.json["allowed_mentions"]["users"]
        for request in kit.env.http_requests
        if isinstance(request.json, dict) and request.json.get("allowed_mentions", {}).get("users")
    ]
    assert mentioned == [[alice.id, bob.id]]


async def test_failed(kit, scheduler):
    """A failure shows reason and remedy, pings the owner, and can be tried again."""
    alice, job = await scheduler.start_training()
    await scheduler.fail(job, step=7)
    await scheduler.let_bot_poll()

    shown = await kit.fetch_card(job)
    assert kit.says(shown, wording.errors.ERRORS["loss_nan"], step=7)
    assert kit.labels(shown) == ["Try again", "Details"]
    (told,) = kit.find_messages("** failed.")
    assert f"<@{alice.id}>" in kit.text(told)

    await alice.click(shown, label="Try again")
    (again,) = await kit.store.jobs.list_open()
    assert again.request == job.request


async def test_bug(kit, scheduler):
    """A bug in the worker is shown by its reference, without its traceback."""
    _, job = await scheduler.start_training()
    await scheduler.fail(job, "bug", reference="7F3A")
    await scheduler.let_bot_poll()

    assert kit.says(await kit.fetch_card(job), wording.job.REFERENCE, reference="7F3A")


@pytest.mark.parametrize(
    ("status", "code", "reason"), [(403, 50013, "no_threads"), (400, 160006, "full")]
)
async def test_thread_refused(kit, scheduler, status, code, reason):
    """If the bot cannot create threads, previews go to the channel, and the first says why."""
    _, job = await scheduler.start_training()
    path = f"/channels/{kit.channel.id}/threads"
    kit.env.inject_error("POST", path, status=status, code=code, times=None)
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await scheduler.report_preview(job, 25)
    await scheduler.let_bot_poll(20)

    assert kit.channel.threads == []
    assert len(kit.find_messages("Before training")) == 1
    assert len(kit.find_messages("step 25/100")) == 1
    first, second = kit.find_messages("Before training") + kit.find_messages("step 25/100")
    why = wording.refusals.REASONS[reason]
    assert kit.says(first, wording.refusals.MOVED, why=why[0].upper() + why[1:])
    assert not kit.says(second, wording.refusals.MOVED)


def test_mentions():
    """The ping mentions the listed members and allows no other mention."""
    assert allow_mentions([7]).to_dict() == {"parse": [], "users": [7]}
    assert isinstance(allow_mentions([]), discord.AllowedMentions)


async def test_thread_deleted(kit, scheduler):
    """If the thread is deleted, the result is posted in the channel."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await kit.bot.get_channel(kit.channel.threads[0].id).delete()
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    assert "is ready" in kit.text(kit.channel.last_message)


async def find_thread(kit):
    """Return the one thread of the channel, as the bot has it."""
    return kit.bot.get_channel(kit.channel.threads[0].id)


async def test_thread_locked(kit, scheduler):
    """If a moderator locks the thread, the result is posted in the channel and says why."""
    alice, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await (await find_thread(kit)).edit(locked=True, archived=True)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll(20)

    (result,) = kit.find_messages("is ready")
    assert result.channel.id == kit.channel.id
    why = wording.refusals.REASONS["locked"].format(place="The thread")
    assert kit.says(result, wording.refusals.MOVED, why=why)
    assert f"<@{alice.id}>" in kit.text(result)
    assert result.attachments[-1].filename == "my_dog.safetensors"
    assert result.jump_url in kit.text(await kit.fetch_card(job))


async def test_thread_archived(kit, scheduler):
    """A thread that went to sleep is opened again by the next post."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    thread = await find_thread(kit)
    await thread.edit(archived=True)
    path = f"/channels/{thread.id}/messages"
    kit.env.inject_error("POST", path, status=400, code=50083)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")
    assert result.channel.id == thread.id
    opened = [r.json for r in kit.env.http_requests if r.path == f"/channels/{thread.id}"]
    assert {"archived": False} in opened
