"""Laying out a job folder: `job.json`, the photos and, to sample, the style's file."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import suppress
from dataclasses import asdict, replace
from itertools import chain
from pathlib import Path
from typing import Any

from storage.errors import JobError, UserError
from storage.folders import JobFolder, link_file, write_json
from storage.planning.grades import MIN_PHOTOS
from storage.records import Catalog, Job, Kind, Photo, Style
from storage.requests import GridRequest, JudgeRequest, TrainRequest
from storage.store import Store
from storage.tables.photos import has_alpha
from storage.variations import may_mirror
from training.recipe.concepts import ConceptPhotos, TrainingPhoto, class_prompt, list_class_photos
from training.recipe.names import current_names
from training.recipe.preparation import PhotoFacts, prepare_photos
from training.run.defaults import complete_recipe
from training.scheduler.class_images import lend_images
from training.scheduler.continuing import continue_recipe

DAY_SECONDS = 86400.0


async def write_job_folder(store: Store, job: Job, catalog: Catalog) -> None:
    """Write a job's folder, unless this claim has done so: its worker may be reading it.

    A training keeps the recipe of its first attempt.
    """
    folder = store.home.job_folder(job.folder)
    if read_fence(folder) == job.fence:
        return
    content: dict[str, Any] = {"kind": job.kind, "attempt": job.attempts, "fence": job.fence}
    if job.kind is Kind.TRAIN:
        recipe = frozen_recipe(folder)
        if recipe is None or not has_photos(folder, recipe):  # a power cut may take them back
            recipe = await train_recipe(store, job, catalog)
        content["recipe"] = recipe
        base = catalog.find_base(job.base)
        await asyncio.to_thread(lend_images, store.home, folder, base, recipe)
    elif job.kind is Kind.SAMPLE:
        linked = grid_request if "cells" in job.request else sample_request
        content["request"] = await linked(store, job)
    elif job.kind is Kind.GRADE:
        graded = judge_request if "judged" in job.request else grade_request
        content["request"] = await graded(store, job, catalog.captioner)
    else:
        content["request"] = await caption_request(store, job)
    await asyncio.to_thread(write_json, folder.request_file, content)


def read_fence(folder: JobFolder) -> int | None:
    """Return the fence of the claim that a folder was written for, None without one."""
    try:
        return int(folder.read_request()["fence"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def frozen_recipe(folder: JobFolder) -> dict[str, Any] | None:
    """Return the recipe of an earlier attempt, None at the first one."""
    try:
        recipe: dict[str, Any] = folder.read_request()["recipe"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return recipe


def has_photos(folder: JobFolder, recipe: dict[str, Any]) -> bool:
    """Return whether the photos of a recipe lie in the job's folder."""
    return all((folder.photos / name).is_file() for name in list_photos(recipe))


def list_photos(recipe: dict[str, Any]) -> list[str]:
    """Return the names of all photos in a recipe's JSON: of concepts, of the class, held out."""
    recipe = current_names(recipe)
    concepts = [each.get("photos", ()) for each in (recipe, *recipe.get("other_concepts", ()))]
    others = (recipe.get(name, ()) for name in ("class_photos", "validation_photos"))
    return [photo["file"] for photo in chain(*concepts, *others)]


def clear_folder(folder: JobFolder) -> None:
    """Remove what a job that has ended no longer needs, its request last."""
    for path in (folder.photos, folder.class_images, folder.checkpoints):
        shutil.rmtree(path, ignore_errors=True)
    for path in (folder.style_file, *folder.grid_styles):
        path.unlink(missing_ok=True)
    for part in folder.path.rglob(".*.part"):  # its writer was killed
        part.unlink(missing_ok=True)
    if not any(folder.result.glob("*.safetensors")):  # nothing came of it
        shutil.rmtree(folder.kept, ignore_errors=True)
    if (large := model_file(folder)) is not None:
        large.unlink(missing_ok=True)
    folder.request_file.unlink(missing_ok=True)  # it has captions, and others' triggers


