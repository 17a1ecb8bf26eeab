"""The parts that every card is laid out with: text, pictures, stateless controls and forms.

A control carries all it needs in its custom id (`ns:verb:number:number`), so a card works after a
restart, and in anybody's hands: each `press` asks the store with the presser's own id.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from typing import Any, ClassVar, Self, TypeVar

import discord
from discord import ui

from bot.bot import Interaction
from bot.card import Card
from bot.errors import answer_error

Inner = TypeVar("Inner", bound="ui.Item[Any]")
NUMBERS = r"((?::-?\d+)*)"  #: what follows a control's verb in its custom id
MAX_TEXT_CHARS = 3900  #: characters of text on one card; Discord takes 4000


class Control(ui.DynamicItem[Inner], template="(?!)"):
    """A button or select that a restart does not break; subclasses name their verb."""

    verb: ClassVar[str] = ""
    numbers: tuple[int, ...] = ()

    def __init_subclass__(cls, *, verb: str = "") -> None:
        super().__init_subclass__(template=re.compile(verb + NUMBERS if verb else "(?!)"))
        cls.verb = verb

    @classmethod
    def make_custom_id(cls, numbers: Iterable[int]) -> str:
        """Write a custom id."""
        return ":".join((cls.verb, *map(str, numbers)))

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Make the control again from the message it stands on."""
        control = cls.__new__(cls)
        ui.DynamicItem.__init__(control, item)
        control.numbers = tuple(int(number) for number in match[1].split(":")[1:])
        return control

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Press; errors become sentences."""
        try:
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 (the seam: a bug is logged by `answer`)
            await answer_error(interaction, error)

    async def press(self, interaction: Interaction) -> None:
        """Do what the control says."""
        raise NotImplementedError


class Button(Control[ui.Button[Any]]):
    """A button; its label and style stand in the class or are given."""

    label: ClassVar[str] = ""
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, *numbers: int, label: str = "", disabled: bool = False) -> None:
        name = self.make_custom_id(numbers)
        super().__init__(
            ui.Button(
                label=label or self.label, style=self.style, custom_id=name, disabled=disabled
            )
        )
        self.numbers = numbers


class Select(Control[ui.Select[Any]]):
    """A select with options that the card gives it."""

    placeholder: ClassVar[str] = ""

    def __init__(self, *numbers: int, options: list[discord.SelectOption]) -> None:
        name = self.make_custom_id(numbers)
        super().__init__(ui.Select(custom_id=name, placeholder=self.placeholder, options=options))
        self.numbers = numbers

    @property
    def value(self) -> str:
        """The value that was picked."""
        return self.item.values[0]


class Form(ui.Modal):
    """A modal; open it with `ask`, answer it in `filled`."""

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Take what was filled in."""
        await self.submit(interaction)

    async def submit(self, interaction: Interaction) -> None:
        """Do what was asked for in the form."""
        raise NotImplementedError

    async def on_error(  # type: ignore[override]  # as discord.py's own Modal does
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        """Answer errors as everywhere."""
        await answer_error(interaction, error)


def text(*lines: str) -> ui.TextDisplay[Any]:
    """Lay out lines of text."""
    whole = "\n".join(line for line in lines if line)
    return ui.TextDisplay(
        whole if len(whole) <= MAX_TEXT_CHARS else whole[: MAX_TEXT_CHARS - 1] + "…"
    )


def row(*controls: ui.Item[Any]) -> ui.ActionRow[Any]:
    """Lay out buttons beside each other, or one select."""
    return ui.ActionRow(*controls)


async def defer(interaction: Interaction, *, private: bool = True) -> None:
    """Acknowledge a command or a form at once; its card follows by `show`."""
    if private:
        interaction.extras["private"] = True
    await interaction.response.defer(ephemeral=private, thinking=True)


async def defer_update(interaction: Interaction) -> None:
    """Acknowledge a pressed control at once; `show` then renews the card it stands on."""
    interaction.extras["private"] = True
    await interaction.response.defer()


async def edit(interaction: Interaction, card: Card) -> discord.InteractionMessage:
    """Put a card where `hold` or `touch` promised one."""
    shown = await interaction.edit_original_response(view=card, attachments=card.open_files())
    interaction.extras["shown"] = True
    return shown


async def follow_up(interaction: Interaction, card: Card, *, private: bool = True) -> None:
    """Post one more card after the answer."""
    await interaction.followup.send(view=card, files=card.open_files(), ephemeral=private)


async def open_modal(interaction: Interaction, form: Form) -> None:
    """Open a form; one that outlives the process is answered with a sentence."""
    form.custom_id = f"form:{interaction.client.process_id}:{secrets.token_hex(8)}"
    await interaction.response.send_modal(form)
