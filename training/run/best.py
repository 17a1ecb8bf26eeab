"""The best of several pictures of one prompt, as the embedded captioner sees them."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image
from torch.nn.functional import cosine_similarity

from storage.planning.prompts import MIN_RESULT_STEPS
from storage.records import Base
from training.bases.cache import BaseCache
from training.recipe.recipe import Recipe

CANDIDATES = 3  #: drawn for each prompt; half a second each on one thread
CAPTIONER = "embedded"


def count_candidates(recipe: Recipe, base: Base) -> int:
    """Return how many pictures to draw for each prompt.

    On other bases drawing is slow, and a captioner may not be there; of a short run it would take
    a large part. Several concepts have photos that differ.
    """
    choosing = base.small and recipe.steps >= MIN_RESULT_STEPS and not recipe.other_concepts
    return CANDIDATES if choosing else 1


def choose_best(
    tries: Sequence[Sequence[Image.Image]], photos: Sequence[Image.Image], bases: BaseCache
) -> list[int]:
    """Return which picture of each prompt is most like the photos to the captioner.

    Its features are compared place by place with the mean of the photos'. By them it captions; the
    words themselves tell less, as it knows none for what a member has taught.
    """
    with bases.borrow_captioner(CAPTIONER) as captioner:
        taught = captioner.extract_features(photos).mean(0, keepdim=True)
        likeness = [
            cosine_similarity(captioner.extract_features(each), taught, dim=-1).mean(-1)
            for each in tries
        ]
    return [int(each.argmax()) for each in likeness]
