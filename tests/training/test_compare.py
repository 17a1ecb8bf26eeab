"""Styles are compared on the same prompts and seeds, also across bases, and graded alike."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from storage.crops import MIDDLE
from storage.events import Progress
from storage.folders import JobFolder, write_json
from storage.photos.filmstrip import GAP, SIDE
from storage.planning.comparison import PROMPTS, Grading, count_pictures
from storage.records import Concept
from storage.requests import JudgedStyle, JudgeRequest
from tests.training.conftest import draw_photos
from training.bases.cache import BaseCache
from training.compare import compare, compare_scores
from training.device import Device
from training.judge.score import Grades, Score
from training.judge.style_judge import Judgement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage.events import Event

KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
#: a base of the same weights by another name; no captioner knows what it draws
ENTRY = """
[bases.{name}]
title = "{name}"
family = "sd1"
source = "embedded:diffusion"
resolution = 64
prediction = "v_prediction"
licence = "Apache-2.0"
good = "tests"
memory_mib = 150
"""
NAMES = ("first", "twin")


@pytest.mark.slow(5)
def test_two_bases(run_task: Callable[[Iterator[Event]], list[Event]], tmp_path: Path) -> None:
    """Every style draws on its own base and on the other's; equal ones cannot be told apart."""
    (tmp_path / "own.toml").write_text("".join(ENTRY.format(name=name) for name in NAMES))
    bases = BaseCache(tmp_path, Device.open(cpu=True), tmp_path / "own.toml")
    folder = JobFolder(tmp_path / "job")
    names = draw_photos(folder.photos, 3)
    styles = []
    for number, base in enumerate(NAMES):
        style = {
            f"{KEY}.lora_down.weight": torch.ones(2, 192),
            f"{KEY}.lora_up.weight": torch.ones(192, 2) * 0.1,
        }
        save_file(style, folder.grid_style(number))
        styles.append(JudgedStyle(number, 1, base, base, "lora", "sks"))
    photos = tuple({"file": name, "framing": MIDDLE.to_json()} for name in names)
    request = JudgeRequest(
        NAMES[0], "dog", "sks", Concept.SUBJECT, "dog", tuple(styles), photos=photos
    )
    write_json(folder.request_file, {"kind": "sample", "request": asdict(request)})

    events = run_task(compare(folder, bases, steps=1))

    assert [event.kind for event in events][-4:] == ["progress", "picture", "picture", "done"]
    drawn = [event for event in events if isinstance(event, Progress)][-1]
    assert drawn.step == drawn.steps == count_pictures(2, bases=2, crossings=2) == 52
    content = json.loads((folder.result / "grades.json").read_bytes())
    grades = [Grading.from_json(content["grades"][number]) for number in ("0", "1")]
    assert grades[0] == grades[1]
    assert grades[0].beats == ()
    pairs = [(each["trained"], each["drawn"]) for each in content["crossed"]]
    assert sorted(pairs) == [(0, 1), (1, 0)]
    assert content["bases"]["first"] == content["bases"]["twin"]
    assert content["bases"]["twin"]["variety"] > 0
    with Image.open(folder.result / "0.png") as grid:
        assert grid.width == PROMPTS * (SIDE + GAP) - GAP
    assert sorted(path.name for path in folder.result.iterdir()) == (
        ["0.png", "1.png", "grades.json"]
    )


def test_who_is_better() -> None:
    """An entry beats those from which its score differs, and no other."""

    def judged(mean: float) -> Judgement:
        grades = Grades(mean, 1.0)
        return Judgement(Score(mean, 0.05, 3), grades, (grades,) * 3, ())

    found = compare_scores({0: judged(0.3), 1: judged(0.6), 2: judged(0.55)})

    assert {number: each.beats for number, each in found.items()} == {0: (), 1: (0,), 2: (0,)}
