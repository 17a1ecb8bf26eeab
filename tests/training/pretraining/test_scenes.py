"""Composed scenes: what they show, what their captions say, and what is held out."""

from __future__ import annotations

import pytest
import torch

from training.pretraining import scenes
from training.pretraining.names import BASE_STYLES, EVERYDAY, to_words
from training.recipe.backgrounds import COLOURS


@pytest.fixture(scope="module")
def thing() -> torch.Tensor:
    """Return a grey square of 32 pixels with a dark middle on a transparent background."""
    rgba = torch.zeros(4, 64, 64, dtype=torch.uint8)
    rgba[3, 16:48, 16:48] = 255
    rgba[:3, 16:48, 16:48] = 170
    rgba[:3, 28:36, 28:36] = 10
    return rgba


def test_held_out() -> None:
    """About one in five combinations is held out, whichever part is named first."""
    pairs = [(a, b) for a in EVERYDAY[:60] for b in EVERYDAY[:60] if a < b]
    held_out = [scenes.is_held_out(*pair) for pair in pairs]

    assert 0.15 < sum(held_out) / len(held_out) < 0.25
    assert held_out == [scenes.is_held_out(b, a) for a, b in pairs]


@pytest.mark.parametrize("tint", scenes.TINTS)
def test_recolour(thing: torch.Tensor, tint: str) -> None:
    """A recoloured thing is nearest to that colour, and keeps its shape and its dark parts."""
    painted = scenes.recolour(thing, tint)
    mean = painted[:3, 16:26, 16:48].float().mean((1, 2))
    distances = {name: (mean - torch.tensor(COLOURS[name])).norm() for name in scenes.TINTS}

    assert torch.equal(painted[3], thing[3])
    assert min(distances, key=lambda name: float(distances[name])) == tint
    assert painted[:3, 30:34, 30:34].float().mean() < mean.mean()


def test_place_on_canvas(thing: torch.Tensor) -> None:
    """A thing is cropped, scaled and placed; parts beyond the canvas are cut off."""
    small = scenes.place_on_canvas(thing, 20, 4, 30)
    rows, columns = (small[3] > 128).nonzero(as_tuple=True)

    assert (int(rows.min()), int(rows.max())) == (30, 49)
    assert (int(columns.min()), int(columns.max())) == (4, 23)
    assert (scenes.place_on_canvas(thing, 80, -8, -8)[3] == 255).all()


@pytest.mark.slow(10)
def test_compose_scenes(thing: torch.Tensor) -> None:
    """The scenes are the same every time, and none shows a held-out combination."""
    pictures = {(name, style): thing for name in EVERYDAY for style in BASE_STYLES}
    (alone, two), other = (
        scenes.compose_scenes(pictures, torch.Generator().manual_seed(11)) for _ in range(2)
    )
    found, again = alone + two, other[0] + other[1]
    assert all(" and " in scene.phrase for scene in two)
    assert not any(" and " in scene.phrase for scene in alone)
    captioned = {(scene.phrase, scene.style, scene.background) for scene in found}
    held_out = {
        f"{tint} {to_words(name)}"
        for name in EVERYDAY
        for tint in scenes.TINTS
        if scenes.is_held_out(name, tint)
    }
    pairs = {
        scenes.join_names(*pair)
        for pair in ((a, b) for a in EVERYDAY for b in EVERYDAY)
        if scenes.is_held_out(*pair)
    }

    assert [scene.phrase for scene in found] == [scene.phrase for scene in again]
    assert all(torch.equal(a.rgba, b.rgba) for a, b in zip(found, again, strict=True))
    assert {f"small {to_words(EVERYDAY[0])}", f"big {to_words(EVERYDAY[0])}"} <= {
        t[0] for t in captioned
    }
    assert not {phrase for phrase, _, _ in captioned} & (held_out | pairs)
