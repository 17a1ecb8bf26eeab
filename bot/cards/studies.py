"""The list of a server's studies, and what an owner does with one: close, cancel, export."""

from __future__ import annotations

import discord
from discord import ui

from bot import wording
from bot.actions import studies
from bot.actions.permissions import is_moderator
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, Select, defer, defer_update, edit, follow_up, row, text
from bot.cards.study import check_place, open_card, result_card, result_lines
from bot.wording import fill, flatten, format_count, say
from storage.errors import UserError
from storage.tables.studies import Study, StudyState

MAX_STUDIES = 25  #: in one list; Discord's selects take no more


async def list_card(interaction: Interaction) -> Card:
    """Return a list of the member's studies on this server; for moderators, of all."""
    owner = None if is_moderator(interaction) else interaction.user.id
    found = await interaction.client.store.studies.list_for(interaction.guild_id or 0, owner)
    if not found:
        return Card(text(wording.study.LIST_TITLE, wording.study.LIST_NONE))
    shown = found[:MAX_STUDIES]
    card = Card(text(wording.study.LIST_TITLE, *map(study_line, shown)))
    return card.add(row(PickStudy(options=[study_option(study) for study in shown])))


def study_line(study: Study) -> str:
    """Return a study's number, sides and state."""
    first, second = (side.name for side in study.sides)
    state = wording.study.STATES[study.state]
    return say(wording.study.LIST_LINE, number=study.id, first=first, second=second, state=state)


def study_option(study: Study) -> discord.SelectOption:
    """Return the option to select a study."""
    label = flatten(f"{study.id} {study.question}", 100)
    state = wording.study.STATES[study.state]
    return discord.SelectOption(label=label, value=str(study.id), description=state)


async def owner_card(interaction: Interaction, study: Study) -> Card:
    """Return a study's card for its owner: how far it is, and nothing of its votes."""
    card = Card(text(study_line(study)))
    if study.state is StudyState.DRAWING:
        return card.add(row(Cancel(study.id)))
    if study.state is StudyState.OPEN:
        count = await interaction.client.store.studies.count_voters(study.id)
        voters, closes = format_count(count, "person", "people"), int(study.closes or 0)
        card.add(text(fill(wording.study.OPEN_FACTS, closes=closes, voters=voters)))
        mine = [Close(study.id)] if study.owner == interaction.user.id else []
        return card.add(row(*mine, PostAgain(study.id), Cancel(study.id)))
    if study.state is StudyState.CLOSED:
        card.add(text(*result_lines(study, study.summarise())))
        return card.add(row(PostAgain(study.id), Export(study.id)))
    return card


async def get_own_study(interaction: Interaction, number: int) -> Study:
    """Return the presser's study on this server; anybody's for moderators."""
    study = await interaction.client.store.studies.get(number)
    if study.guild != interaction.guild_id:
        raise UserError("study_unknown")
    if study.owner != interaction.user.id and not is_moderator(interaction):
        raise UserError("study_unknown")
    return study


def check_owner(interaction: Interaction, study: Study) -> None:
    """Raise UserError unless the presser set the study up."""
    if study.owner != interaction.user.id:
        raise UserError("study_not_own")


class PickStudy(Select, verb="study:pick"):
    """Select a study to look at."""

    placeholder = wording.study.LIST_PICK

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        study = await get_own_study(interaction, self.chosen_number)
        await edit(interaction, await owner_card(interaction, study))


class PostAgain(Button, verb="study:post"):
    """Post a study, or its result, in this channel, for everybody."""

    label = wording.study.POST_AGAIN

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        check_place(interaction)
        store = interaction.client.store
        study = await get_own_study(interaction, self.number(0))
        if study.state is StudyState.CLOSED:
            await follow_up(interaction, await result_card(store, study), private=False)
        elif study.state is StudyState.OPEN:
            posted = await follow_up(interaction, await open_card(store, study), private=False)
            known = await store.posts.find_study(study.id)
            if known is None or known.channel != study.channel:  # it is nowhere else
                await store.studies.move(study.id, posted.channel.id, posted.id)
        else:
            raise UserError("study_unknown")


class Close(Button, verb="study:close"):
    """Ask for confirmation before the study is closed."""

    label = wording.study.CLOSE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        study = await get_own_study(interaction, self.number(0))
        check_owner(interaction, study)
        count = await interaction.client.store.studies.count_voters(study.id)
        voters = format_count(count, "person", "people")
        await edit(
            interaction,
            Card(text(fill(wording.study.CLOSE_ASK, voters=voters)), row(CloseForGood(study.id))),
        )


class CloseForGood(Button, verb="study:closed"):
    """Close the study; the job feed posts its result."""

    label, style = wording.study.CLOSE_GO, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        study = await get_own_study(interaction, self.number(0))
        check_owner(interaction, study)
        if study.state is not StudyState.OPEN:
            raise UserError("study_closed")
        await interaction.client.store.studies.close(study.id)
        await edit(interaction, Card(text(wording.study.CLOSED)))


class Cancel(Button, verb="study:cancel"):
    """Ask for confirmation before the study is cancelled."""

    label, style = wording.study.CANCEL, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        study = await get_own_study(interaction, self.number(0))
        await edit(interaction, Card(text(wording.study.CANCEL_ASK), row(CancelForGood(study.id))))


class CancelForGood(Button, verb="study:cancelled"):
    """End the study without a result."""

    label, style = wording.study.CANCEL_GO, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        study = await get_own_study(interaction, self.number(0))
        await interaction.client.store.studies.cancel(study.id)
        await edit(interaction, Card(text(wording.study.CANCELLED)))


class Export(Button, verb="study:export"):
    """Send every ballot of a closed study, without names, as JSON and CSV."""

    label = wording.study.EXPORT

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        study = await get_own_study(interaction, self.number(0))
        if study.state is not StudyState.CLOSED:
            raise UserError("study_unknown")
        card = Card(text(wording.study.EXPORTED))
        for name, content in studies.export_study(study).items():
            card.add(ui.File(card.attach_content(content, name)))
        await edit(interaction, card)
