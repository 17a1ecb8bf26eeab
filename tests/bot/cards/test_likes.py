"""The thumbs under samples."""

from __future__ import annotations

from bot import wording
from bot.wording.errors import ERRORS


async def test_thumbs(kit, scheduler):
    """Anybody's thumb counts once for the style, and only they see the answer."""
    alice, bob = kit.add_member("alice"), kit.add_member("bob")
    style = await scheduler.add_style(alice)
    await alice.slash(kit.channel, "sample", prompt="mydog", style=str(style.id))
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()
    card = kit.channel.last_message
    assert kit.labels(card)[3:] == ["👍", "👎", "Add to server emoji", "Report"]

    for label in ("👍", "👍", "👎", "👍"):
        answer = await bob.click(card, label=label)
    robot = kit.guild.add_member(kit.env.create_user("robot", bot=True))
    refused = await robot.click(card, label="👎")

    assert kit.says(answer, wording.sample.LIKED)
    assert kit.says(answer, wording.style.LIKES, liked=1, rated=1)
    assert answer.followups[-1].ephemeral
    assert kit.says(refused, ERRORS["member_only"])
    assert await kit.store.likes.count(style.id) == (1, 1)
    listed = await alice.slash(kit.channel, "style list")
    shown = await alice.select(listed.response, [str(style.id)])
    assert kit.says(shown.response, wording.style.LIKES, liked=1, rated=1)
    await kit.store.styles.delete(style.id, alice.id)
    assert kit.says(await bob.click(card, label="👎"), ERRORS["style_unknown"])
