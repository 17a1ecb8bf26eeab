"""The advice card: how to train on a dataset, why, what else would do, and the button to start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from bot import wording
from bot.actions import training
from bot.actions.permissions import check_daily_quota, check_role
from bot.actions.training import TrainingOrder
from bot.card import Card
from bot.cards.components import WORDS, Button, Select, defer_update, edit, row, text
from bot.cards.job import COLOURS
from bot.cards.preflight import Leave, Start, fact_lines, option_lines
from bot.wording import fill, format_count, say
from storage.errors import UserError
from storage.planning.advice_input import CLASS_WORDS, SUBJECT_MATTERS, AdviceInput, SubjectMatter
from storage.planning.advisor import Advice, Choice, advise
from storage.records import Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.actions.training import Preview
    from bot.bot import Interaction
    from bot.card import Item
    from storage.records import Concept

DISK_CODES = frozenset({"disk_low", "quota_full"})  #: a smaller file may still find room


@dataclass(frozen=True, slots=True)
class Question:
    """What a member asks the advisor; it travels in every control of the card."""

    dataset: int
    motif: SubjectMatter | None = None  #: None: as the dataset's concept suggests
    commercial: bool = False
    private: bool = False
    other: bool = False  #: whether the second choice is looked at
    word: str = ""

    def written(self) -> str:
        """Write it into a custom id."""
        flags = (self.commercial, self.private, self.other)
        parts = (self.dataset, self.motif or "", *map(int, flags), self.word)
        return ":".join(map(str, parts))

    @classmethod
    def read(cls, written: str) -> Question:
        """Read it from a custom id."""
        try:
            dataset, motif, commercial, private, other, word = written.split(":")
            flags = (commercial == "1", private == "1", other == "1")
            return cls(int(dataset), SubjectMatter(motif) if motif else None, *flags, word)
        except ValueError as old:
            raise UserError("card_old") from old


@dataclass(frozen=True, slots=True)
class Answer:
    """What the advisor says to a question."""

    question: Question
    concept: Concept
    case: AdviceInput
    advice: Advice

    @property
    def choice(self) -> Choice:
        """The way to train that the card is about."""
        first, second = self.advice.first, self.advice.second
        return second if second and self.question.other else first

    @property
    def rest(self) -> Choice | None:
        """The other one."""
        return self.advice.second if self.choice is self.advice.first else self.advice.first

    @property
    def order(self) -> TrainingOrder:
        """What Start would order."""
        question, choice = self.question, self.choice
        word = question.word
        if choice.needs_class_word and not word:
            word = CLASS_WORDS[self.case.subject_matter]
        return TrainingOrder(
            question.dataset, choice.method, choice.base.name, choice.dial,
            class_word=word, private=question.private,
        )  # fmt: skip


async def ask_advisor(
    interaction: Interaction, question: Question, *, concepts: int = 1, room: bool = True
) -> Answer:
    """Ask the advisor about a member's dataset; without room, whole models are no choice."""
    bot, owner = interaction.client, interaction.user.id
    dataset = await bot.store.datasets.get(question.dataset, owner)
    photos = await bot.store.photos.list_for(dataset.id, owner)
    server = await bot.store.servers.get(interaction.guild_id or 0)
    case = replace(
        AdviceInput.from_photos(photos, dataset.concept, question.motif),
        commercial=question.commercial,
        concepts=concepts,
        large_file_ok=room and bot.web.public is not None,
        max_minutes=server.minutes,
    )
    catalog, paces = await bot.store.catalog.read(), await bot.store.durations.read_all()
    return Answer(question, dataset.concept, case, advise(catalog, case, paces))


async def advice_card(interaction: Interaction, question: Question) -> Card:
    """Lay the advice out, as a pre-flight card that says why."""
    bot = interaction.client
    await check_role(interaction, "train")
    await check_daily_quota(interaction)
    dataset = await bot.store.datasets.get(question.dataset, interaction.user.id)
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    training.check_photo_count(dataset, len(photos))
    found, preview = await advise_within_disk(interaction, question)
    card = Card(colour=COLOURS[Status.RUNNING])
    card.add(text(say(wording.advice.TITLE, name=dataset.name, **choice_facts(found.choice))))
    card.add(text(*reason_lines(found)))
    card.add(text(*fact_lines(bot, interaction.guild, preview)))
    if remarks := [*note_lines(found), *option_lines(preview)]:
        card.add(text(*remarks))
    card.add(row(MotifSelect(found)), row(PurposeSelect(found)))
    return card.add(row(Start(found.order), *switch_button(found), Leave()))


def switch_button(found: Answer) -> list[Item]:
    """Return the button that turns to the other choice, if there is one."""
    if found.rest is None:
        return []
    first, second = choice_facts(found.choice), choice_facts(found.rest)
    key = "method" if first["method"] != second["method"] else "base"
    question = replace(found.question, other=not found.question.other)
    return [OtherChoice(question, label=fill(wording.advice.SWITCH_TO, name=second[key]))]


