"""Pictures as emoji in a chat."""

from __future__ import annotations

from PIL import Image

from bot.cards.chat import EMOJI, draw_chat


def test_emoji_in_a_chat(tmp_path):
    """A picture of 64 pixels is shown pixel by pixel, once on dark and once on light."""
    for name in ("green", "purple"):
        Image.new("RGB", (64, 64), name).save(tmp_path / f"{name}.png")

    shown = Image.open(draw_chat(tmp_path / "green.png", tmp_path / "purple.png"))

    colours = {colour: count for count, colour in shown.getcolors(1 << 16)}
    assert colours[0, 128, 0] == colours[128, 0, 128] == EMOJI**2
    assert shown.getpixel((2, 2)) == (49, 51, 56)
    assert shown.getpixel((2, shown.height - 2)) == (255, 255, 255)
