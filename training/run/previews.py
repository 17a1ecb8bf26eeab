"""Previews: pictures of a run's prompts, with the weights that its file would have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from storage.events import Event, PreviewsDrawn
from storage.folders import replacing
from training.device import Device
from training.families import Family, Picture
from training.recipe.recipe import Recipe
from training.run.timing import RunTimer
from training.sample import split_by_memory

SAMPLING_STEPS = 20


class Previews:
    """The previews of one run, in its job folder."""

    def __init__(
        self, folder: Path, recipe: Recipe, family: Family, device: Device, timer: RunTimer
    ) -> None:
        self.folder, self.recipe, self.family, self.device = folder, recipe, family, device
        self.timer = timer

    def path(self, step: int, at: int = 0) -> Path:
        """Return where the preview of a prompt at a step lies."""
        return self.folder / f"step-{step:06d}-{at}.png"

    def first_path(self, step: int) -> Path | None:
        """Return where the first preview of a step lies; None if there is none."""
        return self.path(step) if self.path(step).exists() else None

    def draw(
        self, step: int, final_weights: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> Iterator[Event]:
        """Draw all prompts, unless an earlier attempt has; it may have died before it said so."""
        prompts = self.recipe.prompts
        paths = [self.path(step, at) for at in range(len(prompts))]
        if not all(path.exists() for path in paths):
            for path, image in zip(paths, self.draw_images(final_weights), strict=True):
                with replacing(path) as part:
                    image.save(part, "PNG")
        if prompts:
            yield PreviewsDrawn(
                step,
                tuple(path.name for path in paths),
                tuple(each.text for each in prompts),
                tuple(each.seed for each in prompts),
            )

    def draw_images(
        self, final_weights: Callable[[], AbstractContextManager[None]]
    ) -> list[Image.Image]:
        """Return a picture of each prompt."""
        side, images = self.recipe.resolution, list[Image.Image]()
        pictures = [
            Picture(each.text, "", each.seed, SAMPLING_STEPS, side, side)
            for each in self.recipe.prompts
        ]
        for batch in split_by_memory(self.family, self.device, pictures):
            present = self.family.on_device("text", "denoiser", "vae")
            with (
                self.timer.timing("picture", len(batch)),
                self.device.autocast(),
                final_weights(),
                present,
            ):
                images += self.family.sample_images(batch)
        return images

    def draw_before(
        self, parameters: Mapping[str, nn.Parameter], initial: list[Tensor]
    ) -> Iterator[Event]:
        """Draw the previews of step 0 with the initial parameters, then restore the present."""
        now = copy_parameters(parameters)
        set_parameters(parameters, initial)
        events = list(self.draw(0))
        set_parameters(parameters, now)
        yield from events


def copy_parameters(parameters: Mapping[str, nn.Parameter]) -> list[Tensor]:
    """Copy the trained parameters to the CPU, which has the most memory."""
    return [each.detach().to("cpu", copy=True) for each in parameters.values()]


@torch.no_grad()
def set_parameters(parameters: Mapping[str, nn.Parameter], values: list[Tensor]) -> None:
    """Set the trained parameters."""
    for parameter, value in zip(parameters.values(), values, strict=True):
        parameter.copy_(value)
