"""Reports go from a picture's button to the moderators, who decide, and back to the picture."""

from __future__ import annotations

from types import SimpleNamespace

import simcord

from bot import wording
from storage.records import Server
from storage.tables.servers import Decision


async def report_picture(kit, scheduler, *, log=True, style=""):
    """Let alice sample and bob report; return what a test needs of it."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    room = kit.guild.create_text_channel("log")
    if log:
        await kit.store.servers.save(Server(kit.guild.id, log=room.id))
    if style:
        made = await scheduler.add_style(alice, style)
        await kit.store.styles.share(made.id, alice.id, kit.guild.id)
    await alice.slash(kit.channel, "sample", prompt="a red fox", style=style)
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()
    card = kit.channel.last_message
    answer = await report(bob, card)
    return SimpleNamespace(
        alice=alice, bob=bob, card=card, log=room, answer=answer, mo=kit.add_moderator()
    )


async def report(who, card, reason="this is <@1> *me*"):
    """Report a card and return the answer."""
    form = await who.click(card, label=wording.report.REPORT)
    return await who.submit_modal(form, {"reason": reason})


def owner_box(kit):
    """Return the direct messages of the server's owner."""
    owner = kit.env.backend.users[kit.bot.get_guild(kit.guild.id).owner_id]
    return simcord.UserHandle(kit.env, owner).dm_channel


async def test_log(kit, scheduler):
    """The log channel sees the picture as a spoiler, prompt, style, people, link and reason."""
    seen = await report_picture(kit, scheduler, style="my dog")

    assert wording.report.THANKS in kit.text(seen.answer)
    shown, said = seen.log.last_message, kit.text(seen.log.last_message)
    assert kit.says(said, wording.report.FACTS, reporter=seen.bob.id, url=seen.card.jump_url)
    assert "\\<@\u200b1\\>" in said
    assert kit.says(said, wording.report.OWNER, owner=seen.alice.id)
    assert kit.says(said, wording.report.PROMPT, prompt="a red fox")
    assert kit.says(said, wording.report.STYLE_BY, name="my dog", maker=seen.alice.id)
    items = next(part["items"] for part in kit.components(shown) if part["type"] == 12)
    assert [item["spoiler"] for item in items] == [True]
    report = wording.report
    assert kit.labels(shown) == [report.KEEP, report.REMOVE, report.UNSHARE, report.BLOCK]


async def test_no_log(kit, scheduler):
    """Without a log channel the owner is told, once while reports wait, and the list has them."""
    seen = await report_picture(kit, scheduler, log=False)
    again = await report(seen.alice, seen.card, "again")

    for answer in (seen.answer, again):
        assert wording.report.THANKS_OWNER in kit.text(answer)
    (told,) = owner_box(kit).history()
    assert kit.says(told, wording.report.OWNER_NOTICE, server="Darkroom")
    card = (await seen.mo.slash(kit.channel, "server reports")).response
    assert kit.text(card).count("<t:") == 2
    assert seen.log.last_message is None


async def test_nobody_told(kit, scheduler):
    """If nobody can be notified, the reporter reads so, and the owner is told by a command."""
    kit.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
    seen = await report_picture(kit, scheduler, log=False)

    assert wording.report.THANKS_NOT_NOTIFIED in kit.text(seen.answer)
    assert len(await kit.store.posts.list_kept(kit.bot.get_guild(kit.guild.id).owner_id)) == 1


async def test_decided_in_the_list(kit, scheduler):
    """A decision from the list changes the log's card, too, and the report waits no more."""
    seen = await report_picture(kit, scheduler)
    card = (await seen.mo.slash(kit.channel, "server reports")).response
    await seen.mo.select(card, [str(1)], custom_id="report:pick")
    assert kit.says(card, wording.report.PROMPT, prompt="a red fox")

    await seen.mo.click(card, label=wording.report.KEEP)

    for shown in (card, seen.log.last_message):
        assert kit.says(shown, wording.report.OUTCOMES["keep"], by=seen.mo.id)
        assert kit.labels(shown) == []
    card = (await seen.mo.slash(kit.channel, "server reports")).response
    assert wording.report.LIST_NONE in kit.text(card)
    assert [message.id for message in kit.channel.history()] == [seen.card.id]


