"""What a page shows of a dataset, as JSON."""

from __future__ import annotations

from typing import Any

from bot import wording
from bot.bot import Bot
from bot.cards.dataset_text import DatasetView, show_trigger
from bot.wording import format_count
from storage.planning.verdicts import Verdict, judge_photos
from storage.records import Dataset, Photo


def photo_state(photo: Photo, dataset: Dataset, verdict: Verdict) -> dict[str, Any]:
    """Return one photo: its caption as training reads it, and what is to be said of it."""
    said = wording.verdicts.explain_verdict(verdict)
    by = wording.upload.BY_OWNER if photo.written else wording.upload.BY_CAPTIONER
    return {
        "id": photo.id,
        "caption": show_trigger(photo, dataset).caption,
        "by": by if photo.caption else "",
        "said": f"⚠️ {said}" if verdict.findings and not verdict.accepted else said,
        "alt": photo.caption or wording.dataset.UNCAPTIONED,
    }


async def load_photo_state(bot: Bot, photo: Photo, dataset: Dataset) -> dict[str, Any]:
    """Return one photo beside the others of its dataset."""
    photos = await bot.store.photos.list_for(dataset.id, dataset.owner)
    verdicts = judge_photos(photos, wording.verdicts.name_photos(len(photos)))
    ids = [each.id for each in photos]
    return photo_state(photo, dataset, verdicts[ids.index(photo.id)])


async def dataset_state(bot: Bot, dataset: Dataset) -> dict[str, Any]:
    """Return a dataset with its photos, and whether captions are being written."""
    view = await DatasetView.load(bot, dataset)
    return {
        "name": dataset.name,
        "count": format_count(len(view.photos), "photo"),
        "status": view.ready_line(wording.upload.READY),
        "busy": wording.upload.CAPTIONING if view.captioning else "",
        "photos": [
            photo_state(photo, dataset, verdict)
            for photo, verdict in zip(view.photos, view.verdicts, strict=True)
        ],
    }