def model_file(folder: JobFolder) -> Path | None:
    """Return where a training writes a whole model, None if it trains no whole model.

    The style links the same file, so this name can be removed when the job has ended.
    """
    recipe = frozen_recipe(folder)
    if recipe is None or recipe.get("rank") != 0:
        return None
    return folder.result / f"{recipe['name']}.safetensors"


async def train_recipe(store: Store, job: Job, catalog: Catalog) -> dict[str, Any]:
    """Link a training's photos and return its recipe as JSON."""
    request, start = TrainRequest.from_json(job.request), catalog.find_base(job.base)
    others = request.other_datasets
    datasets = [job.dataset, *(other.dataset for other in others)]
    photos = [
        [] if each is None else await store.photos.list_for(each, job.owner) for each in datasets
    ]
    names = await asyncio.to_thread(link_photos, store, job, list(chain(*photos)))
    first, *rest = (
        [(names[photo.id], photo.caption) for photo in each if photo.id in names]
        for each in photos
    )
    if not (first and all(rest)):
        raise JobError("no_photos", name=request.name)
    folder, prompt = store.home.job_folder(job.folder).photos, class_prompt(request, start)
    transparent = [
        names[photo.id]
        for photo in chain(*photos)
        if photo.id in names and not photo.masked and has_alpha(folder / names[photo.id])
    ]
    concepts, class_photos = list[ConceptPhotos](), list[TrainingPhoto]()
    for other, each in zip(others, rest, strict=True):
        if other.class_photos:
            class_photos += list_class_photos(each, other.trigger, prompt)
        else:
            concepts.append(ConceptPhotos.from_photos(other, start, each))
    recipe = complete_recipe(
        request, start, first, transparent, accepted=job.created,
        other_concepts=tuple(concepts), class_photos=tuple(class_photos),
    )  # fmt: skip
    facts = {names[photo.id]: make_facts(photo) for photo in chain(*photos) if photo.id in names}
    recipe = prepare_photos(recipe, facts)
    if request.continues:
        recipe = await continue_recipe(store, job, recipe, list(chain(*photos)))
    return recipe.to_json()


def make_facts(photo: Photo) -> PhotoFacts:
    """Return what a recipe is to know of a photo."""
    mirrors = may_mirror(photo.found_framing, photo.examination)
    # with or without a mask, it is the same photo
    same = photo.plain_digest or photo.digest
    return PhotoFacts(photo.framing, photo.repeats, mirrors, same)


async def sample_request(store: Store, job: Job) -> dict[str, Any]:
    """Link a sample's style and return its request with the style's method and trigger."""
    file = store.home.job_folder(job.folder).style_file
    if job.style is None:
        if file.exists():  # the member deleted the style since an earlier attempt
            raise JobError("style_unknown")
        return job.request
    style = await store.styles.get(job.style, job.owner, job.guild)
    source = await find_style_file(store, style, int(job.request.get("checkpoint", 0)))
    await asyncio.to_thread(link_file, source, file)
    return job.request | {"method": style.method, "trigger": style.trigger}


async def grid_request(store: Store, job: Job) -> dict[str, Any]:
    """Link the styles of a grid and return its request with their methods and triggers."""
    request, folder = GridRequest.from_json(job.request), store.home.job_folder(job.folder)
    told = []
    for number, each in enumerate(request.styles):
        if each.style:
            style = await store.styles.get(each.style, job.owner, job.guild)
            file = await find_style_file(store, style, each.checkpoint)
            await asyncio.to_thread(link_file, file, folder.grid_style(number))
            each = replace(each, method=style.method, trigger=style.trigger)  # noqa: PLW2901
        told.append(each)
    return asdict(replace(request, styles=tuple(told)))


