"""The judge recognises both parts of a combination where they are, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch.nn import functional

from training.pretraining import judge, scenes
from training.pretraining.combinations import (
    COUNT,
    CombinationJudge,
    choose_combinations,
    compose_truth,
)
from training.pretraining.names import BASE_STYLES, EVERYDAY
from training.pretraining.score import to_picture

JUDGE = Path(__file__).parents[3] / "benchmarks" / "judge"


@pytest.fixture(scope="module")
def pictures() -> scenes.Pictures:
    """Return an invented picture for every name: random patches within a disc."""
    generator = torch.Generator().manual_seed(1)
    axis = torch.linspace(-1, 1, 64)
    disc = (axis[:, None] ** 2 + axis[None] ** 2 < 0.9).float() * 255
    found = {}
    for name in EVERYDAY:
        patches = torch.rand(1, 3, 5, 5, generator=generator) * 255
        pixels = functional.interpolate(patches, (64, 64), mode="nearest")[0]
        rgba = torch.cat([pixels, disc[None]]).byte()
        found |= {(name, style): rgba for style in BASE_STYLES}
    return found


def test_combinations() -> None:
    """Combinations were never composed in training, use every style, and are always the same."""
    colours, pairs = choose_combinations()

    assert len(colours) == len(pairs) == COUNT
    assert all(scenes.is_held_out(each.first, each.second) for each in (*colours, *pairs))
    assert {each.style for each in colours} == set(BASE_STYLES)
    assert (colours, pairs) == choose_combinations()


@pytest.mark.slow(4)
@pytest.mark.parametrize("kind", [0, 1])
def test_share(pictures: scenes.Pictures, kind: int) -> None:
    """The true pictures are recognised; other combinations and empty pictures are not."""
    combinations = choose_combinations()[kind]
    combination_judge = CombinationJudge(judge.load_judge(JUDGE), pictures)
    real = [to_picture(picture) for picture in compose_truth(pictures, combinations)]
    empty = [Image.new("RGB", (64, 64), "white")] * COUNT

    assert combination_judge.measure_share(real, combinations) >= 0.9
    assert combination_judge.measure_share(real[4:] + real[:4], combinations) <= 0.2
    assert combination_judge.measure_share(empty, combinations) <= 0.2
