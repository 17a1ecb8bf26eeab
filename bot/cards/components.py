"""The parts that every card is laid out with: text, pictures, stateless controls and forms.

A control carries all it needs in its custom id (`ns:verb:number:number`), so a card works after a
restart, and in anybody's hands: each `press` asks the store with the presser's own id.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

import discord
from discord import ui

from bot.errors import answer
from bot.wording import flatten

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bot.bot import Bot

    Asked: TypeAlias = discord.Interaction[Bot]

#: A part of a card.
Part: TypeAlias = "ui.Item[Any]"
Inner = TypeVar("Inner", bound="ui.Item[Any]")
PLAIN = re.compile(r"[^A-Za-z0-9._-]+")  #: what Discord would change in a file's name
NUMBERS = r"((?::-?\d+)*)"  #: what follows a control's verb in its custom id …
WORDS = r":(.+)"  #: … or whatever the control itself reads
LONGEST = 3900  #: characters of text on one card; Discord takes 4000


class Card(ui.LayoutView):
    """One thing shown on Discord with its buttons; the process remembers nothing of it."""

    def __init__(self, *parts: Part, colour: int | None = None) -> None:
        super().__init__(timeout=None)
        self.box: ui.Container[Self] = ui.Container(accent_colour=colour)
        self.paths: dict[str, Path] = {}
        self.add_item(self.box)
        self.put(*parts)

    def put(self, *parts: Part) -> Self:
        """Add parts to the card, one under the other."""
        for part in parts:
            self.box.add_item(part)
        return self

    def media(self, path: Path) -> str:
        """Promise a file on disk with the card, and return the address to show it by."""
        name = PLAIN.sub("_", path.name)
        if name in self.paths:
            name = f"{len(self.paths)}-{name}"
        self.paths[name] = path
        return f"attachment://{name}"

    def gallery(self, pictures: Iterable[tuple[Path, str]]) -> Self:
        """Add pictures from disk, each with its alt text."""
        shown = [
            discord.MediaGalleryItem(self.media(path), description=flatten(alt, 1000) or None)
            for path, alt in pictures
        ]
        return self.put(ui.MediaGallery(*shown)) if shown else self

    def content(self) -> list[dict[str, Any]]:
        """Return the card as it is sent, to know two of a kind."""
        sent: list[dict[str, Any]] = self.to_components()  # type: ignore[no-untyped-call]
        return sent

    def files(self) -> list[discord.File]:
        """Open the promised files; call it when sending, since sending closes them."""
        return [discord.File(path, name) for name, path in self.paths.items()]


class Control(ui.DynamicItem[Inner], template="(?!)"):
    """A button or select that a restart does not break; subclasses name their verb."""

    verb: ClassVar[str] = ""
    numbers: tuple[int, ...] = ()

    def __init_subclass__(cls, *, verb: str = "", tail: str = NUMBERS) -> None:
        super().__init_subclass__(template=re.compile(verb + tail if verb else "(?!)"))
        cls.verb = verb

    @classmethod
    def name(cls, numbers: Iterable[int]) -> str:
        """Write a custom id."""
        return ":".join((cls.verb, *map(str, numbers)))

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the control again from the message it stands on."""
        control = cls.__new__(cls)
        ui.DynamicItem.__init__(control, item)
        control.recall(match[1])
        return control

    def recall(self, written: str) -> None:
        """Take back what stands in the custom id behind the verb."""
        self.numbers = tuple(int(number) for number in written.split(":")[1:])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Press; errors become sentences."""
        try:
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 (the seam: a bug is logged by `answer`)
            await answer(interaction, error)

    async def press(self, interaction: Asked) -> None:
        """Do what the control says."""
        raise NotImplementedError


class Button(Control[ui.Button[Any]]):
    """A button; its label and style stand in the class or are given."""

    label: ClassVar[str] = ""
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, *numbers: int, label: str = "", disabled: bool = False) -> None:
        name = self.name(numbers)
        super().__init__(
            ui.Button(
                label=label or self.label, style=self.style, custom_id=name, disabled=disabled
            )
        )
        self.numbers = numbers


class Select(Control[ui.Select[Any]]):
    """A select with options that the card gives it."""

    hint: ClassVar[str] = ""

    def __init__(self, *numbers: int, options: list[discord.SelectOption]) -> None:
        name = self.name(numbers)
        super().__init__(ui.Select(custom_id=name, placeholder=self.hint, options=options))
        self.numbers = numbers

    @property
    def chosen(self) -> str:
        """The value that was picked."""
        return self.item.values[0]


class Form(ui.Modal):
    """A modal; open it with `ask`, answer it in `filled`."""

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Take what was filled in."""
        await self.filled(interaction)

    async def filled(self, interaction: Asked) -> None:
        """Do what was asked for in the form."""
        raise NotImplementedError

    async def on_error(  # type: ignore[override]  # as discord.py's own Modal does
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        """Answer errors as everywhere."""
        await answer(interaction, error)


def text(*lines: str) -> ui.TextDisplay[Any]:
    """Lay out lines of text."""
    whole = "\n".join(line for line in lines if line)
    return ui.TextDisplay(whole if len(whole) <= LONGEST else whole[: LONGEST - 1] + "…")


def row(*controls: ui.Item[Any]) -> ui.ActionRow[Any]:
    """Lay out buttons beside each other, or one select."""
    return ui.ActionRow(*controls)


async def hold(interaction: Asked, *, private: bool = True) -> None:
    """Acknowledge a command or a form at once; its card follows by `show`."""
    if private:
        interaction.extras["private"] = True
    await interaction.response.defer(ephemeral=private, thinking=True)


async def touch(interaction: Asked) -> None:
    """Acknowledge a pressed control at once; `show` then renews the card it stands on."""
    interaction.extras["private"] = True
    await interaction.response.defer()


async def show(interaction: Asked, card: Card) -> discord.InteractionMessage:
    """Put a card where `hold` or `touch` promised one."""
    shown = await interaction.edit_original_response(view=card, attachments=card.files())
    interaction.extras["shown"] = True
    return shown


async def add(interaction: Asked, card: Card, *, private: bool = True) -> None:
    """Post one more card after the answer."""
    await interaction.followup.send(view=card, files=card.files(), ephemeral=private)


async def ask(interaction: Asked, form: Form) -> None:
    """Open a form; one that outlives the process is answered with a sentence."""
    form.custom_id = f"form:{interaction.client.boot}:{secrets.token_hex(8)}"
    await interaction.response.send_modal(form)