async def judge_request(store: Store, job: Job, captioner: str) -> dict[str, Any]:
    """Link the photos and styles of a comparison; return its request with what is known of them.

    A style that was deleted meanwhile is left out; raises JobError("no_photos") without photos,
    or "style_unknown" without styles.
    """
    request, folder = JudgeRequest.from_json(job.request), store.home.job_folder(job.folder)
    listed = await store.photos.list_for(job.dataset or 0, job.owner)
    names = await asyncio.to_thread(link_photos, store, job, listed)
    if not names:
        raise JobError("no_photos", name=request.name)
    judged = []
    for each in request.judged:
        with suppress(UserError):
            style = await store.styles.get(each.style, job.owner, job.guild)
            file = await find_style_file(store, style, 0)
            await asyncio.to_thread(link_file, file, folder.grid_style(each.number))
            judged.append(replace(each, method=style.method, trigger=style.trigger))
    if not judged:
        raise JobError("style_unknown")
    photos = [
        {"file": names[photo.id], "framing": photo.framing.to_json(), "caption": photo.caption}
        for photo in listed
        if photo.id in names
    ]
    told = replace(request, judged=tuple(judged), photos=tuple(photos))
    return asdict(replace(told, captioner=captioner))


async def find_style_file(store: Store, style: Style, checkpoint: int) -> Path:
    """Return a style's own file, or that of a checkpoint; raise JobError if it is gone."""
    if style.removed:
        raise JobError("model_removed", days=round((style.removed - style.created) / DAY_SECONDS))
    if not checkpoint:
        return store.styles.file(style)
    for kept in await store.checkpoints.list_for(style):
        if kept.step == checkpoint:
            return kept.file
    raise JobError("checkpoint_gone", step=checkpoint)


async def caption_request(store: Store, job: Job) -> dict[str, Any]:
    """Link the photos to describe that are still there; return the request with their number.

    `gone` are those that the member has removed since; none may be left.
    """
    photos = []
    for number in job.request["photos"]:
        with suppress(UserError):  # it was deleted meanwhile
            photos.append(await store.photos.get(number, job.owner))
    names = await asyncio.to_thread(link_photos, store, job, photos)
    gone = len(job.request["photos"]) - len(names)
    return job.request | {"photos": list(names), "gone": gone}


async def grade_request(store: Store, job: Job, captioner: str) -> dict[str, Any]:
    """Link a style and those of its photos that are still there; return the request with both."""
    content = await sample_request(store, job)
    if job.style is None:
        raise JobError("style_unknown")
    photos = await list_taught(store, job)
    names = await asyncio.to_thread(link_photos, store, job, photos)
    if len(names) < MIN_PHOTOS:
        raise JobError("photos_few", photos=len(names), least=MIN_PHOTOS)
    captions = [photo.caption for photo in photos if photo.id in names]
    return content | {"captioner": captioner, "photos": list(names), "captions": captions}


async def list_taught(store: Store, job: Job) -> list[Photo]:
    """Return the photos of a style's dataset that were in it when its training was asked for."""
    style = await store.styles.get(job.style or 0, job.owner, job.guild)
    if job.dataset is None or style.job is None:
        return []
    since = (await store.jobs.get(style.job)).created
    photos = await store.photos.list_for(job.dataset, job.owner)
    return [photo for photo in photos if photo.created <= since]


def link_photos(store: Store, job: Job, photos: list[Photo]) -> dict[int, str]:
    """Link photos into the job folder, and no others; return their names there, by id.

    One that is removed meanwhile is left out.
    """
    folder, names = store.home.job_folder(job.folder), dict[int, str]()
    shutil.rmtree(folder.photos, ignore_errors=True)  # of an attempt that had more of them
    folder.photos.mkdir(parents=True)
    for photo in photos:
        name = f"{len(names) + 1:04}.png"
        with suppress(FileNotFoundError):
            link_file(store.home.photo_file(photo.digest), folder.photos / name)
            names[photo.id] = name
    return names
