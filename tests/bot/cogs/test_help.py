"""`/help` and `/privacy`, the first things a newcomer reads."""

from __future__ import annotations

from bot import wording
from storage.folders import ASIDE_DAYS
from storage.photofiles import new_key
from storage.photos.sandbox import MAX_KEPT_SIDE


async def test_help(kit):
    """The first steps name commands that exist."""
    alice = kit.add_member("alice")

    answer = await alice.slash(kit.channel, "help")

    said = kit.text(answer)
    assert answer.response.ephemeral
    for command in ("/dataset new", "/dataset add", "/train lora", "/sample", "/me", "/privacy"):
        assert command in said


async def test_privacy(kit):
    """The card says what is kept and why messages are not read; links need a policy to be set."""
    alice = kit.add_member("alice")

    answer = await alice.slash(kit.channel, "privacy")

    assert "rule 21" in kit.text(answer)
    assert f"{ASIDE_DAYS} days" in kit.text(answer)
    assert f"{MAX_KEPT_SIDE:,} pixels" in kit.text(answer)
    assert wording.guide.PRIVACY_COLLECT not in kit.text(answer)
    assert kit.labels(answer) == []


async def test_privacy_here(collecting_kit):
    """What the operator has switched on, and their policy, is on the card."""
    policy = {"privacy_url": "https://example.org/privacy"}
    await collecting_kit.restart(**policy, photo_keys=new_key(), unused_days=180)
    alice = collecting_kit.add_member("alice")

    answer = await alice.slash(collecting_kit.channel, "privacy")

    assert wording.guide.PRIVACY_COLLECT in collecting_kit.text(answer)
    assert wording.guide.PRIVACY_ENCRYPTED in collecting_kit.text(answer)
    assert "14 days before" in collecting_kit.text(answer)
    assert collecting_kit.labels(answer) == [wording.guide.PRIVACY_LINK]


async def test_direct_message(kit):
    """Help, privacy and one's own data are available in direct messages, too."""
    user = kit.env.create_user("carol")

    for command in ("help", "privacy", "me"):
        answer = await user.slash(command)
        assert kit.text(answer).startswith("###")
