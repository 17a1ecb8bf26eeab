"""The files of a run's style: one at each checkpoint, for its owner to choose from, and the last.

A whole model takes gigabytes, so only its last file is written.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from torch import Tensor

from storage.events import Done, Event
from storage.folders import JobFolder, link_file
from storage.records import Base
from training.families import Family
from training.methods._full import FullNetworks
from training.networks.networks import Attached
from training.recipe.recipe import Recipe
from training.run.checkpoint import path_of_step
from training.run.choosing import CheckpointJudge
from training.run.previews import Previews, Weights
from training.run.strength import score_strengths
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
        self.strength: float | None = None  #: that the result is best applied at, if it was tried
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

    def try_strengths(
        self, judge: CheckpointJudge, step: int, final_weights: Weights
    ) -> list[Event]:
        """Find the strength to recommend in the result's header, if there is time for it."""
        found = score_strengths(judge, step, self.attached, final_weights)
        self.strength = found.best if found else None
        return [found] if found else []

    def write_result(
        self, recipe: Recipe, steps: tuple[int, int], weights: Weights, *, early: bool
    ) -> Done:
        """Write the result and its small copy; return the end of the run.

        `steps` are the one whose weights are in place, and the last of the training.
        """
        with weights():
            return self._write_result(recipe, *steps, early=early)

    def _write_result(self, recipe: Recipe, steps: int, last: int, *, early: bool) -> Done:
        recipe = replace(recipe, steps=max(1, steps))
        path = self.folder.result / f"{recipe.name}.safetensors"
        weights, digest = self._write(path, recipe)
        make = partial(extract_lora, self.full) if self.full else partial(shrink, weights)
        shown = self.previews.first_path(steps)
        origin = self._describe_origin(recipe)
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
        origin = self._describe_origin(recipe)
        shown = self.previews.first_path(recipe.steps)
        return weights, writer.write_style(path, weights, recipe, origin, shown)

    def _describe_origin(self, recipe: Recipe) -> writer.Origin:
        """Return what a file's header says beside its recipe."""
        hint = "" if self.strength is None else f"Use at strength {self.strength:.1f}"
        origin = writer.describe_origin(recipe, self.family, self.base)
        return replace(origin, usage_hint=hint)
