"""Reports go from a picture's button to the moderators' log channel, and back."""

from __future__ import annotations

from bot import wording
from storage.records import Server


async def report_picture(kit, scheduler, *, log=True):
    """Let alice sample and bob report; return the pictures' card and the log channel."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    room = kit.guild.create_text_channel("log")
    if log:
        await kit.store.servers.save(Server(kit.guild.id, log=room.id))
    await alice.slash(kit.channel, "sample", prompt="a red fox")
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()
    card = kit.channel.last_message
    form = await bob.click(card, label="Report")
    answer = await bob.submit_modal(form, {"reason": "this is <@1> *me*"})
    notified = wording.report.THANKS if log else wording.report.THANKS_NOT_NOTIFIED
    assert notified in kit.text(answer)
    return card, room


async def test_log(kit, scheduler):
    """Every report is kept, and shown in the log channel with link, reason and owner."""
    card, room = await report_picture(kit, scheduler)

    (report,) = await kit.store.reports.list_for(kit.guild.id)
    said = kit.text(room.last_message)
    assert (report.message, report.reason) == (card.id, "this is <@1> *me*")
    assert card.jump_url in said
    assert "\\<@\u200b1\\>" in said or "\\<" in said
    assert kit.labels(room.last_message) == ["Delete picture", "Leave it"]


async def test_no_log(kit, scheduler):
    """Without a log channel the report is still kept."""
    _, room = await report_picture(kit, scheduler, log=False)

    assert room.last_message is None
    assert len(await kit.store.reports.list_for(kit.guild.id)) == 1


async def test_removed(kit, scheduler):
    """A moderator deletes the picture from the log channel."""
    _, room = await report_picture(kit, scheduler)
    mo = kit.add_moderator()

    await mo.click(room.last_message, label="Delete picture")

    assert kit.channel.history() == []
    assert f"Deleted by <@{mo.id}>" in kit.text(room.last_message)
    assert kit.labels(room.last_message) == []


async def test_left(kit, scheduler):
    """A moderator may keep the picture, and the card says who decided."""
    card, room = await report_picture(kit, scheduler)
    mo = kit.add_moderator()
    await kit.restart()

    await mo.click(room.last_message, label="Leave it")

    assert f"Left as it is by <@{mo.id}>" in kit.text(room.last_message)
    assert [message.id for message in kit.channel.history()] == [card.id]


async def test_not_a_moderator(kit, scheduler):
    """Only moderators can decide."""
    card, room = await report_picture(kit, scheduler)
    carol = kit.add_member("carol")

    for label in ("Delete picture", "Leave it"):
        answer = await carol.click(room.last_message, label=label)
        assert "Only members with the permission" in kit.text(answer)

    assert [message.id for message in kit.channel.history()] == [card.id]


async def test_closed_log(kit, scheduler):
    """A log channel that the bot may not write to loses no report."""
    alice = kit.add_member("alice")
    await kit.store.servers.save(Server(kit.guild.id, log=123456))
    await alice.slash(kit.channel, "sample", prompt="a red fox")
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()
    form = await alice.click(kit.channel.last_message, label="Report")

    answer = await alice.submit_modal(form, {"reason": "mine"})

    assert wording.report.THANKS_NOT_NOTIFIED in kit.text(answer)
    assert len(await kit.store.reports.list_for(kit.guild.id)) == 1
