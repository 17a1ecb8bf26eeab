"""Studies: an order is checked, and becomes jobs that draw both sides of every prompt."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from bot import wording
from bot.actions import sampling
from bot.actions.training import find_base
from bot.bot import Bot
from bot.wording import fill
from storage import disk
from storage.errors import UserError
from storage.limits import check_range
from storage.planning import prompts
from storage.planning.study import Choice, is_swapped
from storage.records import Base, Catalog, Kind, NewJob, Style
from storage.requests import SampleRequest
from storage.store import Store
from storage.tables.studies import Drawing, NewStudy, Pair, Side, Study

MAX_PROMPTS = 6
MAX_PAIRS = 12  #: who is asked for more stops voting
MAX_QUESTION_CHARS = 200
LIMITS = {"hours": (1, 168), "voters": (1, 10_000)}
TRUE_SIDE = 0  #: in place of a pair's id: which side's picture is shown to a voter beside noise


class SideOrder(NamedTuple):
    """One side that somebody wants to compare."""

    style: int  #: 0 is the base alone
    strength: float
    checkpoint: int  #: the step of a kept one; 0 is the style as it is


@dataclass(frozen=True, slots=True)
class StudyOrder:
    """What somebody wants to compare, as the draft of a card keeps it."""

    sides: tuple[SideOrder, SideOrder]
    prompts: list[str]
    seeds: int
    seed: int
    hours: int
    voters: int
    question: str

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read the draft of a card; raise UserError("card_old") for one of another kind."""
        try:
            first, second = (SideOrder(*side) for side in value["sides"])
            return cls(**value | {"sides": (first, second)})
        except (KeyError, TypeError) as other:
            raise UserError("card_old") from other

    def to_json(self) -> dict[str, Any]:
        """Return the draft of a card."""
        return asdict(self)

    @property
    def pairs(self) -> int:
        """Those that voters compare, but for the attention pair."""
        return len(self.prompts) * self.seeds


@dataclass(frozen=True, slots=True)
class Contestant:
    """A side of a study before it is stored."""

    style: Style | None
    base: Base
    strength: float = 1.0
    checkpoint: int = 0

    @property
    def side(self) -> Side:
        """As the study stores it."""
        if self.style is None:
            return Side(None, fill(wording.study.BASE_ALONE, base=self.base.title), 1.0)
        name = self.style.name
        if self.checkpoint:
            name = fill(wording.study.AT_STEP, name=name, step=self.checkpoint)
        if self.strength != 1:
            name = fill(wording.study.AT_STRENGTH, name=name, strength=f"{self.strength:g}")
        return Side(self.style.id, name, self.strength)


def split_prompts(typed: str) -> list[str]:
    """Return the prompts that somebody typed, with semicolons between them."""
    return [part for part in map(str.strip, typed.split(";")) if part]


def suggest_prompts(style: Style, base: Base | None) -> list[str]:
    """Return prompts that show what a style has learnt."""
    small = base is not None and base.small
    return prompts.recommend_prompts(style.trigger, style.concept, small=small)


def check_order(order: StudyOrder) -> None:
    """Raise UserError for what a study cannot take."""
    first, second = order.sides
    if first == second:
        raise UserError("study_same")
    if len(order.prompts) > MAX_PROMPTS:
        raise UserError("study_prompts", count=len(order.prompts), most=MAX_PROMPTS)
    for prompt in order.prompts:
        for side in order.sides:
            request = SampleRequest("", prompt, strength=side.strength, seed=order.seed)
            sampling.check_request(request)
    for name, limits in {**LIMITS, "seeds": sampling.LIMITS["count"]}.items():
        check_range(name, getattr(order, name), limits, UserError)
    if order.pairs > MAX_PAIRS:
        raise UserError("study_pairs", pairs=order.pairs, most=MAX_PAIRS)


async def find_contestants(
    store: Store, order: StudyOrder, member: int, guild: int
) -> tuple[Contestant, Contestant]:
    """Return both sides of a study; raise UserError if the member may not draw with one."""
    catalog = await store.catalog.read()
    if not catalog.bases:
        raise UserError("scheduler_away")
    found = [
        make_contestant(catalog, await store.styles.get(side.style, member, guild), side)
        for side in order.sides
        if side.style
    ]
    for contestant in found:
        await check_checkpoint(store, contestant, member)
    first, *others = found
    return first, others[0] if others else Contestant(None, first.base)


def make_contestant(catalog: Catalog, style: Style, side: SideOrder) -> Contestant:
    """Return a style on its own base; raise UserError if one of them is gone."""
    if style.removed:
        raise UserError("style_missing")
    return Contestant(style, find_base(catalog, style.base), side.strength, side.checkpoint)


