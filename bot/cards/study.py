"""A study before it starts, its post and its result."""

from __future__ import annotations

import asyncio
from pathlib import Path

import discord
from discord import ui

from bot import wording
from bot.actions import sampling, studies
from bot.actions.channels import MessageChannel, missing_permissions
from bot.actions.permissions import check_role
from bot.actions.studies import StudyOrder
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.ballot import Vote
from bot.cards.components import Button, defer_update, edit, row, text
from bot.cards.job import COLOURS
from bot.cards.studypicture import draw_result
from bot.wording import escape, fill, flatten, format_count, join_words, say
from storage.errors import JobError, UserError
from storage.planning.study import MIN_VOTERS, StudyResult, find_needed_voters
from storage.records import Status
from storage.store import Store
from storage.tables.posts import Post, PostKind
from storage.tables.studies import Study, StudyState

SECONDS_PER_PAIR = 6  #: that a voter takes, roughly
MORE_VOTERS = 2  #: times as many, for comparison
RESULT_FILE = "result.png"
MAX_SHOWN_CHARS = 150  #: of a prompt, before it starts: six fit on a card
MAX_RESULT_PAIRS = 3  #: on the picture of a result
PERCENT = 100


# before it starts -----------------------------------------------------------------------------


async def order_card(interaction: Interaction, order: StudyOrder) -> Card:
    """Return the card of a study that can be started: what is drawn, and what it can show."""
    bot, member, guild = interaction.client, interaction.user.id, interaction.guild_id or 0
    studies.check_order(order)
    check_place(interaction)
    sides = await studies.find_contestants(bot.store, order, member, guild)
    first, second = (each.side.name for each in sides)
    draft = await bot.store.drafts.add(member, order.to_json())
    facts = fill(
        wording.study.FACTS,
        prompts=format_count(len(order.prompts), "prompt"),
        pairs=format_count(order.pairs, "pair"),
        hours=format_count(order.hours, "hour"),
    )
    shown = [escape(flatten(prompt, MAX_SHOWN_CHARS)) for prompt in order.prompts]
    return Card(
        text(say(wording.study.TITLE, first=first, second=second), facts),
        text(*power_lines(order.voters)),
        text(
            fill(wording.study.PROMPTS, prompts=" · ".join(shown)),
            say(wording.study.ASKED, question=order.question),
            wording.study.RULES,
        ),
        row(Start(draft)),
    )


def check_place(interaction: Interaction) -> None:
    """Raise UserError if the bot may not post a study in this channel."""
    channel = interaction.channel
    if interaction.guild is None or not isinstance(channel, MessageChannel):
        raise UserError("channel_kind")
    if missing := missing_permissions(channel, private=False):
        raise UserError("channel_closed", channel=channel.id, permissions=missing)


def power_lines(voters: int) -> list[str]:
    """Return what a study with so many voters can show, and with twice as many."""
    needed = find_needed_voters(voters)
    if needed is None:
        lines = [fill(wording.study.SHOWS_NOTHING, voters=voters, least=MIN_VOTERS)]
    else:
        share = round(PERCENT * needed / voters)
        lines = [fill(wording.study.SHOWS, voters=voters, needed=needed, share=share)]
    more = MORE_VOTERS * max(voters, MIN_VOTERS)
    enough = find_needed_voters(more) or more
    share = round(PERCENT * enough / more)
    return [*lines, fill(wording.study.SHOWS_MORE, voters=more, needed=enough, share=share)]


class Start(Button, verb="study:start"):
    """Queue the pictures of an ordered study."""

    label, style = wording.study.START, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await check_role(interaction, "sample")
        check_place(interaction)
        bot, owner = interaction.client, interaction.user.id
        order = StudyOrder.from_json(await bot.store.drafts.get(self.number(0), owner))
        requester = sampling.Requester(
            owner, interaction.guild_id or 0, interaction.channel_id or 0
        )
        study = await studies.start_study(bot, order, requester)
        pictures = len(study.sides) * order.pairs
        await edit(interaction, Card(text(fill(wording.study.STARTED, pictures=pictures))))


# its posts ------------------------------------------------------------------------------------


async def study_post(bot: Bot, post: Post, *, here: bool) -> Card | None:
    """Return the card of a post about a study, in its channel (`here`) or to its owner.

    Returns None if it has ended before anybody could be asked to vote.
    """
    study = await bot.store.studies.get(post.study or 0)
    if post.kind is PostKind.STUDY_RESULT:
        return await result_card(bot.store, study)
    if post.kind is PostKind.STUDY_FAILED:
        error = (study.result or {}).get("error")
        why = wording.explain(read_error(error)) if error else wording.study.FAILED_UNKNOWN
        question = escape(study.question)
        return Card(text(fill(wording.study.FAILED, question=question, why=why)))
    if study.state is not StudyState.OPEN:
        return None
    if not here:
        return Card(text(say(wording.study.NOT_POSTED, question=study.question)))
    return await open_card(bot.store, study)


