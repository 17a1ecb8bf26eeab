"""Pictures on demand: a request is checked, then queued."""

from __future__ import annotations

import asyncio
import math
import re
import secrets
import shutil
from dataclasses import asdict, dataclass, replace
from typing import NamedTuple

from bot.actions.training import find_base
from bot.bot import Bot, Interaction
from storage import disk
from storage.errors import UserError
from storage.limits import check_range
from storage.records import Base, Catalog, Job, Kind, NewJob, Style
from storage.requests import SampleRequest
from storage.store import Store

MAX_PROMPT_CHARS = 1000  #: characters
MAX_SEED = 2**32 - 1
LIMITS = {"steps": (1, 100), "count": (1, 4), "strength": (0, 2), "seed": (0, MAX_SEED)}
SIDE_PIXELS = (32, 1024)  #: pixels of a side
MAX_NAMED_STYLES = 10  #: in an error
NO_STYLE = "none"  #: the option's value for pictures of the base alone
MAX_OPEN_SAMPLES = 5  #: that a member may have waiting


class Requester(NamedTuple):
    """Who asks, and where."""

    owner: int
    guild: int
    channel: int


@dataclass(frozen=True, slots=True)
class SampleView:
    """A sample job with what its card shows beside it."""

    job: Job
    style: Style | None
    base: Base | None  #: None once the scheduler no longer has it
    place: int
    offer: Style | None = None  #: a style that the owner may want instead of none


async def queue_sample(
    bot: Bot, request: SampleRequest, requester: Requester, style: str | int = NO_STYLE
) -> SampleView:
    """Check a request and queue it; `style` is an id or a name.

    Without one, the style whose trigger word stands in the prompt is used.
    """
    store, (owner, guild, channel) = bot.store, requester
    used = None
    if not style:
        used = await find_triggered_style(store, request, owner, guild)
    elif style != NO_STYLE:
        used = await find_style(store, style, owner, guild)
    if used and used.removed:
        raise UserError("model_removed", days=bot.settings.full_model_days)
    name = request.base or (used.base if used else bot.settings.default_base)
    request = check_request(replace(request, base=name))
    catalog = await store.catalog.read()
    if not catalog.bases:
        raise UserError("scheduler_away")
    found = find_base(catalog, name)
    if used and not fits_base(used, found, catalog):
        raise UserError("style_misfit", made=catalog.base_title(used.base), base=found.title)
    await check_open_samples(store, owner)
    disk.check_disk_space(bot.settings)
    number = used.id if used else None
    job = await store.jobs.queue(
        NewJob(Kind.SAMPLE, owner, guild, channel, asdict(request), name, style=number)
    )
    return SampleView(job, used, found, await store.jobs.queue_position(job.id))


def fits_base(style: Style, base: Base, catalog: Catalog) -> bool:
    """Return whether a style fits a base: same family, and small only with small."""
    made = catalog.get_base(style.base) or base
    return (base.family, base.small) == (style.family, made.small)


def choose_seed(seed: int | None) -> int:
    """Return the given seed, or a random one."""
    return secrets.randbelow(MAX_SEED) if seed is None else seed


async def find_style(store: Store, style: str | int, member: int, guild: int) -> Style:
    """Return the style that a member can use on a server: a button's id, or a typed id or name.

    Raises UserError: "style_unknown" for a button's, "styles_none" or "style_name_unknown".
    """
    if isinstance(style, int):
        return await store.styles.get(style, member, guild)
    text = style.strip()
    usable = await store.styles.list_usable(member, guild)
    picked = [one for one in usable if str(one.id) == text]
    named = [one for one in usable if one.name.casefold() == text.casefold()]
    if not usable:
        raise UserError("styles_none")
    if not picked and not named:
        names = [one.name for one in usable][:MAX_NAMED_STYLES]
        raise UserError("style_name_unknown", style=text, choices=names)
    return [*picked, *named][0]


async def get_own_style(interaction: Interaction, style: str | int) -> Style:
    """Return the member's own style: a button's id, or a typed id or name.

    Raises UserError: "style_not_own" for a button's, "styles_none" or "style_name_unknown".
    """
    store, member = interaction.client.store, interaction.user.id
    if isinstance(style, str):
        return await find_style(store, style, member, 0)
    own = {each.id: each for each in await store.styles.list_for(member)}
    if style not in own:
        raise UserError("style_not_own")
    return own[style]


async def find_triggered_style(
    store: Store, request: SampleRequest, member: int, guild: int
) -> Style | None:
    """Return the style whose trigger word stands in the prompt; None without one.

    Of several, the one with the longest trigger is meant; then a member's own, then the newest.
    """
    words = [
        style
        for style in await list_fitting(store, request.base, member, guild)
        if style.trigger and has_word(request.prompt, style.trigger)
    ]
    return max(words, key=lambda style: len(style.trigger), default=None)


def has_word(prompt: str, word: str) -> bool:
    """Return whether a word stands in a prompt, not as a part of another one."""
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", prompt, re.IGNORECASE) is not None


async def list_fitting(store: Store, base: str, member: int, guild: int) -> list[Style]:
    """List the styles that a member can draw with now on a base; "" is each style's own."""
    catalog, usable = await store.catalog.read(), await store.styles.list_usable(member, guild)
    found = catalog.get_base(base)
    return [
        style
        for style in usable
        if not style.removed and (not base or (found and fits_base(style, found, catalog)))
    ]


async def keep_choice(
    store: Store, request: SampleRequest, style: int | None, member: int, guild: int
) -> int | str:
    """Return the style for another try: the same, none if none was chosen, else ""."""
    chosen_none = await find_triggered_style(store, request, member, guild) is not None
    return style or (NO_STYLE if chosen_none else "")


async def find_offer(store: Store, job: Job) -> Style | None:
    """Return the newest style of a member who drew without one; None if none fits."""
    if job.style is not None:
        return None
    fitting = await list_fitting(store, job.base, job.owner, job.guild)
    return next((style for style in fitting if style.owner == job.owner), None)


def check_request(request: SampleRequest) -> SampleRequest:
    """Return the request; raise UserError if a text is too long or a number out of range."""
    if not request.prompt:
        raise UserError("prompt_empty")
    for text in (request.prompt, request.negative):
        if len(text) > MAX_PROMPT_CHARS:
            raise UserError("prompt_long", length=len(text), most=MAX_PROMPT_CHARS)
    for name, limits in LIMITS.items():
        check_range(name, getattr(request, name), limits, UserError)
    if request.size:
        check_range("size", request.size, SIDE_PIXELS, UserError)
    return request


async def check_open_samples(store: Store, owner: int) -> None:
    """Raise UserError if a member has MAX_OPEN_SAMPLES waiting already, or as much in grids."""
    jobs = await store.jobs.list_open()
    own = [job for job in jobs if (job.kind, job.owner) == (Kind.SAMPLE, owner) and job.channel]
    _, most = LIMITS["count"]
    pictures = (len(job.request.get("cells", ())) for job in own)
    if sum(max(1, math.ceil(each / most)) for each in pictures) >= MAX_OPEN_SAMPLES:
        raise UserError("samples_many", most=MAX_OPEN_SAMPLES)


async def delete_pictures(store: Store, job: Job) -> None:
    """Remove the pictures of a job from the disk."""
    await asyncio.to_thread(
        shutil.rmtree, store.home.job_folder(job.folder).result, ignore_errors=True
    )
