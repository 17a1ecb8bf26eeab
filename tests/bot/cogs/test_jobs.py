"""Steering jobs from their cards and from `/jobs`: by the owner and by moderators alone."""

from __future__ import annotations

import discord
import pytest

from storage.records import Kind, Status, Wish

DATASET = {"dataset": "my dog"}


async def started(kit, trainer, *, claim=True):
    """Let alice start a training; return her, the job and its card."""
    alice = kit.member("alice")
    await trainer.dataset(alice)
    shown = (await alice.slash(kit.channel, "train lora", **DATASET)).response
    await alice.click(shown, label="Start")
    (job,) = await kit.store.jobs.open()
    if claim:
        job = await trainer.claim()
        await trainer.look()
    return alice, job, await message(kit, job)


async def message(kit, job):
    """Return the job's card."""
    job = await kit.store.jobs.get(job.id)
    return await kit.bot.get_channel(job.channel).fetch_message(job.message)


@pytest.mark.parametrize(
    ("label", "wish", "said"),
    [
        ("Pause", Wish.PAUSE, "Pausing after this step"),
        ("Cancel", Wish.CANCEL, "Stopping after this step"),
        ("Finish now", Wish.FINISH, "Finishing with what it has learnt"),
    ],
)
async def test_wishes(kit, trainer, label, wish, said):
    """A press becomes a wish, and the card says at once that it was heard."""
    alice, job, card = await started(kit, trainer)

    await alice.click(card, label=label)

    job = await kit.store.jobs.get(job.id)
    assert (job.wish, job.wished_by) == (wish, alice.id)
    assert said in kit.words(await message(kit, job))


async def test_pause_resume(kit, trainer):
    """A paused job says where it stands and goes back into the queue with Resume."""
    alice, job, card = await started(kit, trainer)
    await trainer.step(job, 25)
    await alice.click(card, label="Pause")
    await trainer.tell(job, "paused", step=25)
    await kit.store.jobs.settle(job.id, job.fence, Status.PAUSED)
    await trainer.look()

    card = await message(kit, job)
    assert "Paused at step 25/100" in kit.words(card)
    assert kit.labels(card) == ["Resume", "Cancel", "Finish now", "Tell me"]
    await alice.click(card, label="Resume")

    assert (await kit.store.jobs.get(job.id)).status is Status.QUEUED
    assert "Waiting · next" in kit.words(await message(kit, job))


async def test_cancel_waiting(kit, trainer):
    """A job that waits is cancelled at once, and nobody is pinged for it."""
    alice, job, card = await started(kit, trainer, claim=False)

    await alice.click(card, label="Cancel")
    await trainer.look()

    assert (await kit.store.jobs.get(job.id)).status is Status.CANCELLED
    assert "Cancelled before it began" in kit.words(await message(kit, job))
    assert len(kit.channel.history()) == 1


async def test_cancelled_by_moderator(kit, trainer):
    """A moderator cancels anybody's job here, and its owner is told by whom."""
    alice, job, card = await started(kit, trainer)
    mo = kit.moderator()

    await mo.click(card, label="Cancel")
    await trainer.tell(job, "cancelled", step=10)
    await kit.store.jobs.settle(job.id, job.fence, Status.CANCELLED)
    await trainer.look()

    assert f"Cancelled by <@{mo.id}>" in kit.words(await message(kit, job))
    (thread,) = kit.channel.threads
    assert "was cancelled" in kit.words(thread.last_message)
    assert f"<@{alice.id}>" in kit.words(thread.last_message)


async def test_stranger(kit, trainer):
    """Anybody else's press changes nothing and is answered with a sentence."""
    _, job, card = await started(kit, trainer)
    bob = kit.member("bob")

    for label in ("Pause", "Cancel", "Finish now"):
        answer = await bob.click(card, label=label)
        assert "no such job" in kit.words(answer)
        assert answer.followups[-1].ephemeral

    assert (await kit.store.jobs.get(job.id)).wish is None


async def test_ended(kit, trainer):
    """A button on a card that is behind is answered, not obeyed."""
    alice, job, card = await started(kit, trainer)
    await kit.bot.follow.close()
    await trainer.fail(job, step=1)

    answer = await alice.click(card, label="Pause")

    assert "has already ended" in kit.words(answer)


async def test_after_restart(kit, trainer):
    """The buttons of a card from before a restart work."""
    alice, job, card = await started(kit, trainer)
    await kit.restart()

    await alice.click(card, label="Cancel")

    assert (await kit.store.jobs.get(job.id)).wish is Wish.CANCEL


async def test_mine(kit, trainer):
    """`/jobs` lists a member's own jobs with their places, and shows each one's card."""
    alice, job, _ = await started(kit, trainer)
    bob = kit.member("bob")
    await trainer.dataset(bob, "cat")
    shown = (await bob.slash(kit.channel, "train lora", dataset="cat")).response
    await bob.click(shown, label="Start")

    listed = await bob.slash(kit.channel, "jobs")

    said = kit.words(listed)
    assert "cat · waiting, place 1" in said
    assert "my dog" not in said
    number = (await kit.store.jobs.of(bob.id))[0].id
    card = await bob.select(listed.response, [str(number)])
    assert "cat · LoRA" in kit.words(card.response)
    await bob.click(card.response, label="Cancel")
    assert (await kit.store.jobs.get(number)).status is Status.CANCELLED
    assert "Cancelled" in kit.words(await message(kit, await kit.store.jobs.get(number)))
    assert "my dog · running" in kit.words(await alice.slash(kit.channel, "jobs"))
    assert job.kind is Kind.TRAIN


async def test_none(kit):
    """Without jobs, `/jobs` says how to start one."""
    alice = kit.member("alice")

    assert "Nothing yet" in kit.words(await alice.slash(kit.channel, "jobs"))


async def test_server(kit, trainer):
    """The server's list is for moderators, and they can cancel from it."""
    alice, job, _ = await started(kit, trainer)
    mo = kit.moderator()

    refused = await alice.slash(kit.channel, "jobs", whose="server")
    listed = await mo.slash(kit.channel, "jobs", whose="server")

    assert "Only members with the permission" in kit.words(refused)
    card = await mo.select(listed.response, [str(job.id)])
    await mo.click(card.response, label="Cancel")
    assert (await kit.store.jobs.get(job.id)).wish is Wish.CANCEL


async def test_elsewhere(kit, trainer):
    """A moderator of one server has no say over another server's jobs."""
    _, job, _ = await started(kit, trainer)
    await kit.store.jobs.card(job.id, job.channel, 1, None)
    other = kit.env.create_guild("Elsewhere")
    lab = other.create_text_channel("lab")
    may = other.create_role("Mods", permissions=discord.Permissions(manage_guild=True))
    boss = other.add_member(kit.env.create_user("boss"), roles=[may])

    listed = await boss.slash(lab, "jobs", whose="server")

    assert "Nothing yet" in kit.words(listed)
