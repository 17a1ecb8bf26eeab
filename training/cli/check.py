"""`safelight check`: what is wrong with each photo of a folder and with the captions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from storage.crops import crop_at
from storage.folders import JobFolder
from storage.photos.examiner import Examiner
from storage.photosets.edits import put_trigger
from storage.planning.caption_audit import audit_captions
from storage.planning.caption_length import find_cut_captions
from storage.planning.features import MIN_COMPARED, pack_features
from storage.planning.readiness import rate_readiness
from storage.planning.verdicts import Verdict, count_different, group_shots, judge_photos
from storage.records import Base
from training.cli.output import tell
from training.cli.photos import FolderPhoto
from training.device import HostMemory

#: what is true of most bases for photos
USUAL_BASE = Base("", "", "sd1", "", 512, "", "", present=False, caption_tokens=75)


def check_photos(photos: Sequence[FolderPhoto], base: Base, trigger: str) -> dict[str, Any]:
    """Return the verdicts on photos and captions as an event's facts."""
    checked, names = [photo.checked for photo in photos], [photo.name for photo in photos]
    verdicts = judge_photos(checked, names)
    return {
        "photos": [
            describe_photo(photo, verdict, base.resolution)
            for photo, verdict in zip(photos, verdicts, strict=True)
        ],
        "different": count_different(checked),
        "groups": [[names[at] for at in group] for group in group_shots(checked)],
        "resolution": base.resolution,
        "readiness": rate_readiness(checked).to_json(),
        "captions": check_captions(photos, base, trigger),
    }


def check_captions(photos: Sequence[FolderPhoto], base: Base, trigger: str) -> dict[str, Any]:
    """Return what the captions do, as the audit on the bot's card; and which of them are cut."""
    captions = [photo.caption for photo in photos]
    written = [caption for caption in captions if caption]
    shown = [put_trigger(caption, trigger) for caption in written] if trigger else written
    cut = find_cut_captions(shown, base)
    return {
        "trigger": trigger,
        "written": len(shown),
        "findings": [
            {
                "kind": finding.kind,
                "photos": [photos[at].name for at in finding.photos],
                "words": [*finding.words],
            }
            for finding in (audit_captions(captions, trigger) if shown else ())
        ],
        "cut": cut and {"count": cut.cut, "ignored": cut.words},
    }


def examine_photos(photos: Sequence[FolderPhoto], folder: JobFolder) -> list[FolderPhoto]:
    """Look for nudity and text, seconds a photo; without the extra `photos`, at nothing."""
    return asyncio.run(_examine_photos(photos, folder))


async def _examine_photos(photos: Sequence[FolderPhoto], folder: JobFolder) -> list[FolderPhoto]:
    examined = []
    async with Examiner() as examiner:
        if not examiner.looks:
            return [*photos]
        tell("photos_examining", photos=len(photos))
        for photo in photos:
            found = await examiner.examine((folder.photos / photo.file).read_bytes())
            examined.append(photo._replace(checked=replace(photo.checked, examination=found)))
    return examined


def look_at_photos(photos: Sequence[FolderPhoto], folder: JobFolder) -> list[FolderPhoto]:
    """Describe photos by features, by which they are compared; too few are left as they are."""
    if len(photos) < MIN_COMPARED:
        return [*photos]
    from training.judge.features import FeatureNet  # noqa: PLC0415 - torch, and only here

    network, seen = FeatureNet.load(HostMemory()), []
    for photo in photos:
        with Image.open(folder.photos / photo.file) as picture:
            features = pack_features(network.extract([picture])[0].numpy())
        seen.append(photo._replace(checked=replace(photo.checked, features=features)))
    return seen


def describe_photo(photo: FolderPhoto, verdict: Verdict, resolution: int) -> dict[str, Any]:
    """Return a photo as JSON: its size, its crop in shares of that, and the verdict on it."""
    checked = photo.checked
    return {
        "file": photo.name,
        "width": checked.width,
        "height": checked.height,
        "crop": describe_crop(photo, resolution),
        **verdict.to_json(),
    }


def describe_crop(photo: FolderPhoto, resolution: int) -> dict[str, Any]:
    """Return what a base sees of a photo, and by what that was chosen."""
    checked, framing = photo.checked, photo.facts().framing
    box = crop_at((checked.width, checked.height), resolution, framing)
    return {name: round(share, 4) for name, share in box._asdict().items()} | {
        "cut": round(box.cut, 4),
        "by": framing.by,
    }
