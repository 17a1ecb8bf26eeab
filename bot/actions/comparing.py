"""Comparisons: an order of several trainings is planned and checked for its card, then stored."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot import wording
from bot.actions.order import DraftBody, TrainingOrder
from bot.actions.training import Preview, count_style_bytes, make_request, preview_training
from bot.bot import Bot
from storage import disk
from storage.crops import FramedBy
from storage.errors import UserError
from storage.names import MAX_NAME_CHARS
from storage.planning.comparison import MAX_ENTRIES, MIN_ENTRIES, count_pictures
from storage.records import Catalog, Dial, Photo
from storage.tables.comparisons import Comparison, ComparisonKind, NewComparison, NewEntry

DEFAULT_METHOD = "lora"


@dataclass(frozen=True, slots=True)
class ComparisonOrder(DraftBody):
    """A comparison before it is started: of several bases with one method, or the reverse."""

    dataset: int
    bases: tuple[str, ...]
    methods: tuple[str, ...]
    dial: Dial = Dial.BALANCED
    steps: int = 0
    class_word: str = ""
    private: bool = False

    @staticmethod
    def read_fields(body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields in a draft's body with their own types."""
        named = {name: tuple(body[name]) for name in ("bases", "methods")}
        return {**body, **named, "dial": Dial(body["dial"])}

    def list_trainings(self) -> list[TrainingOrder]:
        """List the trainings."""
        return [
            TrainingOrder(
                self.dataset, method, base, self.dial, self.steps,
                class_word=self.class_word, private=self.private,
            )
            for base in self.bases
            for method in self.methods
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ComparisonPreview:
    """What a comparison will be, for its card."""

    order: ComparisonOrder
    previews: Sequence[Preview]
    labels: Sequence[str]  #: what tells the trainings apart
    same: str  #: what they have in common

    @property
    def seconds(self) -> float:
        """How long all take, with the pictures that they are graded by; 0 is unknown.

        Those that styles draw on each other's base are not counted.
        """
        plans = [each.plan for each in self.previews]
        if not all(plan.seconds for plan in plans):
            return 0.0
        drawn = count_pictures(1)  # of an entry, and of its base
        return sum(plan.seconds + plan.picture_seconds * drawn for plan in plans)

    @property
    def bytes(self) -> int:
        """The expected bytes of all files."""
        return sum(each.plan.file_bytes for each in self.previews)


async def preview_comparison(
    bot: Bot, order: ComparisonOrder, owner: int, guild: int
) -> ComparisonPreview:
    """Return what an order comes to; raise UserError if any part of it cannot be trained."""
    check_order(order)
    previews = [await preview_training(bot, each, owner, guild) for each in order.list_trainings()]
    bases = [each.base for each in previews]
    if len({base.small for base in bases}) > 1:
        small, other = sorted(bases, key=lambda base: not base.small)[:: len(bases) - 1]
        raise UserError("comparison_mixed", base=small.title, other=other.title)
    catalog = await bot.store.catalog.read()
    labels, same = name_entries(catalog, order)
    found = ComparisonPreview(order, previews, labels, same)
    disk.check_member_quota(bot.settings, await count_style_bytes(bot, owner), found.bytes)
    await check_quota(bot, len(previews), owner, guild)
    return found


def check_order(order: ComparisonOrder) -> None:
    """Raise UserError unless either several bases or several methods are compared."""
    bases, methods = len(order.bases), len(order.methods)
    if bases > 1 and methods > 1:
        raise UserError("comparison_both")
    if not MIN_ENTRIES <= bases * methods <= MAX_ENTRIES:
        raise UserError("comparison_few")
    for names in order.bases, order.methods:
        if len({*names}) < len(names):
            raise UserError("comparison_twice")


async def check_quota(bot: Bot, count: int, owner: int, guild: int) -> None:
    """Raise UserError if the server does not allow so many more trainings today.

    Neither may another comparison of the member's be open: they are made one after the other.
    """
    if any(each.owner == owner for each in await bot.store.comparisons.list_open()):
        raise UserError("comparison_busy")
    server = await bot.store.servers.get(guild)
    left = server.jobs - await bot.store.jobs.count_recent_trainings(owner, guild)
    if server.jobs and count > left:
        raise UserError("quota_few", count=count, left=max(0, left))


def name_entries(catalog: Catalog, order: ComparisonOrder) -> tuple[list[str], str]:
    """Return what tells the entries apart, and what they have in common."""
    bases = [catalog.base_title(name) for name in order.bases]
    methods = [catalog.method_title(name) for name in order.methods]
    return (bases, methods[0]) if len(bases) > 1 else (methods, bases[0])


async def start_comparison(
    bot: Bot, preview: ComparisonPreview, guild: int, channel: int
) -> Comparison:
    """Store a comparison; the scheduler queues its trainings, and its card follows."""
    dataset = preview.previews[0].datasets[0]
    seed = secrets.randbelow(1 << 31)  # the same for all, so that chance favours none
    entries = []
    for label, each in zip(preview.labels, preview.previews, strict=True):
        request = make_request(bot, each, guild)
        name = name_style(dataset.name, label)
        entries.append(NewEntry(label, asdict(replace(request, name=name, seed=seed))))
    place = dataset.owner, guild, channel, dataset.id, dataset.name
    return await bot.store.comparisons.add(NewComparison(ComparisonKind.COMPARE, *place, entries))


def name_style(name: str, label: str) -> str:
    """Return the name of an entry's style: the dataset's with what tells it apart."""
    told = re.sub(r"[^\w.-]+", " ", label).strip(" .") or "style"
    room = MAX_NAME_CHARS - len(told) - 1
    return f"{name[:room].strip(' .')} {told}" if room > 0 else told[:MAX_NAME_CHARS]


def count_faces(photos: Iterable[Photo]) -> int:
    """Return how many photos show a face, as far as that was looked for."""
    return sum(
        bool(photo.measures and photo.measures.faces) or photo.found_framing.by is FramedBy.FACE
        for photo in photos
    )


def looks_medical(texts: Iterable[str]) -> bool:
    """Return whether any word of some texts is of medical pictures."""
    words = {word for text in texts for word in re.findall(r"[\w-]+", text.casefold())}
    return bool(words & wording.comparison.MEDICAL_WORDS)
