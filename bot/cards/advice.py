"""The advice card: how to train on a dataset, why, the alternative, and the button to start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import discord

from bot import wording
from bot.actions import training
from bot.actions.advice import Answer, Question, advise_and_preview, ask_advisor
from bot.actions.order import TrainingOrder, load_draft
from bot.actions.permissions import check_daily_quota, check_role
from bot.bot import Interaction
from bot.card import Card, Item
from bot.cards.components import Button, Select, defer_update, edit, row, text
from bot.cards.job import COLOURS
from bot.cards.preflight import Change, Leave, Start, fact_lines, option_lines
from bot.cards.seen import SeenCard
from bot.wording import fill, format_count, say
from storage.errors import UserError
from storage.planning.advice_input import SUBJECT_MATTERS, SubjectMatter
from storage.planning.advisor import Choice
from storage.records import Status


async def advice_card(interaction: Interaction, question: Question) -> Card:
    """Return a pre-flight card of what the advisor recommends, with its reasons."""
    bot, owner = interaction.client, interaction.user.id
    await check_role(interaction, "train")
    await check_daily_quota(interaction)
    dataset = await bot.store.datasets.get(question.dataset, owner)
    training.check_photo_count(dataset, len(await bot.store.photos.list_for(dataset.id, owner)))
    answer, preview = await advise_and_preview(interaction, question)
    draft = await bot.store.drafts.add(owner, question.to_json())
    order = await bot.store.drafts.add(owner, answer.order.to_json())
    card = SeenCard(colour=COLOURS[Status.RUNNING])
    card.add(text(say(wording.advice.TITLE, name=dataset.name, **describe_choice(answer.choice))))
    card.add(text(*reason_lines(answer)))
    card.add(text(*fact_lines(bot, interaction.guild, preview)))
    await card.add_seen(bot, preview)
    if remarks := [*note_lines(answer), *option_lines(preview)]:
        card.add(text(*remarks))
    card.add(row(SubjectMatterSelect(draft, options=subject_matter_options(answer))))
    card.add(row(PurposeSelect(draft, options=purpose_options(answer))))
    return card.add(row(Start(order), Change(order), *switch_button(answer, draft), Leave()))


def switch_button(answer: Answer, draft: int) -> list[Item]:
    """Return the button that turns to the other choice, if there is one."""
    if answer.alternative is None:
        return []
    first, second = describe_choice(answer.choice), describe_choice(answer.alternative)
    key = "method" if first["method"] != second["method"] else "base"
    return [OtherChoice(draft, label=fill(wording.advice.SWITCH_TO, name=second[key]))]


async def advice_beside(
    interaction: Interaction, order: TrainingOrder
) -> tuple[list[str], list[Item]]:
    """Return the lines and buttons that the advisor adds to an order's card.

    Both are empty where it has no advice.
    """
    question = Question(order.dataset, private=order.private, class_word=order.class_word)
    try:
        answer = await ask_advisor(interaction, question, concepts=1 + len(order.other_datasets))
    except UserError:
        return [], []
    choice = answer.choice
    if (choice.method, choice.base.name) == (order.method, order.base):
        return [*reason_lines(answer), *note_lines(answer)], []
    if order.other_datasets:  # the card of the advice is about one dataset
        return [], []
    draft = await interaction.client.store.drafts.add(interaction.user.id, question.to_json())
    return [say(wording.advice.SUGGESTION, **describe_choice(choice))], [Advise(draft)]


def describe_choice(choice: Choice) -> dict[str, str]:
    """Return a choice's method, base and dial as facts of a sentence."""
    dial = wording.training.DIALS[choice.dial]
    return {"method": choice.title, "base": choice.base.title, "dial": dial}


def reason_lines(answer: Answer) -> list[str]:
    """Return the reasons for method, base and dial, a line each."""
    return wording.advice.format_reasons(
        answer.choice.reasons, format_count(answer.case.counted_photos, "photo")
    )


def note_lines(answer: Answer) -> Iterator[str]:
    """Yield how many photos count, what the licence asks, and the alternative."""
    case, choice, alternative = answer.case, answer.choice, answer.alternative
    photos = format_count(case.counted_photos, "photo")
    if case.counted_photos < case.total_photos:
        yield say(wording.advice.PHOTOS_COUNTED, photos=photos, handed=case.total_photos)
    if case.commercial and choice.base.terms:
        yield say(wording.advice.TERMS, terms=choice.base.terms)
    if alternative is not None:
        reason = wording.advice.format_second_reason(alternative.reasons, choice.reasons, photos)
        yield say(wording.advice.SECOND_CHOICE, why=reason, **describe_choice(alternative))


def subject_matter_options(answer: Answer) -> list[discord.SelectOption]:
    """Return what the dataset's concept can show; what the advisor assumes is selected."""
    now = answer.case.subject_matter
    return [
        discord.SelectOption(label=wording.advice.MOTIFS[each], value=each, default=each is now)
        for each in SUBJECT_MATTERS[answer.concept]
    ]


def purpose_options(answer: Answer) -> list[discord.SelectOption]:
    """Return what a style can be for; what the advisor assumes is selected."""
    now = "money" if answer.question.commercial else "fun"
    return [
        discord.SelectOption(label=label, value=value, default=value == now)
        for value, label in wording.advice.PURPOSES.items()
    ]


class Advise(Button, verb="advice:ask"):
    """Show what the advisor recommends."""

    label, style = wording.advice.ADVISE, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        question = await load_draft(interaction, Question, self.number(0))
        await edit(interaction, await advice_card(interaction, question))


class OtherChoice(Button, verb="advice:other"):
    """Show the other of the two choices."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        question = await load_draft(interaction, Question, self.number(0))
        turned = replace(question, second=not question.second)
        await edit(interaction, await advice_card(interaction, turned))


class SubjectMatterSelect(Select, verb="advice:motif"):
    """Choose what the photos show, and ask the advisor again."""

    placeholder = wording.advice.MOTIF_HINT

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        question = await load_draft(interaction, Question, self.number(0))
        if self.value not in [*SubjectMatter]:
            raise UserError("card_old")
        changed = replace(question, subject_matter=SubjectMatter(self.value), second=False)
        await edit(interaction, await advice_card(interaction, changed))


class PurposeSelect(Select, verb="advice:purpose"):
    """Choose what the style is for, and ask the advisor again."""

    placeholder = wording.advice.PURPOSE_HINT

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        question = await load_draft(interaction, Question, self.number(0))
        changed = replace(question, commercial=self.value == "money", second=False)
        await edit(interaction, await advice_card(interaction, changed))
