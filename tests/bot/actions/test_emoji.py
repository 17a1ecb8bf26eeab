"""A sampled picture becomes a custom emoji, with the right permissions and size."""

from __future__ import annotations

import io

import discord
import pytest
from PIL import Image

from bot.actions import emoji
from bot.wording.errors import ERRORS
from storage.errors import UserError

MAY = discord.Permissions(create_expressions=True)


async def sampled_card(kit, scheduler, **options):
    """Let alice sample pictures."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "sample", prompt="a red fox", **options)
    await scheduler.finish_sample(await scheduler.claim())
    await scheduler.let_bot_poll()
    return alice, kit.channel.last_message


def eve(kit):
    """Return a member who may add emoji."""
    return kit.add_member("eve", kit.guild.create_role("Emoji", permissions=MAY))


async def test_added(kit, scheduler):
    """A member with the permission names the picture, and the emoji exists."""
    await sampled_card(kit, scheduler, count=2)
    adder = eve(kit)

    form = await adder.click(kit.channel.last_message, label="Add to server emoji")
    answer = await adder.submit_modal(form, {"name": ":red fox:", "which": ["1"]})

    (added,) = await kit.bot.get_guild(kit.guild.id).fetch_emojis()
    assert added.name == "red_fox"
    assert f"<:red_fox:{added.id}>" in kit.text(answer)


async def test_not_allowed(kit, scheduler):
    """A member without the permission is told which one is needed."""
    alice, card = await sampled_card(kit, scheduler)

    answer = await alice.click(card, label="Add to server emoji")

    assert "Create Expressions" in kit.text(answer)


async def test_bot_not_allowed(kit, scheduler):
    """The bot's missing permission is named."""
    _, card = await sampled_card(kit, scheduler)
    for role in kit.env.backend.get_guild(kit.guild.id).roles.values():
        role.permissions &= ~discord.Permissions(
            manage_expressions=True, create_expressions=True
        ).value
    adder = eve(kit)
    await kit.restart()

    answer = await adder.click(card, label="Add to server emoji")

    assert kit.says(answer, ERRORS["emoji_forbidden"])


@pytest.mark.parametrize("side", [64, 128, 512])
def test_shape(tmp_path, side):
    """An emoji has 128 pixels and at most 256 KB, whatever the picture."""
    Image.effect_noise((side, side), 200).convert("RGB").save(tmp_path / "noise.png")

    made = emoji.make_emoji_png(tmp_path / "noise.png")

    assert len(made) <= 256 * 1024
    assert Image.open(io.BytesIO(made)).size == (128, 128)


@pytest.mark.parametrize(
    ("typed", "name"), [("my dog", "my_dog"), (":fox:", "fox"), ("a-b/c", "a_b_c")]
)
def test_names(typed, name):
    """A typed name is turned into one that Discord accepts."""
    assert emoji.clean_name(typed) == name


@pytest.mark.parametrize("typed", ["", "x", "::", "ä", "y" * 33])
def test_bad_names(typed):
    """A name that cannot be turned into a valid one is refused."""
    with pytest.raises(UserError, match="emoji_name"):
        emoji.clean_name(typed)
