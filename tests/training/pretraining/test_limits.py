"""The least score is the one that keeps nearly all right captions."""

from __future__ import annotations

from training.captioners.blip import LIMITS_FILE, read_limits
from training.embedded import find_folder
from training.pretraining.limits import choose_min_score


def test_the_least_score_costs_one_right_caption_in_a_hundred():
    """Wrong captions below it are free, right ones may be a hundredth of all."""
    found = [(-0.01 * at, at not in (150, 170)) for at in range(200)]

    least = choose_min_score(found)

    lost = [is_right for score, is_right in found if score < least]
    assert lost == [True, True]
    assert least == -1.97


def test_the_shipped_captioner_has_limits():
    """They lie beside its weights, and are read when it is loaded."""
    assert (find_folder("blip") / LIMITS_FILE).is_file()
    limits = read_limits(find_folder("blip"))
    assert limits is not None
    assert limits.min_score < 0
