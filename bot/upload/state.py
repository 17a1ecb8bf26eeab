"""What a page shows of a dataset, as JSON."""

from __future__ import annotations

import asyncio
from typing import Any

from bot import wording
from bot.actions.framing import ALL, Crops
from bot.cards.dataset_text import DatasetView, crop_lines, show_trigger
from bot.upload.visit import Visit
from bot.wording import fill, format_count, to_plain
from storage.planning.caption_length import find_ignored_words
from storage.planning.readiness import MIN_PHOTOS, Level
from storage.planning.verdicts import Verdict
from storage.records import Dataset, Photo


def sent_state(photo: Photo, dataset: Dataset) -> dict[str, Any]:
    """Return a photo that was just sent; what is said of it depends on all others."""
    by = wording.upload.BY_OWNER if photo.written else wording.upload.BY_CAPTIONER
    return {
        "id": photo.id,
        "number": "",
        "caption": show_trigger(photo, dataset).caption,
        "by": by if photo.caption else "",
        "said": "",
        "alt": photo.caption or wording.dataset.UNCAPTIONED,
        "ratio": photo.width / photo.height,
        "crop": ALL,
        "whole": photo.framing.whole,
        "movable": False,
        "advised": False,
    }


def photo_state(photo: Photo, dataset: Dataset, crops: Crops, verdict: Verdict) -> dict[str, Any]:
    """Return one photo: its caption and crop as training has them, and what is to be said."""
    said = wording.verdicts.explain_verdict(verdict)
    verdict_line = f"⚠️ {said}" if verdict.warnings else said
    sent = sent_state(photo, dataset)
    ignored = find_ignored_words(photo.caption, crops.base) if crops.base else ""
    return sent | {
        "by": sent["by"] + (fill(wording.captions.CUT_HERE, words=ignored) if ignored else ""),
        "said": "\n".join([verdict_line, *map(to_plain, crop_lines(crops, photo))]),
        "crop": crops.box(photo),
        "movable": crops.can_cut(photo),
        "advised": verdict.can_accept,
    }


def list_photo_states(visit: Visit, view: DatasetView) -> list[dict[str, Any]]:
    """Return the photos of a dataset that a member may see, with their numbers in it."""
    return [
        photo_state(photo, visit.dataset, view.crops, verdict) | {"number": number}
        for number, (photo, verdict) in enumerate(zip(view.photos, view.verdicts, strict=True), 1)
        if visit.sees(photo)
    ]


async def load_photo_state(visit: Visit, photo: Photo) -> dict[str, Any]:
    """Return one photo as it is now, beside the others of its dataset."""
    view = await DatasetView.load(visit.bot, visit.dataset)
    states = list_photo_states(visit, view)
    return next(state for state in states if state["id"] == photo.id)


async def dataset_state(visit: Visit) -> dict[str, Any]:
    """Return a dataset with its photos, and whether captions are being written."""
    view = await DatasetView.load(visit.bot, visit.dataset)
    photos = await asyncio.to_thread(list_photo_states, visit, view)  # there may be a thousand
    return {
        "own": visit.owns,
        "name": visit.dataset.name,
        "count": format_count(len(photos), "photo"),
        "status": "\n".join(list_status(view)) if visit.owns else wording.upload.SHARED,
        "grid": "\n".join(list_holes(view)) if visit.owns else "",
        "busy": wording.upload.CAPTIONING if view.captioning else "",
        "photos": photos,
    }


def list_status(view: DatasetView) -> list[str]:
    """Return how ready a dataset is, what nobody looked at, and why captions are missing."""
    lines = [view.ready_line(wording.upload.READY)]
    if len(view.photos) >= MIN_PHOTOS:
        lines.append(wording.verdicts.explain_readiness(view.readiness))
    unchecked = dict.fromkeys(look for each in view.verdicts for look in each.unchecked)
    lines.append(wording.verdicts.name_unchecked(unchecked))
    return [to_plain(line) for line in (*lines, view.captioned) if line]


def list_holes(view: DatasetView) -> list[str]:
    """Return the table of lights and grounds, as long as photos are missing in it."""
    if len(view.photos) < MIN_PHOTOS or view.readiness.level is Level.GOOD:
        return []
    return wording.verdicts.draw_grid(view.readiness)


def terms_text(visit: Visit) -> str:
    """Return the terms, with a dot before each line."""
    owner = f"<@{visit.dataset.owner}>"
    lines = visit.terms.text.replace(owner, wording.upload.OWNER).splitlines()
    return "\n".join(f"• {to_plain(line.removeprefix('- '))}" for line in lines)
