"""Draw a contact sheet: rows of small pictures, each row with its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

SIDE, GAP, LINE = 64, 4, 14
COLUMNS = 12  #: pictures in a row


@dataclass
class Sheet:
    """Named rows of pictures."""

    rows: list[tuple[str, list[Image.Image]]] = field(default_factory=list)

    def add(self, name: str, pictures: Sequence[Image.Image]) -> None:
        """Add a row of the first pictures that fit."""
        self.rows.append((name, [each.resize((SIDE, SIDE)) for each in pictures[:COLUMNS]]))

    def save(self, path: Path) -> None:
        """Draw the sheet into a file."""
        high = LINE + SIDE + GAP
        whole = Image.new("RGB", (GAP + COLUMNS * (SIDE + GAP), high * len(self.rows)), "white")
        pen = ImageDraw.Draw(whole)
        for row, (name, pictures) in enumerate(self.rows):
            pen.text((GAP, row * high), name, fill="black")
            for column, picture in enumerate(pictures):
                whole.paste(picture, (GAP + column * (SIDE + GAP), row * high + LINE))
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.save(path)
