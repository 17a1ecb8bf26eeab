"""Find how strongly a finished style is best applied, by what it draws at several strengths."""

from __future__ import annotations

from collections.abc import Sequence

from storage.events import StrengthScored
from training.judge.score import Score
from training.networks.networks import Attached, Scalable
from training.pictures import write_picture
from training.recipe.recipe import Recipe
from training.run.choosing import SCORED_PASSES, CheckpointJudge, count_passes
from training.run.previews import Previews, Weights

FULL = 1.0  #: the strength that a style is trained at
#: others to try, the most that there is time for
LADDERS = ((0.4, 0.6, 0.8, 1.2, 1.4), (0.4, 0.7, 1.4))


def list_strengths(recipe: Recipe, previews: Previews, seeds: int) -> tuple[float, ...]:
    """Return the strengths that there is time to try, beside full strength."""
    passes = recipe.strength_share * count_passes(recipe, previews)
    most = passes / (max(seeds, 1) * SCORED_PASSES)
    return next((each for each in LADDERS if len(each) <= most), ())


def score_strengths(
    judge: CheckpointJudge, step: int, attached: Attached, final_weights: Weights
) -> StrengthScored | None:
    """Score the style of a step at several strengths, and save a picture of each.

    Returns None without time for it, or where the method has no strength.
    """
    strengths = list_strengths(judge.recipe, judge.previews, judge.seeds)
    if not (strengths and step in judge.scores and isinstance(attached, Scalable)):
        return None
    scores, folder = {FULL: judge.scores[step]}, judge.folder
    for strength in strengths:
        with attached.scaled(strength):
            drawn = judge.draw(final_weights)
        scores[strength] = judge.grade(drawn)
        write_picture(folder.strength_picture(strength), drawn[0].picture)
    return describe(scores)


def describe(scores: dict[float, Score]) -> StrengthScored:
    """Return the event: another strength is best only where it is clearly better."""
    best = max(sorted(scores), key=lambda strength: scores[strength].mean)
    clear = scores[best].differs_from(scores[FULL])
    found: Sequence[float] = sorted(scores)
    return StrengthScored(
        best if clear else FULL,
        tuple(found),
        tuple(scores[each].mean for each in found),
        tuple(scores[each].spread for each in found),
    )
