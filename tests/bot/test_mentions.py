"""Whatever members write, nobody is pinged and nothing is formatted."""

from __future__ import annotations

from bot.wording import escape, flatten, format_count, format_size, join_words, say

EVIL = "<@1> @everyone <@&2> <#3> **bold** [x](http://evil) `code` \n# title ||spoiler|| </me:4>"


async def test_never(collecting_kit):
    """Every message that the bot sends allows no mentions."""
    kit, alice = collecting_kit, collecting_kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=1)
    (photo,) = await kit.store.photos.list_for(dataset.id, alice.id)
    await kit.store.photos.set_caption(photo.id, alice.id, EVIL)

    await alice.slash(kit.channel, "dataset new", name="@everyone")
    await alice.slash(kit.channel, "dataset show", name="my dog")
    await alice.slash(kit.channel, "dataset show", name=EVIL)
    await alice.slash(kit.channel, "dataset collect", name="my dog")
    await alice.send(kit.channel, attachments=[("@everyone <@1>.png", b"nothing")])

    sent = [
        (request.json.get("data") or request.json)
        for request in kit.env.http_requests
        if isinstance(request.json, dict) and "components" in str(request.json)
    ]
    spoken = [body for body in sent if body.get("components") or body.get("content")]
    assert len(spoken) >= 3
    for body in spoken:
        assert body["allowed_mentions"]["parse"] == []
        assert "users" not in body["allowed_mentions"]
    assert [m for m in kit.channel.history() if m.mentions or m.mention_everyone] == []


def test_escape():
    """Members' text stays on one line, without markdown or mentions."""
    said = escape(EVIL)

    assert "\n" not in said
    assert "<@" not in said.replace("\\<", "")
    assert "@everyone" not in said
    assert "**" not in said
    assert "](" not in said


def test_say():
    """Strings and lists of them are escaped; numbers and the template are not."""
    said = say("**{name}** <@{owner}>: {names}", name="a*b", owner=7, names=["x_y", "z"])

    assert said == "**a\\*b** <@7>: x\\_y and z"


def test_words():
    """Counts, sizes and lists are written as people say them."""
    assert format_count(1, "photo") == "1 photo"
    assert format_count(2, "photo") == "2 photos"
    assert format_size(1536) == "2 KB"
    assert format_size(44 * 1024 * 1024) == "44 MB"
    assert join_words(["a", "b", "c"]) == "a, b and c"
    assert flatten("a\n b", 2) == "a…"
