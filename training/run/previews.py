"""Pictures of a run's prompts on the way, drawn with what is trained as it will be in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from storage.events import Event, PreviewsDrawn
from storage.folders import replacing
from training.families import Picture
from training.sample import split_by_memory

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor, nn

    from training.device import Device
    from training.families import Family
    from training.recipe.recipe import Recipe
    from training.run.timing import RunTimer

SAMPLING_STEPS = 20  #: steps of a picture on the way


class Previews:
    """The pictures of one run, in its job folder."""

    def __init__(
        self, place: Path, recipe: Recipe, family: Family, device: Device, clock: RunTimer
    ) -> None:
        self.folder, self.recipe, self.family, self.device = place, recipe, family, device
        self.clock = clock

    def path(self, step: int, at: int = 0) -> Path:
        """Name the picture of a prompt at a step."""
        return self.folder / f"step-{step:06d}-{at}.png"

    def first_path(self, step: int) -> Path | None:
        """Find the first picture of a step."""
        return self.path(step) if self.path(step).exists() else None

    def draw(
        self, step: int, finished: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> Iterator[Event]:
        """Draw the prompts as the style draws them now, unless an earlier attempt has."""
        side, prompts = self.recipe.resolution, self.recipe.prompts
        pictures = [
            Picture(each.text, "", each.seed, SAMPLING_STEPS, side, side) for each in prompts
        ]
        paths = [self.path(step, at) for at in range(len(prompts))]
        if not prompts or any(path.exists() for path in paths):
            return
        shown: list[Image.Image] = []
        for some in split_by_memory(self.family, self.device, pictures):
            present = self.family.present("text", "denoiser", "vae")
            with (
                self.clock.timing("picture", len(some)),
                self.device.autocast(),
                finished(),
                present,
            ):
                shown += self.family.drawn(some)
        for path, picture in zip(paths, shown, strict=True):
            with replacing(path) as part:
                picture.save(part, "PNG")
        yield PreviewsDrawn(
            step,
            tuple(path.name for path in paths),
            tuple(each.text for each in prompts),
            tuple(each.seed for each in prompts),
        )

    def draw_before(
        self, parameters: Mapping[str, nn.Parameter], values: list[Tensor]
    ) -> Iterator[Event]:
        """Draw the prompts as before the first step, which did not wait for these pictures."""
        now = copy_parameters(parameters)
        set_parameters(parameters, values)
        events = list(self.draw(0))
        set_parameters(parameters, now)
        yield from events


def copy_parameters(parameters: Mapping[str, nn.Parameter]) -> list[Tensor]:
    """Copy what is trained, where there is the most room."""
    return [each.detach().to("cpu", copy=True) for each in parameters.values()]


@torch.no_grad()
def set_parameters(parameters: Mapping[str, nn.Parameter], values: list[Tensor]) -> None:
    """Set what is trained."""
    for parameter, value in zip(parameters.values(), values, strict=True):
        parameter.copy_(value)
