"""What a page shows of a dataset, as JSON."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot import wording
from bot.cards.dataset import STRESSED_REPEATS
from bot.cards.dataset_text import DatasetView, crop_lines
from bot.cards.photo_concepts import Elsewhere
from bot.cards.shots import explain_spare, find_spare
from bot.upload.visit import Visit
from bot.wording import fill, format_count, to_plain
from storage.planning.caption_length import find_ignored_words
from storage.planning.readiness import MIN_PHOTOS, Level
from storage.planning.verdicts import Verdict
from storage.records import Photo

#: of a button: whether it is pressed, if it can be, and what a press changes
Act: TypeAlias = tuple[bool | None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class PageView:
    """A dataset as one member sees it on the page."""

    visit: Visit
    view: DatasetView
    elsewhere: Elsewhere

    @classmethod
    async def load(cls, visit: Visit) -> PageView:
        """Return a dataset with its photos."""
        dataset = visit.dataset
        view = await DatasetView.load(visit.bot, dataset)
        return cls(visit, view, await Elsewhere.load(visit.bot, dataset.id, dataset.owner))

    def list_photos(self) -> list[dict[str, Any]]:
        """Return the photos that the member may see, with their numbers in the dataset."""
        pairs = zip(self.view.photos, self.view.verdicts, strict=True)
        numbered = enumerate(pairs, 1)
        return [self.show(at, *pair) for at, pair in numbered if self.visit.sees(pair[0])]

    def show(self, number: int, photo: Photo, verdict: Verdict) -> dict[str, Any]:
        """Return one photo as training has it, what is to be said of it, and what can be done."""
        crops, repeats = self.view.crops, fill(wording.dataset.REPEATED, repeats=photo.repeats)
        cropped = crops.can_cut(photo) and not photo.framing.whole
        return {
            "id": photo.id,
            "number": number,
            "badge": f"{number}{repeats}" if photo.repeats > 1 else str(number),
            "caption": photo.caption,
            "by": self.explain_caption(photo),
            "verdict": "\n".join(filter(None, self.explain(photo, verdict))),
            "alt": photo.caption or wording.dataset.UNCAPTIONED,
            "ratio": photo.width / photo.height,
            "crop": crops.box(photo) if cropped else None,
            "acts": self.list_acts(photo, verdict) if self.visit.owns else {},
            "also": self.visit.owns and bool(self.elsewhere.list_choices(photo)),
        }

    def explain_caption(self, photo: Photo) -> str:
        """Return who wrote a caption, and what of it the base does not read."""
        if not photo.caption:
            return ""
        by = wording.upload.BY_OWNER if photo.written else wording.upload.BY_CAPTIONER
        base = self.view.crops.base
        ignored = find_ignored_words(photo.caption, base) if base else ""
        return by + (fill(wording.captions.CUT_HERE, words=ignored) if ignored else "")

    def explain(self, photo: Photo, verdict: Verdict) -> list[str]:
        """Return the verdict on a photo, what is cut away of it, and where else it is."""
        said = wording.verdicts.explain_verdict(verdict)
        elsewhere = self.elsewhere.explain(photo) if self.visit.owns else ""
        crop = map(to_plain, crop_lines(self.view.crops, photo))
        return [f"⚠️ {said}" if verdict.warnings else said, *crop, elsewhere]

    def list_acts(self, photo: Photo, verdict: Verdict) -> dict[str, Act]:
        """Return what the buttons of a photo that apply do, and which of them are pressed."""
        whole, twice = photo.framing.whole, photo.repeats > 1
        acts: dict[str, Act] = {"repeats": (twice, {"repeats": 1 if twice else STRESSED_REPEATS})}
        if self.view.crops.can_cut(photo):
            acts["whole"] = (whole, {"crop": None if whole else "whole"})
        if verdict.has_bars:
            acts["cut"] = (None, {"cut": True})
        if verdict.can_accept:
            acts["accept"] = (None, {"accept": True})
        return acts


async def dataset_state(visit: Visit) -> dict[str, Any]:
    """Return a dataset with its photos, and whether captions are being written."""
    page = await PageView.load(visit)
    photos = await asyncio.to_thread(page.list_photos)  # there may be a thousand
    view, own = page.view, visit.owns
    dataset, captions = visit.dataset, visit.bot.store.captions
    return {
        "own": own,
        "name": dataset.name,
        "count": format_count(len(photos), "photo"),
        "status": "\n".join(list_status(view)) if own else wording.upload.SHARED,
        "details": "\n".join(list_details(view)) if own else "",
        "grid": "\n".join(list_holes(view)) if own else "",
        "same": to_plain(explain_spare(view.photos)) if own and find_spare(view.photos) else "",
        "undo": (own and await captions.find_newest_edit(dataset.id, dataset.owner)) or "",
        "others": [(each.name, each.id) for each in page.elsewhere.others.values()] if own else [],
        "busy": wording.upload.CAPTIONING if view.captioning else "",
        "photos": photos,
    }


def list_status(view: DatasetView) -> list[str]:
    """Return how ready a dataset is."""
    lines = [view.ready_line(wording.upload.READY)]
    if len(view.photos) >= MIN_PHOTOS:
        lines.append(wording.verdicts.explain_readiness(view.readiness))
    return [to_plain(line) for line in (*lines, view.mask_line()) if line]


def list_details(view: DatasetView) -> list[str]:
    """Return what nobody looked at, and why captions are missing."""
    unchecked = dict.fromkeys(look for each in view.verdicts for look in each.unchecked)
    lines = wording.verdicts.name_unchecked(unchecked), view.captioned
    return [to_plain(line) for line in lines if line]


def list_holes(view: DatasetView) -> list[str]:
    """Return the table of lights and grounds, as long as photos are missing in it."""
    if len(view.photos) < MIN_PHOTOS or view.readiness.level is Level.GOOD:
        return []
    return wording.verdicts.draw_grid(view.readiness)


def terms_text(visit: Visit) -> str:
    """Return the terms, with a dot before each line."""
    owner = f"<@{visit.dataset.owner}>"
    sentence = wording.upload.OWNER[0].upper() + wording.upload.OWNER[1:]
    text = visit.terms.text.replace(f". {owner}", f". {sentence}")
    lines = text.replace(owner, wording.upload.OWNER).splitlines()
    return "\n".join(f"• {to_plain(line.removeprefix('- '))}" for line in lines)