async def check_checkpoint(store: Store, contestant: Contestant, member: int) -> None:
    """Raise UserError unless the checkpoint is kept, and of the member's own style."""
    style = contestant.style
    if style is None or not contestant.checkpoint:
        return
    if style.owner != member:
        raise UserError("style_not_own")
    kept = [each.step for each in await store.checkpoints.list_for(style)]
    if contestant.checkpoint not in kept:
        choices = [str(step) for step in kept]
        code = "checkpoint_unknown" if kept else "checkpoints_none"
        raise UserError(code, name=style.name, step=contestant.checkpoint, choices=choices)


async def start_study(bot: Bot, order: StudyOrder, requester: sampling.Requester) -> Study:
    """Check an order again, store its study and queue its pictures."""
    store, (owner, guild, channel) = bot.store, requester
    check_order(order)
    sides = await find_contestants(store, order, owner, guild)
    disk.check_disk_space(bot.settings)
    drawings = [make_drawing(prompt, order, sides, requester) for prompt in order.prompts]
    first, second = sides
    new = NewStudy(
        owner, guild, channel, order.question, order.hours, (first.side, second.side), drawings
    )
    return await store.studies.add(new)


def make_drawing(
    prompt: str,
    order: StudyOrder,
    sides: tuple[Contestant, Contestant],
    requester: sampling.Requester,
) -> Drawing:
    """Return a prompt as both sides draw it: each style by its own trigger word.

    Voters read no trigger word that would tell the sides apart.
    """
    first, second = sides
    word = first.style.trigger if first.style else ""
    own = second.style.trigger if second.style else ""
    written = (prompt, put_word(prompt, word, own) if own else prompt)
    jobs = [
        make_job(SampleRequest("", text, seed=order.seed, count=order.seeds), side, requester)
        for text, side in zip(written, sides, strict=True)
    ]
    shown = prompt if own in {"", word} else put_word(prompt, word, wording.study.HIDDEN_WORD)
    return Drawing(shown, (jobs[0], jobs[1]))


def put_word(prompt: str, word: str, other: str) -> str:
    """Return a prompt with one trigger word in place of another."""
    if not word:
        return prompt
    return re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", lambda _: other, prompt, flags=re.IGNORECASE)


def make_job(request: SampleRequest, side: Contestant, requester: sampling.Requester) -> NewJob:
    """Return the job that draws a prompt for one side; it has no card."""
    content = asdict(request) | {"base": side.base.name, "strength": side.strength}
    content["checkpoint"] = side.checkpoint
    style = side.style.id if side.style else None
    owner, guild, _ = requester
    return NewJob(Kind.SAMPLE, owner, guild, 0, content, side.base.name, style=style)


# pictures -------------------------------------------------------------------------------------


async def find_pictures(store: Store, pair: Pair) -> list[tuple[Path, int]]:
    """Return the pictures of a pair's two sides with their jobs, without those that are gone."""
    jobs = [await store.jobs.get(number) for number in (pair.first, pair.second)]
    files = [store.home.job_folder(job.folder).result / f"{pair.picture}.png" for job in jobs]
    return [(path, job.id) for path, job in zip(files, jobs, strict=True) if path.exists()]


async def find_attention_picture(
    store: Store, study: Study, pairs: Sequence[Pair], voter: int
) -> tuple[Path, int]:
    """Return a picture that a voter sees beside noise, and its job: one of either side.

    Half of the voters see one side's, so that neither gains by it.
    """
    for pair in sorted(pairs, key=lambda each: not each.attention):
        found = await find_pictures(store, pair)
        if found:
            return found[-1] if is_swapped(study.key, voter, TRUE_SIDE) else found[0]
    raise UserError("study_unknown")


# export ---------------------------------------------------------------------------------------


def export_study(study: Study) -> dict[str, bytes]:
    """Return a closed study's files by name: all of it as JSON, and its votes as CSV."""
    content, result = study.result or {}, study.summarise()
    whole = {
        "question": study.question,
        "sides": [asdict(side) for side in study.sides],
        "choices": [choice.name.lower() for choice in Choice],
        **content,
        "summary": asdict(result),
        "leader": Choice(result.leader).name.lower(),
        "interval": result.interval,
        "shown": result.shown,
    }
    listed = json.dumps(whole, ensure_ascii=False, indent=1)
    name = f"study-{study.id}"
    return {f"{name}.json": listed.encode(), f"{name}.csv": write_csv(content).encode()}


def write_csv(content: dict[str, Any]) -> str:
    """Return one line a vote; voters are numbered in no order that tells who they are."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(("voter", "pair", "attention", "prompt", "seed", "choice"))
    for voter, ballot in enumerate(content["ballots"], 1):
        for number, (pair, vote) in enumerate(zip(content["pairs"], ballot, strict=True), 1):
            if vote is not None:
                choice = Choice(vote).name.lower()
                attention, prompt = int(pair["attention"]), pair["prompt"]
                table.writerow((voter, number, attention, prompt, pair["seed"], choice))
    return out.getvalue()
