"""Hold out a part of a few photos in turn, to see whether what is learned goes beyond the others.

K-fold cross-validation, for sets too small to keep photos out for good. For each part, a run of
its own trains on the others alone, on the schedule of the whole run but for one K-th of its steps,
so that all of them take the steps of one more run. Where pictures become less like the held-out
photos while it goes on, clearly so over the parts, the real run ends at the best step: after as
many passes over its photos.

The runs draw from generators of their own, have optimizers of their own, and put the weights back:
a run that is not cut short has the bytes of one without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean

from torch import Tensor

from storage.events import FoldsTried, Note
from storage.folders import write_json
from storage.options import MIN_TO_HOLD_OUT
from training.judge.features import FeatureNet
from training.judge.likeness import MIN_RANGE, measure_own_likeness
from training.judge.score import QUANTILES, measure_error
from training.networks.networks import Attached
from training.recipe.recipe import Recipe
from training.run import optimizers
from training.run.choosing import CheckpointJudge
from training.run.dropout import adapter_dropout
from training.run.examples import Batches, Example
from training.run.rate_finder import Boundary, Searched, weights_kept
from training.run.room import Commanded
from training.run.step import MicroBatch, OptimizerStep

POINTS = 3  #: of a fold's run, at which it draws

Draw = Callable[[Batches, int, str], list[MicroBatch]]  #: the inputs of a step for a purpose


@dataclass(frozen=True, slots=True)
class Curve:
    """How like photos the pictures of one fold's run were, at each point of it so far."""

    held_out: list[float] = field(default_factory=list)
    trained: list[float] = field(default_factory=list)


def can_fold(recipe: Recipe) -> bool:
    """Return whether the photos are few, and enough to be parted."""
    count = len(list_files(recipe))
    return 1 < recipe.folds <= count < MIN_TO_HOLD_OUT and not recipe.other_concepts


def list_files(recipe: Recipe) -> list[str]:
    """List the photos; one may be shown on several backgrounds."""
    return list(dict.fromkeys(photo.file for photo in recipe.photos))


@dataclass(frozen=True)
class FoldRunner:
    """Trains without a part of the photos in turn, with what a run has made ready."""

    recipe: Recipe
    attached: Attached
    judge: CheckpointJudge  #: that draws
    examples: Sequence[Example]
    draw: Draw

    @property
    def file(self) -> Path:
        """Where the curves lie, for another attempt."""
        return self.judge.folder.kept / "folds.json"

    @property
    def points(self) -> list[int]:
        """The steps of a fold's run at which it draws; the last one ends it."""
        count = max(POINTS, self.recipe.steps // self.recipe.folds)
        return [count * (at + 1) // POINTS for at in range(POINTS)]

    @cached_property
    def network(self) -> FeatureNet:
        """What compares pictures with photos."""
        return FeatureNet.load(self.judge.previews.bases.device)

    @cached_property
    def photos(self) -> Tensor:
        """The features (N, D) of each file."""
        first = {photo.file: photo for photo in reversed(self.recipe.photos)}
        shown = [first[file] for file in list_files(self.recipe)]
        return self.network.extract(self.judge.previews.crop_photos(shown))

    @cached_property
    def floor(self) -> float:
        """The mean cosine of the base's pictures to the photos."""
        return float((self.draw_features() @ self.photos.T).mean())

    def draw_features(self) -> Tensor:
        """Draw with the weights that are in place; return the pictures' features (M, D)."""
        return self.network.extract([one.picture for one in self.judge.draw(nullcontext)])

    def search(self, boundary: Boundary) -> Searched:
        """Return the recipe, with an earlier end if need be, or a command that interrupted."""
        recipe, curves = self.recipe, read_curves(self.file)
        for fold in range(len(curves), recipe.folds):
            yield Note("folds", {"fold": fold + 1, "folds": recipe.folds})
            with weights_kept(self.attached):
                curve = Curve()
                command = yield from self.run_fold(fold, curve, boundary)
            if command:
                return recipe, command
            curves.append(curve)
            write_json(self.file, [asdict(each) for each in curves])
        found = judge_curves(curves, self.points)
        last = min(found.last, recipe.last_step)
        yield replace(found, last=last)
        return replace(recipe, found_last_step=last), None

    def run_fold(self, fold: int, curve: Curve, boundary: Boundary) -> Commanded:
        """Train without a part of the photos, and add to its curve."""
        recipe, points, floor = self.recipe, self.points, self.floor
        held = set(range(fold, len(self.photos), recipe.folds))
        batches, take = self.leave_out(held), self.make_step()
        for step in range(points[-1]):
            if command := (yield from boundary()):
                return command
            take(batches, step)
            if step + 1 in points:
                self.measure(held, floor, curve)
        return None

    def leave_out(self, held: set[int]) -> Batches:
        """Return the batches without some of the files."""
        recipe, files = self.recipe, list_files(self.recipe)
        out = {files[at] for at in held}
        kept = {at for at, photo in enumerate(recipe.photos) if photo.file not in out}
        examples = [each for each in self.examples if each.photo in kept]
        repeats = [{at: recipe.photos[at].repeats for at in sorted(kept)}]
        return Batches(examples, recipe.batch_size, recipe.seed, repeats)

    def make_step(self) -> Callable[[Batches, int], None]:
        """Return what takes a step, with an optimizer of its own."""
        recipe, attached, family = self.recipe, self.attached, self.judge.previews.family
        device = self.judge.previews.bases.device
        optimizer = optimizers.make_optimizer(recipe, attached.parameters, attached.rate_factors)
        parts = attached.parameters.values(), optimizer, device.scaler(), device.autocast
        take = OptimizerStep(family.compute_loss, *parts)

        def take_step(batches: Batches, step: int) -> None:
            for group in optimizer.param_groups:
                rate = recipe.trained_rate * recipe.lr_factor(step) * group["pace"]
                optimizers.set_learning_rate(group, rate)
            with adapter_dropout(family.networks, recipe, step):
                take(self.draw(batches, step, "fold"))

        return take_step

    def measure(self, held: set[int], floor: float, curve: Curve) -> None:
        """Draw, and add the likeness to photos that were held out, and to the others."""
        cosines = (self.draw_features() @ self.photos.T).mean(0)  # (N,)
        span = max(measure_own_likeness(self.photos) - floor, MIN_RANGE)
        measured = ((cosines - floor) / span).clamp(0, 1)
        for values, places in (
            (curve.held_out, sorted(held)),
            (curve.trained, sorted({*range(len(self.photos))} - held)),
        ):
            values.append(round(float(measured[places].mean()), 3))


def judge_curves(curves: Sequence[Curve], points: Sequence[int]) -> FoldsTried:
    """Return what the folds' runs say, with the step to end at; 0 where they name none.

    A run without a part of the photos passes over the others more often in as many steps.
    """
    held = [
        round(fmean(values), 3) for values in zip(*(each.held_out for each in curves), strict=True)
    ]
    trained = [
        round(fmean(values), 3) for values in zip(*(each.trained for each in curves), strict=True)
    ]
    best, folds = held.index(max(held)), len(curves)
    drops = [each.held_out[best] - each.held_out[-1] for each in curves]
    falls = fmean(drops) > QUANTILES[folds - 2] * measure_error(drops)
    last = round(points[best] * folds / (folds - 1)) if falls else 0
    return FoldsTried(tuple(points), tuple(held), tuple(trained), last)


def read_curves(file: Path) -> list[Curve]:
    """Return the curves of an earlier attempt."""
    with suppress(OSError, ValueError, TypeError):
        return [Curve(**each) for each in json.loads(file.read_bytes())]
    return []
