"""What an order can be changed by: selects of dial and base, the form of steps and samples, more.

The form of more options has further concepts, class pictures, and options from the table.

An option of `storage.options` with a `label` is on the form: as an entry of the switches if it has
a `switch` value, as a select if it has choices, else as a number. Discord allows five fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bot import wording
from bot.actions.order import TrainingOrder
from bot.cards.components import Form, parse_number, text_input
from bot.wording import fill
from storage.errors import UserError
from storage.limits import CLASS_IMAGES, MAX_CONCEPTS, STEPS, check_range
from storage.options import Option, options_table
from storage.planning.prompts import MAX_OWN_PROMPT_CHARS, MAX_OWN_PROMPTS
from storage.records import Base, Dataset

MAX_SELECT_OPTIONS = 25  #: Discord's limit
MAX_NUMBER_CHARS = 8

ON_FORM = tuple(option for option in options_table() if option.label)
SWITCHES = tuple(option for option in ON_FORM if option.switch is not None)
CHOICES = tuple(option for option in ON_FORM if option.choices)
NUMBERS = tuple(option for option in ON_FORM if option not in SWITCHES + CHOICES)


class OptionsForm(Form):
    """A form that changes an order."""

    def __init__(self, order: TrainingOrder, datasets: Sequence[Dataset], *, small: bool) -> None:
        super().__init__(title=wording.training.OPTIONS_FORM)
        self.order = order
        self.defaults = {
            each.name: each.default_on(small=small) for each in ON_FORM
        }  # of its base
        self.other_datasets = dataset_select(order, datasets)
        self.choices = {option.name: choice_select(option, order) for option in CHOICES}
        self.switches = switch_select({**self.defaults, **order.options})
        values = {each.name: order.options.get(each.name, each.default) for each in NUMBERS}
        self.numbers = {name: number_input(name, f"{value:g}") for name, value in values.items()}
        images = order.num_class_images
        self.class_images = number_input("num_class_images", "" if images < 0 else str(images))
        fields: dict[str, ui.Item[Any]] = {
            "other_datasets": self.other_datasets,
            **self.choices,
            "switches": self.switches,
            **self.numbers,
            "num_class_images": self.class_images,
        }
        if not self.other_datasets.options:
            del fields["other_datasets"]
        labels = {option.name: (option.label, option.hint) for option in CHOICES + NUMBERS}
        labels |= wording.training.FIELDS
        for name, field in fields.items():
            label, hint = labels[name]
            self.add_field(label, field, hint)

    def read_order(self) -> TrainingOrder:
        """Return the order as it is filled in."""
        return replace(
            self.order,
            other_datasets=tuple(int(number) for number in self.other_datasets.values),
            options=self.read_options(),
            num_class_images=parse_count(self.class_images.value),
        )

    def read_options(self) -> dict[str, Any]:
        """Return the options that differ from their defaults; the ones not on the form stay."""
        shown = {option.name for option in ON_FORM}
        found = {name: value for name, value in self.order.options.items() if name not in shown}
        for option in CHOICES:
            found[option.name] = option.from_json(self.choices[option.name].values[0])
        for option in SWITCHES:
            found[option.name] = (
                option.switch if option.name in self.switches.values else option.default
            )
        for option in NUMBERS:
            typed = self.numbers[option.name].value
            number = parse_number(typed, type(option.default)) if typed.strip() else option.default
            found[option.name] = number
        return {name: value for name, value in found.items() if value != self.defaults.get(name)}


class StepsForm(Form):
    """A form that changes the steps and sample prompts of an order."""

    def __init__(self, order: TrainingOrder) -> None:
        super().__init__(title=wording.training.ADJUST_FORM)
        self.order, (least, most) = order, STEPS
        steps = str(order.steps) if order.steps else ""
        self.steps = text_input("steps", steps, required=False, max_length=len(str(most)))
        self.prompts = text_input(
            "prompts",
            "\n".join(order.sample_prompts),
            required=False,
            style=discord.TextStyle.paragraph,
            max_length=MAX_OWN_PROMPTS * (MAX_OWN_PROMPT_CHARS + 1),
        )
        hint = fill(wording.training.STEPS_FIELD, least=least, most=f"{most:,}")
        self.add_field(wording.training.STEPS_LABEL, self.steps, hint)
        limits = {"count": MAX_OWN_PROMPTS, "most": MAX_OWN_PROMPT_CHARS}
        hint = fill(wording.training.PROMPTS_FIELD, **limits)
        self.add_field(wording.training.PROMPTS_LABEL, self.prompts, hint)

    def read_order(self) -> TrainingOrder:
        """Return the order as it is filled in."""
        typed = self.steps.value.strip()
        steps = parse_number(typed, int) if typed else 0
        if typed:  # 0 would follow the dial
            check_range("steps", steps, STEPS, UserError)
        prompts = (" ".join(line.split()) for line in self.prompts.value.splitlines())
        return replace(self.order, steps=steps, sample_prompts=tuple(filter(None, prompts)))


def dial_options(order: TrainingOrder) -> list[discord.SelectOption]:
    """Return the positions of the dial; the order's is selected."""
    return [
        discord.SelectOption(label=label, value=dial, default=dial == order.dial)
        for dial, label in wording.training.DIAL_CHOICES.items()
    ]


