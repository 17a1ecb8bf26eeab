"""What cards are made of: text, rows, buttons and selects that outlive the process, forms.

A control's custom id is `namespace:verb:number:number`. It carries all that the control needs, so
a card works after a restart, and in anybody's hands: each `press` asks the store with the
presser's own id.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Self, TypeVar

import discord
from discord import ui

from bot.bot import Interaction
from bot.card import Card
from bot.errors import answer_error
from bot.wording import flatten
from storage.errors import UserError

Inner = TypeVar("Inner", bound="ui.Item[Any]")
NUMBERS = r"((?::-?[0-9]{1,19})*)"  #: what follows a control's verb in its custom id
MAX_NUMBER = 2**63 - 1  #: of SQLite
MAX_NUMBER_CHARS = 40  #: of a number that somebody types
MAX_TEXT_CHARS = 3900  #: characters of text on one card; Discord takes 4000


class Control(ui.DynamicItem[Inner], template="(?!)"):
    """A button or select that works after a restart; subclasses name their verb."""

    verb: ClassVar[str] = ""
    component: ClassVar[type[ui.Item[Any]]] = ui.Button
    numbers: tuple[int, ...] = ()

    def __init_subclass__(cls, *, verb: str = "") -> None:
        super().__init_subclass__(template=re.compile(verb + NUMBERS if verb else "(?!)"))
        cls.verb = verb

    @classmethod
    def make_custom_id(cls, numbers: Iterable[int]) -> str:
        """Return the custom id for these numbers."""
        return ":".join((cls.verb, *map(str, numbers)))

    @classmethod
    async def from_custom_id(
        cls, _: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the control that was used, made from its message."""
        control = cls.__new__(cls)
        ui.DynamicItem.__init__(control, item)
        numbers = tuple(int(number) for number in match[1].split(":")[1:])
        control.numbers = numbers if all(abs(each) <= MAX_NUMBER for each in numbers) else ()
        return control

    def number(self, index: int) -> int:
        """Return a number of the custom id; raise UserError for the id of an older version."""
        if index >= len(self.numbers):
            raise UserError("card_old")
        return self.numbers[index]

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Run `press`, and answer its errors."""
        try:
            self.check_component()
            await self.press(interaction)
        except Exception as error:  # noqa: BLE001 (the seam: a bug is logged by `answer`)
            await answer_error(interaction, error)

    def check_component(self) -> None:
        """Raise UserError if an older version had another component under the same verb."""
        if not isinstance(self.item, self.component):
            raise UserError("card_old")

    async def press(self, interaction: Interaction) -> None:
        """Do what the control is for."""
        raise NotImplementedError


def find_controls(kind: type[Control[Any]]) -> Iterator[type[Control[Any]]]:
    """Yield every control in the modules of `bot/cards` that are imported."""
    for each in kind.__subclasses__():
        if each.verb and each.__module__.startswith("bot.cards."):
            yield each
        yield from find_controls(each)


class Button(Control[ui.Button[Any]]):
    """A button; its label and style are class attributes, or given."""

    label: ClassVar[str] = ""
    style: ClassVar[discord.ButtonStyle] = discord.ButtonStyle.secondary

    def __init__(self, *numbers: int, label: str = "", disabled: bool = False) -> None:
        name = self.make_custom_id(numbers)
        shown = label or self.label
        super().__init__(
            ui.Button(label=shown, style=self.style, custom_id=name, disabled=disabled)
        )
        self.numbers = numbers


class Select(Control[ui.Select[Any]]):
    """A select whose options the card gives."""

    component = ui.Select
    placeholder: ClassVar[str] = ""

    def __init__(self, *numbers: int, options: list[discord.SelectOption]) -> None:
        name = self.make_custom_id(numbers)
        super().__init__(ui.Select(custom_id=name, placeholder=self.placeholder, options=options))
        self.numbers = numbers

    @property
    def value(self) -> str:
        """The value that was selected."""
        if not self.item.values:
            raise UserError("card_old")
        return self.item.values[0]

    @property
    def chosen_number(self) -> int:
        """The value that was selected, as the id of something."""
        return parse_id(self.value)


class Form(ui.Modal):
    """A modal. Open it with `open_modal`; answer it in `submit`."""

    def add_field(self, label: str, field: ui.Item[Any], hint: str = "") -> None:
        """Add a field under its label, with a hint below the label."""
        self.add_item(ui.Label(text=label, description=hint or None, component=field))

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        """Run `submit`."""
        for item in self.walk_children():
            if not is_filled_in(item):
                raise UserError("card_old")
        interaction.extras["submitted"] = True
        await self.submit(interaction)

    async def submit(self, interaction: Interaction) -> None:
        """Do what the form is for."""
        raise NotImplementedError

    async def on_error(  # type: ignore[override]  # as discord.py's own Modal does
        self, interaction: discord.Interaction[Any], error: Exception, /
    ) -> None:
        """Answer an error like everywhere else; discord.py's own, of a form it can't read."""
        unread = not isinstance(error, UserError) and "submitted" not in interaction.extras
        await answer_error(interaction, UserError("card_old") if unread else error)


def is_filled_in(item: ui.Item[Any]) -> bool:
    """Return whether a form's field has a value as Discord's own app sends it."""
    if isinstance(item, ui.TextInput):
        return isinstance(item.value, str) and len(item.value) <= (item.max_length or 4000)
    if isinstance(item, ui.Select | ui.CheckboxGroup):
        known = {option.value for option in item.options}
        many = len(item.values) if item.values or item.required else item.min_values
        return {*item.values} <= known and item.min_values <= many <= item.max_values
    return True


def text(*lines: str) -> ui.TextDisplay[Any]:
    """Return lines of text as one component, shortened if it is too long for a card."""
    whole = "\n".join(line for line in lines if line)
    return ui.TextDisplay(
        whole if len(whole) <= MAX_TEXT_CHARS else whole[: MAX_TEXT_CHARS - 1] + "…"
    )


def row(*controls: ui.Item[Any]) -> ui.ActionRow[Any]:
    """Return buttons beside each other, or one select."""
    return ui.ActionRow(*controls)


def text_input(name: str, value: str = "", **more: Any) -> ui.TextInput[Any]:
    """Return a text field of a form; `more` are further settings of `ui.TextInput`."""
    return ui.TextInput(custom_id=name, default=value or None, **more)


def parse_number(typed: str, kind: type[Any]) -> Any:
    """Return the number that somebody typed, with a point or a comma."""
    try:
        number = float(typed.strip().replace(",", ".")[:MAX_NUMBER_CHARS])
    except ValueError as wrong:
        raise UserError("number_bad", typed=flatten(typed, MAX_NUMBER_CHARS)) from wrong
    if kind is not int:
        return number
    if not number.is_integer():
        raise UserError("number_whole", typed=flatten(typed, MAX_NUMBER_CHARS))
    digits = typed.strip()[:MAX_NUMBER_CHARS]
    return int(digits) if re.fullmatch(r"[+-]?\d+", digits) else int(number)


def parse_id(value: str) -> int:
    """Return the id in an option's value; raise UserError for a value of an older version."""
    if not re.fullmatch("[0-9]{1,18}", value):
        raise UserError("card_old")
    return int(value)