async def test_removed(kit, scheduler):
    """A moderator deletes the picture, and can still take further measures, after a restart."""
    seen = await report_picture(kit, scheduler, style="my dog")
    await kit.restart()
    await seen.mo.click(seen.log.last_message, label=wording.report.REMOVE)
    await kit.restart()

    await seen.mo.click(seen.log.last_message, label=wording.report.UNSHARE)
    await seen.mo.click(seen.log.last_message, label=wording.report.BLOCK)

    shown = seen.log.last_message
    assert kit.channel.history() == []
    assert await kit.store.styles.list_usable(seen.bob.id, kit.guild.id) == []
    for decision in (Decision.REMOVE, Decision.UNSHARE, Decision.BLOCK):
        assert kit.says(
            shown, wording.report.OUTCOMES[decision], by=seen.mo.id, owner=seen.alice.id
        )
    assert kit.labels(shown) == []
    assert wording.report.NO_PICTURES in kit.text(shown)


async def test_blocked(kit, scheduler):
    """A blocked member can neither train, sample nor share, until a moderator lifts it."""
    seen = await report_picture(kit, scheduler, style="my dog")
    await seen.mo.click(seen.log.last_message, label=wording.report.BLOCK)

    sampled = await seen.alice.slash(kit.channel, "sample", prompt="a cat")
    shared = await seen.alice.slash(kit.channel, "style share", style="my dog")
    for answer in (sampled, shared):
        assert kit.says(answer, wording.errors.ERRORS["member_blocked"])
    listed = (await seen.mo.slash(kit.channel, "server reports")).response
    assert f"<@{seen.alice.id}>" in kit.text(listed)
    for template in (wording.server.UNBLOCKED, wording.server.NOT_BLOCKED):
        answer = await seen.mo.slash(kit.channel, "server unblock", member=seen.alice)
        assert kit.says(answer, template, member=seen.alice.id)
    await seen.alice.slash(kit.channel, "sample", prompt="a cat")
    assert len(await kit.store.jobs.list_open()) == 1


async def test_not_a_moderator(kit, scheduler):
    """Only moderators of this server can see reports and decide."""
    seen = await report_picture(kit, scheduler)
    carol = kit.add_member("carol")

    for label in kit.labels(seen.log.last_message):
        answer = await carol.click(seen.log.last_message, label=label)
        assert "Only members with the permission" in kit.text(answer)

    assert [message.id for message in kit.channel.history()] == [seen.card.id]
    assert len(await kit.store.reports.list_waiting(kit.guild.id)) == 1
    assert await kit.store.servers.list_blocked(kit.guild.id) == []


async def test_closed_log(kit, scheduler):
    """A log channel that takes nothing loses no report: the owner is told why."""
    alice = kit.add_member("alice")
    await kit.store.servers.save(Server(kit.guild.id, log=123456))
    await alice.slash(kit.channel, "sample", prompt="a red fox")
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()

    answer = await report(alice, kit.channel.last_message)

    assert wording.report.THANKS_OWNER in kit.text(answer)
    (told,) = owner_box(kit).history()
    why = wording.refusals.REASONS["gone"].format(place=wording.refusals.PLACES["log"])
    assert kit.says(told, wording.report.OWNER_NOTICE, why=why)


async def test_previews(kit, scheduler):
    """A report of previews shows those of that step, not the newest."""
    _, job = await scheduler.start_training()
    room = kit.guild.create_text_channel("log")
    await kit.store.servers.save(Server(kit.guild.id, log=room.id))
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    first = kit.channel.threads[0].last_message
    await scheduler.report_preview(job, 50)
    await scheduler.let_bot_poll()

    await report(kit.add_member("bob"), first)

    names = [attached.filename for attached in room.last_message.attachments]
    assert names == ["step-000000-0.png", "step-000000-1.png"]
