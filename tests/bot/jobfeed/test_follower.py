"""Events become cards, threads, results and pings, despite restarts and refusals."""

from __future__ import annotations

import discord
import pytest
import simcord

from bot import wording
from bot.cards.result import allow_mentions
from storage.events import Note
from storage.records import Kind, Status

DATASET = {"dataset": "my dog"}


async def card(kit, job):
    """Return the message that is the job's card."""
    job = await kit.store.jobs.get(job.id)
    channel = kit.bot.get_channel(job.channel)
    return await channel.fetch_message(job.message)


def edits(kit, message):
    """Count the edits of a message."""
    path = f"/messages/{message}"
    return sum(r.method == "PATCH" and r.path.endswith(path) for r in kit.env.http_requests)


async def test_progress(kit, scheduler):
    """The card shows bar, step, loss and end time, with the buttons that apply."""
    _, job = await scheduler.start_training()
    await scheduler.report_step(job, 40)
    await scheduler.let_bot_poll()

    shown = await card(kit, job)

    said = kit.text(shown)
    assert "▰▰▰▰▰▱▱▱▱▱▱▱ 40%" in said
    assert "step 40/100 · loss 0.123 · done <t:" in said
    assert kit.says(said, wording.job.DEVICE, speed="5.0", device="two cores")
    assert kit.labels(shown) == ["Pause", "Cancel", "Finish now", "Tell me"]


async def test_long_captions(kit, scheduler):
    """The card says to its end how many captions are too long, whatever else is noted."""
    _, job = await scheduler.start_training()
    facts = {"cut": 2, "captions": 9, "words": "in <@1> the snow"}
    await scheduler.add_event(job, Note("captions_cut", facts))
    await scheduler.add_event(job, Note("prior_drawn", {"pictures": 24}))
    await scheduler.report_step(job, 40)
    await scheduler.let_bot_poll()

    said = kit.text(await card(kit, job))
    assert kit.says(said, wording.job.NOTES["captions_cut"], **facts)
    assert kit.says(said, wording.job.NOTES["prior_drawn"], pictures=24)

    await scheduler.fail(job, step=3)
    await scheduler.let_bot_poll()
    assert kit.says(kit.text(await card(kit, job)), wording.job.NOTES["captions_cut"], **facts)


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
    assert "It failed" in kit.text(await card(kit, job))


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
    assert "step 50/100" in kit.text(await card(kit, job))
    assert old not in [message.id for message in kit.channel.history()]


async def test_deleted(kit, scheduler):
    """A deleted card is posted again at the next change."""
    _, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    old = (await kit.store.jobs.get(job.id)).message
    await (await card(kit, job)).delete()

    await scheduler.report_step(job, 50)
    await scheduler.let_bot_poll(20)

    assert (await kit.store.jobs.get(job.id)).message != old
    assert "step 50/100" in kit.text(await card(kit, job))


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
    shown = await card(kit, job)
    assert f"<#{thread.id}>" in kit.text(shown)
    assert [a.filename for a in shown.attachments] == ["step-000050-0.png", "loss.png"]
    items = next(part["items"] for part in kit.components(second) if part["type"] == 12)
    assert [item["description"] for item in items] == ["a dog", "a dog on the moon"]


async def test_enlarged(kit, scheduler):
    """Pictures of 64 pixels are enlarged when posted."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()

    (thread,) = kit.channel.threads
    picture = thread.last_message.attachments[0]

    assert picture.size > 64 * 64


async def test_result(kit, scheduler):
    """The result shows before and after, how to prompt, and delivers the file."""
    alice, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.report_step(job, 100)
    await scheduler.report_preview(job, 100)
    style = await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    (thread,) = kit.channel.threads
    result = thread.last_message
    said = kit.text(result)
    assert "my dog is ready" in said
    assert "LoRA on Safelight emoji · 100 steps in 48 s" in said
    assert "a mydog emoji" in said.replace("\\", "")
    names = [attachment.filename for attachment in result.attachments]
    assert names[-1] == "my_dog.safetensors"
    assert names[:4] == [
        "step-000000-0.png",
        "step-000000-1.png",
        "step-000100-0.png",
        "step-000100-1.png",
    ]
    assert kit.labels(result) == ["Try it", "Share", "Get link again", "Delete", "Report"]
    shown = kit.text(await card(kit, job))
    assert "Done** · 100 steps in 48 s" in shown
    assert result.jump_url in shown
    assert style.owner == alice.id


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


@pytest.mark.slow(3)
async def test_pinged(kit, scheduler):
    """The owner and those who pressed Tell me are pinged once, at the end."""
    alice, job = await scheduler.start_training()
    bob = kit.add_member("bob")
    kit.add_member("carol")
    answer = await bob.click(await card(kit, job), label="Tell me")
    assert "tell you when it ends" in kit.text(answer)
    await scheduler.report_preview(job, 0)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    await scheduler.let_bot_poll(60)

    mentioned = [
        request.json["allowed_mentions"]["users"]
        for request in kit.env.http_requests
        if isinstance(request.json, dict) and request.json.get("allowed_mentions", {}).get("users")
    ]
    assert mentioned == [[alice.id, bob.id]]


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
    assert "Done**" in kit.text(await card(kit, job))


async def test_failed(kit, scheduler):
    """A failure shows reason and remedy, pings the owner, and can be tried again."""
    alice, job = await scheduler.start_training()
    await scheduler.fail(job, step=7)
    await scheduler.let_bot_poll()

    shown = await card(kit, job)
    assert kit.says(shown, wording.errors.ERRORS["loss_nan"], step=7)
    assert kit.labels(shown) == ["Try again"]
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

    assert kit.says(await card(kit, job), wording.job.REFERENCE, reference="7F3A")


async def test_thread_refused(kit, scheduler):
    """If the bot may not create threads, previews go to the channel, and the first says why."""
    _, job = await scheduler.start_training()
    path = f"/channels/{kit.channel.id}/threads"
    kit.env.inject_error("POST", path, status=403, code=50013, times=None)
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    await scheduler.report_preview(job, 25)
    await scheduler.let_bot_poll(20)

    assert kit.channel.threads == []
    assert len(kit.find_messages("Before training")) == 1
    assert len(kit.find_messages("step 25/100")) == 1
    (told,) = kit.find_messages("Create Public Threads")
    assert "Before training" in kit.text(told)


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
    assert kit.says(await card(kit, job), wording.job.PLACE, place=2)

    await scheduler.fail(first, step=1)
    await scheduler.claim(Kind.TRAIN)
    await scheduler.let_bot_poll(20)

    assert "Waiting · next" in kit.text(await card(kit, job))


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
    assert result.jump_url in kit.text(await card(kit, job))


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