def base_options(order: TrainingOrder, bases: Sequence[Base]) -> list[discord.SelectOption]:
    """Return the bases to start from, the order's among them, which is selected."""
    first = sorted(bases, key=lambda base: base.name != order.base)[:MAX_SELECT_OPTIONS]
    return [
        discord.SelectOption(
            label=base.title[:100], value=base.name[:100], default=base.name == order.base
        )
        for base in bases
        if base in first
    ]


def dataset_select(order: TrainingOrder, datasets: Sequence[Dataset]) -> ui.Select[Any]:
    """Return a select of the member's further datasets."""
    others = [each for each in datasets if each.id != order.dataset][:MAX_SELECT_OPTIONS]
    chosen = {str(number) for number in order.other_datasets}
    names = {str(each.id): each.name for each in others}
    return select("other_datasets", names, chosen, most=MAX_CONCEPTS - 1)


def choice_select(option: Option, order: TrainingOrder) -> ui.Select[Any]:
    """Return a select of an option's choices."""
    names = {str(each): wording.training.CHOICES.get(each, each) for each in option.choices}
    chosen = str(order.options.get(option.name, option.default))
    return select(option.name, names, {chosen}, least=1)


def switch_select(values: Mapping[str, Any]) -> ui.Select[Any]:
    """Return a select of all options that have a switch; `values` are as they are now."""
    labels = {option.name: option.label for option in SWITCHES}
    chosen = {name for name in labels if values[name]}
    return select("switches", labels, chosen, most=len(labels))


def select(
    name: str, labels: dict[str, str], chosen: set[str], *, least: int = 0, most: int = 1
) -> ui.Select[Any]:
    """Return a select of a form, with labels by value."""
    options = [
        discord.SelectOption(label=label[:100], value=value, default=value in chosen)
        for value, label in labels.items()
    ]
    return ui.Select(
        custom_id=name,
        options=options,
        min_values=least,
        max_values=max(1, min(most, len(options))),
        required=least > 0,
    )


def number_input(name: str, value: str) -> ui.TextInput[Any]:
    """Return a text field for a number, which may be left empty."""
    return text_input(name, value, required=False, max_length=MAX_NUMBER_CHARS)


def parse_count(typed: str) -> int:
    """Return the number of pictures that a member typed; -1 for none typed."""
    if not typed.strip():
        return -1
    count: int = parse_number(typed, int)
    check_range("class images", count, CLASS_IMAGES, UserError)
    return count


def describe_option(option: Option, value: Any) -> str:
    """Return a phrase for an option that differs from its default."""
    if option.switch is not None and option.label:
        off = fill(wording.training.SWITCHED_OFF, label=option.label)
        return option.label if value else off
    label = option.label or option.name.replace("_", " ").capitalize()
    if option.choices:
        return wording.training.CHOICES.get(value, str(value))
    return f"{label} {value:g}" if isinstance(value, int | float) else label