async def defer(interaction: Interaction, *, private: bool = True) -> None:
    """Acknowledge a command or form within Discord's 3 seconds; `edit` puts the card there."""
    if private:
        interaction.extras["private"] = True
    await interaction.response.defer(ephemeral=private, thinking=True)


async def defer_update(interaction: Interaction) -> None:
    """Acknowledge a control within Discord's 3 seconds; `edit` then replaces its card."""
    interaction.extras["private"] = True
    await interaction.response.defer()


async def edit(interaction: Interaction, card: Card) -> discord.InteractionMessage:
    """Put a card where `defer` or `defer_update` promised one."""
    shown = await interaction.edit_original_response(view=card, attachments=card.open_files())
    interaction.extras["shown"] = True
    return shown


async def follow_up(
    interaction: Interaction, card: Card, *, private: bool = True
) -> discord.WebhookMessage:
    """Post one more card after the answer, and return its message."""
    files = card.open_files()
    return await interaction.followup.send(view=card, files=files, ephemeral=private, wait=True)


async def open_modal(interaction: Interaction, form: Form) -> None:
    """Open a form. If the process ends before it is submitted, it is answered as too old."""
    form.custom_id = f"form:{interaction.client.process_id}:{secrets.token_hex(8)}"
    await interaction.response.send_modal(form)
