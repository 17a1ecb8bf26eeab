"""Stage `scenes`: compose new pictures from the everyday ones, so that prompts combine.

Three kinds: a thing in another colour ("red pig"), two things side by side ("apple and a star"), a
thing small or big ("small cat"). One in five colours of a thing and one in five pairs are never
composed here: the stage `score` measures them as new combinations.
"""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from training.pretraining.backgrounds import plain_backgrounds, put_on
from training.pretraining.captions import choose_article
from training.pretraining.distributed import compute_device
from training.pretraining.export import load_average
from training.pretraining.layout import make_autoencoder
from training.pretraining.names import BASE_STYLES, EVERYDAY, to_words
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SIDE = 64
TINTS = ("grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown")
PAIRS, SIZES = 16_000, 2  # pairs in all; places of each small thing
Pictures = dict[tuple[str, str], torch.Tensor]  # (name, style) to RGBA (4, 64, 64), bytes


@dataclass(frozen=True, slots=True)
class Scene:
    """A composed picture and what it shows."""

    phrase: str  #: stands for the name in the caption
    style: str
    background: str
    rgba: torch.Tensor  # (4, 64, 64), bytes


def is_held_out(*parts: str) -> bool:
    """Return whether a combination is held out for the test; the order does not matter."""
    return zlib.crc32(" ".join(sorted(parts)).encode()) % 5 == 0


def names_colour(name: str) -> bool:
    """Return whether a name already contains a colour."""
    return bool(set(name.split("-")) & {*COLOURS, "tangerine"})


def join_names(first: str, second: str) -> str:
    """Return two names as one phrase."""
    return f"{to_words(first)} and {choose_article(second)} {to_words(second)}"


def recolour(rgba: torch.Tensor, colour: str) -> torch.Tensor:
    """Return a picture (4, 64, 64) in shades of a colour, from black to white by its luminance."""
    pixels, alpha = rgba[:3].float() / 255, rgba[3:].float() / 255
    light = (pixels * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(0, keepdim=True)
    mean = float((light * alpha).sum() / alpha.sum().clamp(min=1)) or 0.5
    light = light.clamp(1e-4, 1) ** (-0.7 / torch.tensor(min(0.97, mean)).log()).item()
    paint = torch.tensor(COLOURS[colour])[:, None, None] / 255
    dark, bright = paint * (2 * light), paint + (1 - paint) * (2 * light - 1)
    return torch.cat([torch.where(light < 0.5, dark, bright) * 255, rgba[3:].float()]).byte()


def place_on_canvas(rgba: torch.Tensor, size: int, left: int, top: int) -> torch.Tensor:
    """Return a picture without its empty border, `size` pixels at most, on a transparent canvas.

    Parts beyond the canvas are cut off.
    """
    rows, columns = (rgba[3] > 8).nonzero(as_tuple=True)
    cut = rgba[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].float()
    scale = size / max(cut.shape[1:])
    high, wide = (max(1, round(side * scale)) for side in cut.shape[1:])
    cut = torch.cat([cut[:3] * cut[3:] / 255, cut[3:]])  # no fringes from clear pixels
    small = functional.interpolate(cut[None], (high, wide), mode="bilinear", antialias=True)[0]
    small[:3] = small[:3] / (small[3:] / 255).clamp(min=1 / 255)
    left, top = left + (size - wide) // 2, top + (size - high) // 2
    canvas = torch.zeros(4, 3 * SIDE, 3 * SIDE)
    canvas[:, SIDE + top : SIDE + top + high, SIDE + left : SIDE + left + wide] = small
    return canvas[:, SIDE : 2 * SIDE, SIDE : 2 * SIDE].clamp(0, 255).round().byte()


def put_side_by_side(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return two pictures side by side in one."""
    left, right = place_on_canvas(first, 30, 1, 17), place_on_canvas(second, 30, 33, 17)
    return torch.where(left[3:] > 0, left, right)


def compose_scenes(
    pictures: Pictures, generator: torch.Generator
) -> tuple[list[Scene], list[Scene]]:
    """Return every scene of one thing and every scene of two, the same in every run."""
    alone = [
        scene
        for name in EVERYDAY
        for style in BASE_STYLES
        for scene in vary_thing(name, style, pictures[name, style], generator)
    ]
    pairs = []
    for _ in range(PAIRS):
        first, second, style = (
            draw_word(of, generator) for of in (EVERYDAY, EVERYDAY, BASE_STYLES)
        )
        background = draw_background(generator)
        if first != second and not is_held_out(first, second):
            pair = put_side_by_side(pictures[first, style], pictures[second, style])
            pairs.append(Scene(join_names(first, second), style, background, pair))
    return alone, pairs


def vary_thing(
    name: str, style: str, rgba: torch.Tensor, generator: torch.Generator
) -> Iterator[Scene]:
    """Yield scenes of one thing in other colours, small and big."""
    word = to_words(name)
    for tint in () if names_colour(name) else TINTS:
        background = draw_background(generator)
        if background != tint and not is_held_out(name, tint):
            yield Scene(f"{tint} {word}", style, background, recolour(rgba, tint))
    for _ in range(SIZES):
        left, top = (int(torch.randint(35, (1,), generator=generator)) for _ in "xy")
        small = place_on_canvas(rgba, 28, left, top)
        yield Scene(f"small {word}", style, draw_word(COLOURS, generator), small)
    yield Scene(
        f"big {word}", style, draw_word(COLOURS, generator), place_on_canvas(rgba, 76, -6, -6)
    )


def draw_word(words: Iterable[str], generator: torch.Generator) -> str:
    """Return one of some words."""
    of = tuple(words)
    return of[int(torch.randint(len(of), (1,), generator=generator))]


def draw_background(generator: torch.Generator) -> str:
    """Return a background colour, every second time white."""
    return draw_word((draw_word(COLOURS, generator), "white"), generator)


@torch.no_grad()
def run(work: Path) -> None:
    """Write `scenes.pt`: latents, phrases, styles and backgrounds, scenes of one thing first."""
    stored = torch.load(work / "pictures.pt", weights_only=True)
    pairs = zip(stored["names"], stored["styles"], strict=True)
    pictures: Pictures = dict(zip(pairs, stored["rgba"], strict=True))
    alone, two = compose_scenes(pictures, torch.Generator().manual_seed(11))
    scenes = alone + two
    vae = make_autoencoder().eval()
    load_average(vae, work / "vae.ckpt", "")
    vae.to(compute_device())
    scale = torch.load(work / "scale.pt", weights_only=True)
    latents = []
    for start in range(0, len(scenes), 64):
        part = scenes[start : start + 64]
        backgrounds = plain_backgrounds(
            torch.tensor([tuple(COLOURS).index(scene.background) for scene in part])
        )
        pixels = put_on(torch.stack([scene.rgba for scene in part]), backgrounds)
        latents.append(vae.encode(pixels.to(compute_device())).latent_dist.mean.cpu() * scale)
    content = {
        "latents": torch.cat(latents),
        "phrases": [scene.phrase for scene in scenes],
        "styles": [scene.style for scene in scenes],
        "grounds": [scene.background for scene in scenes],
        "alone": len(alone),
    }
    torch.save(content, work / "scenes.pt")
    print(f"{len(alone)} scenes of one thing, {len(two)} of two")
