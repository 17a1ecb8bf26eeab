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
    side: int = SIDE  #: pixels of a picture
    columns: int = COLUMNS  #: pictures in a row

    def add(self, name: str, pictures: Sequence[Image.Image]) -> None:
        """Add a row of the first pictures that fit."""
        size = (self.side, self.side)
        pixels = Image.Resampling.NEAREST  # squares where it enlarges
        shown = [
            each.resize(size, pixels if each.width < self.side else None)
            for each in pictures[: self.columns]
        ]
        self.rows.append((name, shown))

    def save(self, path: Path) -> None:
        """Draw the sheet into a file."""
        high, wide = LINE + self.side + GAP, self.side + GAP
        whole = Image.new("RGB", (GAP + self.columns * wide, high * len(self.rows)), "white")
        pen = ImageDraw.Draw(whole)
        for row, (name, pictures) in enumerate(self.rows):
            pen.text((GAP, row * high), name, fill="black")
            for column, picture in enumerate(pictures):
                whole.paste(picture, (GAP + column * wide, row * high + LINE))
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.save(path)
