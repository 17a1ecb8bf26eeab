"""Going on from the last state of a finished training, as a new job."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from storage.errors import JobError, UserError
from storage.folders import link_file
from storage.records import Job, Photo
from storage.requests import TrainRequest
from storage.store import Store
from training.modelfiles import tensorfile
from training.recipe.recipe import Recipe


async def continue_recipe(
    store: Store, job: Job, recipe: Recipe, photos: Collection[Photo]
) -> Recipe:
    """Link the state that a job goes on from, and return its recipe with the new steps.

    `recipe` is what a new training would get; captions and crops stay those of then. Raises
    JobError: "state_gone" if the state is no longer kept, "photos_changed" if photos were added
    or removed since.
    """
    request = TrainRequest.from_json(job.request)
    try:
        earlier = await store.jobs.get_owned(request.continues, job.owner)
    except UserError as unknown:
        raise JobError("state_gone") from unknown
    state = store.home.job_folder(earlier.folder).kept_state
    step, old = await asyncio.to_thread(read_state, state)
    added = any(photo.created > (earlier.started or 0) for photo in photos)
    if added or list_files(old) != list_files(recipe):
        raise JobError("photos_changed", name=request.name)
    first = store.home.job_folder(job.folder).checkpoints / f"step-{step:06d}.safetensors"
    await asyncio.to_thread(link_file, state, first)
    steps, stop_after = request.steps, request.stop_after
    return replace(old, steps=steps, stop_after=stop_after, continued_from=step)


def list_files(recipe: Recipe) -> list[set[str]]:
    """List the files of photos by what they are for."""
    others = [one.photos for one in recipe.other_concepts]
    return [
        {photo.file for photo in each} for each in (recipe.photos, *others, recipe.class_photos)
    ]


def read_state(file: Path) -> tuple[int, Recipe]:
    """Return the step and the recipe of a kept state; raise JobError("state_gone") without one."""
    try:
        told = tensorfile.read_header(file)[tensorfile.METADATA]
        return int(told["step"]), Recipe.from_json(json.loads(told["recipe"]))
    except (OSError, ValueError, KeyError, tensorfile.BadFileError) as broken:
        raise JobError("state_gone") from broken
