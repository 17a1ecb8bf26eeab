"""The form of the pre-flight card: what else a training may do, for those who know it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import wording
from bot.actions.training import MORE
from bot.cards.components import Form
from storage.errors import UserError
from storage.options import options_table
from storage.records import Optimizer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.actions.training import TrainingOrder
    from storage.records import Dataset

MAX_SELECT_OPTIONS = 25  #: options of a select, at most
SWITCHES = {each.name: each for each in options_table() if each.switch is not None}


class OptionsForm(Form):
    """Further concepts, the optimizer, switches, dropout and class pictures."""

    def __init__(self, order: TrainingOrder, datasets: Sequence[Dataset]) -> None:
        super().__init__(title=wording.training.OPTIONS_FORM)
        self.order = order
        others = [each for each in datasets if each.id != order.dataset][:MAX_SELECT_OPTIONS]
        self.also = select_field(
            "also",
            {str(each.id): each.name for each in others},
            {str(number) for number in order.other_datasets},
            most=MORE,
        )
        names = {str(each): wording.training.OPTIMIZERS[each] for each in Optimizer}
        self.optimizer = select_field("optimizer", names, {str(order.optimizer)}, least=1)
        self.switches = select_field(
            "switches",
            {name: each.label for name, each in SWITCHES.items()},
            {name for name in SWITCHES if name in order.options},
            most=len(SWITCHES),
        )
        self.dropout: ui.TextInput[Any] = ui.TextInput(
            custom_id="dropout", default=f"{order.options.get('dropout', 0):g}", max_length=4
        )
        self.prior: ui.TextInput[Any] = ui.TextInput(
            custom_id="prior",
            default=None if order.num_class_images < 0 else str(order.num_class_images),
            required=False,
            max_length=4,
        )
        fields: dict[str, ui.Item[Any]] = {"also": self.also} if others else {}
        fields |= {"optimizer": self.optimizer, "switches": self.switches}
        fields |= {"dropout": self.dropout, "prior": self.prior}
        for name, field in fields.items():
            label, told = wording.training.FIELDS[name]
            self.add_item(ui.Label(text=label, description=told, component=field))

    def chosen(self) -> TrainingOrder:
        """Give the order as it is filled in."""
        return replace(
            self.order,
            other_datasets=tuple(int(number) for number in self.also.values),
            options=self.options(),
            num_class_images=parse_count(self.prior.value),
        )

    def options(self) -> dict[str, Any]:
        """Return the options that are not as usual."""
        options = {name: SWITCHES[name].switch for name in self.switches.values}
        optimizer, dropout = Optimizer(self.optimizer.values[0]), parse_share(self.dropout.value)
        if optimizer is not Optimizer.ADAMW:
            options["optimizer"] = optimizer
        if dropout:
            options["dropout"] = dropout
        return options


def select_field(
    name: str, offered: dict[str, str], now: set[str], *, least: int = 0, most: int = 1
) -> ui.Select[Any]:
    """Make a select of a form."""
    options = [
        discord.SelectOption(label=label[:100], value=value, default=value in now)
        for value, label in offered.items()
    ]
    return ui.Select(
        custom_id=name,
        options=options,
        min_values=least,
        max_values=max(1, min(most, len(options))),
        required=least > 0,
    )


def parse_share(typed: str) -> float:
    """Read a part of one that a member typed; hundredths are kept."""
    try:
        return round(float(typed.replace(",", ".") or 0), 2)
    except ValueError as wrong:
        raise UserError("number_bad", typed=typed) from wrong


def parse_count(typed: str) -> int:
    """Read a number of pictures that a member typed; less than none where they did not."""
    if typed.strip() and not typed.strip().isdecimal():
        raise UserError("number_bad", typed=typed)
    return int(typed) if typed.strip() else -1
