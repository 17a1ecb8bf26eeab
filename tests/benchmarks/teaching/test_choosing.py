"""Trainings whose pictures are kept can be graded again, and lines are read back."""

from __future__ import annotations

import json

from PIL import Image

from benchmarks.teaching.choosing import (
    KEPT_SEEDS,
    cut_strip,
    list_scored_prompts,
    make_rows,
    make_spec,
    read_lines,
    save_strip,
)
from benchmarks.teaching.spec import make_recipe
from training.bases.cache import BaseCache
from training.judge.score import MIN_SEEDS


def test_pictures_are_kept_as_a_strip(tmp_path):
    """A strip has the pictures' very pixels in their order."""
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green", "blue")]

    save_strip(tmp_path / "drawn" / "a.png", pictures)

    kept = cut_strip(tmp_path / "drawn" / "a.png")
    assert [each.tobytes() for each in kept] == [each.tobytes() for each in pictures]


def test_kept_prompts_begin_with_those_that_are_scored():
    """Each prompt of the result has a seed more than is scored, all of them different."""
    recipe = make_recipe(BaseCache(None), make_spec("robot", 7))

    prompts = list_scored_prompts(recipe)

    assert KEPT_SEEDS > MIN_SEEDS
    assert prompts[: len(recipe.prompts)] == [(each.text, each.seed) for each in recipe.prompts]
    assert len({seed for _, seed in prompts}) == KEPT_SEEDS * len(recipe.prompts)


def test_lines_make_a_table(tmp_path):
    """Figures are of all concepts, of those tuned on, and of the others."""
    score = {"mean": 0.5, "spread": 0.1, "seeds": 3}
    checkpoints = [{"step": at, "score": score, "values": [0.5, 0.6]} for at in (10, 20)]
    file = tmp_path / "lines.jsonl"
    lines = [{"concept": name, "seed": 0, "checkpoints": checkpoints} for name in ("panda", "ink")]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")

    known = read_lines(file)
    rows = [row.what for row in make_rows(known.values())]

    assert [*known] == [("panda", 0), ("ink", 0)]
    assert [rows.count(f"**{title}**") for title in ("all", "tuned", "unseen")] == [1, 1, 1]
