"""Laying out a job folder: what the job is, its photos and, to sample, the style's file."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from storage.errors import JobError, UserError
from storage.folders import dump, whole
from storage.records import Kind
from storage.requests import TrainRequest
from training.recipe.concepts import ConceptPhotos
from training.recipe.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from storage.folders import JobFolder
    from storage.records import Base, Catalog, Job, Photo
    from storage.store import Store

DAY = 86400.0  #: seconds


async def lay_out(store: Store, job: Job, catalog: Catalog) -> None:
    """Write a job's folder; on a later attempt, what was frozen at the first one stays."""
    folder = store.home.run(job.id)
    content: dict[str, Any] = {"kind": job.kind, "attempt": job.attempts, "fence": job.fence}
    if job.kind is Kind.TRAIN:
        content["recipe"] = frozen(folder) or await _train(store, job, catalog)
    elif job.kind is Kind.SAMPLE:
        content["request"] = await _sample(store, job)
    else:
        content["request"] = await _caption(store, job)
    await asyncio.to_thread(dump, folder.job, content)


def frozen(folder: JobFolder) -> dict[str, Any] | None:
    """Return the recipe that an earlier attempt was given."""
    try:
        recipe: dict[str, Any] = folder.request()["recipe"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return recipe


def clear(folder: JobFolder) -> None:
    """Remove what a job that has ended no longer needs."""
    for path in (folder.photos, folder.classes, folder.checkpoints):
        shutil.rmtree(path, ignore_errors=True)
    style(folder).unlink(missing_ok=True)
    if (large := model(folder)) is not None:
        large.unlink(missing_ok=True)


def style(folder: JobFolder) -> Path:
    """Return where the style to sample from lies."""
    return folder.path / "style.safetensors"


def model(folder: JobFolder) -> Path | None:
    """Return where a training writes a whole model; its style has a name of its own for it."""
    recipe = frozen(folder)
    if recipe is None or recipe.get("rank") != 0:
        return None
    return folder.result / f"{recipe['name']}.safetensors"


def base(catalog: Catalog, name: str) -> Base:
    """Find a base in the catalog."""
    for known in catalog.bases:
        if known.name == name:
            return known
    raise JobError("base_unknown", base=name[:100])


async def _train(store: Store, job: Job, catalog: Catalog) -> dict[str, Any]:
    request, start = TrainRequest.from_json(job.request), base(catalog, job.base)
    numbers = [job.dataset, *(further.dataset for further in request.other_datasets)]
    sets = [[] if each is None else await store.photos.of(each, job.owner) for each in numbers]
    if not all(sets):
        raise JobError("no_photos", name=request.name)
    files = await asyncio.to_thread(
        _copied, store, job, [photo for each in sets for photo in each]
    )
    named = iter(files)
    first, *rest = ([(next(named), photo.caption) for photo in photos] for photos in sets)
    pairs = zip(request.other_datasets, rest, strict=True)
    others = tuple(ConceptPhotos.from_photos(further, start, photos) for further, photos in pairs)
    return Recipe.from_request(
        request, start, first, accepted=job.created, other_concepts=others
    ).to_json()


async def _sample(store: Store, job: Job) -> dict[str, Any]:
    worn = style(store.home.run(job.id))
    if job.style is None:
        if worn.exists():  # deleted since an earlier attempt
            raise JobError("style_unknown")
        return job.request
    found = await store.styles.get(job.style, job.owner, job.guild)
    if found.removed:
        raise JobError("model_removed", days=round((found.removed - found.created) / DAY))
    await asyncio.to_thread(_link, store.styles.file(found), worn)
    return job.request | {"method": found.method, "trigger": found.trigger}


async def _caption(store: Store, job: Job) -> dict[str, Any]:
    photos = []
    for number in job.request["photos"]:
        with suppress(UserError):  # removed since
            photos.append(await store.photos.get(number, job.owner))
    if not photos:
        raise JobError("photo_gone")
    await asyncio.to_thread(_copied, store, job, photos)
    return job.request | {"photos": [photo.id for photo in photos]}


def _copied(store: Store, job: Job, photos: list[Photo]) -> list[str]:
    """Put photos into the folder and return their names there."""
    folder, names = store.home.run(job.id), []
    for number, photo in enumerate(photos, 1):
        names.append(f"{number:04}.png")
        _link(store.home.photo(photo.digest), folder.photos / names[-1])
    return names


def _link(file: Path, path: Path) -> None:
    """Give a file a second name; where the disk cannot, a second copy."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    try:
        os.link(file, path)
    except FileNotFoundError:
        raise
    except OSError:
        with whole(path) as part:
            shutil.copyfile(file, part)
