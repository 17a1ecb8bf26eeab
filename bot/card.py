"""A card: one Discord message that shows one thing, with its buttons and files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any, Self, TypeAlias

import discord
from discord import ui

from bot.wording import flatten

#: A component of a card.
Item: TypeAlias = "ui.Item[Any]"
UNSAFE_IN_FILE_NAMES = re.compile(r"[^A-Za-z0-9._-]+")  #: Discord would replace these signs


class Card(ui.LayoutView):
    """A message's layout. The process remembers nothing of it once it is sent."""

    def __init__(self, *items: Item, colour: int | None = None) -> None:
        super().__init__(timeout=None)
        self.container: ui.Container[Self] = ui.Container(accent_colour=colour)
        self.paths: dict[str, Path] = {}  #: files to send with the card, by attachment name
        self.contents: dict[str, bytes] = {}  #: the same, of files that lie nowhere
        self.add_item(self.container)
        self.add(*items)

    def add(self, *items: Item) -> Self:
        """Add components below those that are there, and return the card."""
        for item in items:
            self.container.add_item(item)
        return self

    def attach(self, path: Path) -> str:
        """Have a file sent with the card, and return the URL that shows it."""
        name = UNSAFE_IN_FILE_NAMES.sub("_", path.name)
        if name in self.paths:
            name = f"{len(self.paths)}-{name}"
        self.paths[name] = path
        return f"attachment://{name}"

    def attach_content(self, content: bytes, name: str) -> str:
        """Have a file of this content sent with the card, and return the URL that shows it."""
        self.contents[name] = content
        return f"attachment://{name}"

    def add_gallery(self, pictures: Iterable[tuple[Path, str]], *, spoiler: bool = False) -> Self:
        """Add pictures, given as (path, alt text), and return the card."""
        shown = [
            discord.MediaGalleryItem(
                self.attach(path), description=flatten(alt, 1000) or None, spoiler=spoiler
            )
            for path, alt in pictures
        ]
        return self.add(ui.MediaGallery(*shown)) if shown else self

    def payload(self) -> list[dict[str, Any]]:
        """Return the components as they are sent."""
        sent: list[dict[str, Any]] = self.to_components()  # type: ignore[no-untyped-call]
        return sent

    def fingerprint(self) -> list[Any]:
        """Return what tells whether two cards differ, in their components or files."""
        return [*self.payload(), *(path.stat().st_mtime_ns for path in self.paths.values())]

    def open_files(self) -> list[discord.File]:
        """Open the attached files. Call it once a sending: sending closes them."""
        files = self.paths | {name: BytesIO(content) for name, content in self.contents.items()}
        return [discord.File(file, name) for name, file in files.items()]
