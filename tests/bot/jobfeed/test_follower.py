"""Events become cards that are kept up to date, despite restarts and refusals."""

from __future__ import annotations

import io
import os
import shutil

import pytest
import simcord
from PIL import Image

from bot import wording
from storage.events import Note
from storage.records import Kind, Status

DATASET = {"dataset": "my dog"}


def edits(kit, message):
    """Count the edits of a message."""
    path = f"/messages/{message}"
    return sum(r.method == "PATCH" and r.path.endswith(path) for r in kit.env.http_requests)


async def test_progress(kit, scheduler):
    """The card shows bar, step and end time, with the buttons that apply."""
    _, job = await scheduler.start_training()
    await scheduler.report_step(job, 40)
    await scheduler.let_bot_poll()

    shown = await kit.fetch_card(job)

    said = kit.text(shown)
    assert "▰▰▰▰▰▱▱▱▱▱▱▱" in said
    assert "Done <t:" in said
    assert "step 40/100 · two cores" in said
    assert "loss" not in said
    assert kit.labels(shown) == ["Pause", "Cancel", "Finish now", "Tell me", "Details"]


async def test_details(kit, scheduler):
    """Who asks for them gets the numbers and the loss curve, from their own server alone."""
    alice, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    shown = await kit.fetch_card(job)
    told = (await alice.click(shown, label="Details")).response
    assert wording.job.NO_NUMBERS in kit.text(told)

    await scheduler.report_preview(job, 0)
    await scheduler.report_step(job, 40)
    kit.store.home.job_folder(job.folder).metrics_csv.write_text("step,loss\n1,0.5\n")
    told = (await alice.click(shown, label="Details")).response

    assert "loss 0.123" in kit.text(told)
    assert kit.says(told, wording.job.SPEED, speed="5.0", device="two cores")
    assert [each.filename for each in told.attachments] == ["loss.png", "metrics.csv"]


async def test_watch_it_learn(kit, scheduler):
    """The pictures of a training that ended are one animation, as long as they are there."""
    alice, job = await scheduler.start_training()
    for step in (0, 50):
        await scheduler.report_preview(job, step)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    shown = await kit.fetch_card(job)

    told = (await alice.click(shown, label=wording.job.ANIMATE)).response
    with Image.open(io.BytesIO(await told.attachments[0].read())) as film:
        assert (film.format, film.n_frames) == ("WEBP", 2)

    shutil.rmtree(kit.store.home.job_folder(job.folder).samples)
    told = (await alice.click(shown, label=wording.job.ANIMATE)).response
    assert wording.errors.ERRORS["picture_gone"] in kit.text(told)


async def test_long_captions(kit, scheduler):
    """The card says to its end how many captions are too long, whatever else is noted."""
    _, job = await scheduler.start_training()
    facts = {"cut": 2, "captions": 9, "words": "in <@1> the snow"}
    await scheduler.add_event(job, Note("captions_cut", facts))
    await scheduler.add_event(job, Note("prior_drawn", {"pictures": 24}))
    await scheduler.report_step(job, 40)
    await scheduler.let_bot_poll()

    said = kit.text(await kit.fetch_card(job))
    assert kit.says(said, wording.job.NOTES["captions_cut"], **facts)
    assert kit.says(said, wording.job.NOTES["prior_drawn"], pictures=24)

    await scheduler.fail(job, step=3)
    await scheduler.let_bot_poll()
    assert kit.says(
        kit.text(await kit.fetch_card(job)), wording.job.NOTES["captions_cut"], **facts
    )


async def test_seldom(kit, scheduler):
    """Progress edits a card once in fifteen seconds, a status change at once."""
    _, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    message = (await kit.store.jobs.get(job.id)).message
    before = edits(kit, message)

    for step in range(30):
        await scheduler.report_step(job, step)
        await scheduler.let_bot_poll()
    assert 1 <= edits(kit, message) - before <= 3

    await scheduler.fail(job, step=3)
    await scheduler.let_bot_poll()
    assert "It failed" in kit.text(await kit.fetch_card(job))


