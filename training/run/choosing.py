"""Score the checkpoints of a run by what they draw, choose one, and stop when none gets better.

MIN_SEEDS seeds or more are drawn at as many checkpoints as the share of the time allows that the
recipe gives to it. Each seed draws another prompt, while there are any: what a style makes of one
prompt tells little of the next. Which they are follows from the recipe alone: the same one chooses
the same checkpoint on any machine. Obedience is left out: small bases' styles obey in all that
their captioner sees, and captions of the others cost too much.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path

from PIL import Image

from storage.events import CheckpointChosen
from storage.folders import write_json
from training.judge.features import FeatureNet
from training.judge.score import MIN_SEEDS, Score, read_score
from training.judge.style_judge import Drawn, StyleJudge, Taught
from training.recipe.concepts import SamplePrompt
from training.recipe.recipe import Recipe
from training.run.checkpoint import path_of_step
from training.run.previews import Previews, Weights, list_rounds

SCORING_STEPS = 8  #: of the sampler: enough to compare pictures, and cheaper than to show them
#: What things cost, in passes of one photo through the denoiser, as measured on the embedded base:
#: a photo of a step is a pass forward, and one backward, which is twice the work.
STEP_PASSES, SHOWN_PASSES, SCORED_PASSES = 3, 57, 40
MAX_PHOTOS = 12  #: that pictures are compared with
MIN_GAIN = 0.03  #: of a score; less does not keep a training going
MAX_SEEDS = 6  #: of a checkpoint; each draws one picture


def plan_scoring(recipe: Recipe, previews: Previews) -> tuple[int, set[int]]:
    """Return from how many seeds, and at which steps, there is time to draw pictures.

    These are the last checkpoints, two at least, else none. Whole models keep their last one
    alone, several concepts have photos that differ, and a run that is to go on ends at its last.
    """
    steps = list_rounds(recipe)
    passes = recipe.scoring_share * count_passes(recipe, previews)
    pictures = int(passes / SCORED_PASSES)
    checkpoints = min(len(steps), pictures // MIN_SEEDS)
    compared = recipe.rank and previews.prompts and not recipe.other_concepts
    if not compared or recipe.stop_after or checkpoints < 2:
        return 0, set()
    return min(MAX_SEEDS, pictures // checkpoints), set(steps[-checkpoints:])


def count_passes(recipe: Recipe, previews: Previews) -> int:
    """Count the passes of a whole run, with the pictures that it shows."""
    pictures = previews.count_pictures(1 + len(list_rounds(recipe)))
    return recipe.last_step * recipe.batch_size * STEP_PASSES + pictures * SHOWN_PASSES


class CheckpointJudge:
    """Scores the checkpoints of one run; its scores lie beside them for another attempt."""

    def __init__(self, recipe: Recipe, previews: Previews) -> None:
        self.recipe, self.previews, self.folder = recipe, previews, previews.folder
        self.seeds, self.steps = plan_scoring(recipe, previews)
        self.scores = read_scores(self.scores_file) if self.steps else {}

    @property
    def scores_file(self) -> Path:
        """Where the scores lie."""
        return self.folder.kept / "scores.json"

    @cached_property
    def judge(self) -> StyleJudge:
        """What knows the photos, and what the base draws without the style."""
        recipe, device = self.recipe, self.previews.bases.device
        first = {photo.file: photo for photo in reversed(recipe.photos)}  # on one background
        compared = [*first.values()][-MAX_PHOTOS:]
        photos = self.previews.crop_photos(compared)
        shown = enumerate(self.previews.prompts)
        pairs = [(self.folder.preview(0, at), each.text) for at, each in shown]
        before = [Drawn(read_picture(path), text) for path, text in pairs if path.exists()]
        kept_out = recipe.validation_photos  # one alone says little
        held_out = self.previews.crop_photos(kept_out) if len(kept_out) > 1 else ()
        captions = [photo.caption for photo in compared]
        taught = Taught(photos, held_out, words=(recipe.trigger,), captions=captions)
        return StyleJudge(FeatureNet.load(device), taught, before)

    def score(self, step: int, final_weights: Weights) -> None:
        """Score the weights of a step that is to be, unless an earlier attempt has."""
        if step not in self.steps or step in self.scores:
            return
        with self.previews.timer.timing("scoring", 1):
            self.scores[step] = self.grade(self.draw(final_weights))
        write_json(self.scores_file, {at: asdict(each) for at, each in self.scores.items()})

    def draw(self, final_weights: Weights) -> list[Drawn]:
        """Draw a picture from each seed."""
        tries = list_tries(self.recipe, self.seeds)
        pictures = self.previews.draw_images(tries, final_weights, SCORING_STEPS)
        pairs = zip(pictures, tries, strict=True)
        return [Drawn(picture, each.text, each.seed) for picture, each in pairs]

    def grade(self, drawn: Sequence[Drawn]) -> Score:
        """Return the score of such pictures."""
        return self.judge.judge(drawn).score

    def has_peaked(self, step: int) -> bool:
        """Return whether the last checkpoints until a step were no better than one before."""
        return has_peaked(self.list_scores(step), self.recipe.patience)

    def choose(self, last: int) -> CheckpointChosen | None:
        """Return the choice between the scored checkpoints and the last; None without scores.

        One that a full disk did not take cannot be chosen.
        """
        stopped = last < self.recipe.steps and self.has_peaked(last)
        folder, known = self.folder.checkpoints, self.list_scores(last).items()
        scores = {at: it for at, it in known if at == last or path_of_step(folder, at).exists()}
        return choose(scores, last, stopped=stopped) if last in scores else None

    def list_scores(self, last: int) -> dict[int, Score]:
        """Return the scores until a step; an attempt that died may have come further."""
        return {step: score for step, score in self.scores.items() if step <= last}


def list_tries(recipe: Recipe, seeds: int) -> list[SamplePrompt]:
    """List the prompts in turn, each from another seed; the first as the previews draw it."""
    prompts = recipe.prompts
    turns = [(at, prompts[at % len(prompts)]) for at in range(seeds)]
    return [replace(prompt, seed=prompt.seed + len(prompts) * at) for at, prompt in turns]


def has_peaked(scores: Mapping[int, Score], patience: int) -> bool:
    """Return whether so many checkpoints came after the peak; never with a patience of 0."""
    peak = find_peak(scores)
    return bool(patience) and sum(step > peak for step in scores) >= patience


def choose(scores: Mapping[int, Score], last: int, *, stopped: bool) -> CheckpointChosen:
    """Return the best checkpoint where it is clearly better than the last, else the last.

    Of a run that was stopped, the best is the peak that it was stopped for.
    """
    steps, best = sorted(scores), find_peak(scores) if stopped else find_best(scores)
    better = scores[best].mean > scores[last].mean and scores[best].differs_from(scores[last])
    return CheckpointChosen(
        best if better else last,
        last,
        best,
        tuple(steps),
        tuple(scores[step].mean for step in steps),
        tuple(scores[step].spread for step in steps),
        stopped,
    )


def find_peak(scores: Mapping[int, Score]) -> int:
    """Return the last step whose score was higher by MIN_GAIN than all before; 0 without any."""
    peak, height = 0, -1.0
    for step, score in sorted(scores.items()):
        if score.mean > height + MIN_GAIN:
            peak, height = step, score.mean
    return peak


def find_best(scores: Mapping[int, Score]) -> int:
    """Return the first step with the highest score; 0 without any."""
    return max(sorted(scores), key=lambda step: scores[step].mean, default=0)


def read_scores(file: Path) -> dict[int, Score]:
    """Return the scores of an earlier attempt, by the step."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        stored = json.loads(file.read_bytes()).items()
        return {int(step): read_score(score) for step, score in stored}
    return {}


def read_picture(path: Path) -> Image.Image:
    """Read a preview."""
    with Image.open(path) as opened:
        return opened.convert("RGB")