def read_error(error: dict[str, object]) -> JobError:
    """Return the error that a job ended with."""
    facts = {name: fact for name, fact in error.items() if name != "code"}
    return JobError(str(error["code"]), **facts)  # type: ignore[arg-type]  # JSON has such facts


async def open_card(store: Store, study: Study) -> Card:
    """Return the card by which a study takes votes."""
    pairs = len(await store.studies.list_pairs(study.id))
    said = say(
        wording.study.POST,
        question=study.question,
        owner=study.owner,
        pairs=format_count(pairs, "pair"),
        closes=int(study.closes or 0),
        duration=format_count(max(1, round(pairs * SECONDS_PER_PAIR / 60)), "minute"),
    )
    return Card(text(said), row(Vote(study.id)), colour=COLOURS[Status.RUNNING])


def retired_card(study: Study, *, closed: bool) -> Card:
    """Return what a study's post becomes once it takes no votes any more."""
    template = wording.study.POST_CLOSED if closed else wording.study.POST_ENDED
    return Card(text(say(template, question=study.question)))


# the result -----------------------------------------------------------------------------------


async def result_card(store: Store, study: Study) -> Card:
    """Return the card of a closed study's result, with a picture of it."""
    result = study.summarise()
    first, second = (side.name for side in study.sides)
    title = say(wording.study.RESULT_TITLE, first=first, second=second, question=study.question)
    card = Card(text(title, *result_lines(study, result)), colour=COLOURS[Status.DONE])
    if result.voters:
        pairs = await find_shown_pairs(store, study)
        picture = await asyncio.to_thread(draw_result, (first, second), pairs, result)
        url = card.attach_content(picture, RESULT_FILE)
        alt = wording.study.RESULT_ALT
        card.add(ui.MediaGallery(discord.MediaGalleryItem(url, description=alt)))
    return card


async def find_shown_pairs(store: Store, study: Study) -> list[tuple[Path, Path]]:
    """Return one pair of pictures of each prompt, of those that still exist."""
    shown: dict[str, tuple[Path, Path]] = {}
    for pair in await store.studies.list_pairs(study.id):
        found = await studies.find_pictures(store, pair)
        if len(found) == len(study.sides) and pair.prompt not in shown:
            shown[pair.prompt] = (found[0][0], found[1][0])
    return list(shown.values())[:MAX_RESULT_PAIRS]


def result_lines(study: Study, result: StudyResult) -> list[str]:
    """Return a result's sentence, the votes on pairs and who is not counted."""
    first, second = (side.name for side in study.sides)
    lines = [result_sentence(study, result)]
    if result.voters:
        ours, theirs, ties = result.votes
        votes = say(
            wording.study.VOTES,
            first=ours,
            first_name=first,
            second=theirs,
            second_name=second,
            neither=ties,
        )
        lines.append(votes)
    if aside := list_aside(result):
        lines.append(fill(wording.study.SET_ASIDE, voters=join_words(aside)))
    return lines


def list_aside(result: StudyResult) -> list[str]:
    """List who does not count, and why."""
    missed = format_count(result.missed, "voter")
    unfinished = format_count(result.unfinished, "voter")
    said = {
        fill(wording.study.MISSED, missed=missed): result.missed,
        fill(wording.study.UNFINISHED, unfinished=unfinished): result.unfinished,
    }
    return [sentence for sentence, count in said.items() if count]


def result_sentence(study: Study, result: StudyResult) -> str:
    """Return who was preferred, with the interval, whether that may be chance, and agreement."""
    if not result.voters:
        return wording.study.NOBODY
    voters, deciding = format_count(result.voters, "voter"), result.first + result.second
    said = fill(wording.study.NO_PREFERENCE, voters=voters)
    if deciding:
        low, high = result.interval
        said = say(
            wording.study.RESULT,
            voters=voters,
            leaders=result.leaders,
            leader=study.sides[result.leader].name,
            others=deciding - result.leaders,
            other=study.sides[1 - result.leader].name,
            neither=result.neither,
            share=round(PERCENT * result.leaders / deciding),
            low=round(PERCENT * low),
            high=round(PERCENT * high),
            verdict=wording.study.VERDICTS[result.shown],
        )
    if result.agreement is None:
        return fill(wording.study.ONE_VOTER, said=said)
    return fill(wording.study.AGREED, said=said, agreement=round(PERCENT * result.agreement))