async def test_what_is_the_same_is_not_sent_again(kit, scheduler):
    """A card is edited if its components differ, or a picture of the same name."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await kit.bot.jobs.show(job.id)
    message = (await kit.store.jobs.get(job.id)).message
    sample = kit.store.home.job_folder(job.folder).samples / "step-000000-0.png"
    before = edits(kit, message)

    await kit.bot.jobs.show(job.id)
    assert edits(kit, message) == before

    os.utime(sample, (1, 1))
    await kit.bot.jobs.show(job.id)
    assert edits(kit, message) == before + 1


async def test_anew(kit, scheduler):
    """Before an hour is over a card is posted again, and the old one deleted."""
    _, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    old = (await kit.store.jobs.get(job.id)).message

    await kit.bot.jobs.close()
    for cog in tuple(kit.bot.cogs):  # what they poll is not asked for an hour
        await kit.bot.remove_cog(cog)
    await kit.env.advance_time(51 * 60)
    await kit.restart()
    await scheduler.report_step(job, 50)
    await scheduler.let_bot_poll(20)

    new = (await kit.store.jobs.get(job.id)).message
    assert new != old
    assert "step 50/100" in kit.text(await kit.fetch_card(job))
    assert old not in [message.id for message in kit.channel.history()]


async def test_deleted(kit, scheduler):
    """A deleted card is posted again at the next change."""
    _, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    old = (await kit.store.jobs.get(job.id)).message
    await (await kit.fetch_card(job)).delete()

    await scheduler.report_step(job, 50)
    await scheduler.let_bot_poll(20)

    assert (await kit.store.jobs.get(job.id)).message != old
    assert "step 50/100" in kit.text(await kit.fetch_card(job))


async def test_restart(kit, scheduler):
    """A restart in the middle repeats and misses nothing."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    message = (await kit.store.jobs.get(job.id)).message

    await kit.restart()
    await scheduler.report_step(job, 50)
    await scheduler.report_preview(job, 50)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll(5)

    (thread,) = kit.channel.threads
    said = [kit.text(m) for m in thread.history() if m.components]
    assert [("**Before training:**" in s, "**step 50" in s, "is ready" in s) for s in said] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert (await kit.store.jobs.get(job.id)).message == message
    await kit.restart()
    await scheduler.let_bot_poll(5)
    assert len([m for m in thread.history() if m.components]) == 3


async def test_while_away(kit, scheduler):
    """Events during the bot's absence are shown when it is back."""
    _, job = await scheduler.start_training()
    store = kit.store
    await kit.bot.jobs.close()
    await scheduler.report_preview(job, 0)
    await scheduler.finish_training(job)
    assert store is kit.store
    await kit.restart()
    await scheduler.let_bot_poll(3)

    assert len(kit.find_messages("is ready")) == 1
    assert "Done**" in kit.text(await kit.fetch_card(job))


@pytest.mark.slow(3)
async def test_closed(kit, scheduler):
    """The owner is told once if the channel is closed; the job continues."""
    alice, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    path = f"/channels/{kit.channel.id}/messages/{(await kit.store.jobs.get(job.id)).message}"
    for _ in range(3):
        kit.env.inject_error("PATCH", path, status=403, code=50001)
    for step in (10, 20, 30):
        await scheduler.report_step(job, step)
        await scheduler.let_bot_poll(20)

    box = simcord.UserHandle(kit.env, alice.user).dm_channel
    told = [m for m in box.history() if kit.says(m, wording.refusals.CARD_LOST)]
    assert len(told) == 1
    assert (await kit.store.jobs.get(job.id)).status is Status.RUNNING


async def test_discord_down(kit, scheduler):
    """When Discord does not answer, posts are retried and nothing is lost."""
    _, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    kit.env.inject_error("POST", "/channels/*/messages", status=500)
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await scheduler.let_bot_poll(5)

    assert len(kit.find_messages("Before training")) == 1


@pytest.mark.slow(3)
async def test_unknown_job(kit, scheduler):
    """When a member is erased, their jobs' cards are deleted, too."""
    alice, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    message = (await kit.store.jobs.get(job.id)).message
    await scheduler.fail(job, step=1)
    await kit.store.members.erase(alice.id, keep_styles=False)
    await scheduler.let_bot_poll(62)

    assert kit.bot.jobs.watched.known == {}
    assert message not in [shown.id for shown in kit.channel.history()]


async def test_place_moves(kit, scheduler):
    """A waiting card's queue position is updated."""
    _, first = await scheduler.start_training()
    bob, carol = kit.add_member("bob"), kit.add_member("carol")
    for who in (bob, carol):
        await scheduler.add_dataset(who)
        shown = (await who.slash(kit.channel, "train lora", **DATASET)).response
        await who.click(shown, label="Start")
    job = (await kit.store.jobs.list_for(carol.id))[0]
    assert kit.says(await kit.fetch_card(job), wording.job.PLACE, place=2)

    await scheduler.fail(first, step=1)
    await scheduler.claim(Kind.TRAIN)
    await scheduler.let_bot_poll(20)

    assert "Waiting · next" in kit.text(await kit.fetch_card(job))


async def test_next_command(kit, scheduler):
    """A result that no channel takes, not even the member's own, comes with their next command."""
    alice, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    kit.env.inject_error("POST", "/channels/*/messages", status=403, code=50001, times=None)
    kit.env.inject_error("POST", "/channels/*/threads", status=403, code=50013, times=None)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll(5)
    await kit.restart()

    answer = await alice.slash(kit.channel, "jobs")

    assert wording.job.LIST_MINE in kit.text(answer.response)
    (kept,) = answer.followups
    assert "is ready" in kit.text(kept)
    assert kept.flags.ephemeral
    assert kept.attachments[-1].filename == "my_dog.safetensors"
    assert (await alice.slash(kit.channel, "jobs")).followups == []
