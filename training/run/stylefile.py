"""The files of a run's style: one at each checkpoint, for its owner to choose from, and the last.

A whole model takes gigabytes, so only its last file is written.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from storage.events import Done
from storage.folders import JobFolder, link_file
from storage.records import Base
from training.families import Family
from training.methods._full import FullNetworks
from training.networks.networks import Attached
from training.recipe.recipe import Recipe
from training.run.checkpoint import path_of_step
from training.run.previews import Previews
from training.styles import writer
from training.styles.compatibility import find_needs, readable_by
from training.styles.resize import extract_lora, shrink, write_small_copy


class StyleFiles:
    """Writes a style with the weights that are in place."""

    def __init__(
        self, folder: JobFolder, family: Family, attached: Attached, base: Base, previews: Previews
    ) -> None:
        self.folder, self.family, self.attached = folder, family, attached
        self.base, self.previews = base, previews
        self.full = attached if isinstance(attached, FullNetworks) else None

    def keep(self, recipe: Recipe, step: int) -> None:
        """Write the style of a checkpoint, unless an earlier attempt has."""
        path = self.folder.kept_style(step)
        if self.full is None and not path.exists():
            self._write(path, replace(recipe, steps=step))

    def keep_result(self, step: int, last: int, result: Path) -> None:
        """Keep the result, of a step, beside other checkpoints, and the last state to go on from.

        The state is missing if the disk had no room for the last checkpoint.
        """
        if self.full is None:
            link_file(result, self.folder.kept_style(step))
            state = path_of_step(self.folder.checkpoints, last)
            if state.exists():
                link_file(state, self.folder.kept_state)

    def write_result(self, recipe: Recipe, steps: int, last: int, *, early: bool) -> Done:
        """Write the result, of a step, and its small copy; return the end of the run."""
        recipe = replace(recipe, steps=max(1, steps))
        path = self.folder.result / f"{recipe.name}.safetensors"
        weights, digest = self._write(path, recipe)
        make = partial(extract_lora, self.full) if self.full else partial(shrink, weights)
        shown = self.previews.first_path(steps)
        origin = writer.describe_origin(recipe, self.family, self.base)
        small_copy = write_small_copy(path, make, recipe, origin, shown)
        self.keep_result(steps, last, path)
        return Done(
            last,
            self.previews.timer.timings(),
            path.name,
            path.stat().st_size,
            digest,
            early=early,
            full_model=not recipe.rank,
            readable_by=tuple(readable_by(weights, recipe.family)),
            readable_with=find_needs(weights, recipe.family),
            small_copy=small_copy,
        )

    def _write(self, path: Path, recipe: Recipe) -> tuple[dict[str, Tensor], str]:
        """Write a style whose training took the recipe's steps; return its tensors and digest."""
        weights = self.family.networks.to_file_names(self.attached.weights())  # may be no copy
        origin = writer.describe_origin(recipe, self.family, self.base)
        shown = self.previews.first_path(recipe.steps)
        return weights, writer.write_style(path, weights, recipe, origin, shown)
