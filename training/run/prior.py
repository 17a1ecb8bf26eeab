"""Prior preservation (Ruiz et al. 2022, arXiv 2208.12242): class images, drawn or photographed.

The base draws them before training. They are trained on beside the photos, so that the base does
not come to draw the subject in place of its whole class.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from storage.events import Event, Note
from storage.folders import JobFolder
from storage.records import JobCommand
from training.device import Device
from training.families import Family, Picture
from training.pictures import write_picture
from training.recipe.concepts import TrainingPhoto
from training.recipe.recipe import Recipe
from training.run.examples import Batches, Example, encode_photos, step_generator
from training.run.text import CaptionEncoder

SAMPLING_STEPS = 20
Commandable = Generator[Event, JobCommand | None, JobCommand | None]


class ClassImages:
    """The class images of one training, in its job folder."""

    def __init__(self, folder: JobFolder, recipe: Recipe) -> None:
        self.folder, self.photos, self.recipe = folder.class_images, folder.photos, recipe
        self.batches: Batches | None = None
        self.captions: CaptionEncoder | None = None
        self.files = tuple(f"{at:04}.png" for at in range(recipe.num_class_images))

    def list_missing(self) -> list[str]:
        """List the files that no earlier attempt has drawn."""
        return [file for file in self.files if not (self.folder / file).exists()]

    def draw(
        self, family: Family, device: Device, boundary: Callable[[], Commandable]
    ) -> Commandable:
        """Draw what is missing; return the command that interrupted it, if one did."""
        missing = self.list_missing()
        if missing:
            yield Note("prior_drawn", {"pictures": len(missing)})
        for file in missing:
            command = yield from boundary()
            if command is not None:
                return command
            self.draw_image(file, family, device)
        return None

    def draw_image(self, file: str, family: Family, device: Device) -> None:
        """Draw one image with the base alone, from its own seed."""
        recipe = self.recipe
        seed = step_generator(recipe.seed, int(Path(file).stem), "class").initial_seed()
        side = recipe.resolution
        picture = Picture(recipe.class_prompt, "", seed, SAMPLING_STEPS, side, side)
        with (
            family.networks.without_adapter(),
            device.autocast(),
            family.on_device("text", "denoiser", "vae"),
        ):
            image = family.sample_image(picture)
        write_picture(self.folder / file, image)

    def encode(self, family: Family, device: Device, *, learns: bool) -> None:
        """Encode the images with their captions, unless a command left some undrawn."""
        recipe = self.recipe
        if not recipe.preserves_prior or self.list_missing():
            return
        drawn = tuple(TrainingPhoto(file, recipe.class_prompt) for file in self.files)
        plain = replace(
            recipe,
            photos=recipe.class_photos + drawn,
            caption_dropout_rate=0.0,
            shuffle_caption=False,
            masked_loss=False,
            other_concepts=(),
        )
        examples: list[Example] = []
        for photos, folder in ((recipe.class_photos, self.photos), (drawn, self.folder)):
            first = len(examples) // (1 + len(recipe.extra_resolutions))
            found = encode_photos(family, replace(plain, photos=photos), folder) if photos else []
            examples += [replace(each, photo=each.photo + first) for each in found]
        self.batches = Batches(examples, recipe.batch_size, recipe.seed)
        self.captions = CaptionEncoder(family, plain, device, learns=learns)
