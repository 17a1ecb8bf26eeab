"""Voting in a study: pair after pair, in an answer that only the voter sees."""

from __future__ import annotations

import asyncio
from pathlib import Path

import discord
from discord import ui

from bot import wording
from bot.actions import studies
from bot.actions.permissions import check_may_vote
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer, defer_update, edit, row, text
from bot.cards.report import AddReport
from bot.cards.studypicture import draw_pair, open_picture, shuffle_pixels
from bot.wording import fill, format_count, say
from storage.errors import UserError
from storage.planning.study import Choice, is_swapped, order_pairs
from storage.store import Store
from storage.tables.studies import Pair, Study, check_open

PAIR_FILE = "pair.png"  #: which tells nothing


async def get_open_study(interaction: Interaction, number: int) -> Study:
    """Return a study of this server that the presser may vote in."""
    await check_may_vote(interaction)
    study = await interaction.client.store.studies.get(number)
    if study.guild != interaction.guild_id:
        raise UserError("study_unknown")
    check_open(study, interaction.user.id)
    return study


async def list_ballot(store: Store, study: Study, voter: int) -> list[Pair]:
    """List a study's pairs in a voter's order."""
    pairs = {pair.id: pair for pair in await store.studies.list_pairs(study.id)}
    attention = [pair.id for pair in pairs.values() if pair.attention]
    if len(pairs) <= len(attention):
        raise UserError("study_unknown")
    return [pairs[number] for number in order_pairs(study.key, voter, list(pairs), *attention)]


async def show_next(interaction: Interaction, study: Study, after: int = 0) -> None:
    """Show a pair that the voter has not judged; else the one after another, or thanks."""
    store, voter = interaction.client.store, interaction.user.id
    ballot = await list_ballot(store, study, voter)
    pair = find_next(ballot, await store.studies.list_voted(study.id, voter), after)
    if pair is None:
        await edit(interaction, voted_card(study, len(ballot)))
    else:
        await show_pair(interaction, study, ballot, pair)


def find_next(ballot: list[Pair], voted: set[int], after: int) -> Pair | None:
    """Return the first pair without a vote, else the one after another, else None."""
    numbers = [pair.id for pair in ballot]
    rest = ballot[numbers.index(after) + 1 :] if after in numbers else []
    left = [pair for pair in ballot if pair.id not in voted]
    return next(iter([*left, *rest]), None)


async def show_pair(
    interaction: Interaction, study: Study, ballot: list[Pair], pair: Pair
) -> None:
    """Show a pair to vote on; one whose pictures are gone leaves the study."""
    store, voter = interaction.client.store, interaction.user.id
    if pair.attention:
        sides = [await studies.find_attention_picture(store, study, ballot, voter)]
    else:
        sides = await studies.find_pictures(store, pair)
        if len(sides) < len(wording.study.SIDES):
            await store.studies.remove_pair(pair.id)
            await show_next(interaction, study)
            return
    swapped = is_swapped(study.key, voter, pair.id)
    picture = await asyncio.to_thread(draw_sides, [path for path, _ in sides], swapped=swapped)
    jobs = [job for _, job in (reversed(sides) if swapped else sides)]
    place = ballot.index(pair) + 1
    await edit(interaction, ballot_card(study, pair, (place, len(ballot)), (picture, jobs)))


def draw_sides(paths: list[Path], *, swapped: bool) -> bytes:
    """Draw a pair of pictures, or one beside noise, in the order that a voter sees."""
    other = open_picture(paths[1]) if paths[1:] else shuffle_pixels(paths[0])
    pictures = (open_picture(paths[0]), other)
    return draw_pair(*(reversed(pictures) if swapped else pictures))


def ballot_card(
    study: Study, pair: Pair, place: tuple[int, int], shown: tuple[bytes, list[int]]
) -> Card:
    """Return the card of a pair: its place of how many, its picture and the jobs that drew it."""
    at, count = place
    picture, jobs = shown
    question = say(wording.study.BALLOT, place=at, pairs=count, question=study.question)
    card = Card(text(question, say(wording.study.BALLOT_PROMPT, prompt=pair.prompt)))
    url = card.attach_content(picture, PAIR_FILE)
    alt = wording.study.PAIR_ALT
    card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))
    labels = [*wording.study.SIDES, wording.study.TIE]
    card.add(row(*(Choose(pair.id, number, label=label) for number, label in enumerate(labels))))
    return card.add(row(*list_reports(jobs)))


def list_reports(jobs: list[int]) -> list[Button]:
    """Return buttons to report the pictures of these jobs, from left to right."""
    if len(jobs) == 1:
        return [AddReport(*jobs)]
    return [
        AddReport(job, label=fill(wording.study.REPORT, side=side))
        for job, side in zip(jobs, wording.study.SIDES, strict=True)
    ]


def voted_card(study: Study, pairs: int) -> Card:
    """Return a card that thanks a voter, who may change their votes."""
    count = format_count(pairs, "pair")
    closes = int(study.closes or 0)
    said = fill(wording.study.VOTED, pairs=count, channel=study.channel, closes=closes)
    return Card(text(said), row(ChangeVotes(study.id)))


class Vote(Button, verb="study:vote"):
    """Show the presser the first pair that they have not judged."""

    label, style = wording.study.VOTE, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction)
        await show_next(interaction, await get_open_study(interaction, self.number(0)))


class ChangeVotes(Button, verb="study:change"):
    """Show the presser all pairs again; each new vote replaces the earlier one."""

    label = wording.study.CHANGE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        study = await get_open_study(interaction, self.number(0))
        ballot = await list_ballot(interaction.client.store, study, interaction.user.id)
        await show_pair(interaction, study, ballot, ballot[0])


class Choose(Button, verb="study:choose"):
    """Vote for the left picture, the right one or neither, and show the next pair."""

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        store, voter = interaction.client.store, interaction.user.id
        pair = await store.studies.get_pair(self.number(0))
        study = await get_open_study(interaction, pair.study)
        await store.studies.vote(pair, voter, read_choice(study, pair, voter, self.number(1)))
        await show_next(interaction, study, after=pair.id)


def read_choice(study: Study, pair: Pair, voter: int, pressed: int) -> Choice:
    """Return which side a voter means by the left picture (0), the right one (1) or neither."""
    if pressed not in tuple(Choice):
        raise UserError("card_old")
    choice = Choice(pressed)
    if choice is Choice.TIE or not is_swapped(study.key, voter, pair.id):
        return choice
    return Choice.FIRST if choice is Choice.SECOND else Choice.SECOND
