"""Small pictures as emoji in a chat, on a dark and on a light ground, at two pixels a pixel."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from bot import wording

#: Sizes are in pixels of the picture: a chat shows an emoji at 32, a face at 40.
WIDTH, ROW, EDGE, FACE, EMOJI = 640, 144, 28, 80, 64
NAME_SIZE, TEXT_SIZE = 30, 32
SMOOTH = 4  #: times as large a face is drawn, for its edge
#: ground, name, text and face of Discord's dark and light themes
THEMES = (
    ("#313338", "#f2f3f5", "#dbdee1", "#5865f2"),
    ("#ffffff", "#060607", "#313338", "#23a55a"),
)


def draw_chat(dark: Path, light: Path) -> io.BytesIO:
    """Draw a line of chat with each picture as a PNG."""
    whole = Image.new("RGB", (WIDTH, ROW * len(THEMES)))
    lines = zip((dark, light), THEMES, wording.result.CHAT, strict=True)
    for at, (path, theme, (name, said)) in enumerate(lines):
        with Image.open(path) as picture:
            emoji = picture.convert("RGB").resize((EMOJI, EMOJI), Image.Resampling.LANCZOS)
        whole.paste(draw_line(emoji, theme, name, said), (0, at * ROW))
    out = io.BytesIO()
    whole.save(out, "PNG")
    out.seek(0)
    return out


def draw_line(
    emoji: Image.Image, theme: tuple[str, str, str, str], name: str, said: str
) -> Image.Image:
    """Draw one message: who says it, and its text with an emoji after it."""
    ground, dark, ink, face = theme
    row = Image.new("RGB", (WIDTH, ROW), ground)
    circle = Image.new("L", (FACE * SMOOTH, FACE * SMOOTH))
    ImageDraw.Draw(circle).ellipse((0, 0, *circle.size), 255)
    row.paste(face, (EDGE, (ROW - FACE) // 2), circle.resize((FACE, FACE)))
    pen, left, middle = ImageDraw.Draw(row), EDGE + FACE + EDGE, ROW - EDGE // 2 - EMOJI // 2
    bold, plain = map(ImageFont.load_default, (NAME_SIZE, TEXT_SIZE))
    pen.text((left, middle - EMOJI // 2 - 10), name, dark, bold, anchor="ls", stroke_width=0.6)
    pen.text((left, middle), said, ink, plain, anchor="lm")
    row.paste(emoji, (left + round(plain.getlength(said)) + 14, middle - EMOJI // 2))
    return row
