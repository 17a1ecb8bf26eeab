"""Sets whose worth is known are built from real pictures."""

from __future__ import annotations

from PIL import Image

from benchmarks.teaching.judgement import name_prompts
from training.judge.style_judge import list_seeds


def test_pictures_are_drawn_for_two_prompts_in_turn():
    """So that six of them are three seeds."""
    drawn = name_prompts([Image.new("RGB", (8, 8))] * 6)

    assert [each.prompt for each in drawn] == ["0", "1"] * 3
    assert list_seeds(drawn) == [[0, 1], [2, 3], [4, 5]]