async def advise_within_disk(
    interaction: Interaction, question: Question
) -> tuple[Answer, Preview]:
    """Ask, and weigh what is advised; where the disk is too full for a model, advise less."""
    bot, owner, guild = interaction.client, interaction.user.id, interaction.guild_id or 0
    found = await ask_advisor(interaction, question)
    try:
        return found, await training.preview(bot, found.order, owner, guild)
    except UserError as error:
        if error.code not in DISK_CODES or not found.case.large_file_ok:
            raise
    found = await ask_advisor(interaction, question, room=False)
    return found, await training.preview(bot, found.order, owner, guild)


async def advice_beside(
    interaction: Interaction, order: TrainingOrder
) -> tuple[list[str], list[Item]]:
    """Say beside an order what the advisor thinks of it; nothing where it cannot think."""
    question = Question(order.dataset, private=order.private, word=order.class_word)
    try:
        found = await ask_advisor(interaction, question, concepts=1 + len(order.other_datasets))
    except UserError:
        return [], []
    first = found.choice
    if (first.method, first.base.name) != (order.method, order.base):
        if order.other_datasets:  # the card of the advice is about one dataset
            return [], []
        return [say(wording.advice.OTHER, **choice_facts(first))], [Advise(question)]
    return [*reason_lines(found), *note_lines(found)], []


def choice_facts(choice: Choice) -> dict[str, str]:
    """Name a way to train."""
    dial = wording.training.DIALS[choice.dial]
    return {"method": choice.title, "base": choice.base.title, "dial": dial}


def reason_lines(found: Answer) -> list[str]:
    """Say why in three lines."""
    return wording.advice.reasons(
        found.choice.reasons, format_count(found.case.distinct_photos, "photo")
    )


def note_lines(found: Answer) -> Iterator[str]:
    """Say how many photos count, what the licence asks, and what else would do."""
    case, choice, rest = found.case, found.choice, found.rest
    photos = format_count(case.distinct_photos, "photo")
    if case.distinct_photos < case.total_photos:
        yield say(wording.advice.SOME, photos=photos, handed=case.total_photos)
    if case.commercial and choice.base.terms:
        yield say(wording.advice.TERMS, terms=choice.base.terms)
    if rest is not None:
        reason = wording.advice.reason_apart(rest.reasons, choice.reasons, photos)
        yield say(wording.advice.SECOND, why=reason, **choice_facts(rest))


class Advise(Button, verb="advice:ask", tail=WORDS):
    """Show what is advised."""

    style = discord.ButtonStyle.primary
    question: Question
    label = wording.advice.ADVISE

    def __init__(self, question: Question, label: str = "") -> None:
        name = f"{self.verb}:{question.written()}"
        button: ui.Button[Any] = ui.Button(
            label=label or self.label, style=self.style, custom_id=name
        )
        ui.DynamicItem.__init__(self, button)
        self.question = question

    def recall(self, written: str) -> None:
        """Read the question from the button."""
        self.question = Question.read(written)

    async def press(self, interaction: Interaction) -> None:
        """Lay the advice out."""
        await defer_update(interaction)
        await edit(interaction, await advice_card(interaction, self.question))


class OtherChoice(Advise, verb="advice:other", tail=WORDS):
    """Turn to the other choice."""

    style = discord.ButtonStyle.secondary


class MotifSelect(Select, verb="advice:motif", tail=WORDS):
    """Say what the photos show."""

    placeholder = wording.advice.MOTIF_HINT
    question: Question

    def __init__(self, answer: Answer) -> None:
        name = f"{self.verb}:{answer.question.written()}"
        self.question = answer.question
        select: ui.Select[Any] = ui.Select(
            custom_id=name, placeholder=self.placeholder, options=self.offered(answer)
        )
        ui.DynamicItem.__init__(self, select)

    @staticmethod
    def offered(answer: Answer) -> list[discord.SelectOption]:
        """Offer what the dataset's concept can be, as it is taken now."""
        return [
            discord.SelectOption(
                label=wording.advice.MOTIFS[motif],
                value=motif,
                default=motif is answer.case.subject_matter,
            )
            for motif in SUBJECT_MATTERS[answer.concept]
        ]

    def recall(self, written: str) -> None:
        """Read the question from the select."""
        self.question = Question.read(written)

    def changed(self) -> Question:
        """Give the question as it is now."""
        return replace(self.question, motif=SubjectMatter(self.value), other=False)

    async def press(self, interaction: Interaction) -> None:
        """Ask again."""
        await defer_update(interaction)
        await edit(interaction, await advice_card(interaction, self.changed()))


class PurposeSelect(MotifSelect, verb="advice:purpose", tail=WORDS):
    """Say what it is for."""

    placeholder = wording.advice.PURPOSE_HINT

    @staticmethod
    def offered(answer: Answer) -> list[discord.SelectOption]:
        """Offer fun and money."""
        now = "money" if answer.question.commercial else "fun"
        return [
            discord.SelectOption(label=label, value=value, default=value == now)
            for value, label in wording.advice.PURPOSES.items()
        ]

    def changed(self) -> Question:
        """Give the question as it is now."""
        return replace(self.question, commercial=self.value == "money", other=False)
