"""The cards of jobs are posted once and show how their jobs are."""

from __future__ import annotations


async def test_unrecorded(kit, scheduler):
    """A card that was posted just before the bot died is found, and brought up to date."""
    _, job = await scheduler.start_training()
    await scheduler.let_bot_poll()
    posted = await kit.store.jobs.get(job.id)
    await kit.bot.jobs.close()
    await kit.store.jobs.set_card(job.id, posted.channel, 0, posted.thread)
    await scheduler.finish_training(job)

    await kit.restart()
    await scheduler.let_bot_poll(3)

    found = await kit.store.jobs.get(job.id)
    (message,) = [each for each in kit.channel.history() if each.components]
    assert found.message == posted.message == message.id
    assert "Done**" in kit.text(message)
