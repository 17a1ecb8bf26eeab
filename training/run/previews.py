"""Pictures of a run's prompts, on the way and at its end, with the weights of its file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import islice
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from storage.crops import list_buckets
from storage.events import Event, Note, PreviewsDrawn, ResultDrawn
from storage.folders import JobFolder
from storage.planning.plan import list_preview_steps
from training.bases.cache import BaseCache
from training.families import Family, Picture
from training.pictures import write_pictures
from training.recipe.concepts import SamplePrompt, TrainingPhoto
from training.recipe.recipe import Recipe
from training.run.best import choose_best, count_candidates
from training.run.copies import CopyFinder
from training.run.examples import crop_photo
from training.run.timing import RunTimer
from training.sample import split_by_memory

SAMPLING_STEPS = 20
Weights = Callable[[], AbstractContextManager[None]]  #: puts weights in place inside a block
Draw = Callable[[int, Weights], list[Event]]  #: draws at a step


class Previews:
    """The pictures of one run, in its job folder."""

    def __init__(
        self, folder: JobFolder, recipe: Recipe, family: Family, bases: BaseCache, timer: RunTimer
    ) -> None:
        self.folder, self.recipe, self.family = folder, recipe, family
        self.bases, self.timer = bases, timer
        self.prompts = [each for each in recipe.prompts if not each.at_end]
        self.candidates = count_candidates(recipe, bases.find(recipe.base))  #: at the end
        self.copies = CopyFinder(self.crop_photos)

    def end_path(self, step: int, at: int = 0) -> Path:
        """Return where the result's picture of a prompt lies."""
        return self.folder.samples / f"step-{step:06d}-end-{at}.png"

    def first_path(self, step: int) -> Path | None:
        """Return where the first picture of a step lies, the end's if it is the last."""
        paths = self.end_path(step), self.folder.preview(step)
        return next((path for path in paths if path.exists()), None)

    def count_pictures(self, rounds: int) -> int:
        """Count the pictures of so many rounds, the last of which is the result's."""
        return (rounds - 1) * len(self.prompts) + len(self.recipe.prompts) * self.candidates

    def draw(self, step: int, final_weights: Weights = nullcontext) -> list[Event]:
        """Draw some prompts, unless an earlier attempt has; it may have died before it said so."""
        paths, notes = (
            [self.folder.preview(step, at) for at in range(len(self.prompts))],
            list[Event](),
        )
        if not all(path.exists() for path in paths):
            images = self.draw_images(self.prompts, final_weights)
            write_pictures(paths, images)
            notes = self.note_copies(step, images)
        return [PreviewsDrawn(step, *describe(paths, self.prompts)), *notes] if paths else []

    def note_copies(self, step: int, images: Sequence[Image.Image]) -> list[Event]:
        """Return a note, once in a run, that a picture after a step is one of the photos."""
        with self.timer.timing("watching", 1):
            copied = step and self.copies.finds_new_copy(images)
        return [Note("copies_photo", {"step": step})] if copied else []

    def draw_result(self, step: int, final_weights: Weights) -> list[Event]:
        """Draw all prompts at the end, and keep the best of the candidates for each."""
        prompts, count = self.recipe.prompts, self.candidates
        if not prompts:
            return []
        tries = [
            replace(each, seed=each.seed + len(prompts) * more)
            for each in prompts
            for more in range(count)
        ]
        drawn = iter(self.draw_images(tries, final_weights))
        groups = [list(islice(drawn, count)) for _ in prompts]
        best = [0] * len(prompts)
        if count > 1:
            best = choose_best(groups, self.crop_photos(), self.bases)
            torch.set_num_threads(self.recipe.threads)
        if count > 1:  # the same seeds as on the way, which the best may not have
            shown = range(len(self.prompts))
            same = [self.folder.preview(step, at) for at in shown]
            write_pictures(same, [groups[at][0] for at in shown])
        paths = [self.end_path(step, at) for at in range(len(prompts))]
        chosen = [group[one] for group, one in zip(groups, best, strict=True)]
        write_pictures(paths, chosen)
        kept = [tries[at * count + one] for at, one in enumerate(best)]
        result = ResultDrawn(step, *describe(paths, kept), candidates=count)
        return [result, *self.note_copies(step, chosen)]

    def crop_photos(self, some: Sequence[TrainingPhoto] = ()) -> list[Image.Image]:
        """Return the photos, or some of them, as they were learned from."""
        recipe = self.recipe
        buckets = list_buckets(recipe.resolution, self.family.size_multiple)
        photos = self.folder.photos
        return [crop_photo(photos, photo, buckets).picture for photo in some or recipe.photos]

    def draw_images(
        self,
        prompts: Sequence[SamplePrompt],
        final_weights: Weights,
        sampling_steps: int = SAMPLING_STEPS,
    ) -> list[Image.Image]:
        """Return a picture of each prompt."""
        side, images, device = self.recipe.resolution, list[Image.Image](), self.bases.device
        pictures = [
            Picture(each.text, "", each.seed, sampling_steps, side, side) for each in prompts
        ]
        for batch in split_by_memory(self.family, device, pictures):
            present = self.family.on_device("text", "denoiser", "vae")
            with (
                self.timer.timing("picture", len(batch) * sampling_steps / SAMPLING_STEPS),
                device.autocast(),
                final_weights(),
                present,
            ):
                images += self.family.sample_images(batch)
        return images

    def draw_before(
        self, parameters: Mapping[str, nn.Parameter], initial: list[Tensor]
    ) -> list[Event]:
        """Draw the previews of step 0 with the initial parameters, then restore the present."""
        now = copy_parameters(parameters)
        set_parameters(parameters, initial)
        events = self.draw(0)
        set_parameters(parameters, now)
        return events


def list_rounds(recipe: Recipe) -> list[int]:
    """List the steps whose previews are drawn after the start; the end's come last.

    A run that goes on from an earlier one leaves out checkpoints nearer than half an interval to
    where it begins: what they show has just been shown.
    """
    steps, last = list_preview_steps(recipe.steps, recipe.save_every), recipe.last_step
    first = recipe.continued_from + recipe.save_every / 2 if recipe.continued_from else 0
    return [*(step for step in steps if first <= step < last), last]


def describe(
    paths: Sequence[Path], prompts: Sequence[SamplePrompt]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[int, ...]]:
    """Return the files, prompts and seeds of an event."""
    return (
        tuple(path.name for path in paths),
        tuple(each.text for each in prompts),
        tuple(each.seed for each in prompts),
    )


def copy_parameters(parameters: Mapping[str, nn.Parameter]) -> list[Tensor]:
    """Copy the trained parameters to the CPU, which has the most memory."""
    return [each.detach().to("cpu", copy=True) for each in parameters.values()]


@torch.no_grad()
def set_parameters(parameters: Mapping[str, nn.Parameter], values: list[Tensor]) -> None:
    """Set the trained parameters."""
    for parameter, value in zip(parameters.values(), values, strict=True):
        parameter.copy_(value)
