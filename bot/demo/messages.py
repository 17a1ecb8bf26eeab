"""A message as plain text: its words, buttons and files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord

BUTTON, TEXT = 2, 10
MAX_FILE_NAME_CHARS = 40  #: in a quotation


def walk_components(message: discord.Message) -> Iterator[dict[str, Any]]:
    """Yield a message's components, nested ones too, in the order they are shown."""
    queue: list[Any] = [component.to_dict() for component in message.components]
    while queue:
        part = queue.pop(0)
        yield part
        queue = [*part.get("components", ()), *queue]
        if part.get("accessory"):
            queue.insert(0, part["accessory"])


def message_text(message: discord.Message) -> str:
    """Return all text of a message."""
    texts = [part["content"] for part in walk_components(message) if part.get("type") == TEXT]
    return "\n".join([message.content, *texts]).strip()


def enabled_labels(message: discord.Message) -> list[str]:
    """Return the labels of the buttons that can be pressed."""
    return [
        part["label"]
        for part in walk_components(message)
        if part.get("type") == BUTTON and part.get("label") and not part.get("disabled")
    ]


def quote(message: discord.Message) -> str:
    """Return a message as a quotation in Markdown."""
    lines = message_text(message).splitlines()
    buttons, files = (
        enabled_labels(message),
        [shorten(file.filename) for file in message.attachments],
    )
    if files:
        lines.append("📎 " + ", ".join(f"`{name}`" for name in files))
    if buttons:
        lines.append(" ".join(f"`[{label}]`" for label in buttons))
    return "\n".join(f"> {line}  " for line in lines)


def shorten(name: str) -> str:
    """Leave out the middle of a long file name."""
    return name if len(name) <= MAX_FILE_NAME_CHARS else f"{name[:6]}…{name[-8:]}"
