"""What a person sees of a message: its words, buttons and files, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import discord

BUTTON, TEXT = 2, 10
LONGEST = 40  #: letters of a file's name


def parts(message: discord.Message) -> Iterator[dict[str, Any]]:
    """Walk a message's components, the nested ones too, in the order they are shown."""
    queue: list[Any] = [component.to_dict() for component in message.components]
    while queue:
        part = queue.pop(0)
        yield part
        queue = [*part.get("components", ()), *queue]
        if part.get("accessory"):
            queue.insert(0, part["accessory"])


def words(message: discord.Message) -> str:
    """Return everything there is to read."""
    texts = [part["content"] for part in parts(message) if part.get("type") == TEXT]
    return "\n".join([message.content, *texts]).strip()


def labels(message: discord.Message) -> list[str]:
    """Return what stands on the buttons that can be pressed."""
    return [
        part["label"]
        for part in parts(message)
        if part.get("type") == BUTTON and part.get("label") and not part.get("disabled")
    ]


def quoted(message: discord.Message) -> str:
    """Return a message as a transcript quotes it."""
    lines = words(message).splitlines()
    buttons, files = labels(message), [short(file.filename) for file in message.attachments]
    if files:
        lines.append("📎 " + ", ".join(f"`{name}`" for name in files))
    if buttons:
        lines.append(" ".join(f"`[{label}]`" for label in buttons))
    return "\n".join(f"> {line}  " for line in lines)


def short(name: str) -> str:
    """Leave out the middle of a long file name."""
    return name if len(name) <= LONGEST else f"{name[:6]}…{name[-8:]}"
