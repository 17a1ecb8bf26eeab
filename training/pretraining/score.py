"""Stage `score`: measure the shipped models and generate the grid of 24 prompts."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image

from training.captioners import blip
from training.device import Device
from training.embedded import WEIGHTS, find_folder
from training.families._stable import GUIDANCE_BY_RESOLUTION
from training.pretraining.backgrounds import plain_backgrounds, put_on
from training.pretraining.captions import full_caption
from training.pretraining.combinations import CombinationJudge, choose_combinations, compose_truth
from training.pretraining.judge import Judge, load_judge
from training.pretraining.judge_training import FOLDER
from training.pretraining.names import (
    BASE_STYLES,
    EVERYDAY,
    HELD_OUT_STYLES,
    HELD_OUT_SUBJECTS,
    to_words,
)
from training.pretraining.split import is_test_picture
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from diffusers import AutoencoderKL

    from training.pretraining.scenes import Pictures

_SHOWN = """
dog-face cat-face red-apple pizza rose automobile fox hamburger sunflower owl house
grinning-face crying-face pig-face mushroom cactus basketball key tiger-face butterfly
watermelon christmas-tree skull turtle
"""
GRID_NAMES = tuple(_SHOWN.split())
GRID = WEIGHTS.with_name("grid.png")
COMBINATIONS = GRID.with_name("combinations.png")
COLUMNS = 12  # new combinations in a row
SEEDS = (7, 8, 9)  # of the generated pictures; the grids show the first


def run(work: Path) -> None:
    """Measure everything and write it to `figures.json`."""
    stored = torch.load(work / "pictures.pt", weights_only=True)
    pairs = zip(stored["names"], stored["styles"], strict=True)
    pictures: Pictures = dict(zip(pairs, stored["rgba"], strict=True))
    pipe = StableDiffusionPipeline.from_pretrained(find_folder("diffusion"), safety_checker=None)
    pipe.set_progress_bar_config(disable=True)
    judge = load_judge(FOLDER)
    figures = {
        "vae": measure_autoencoder(pipe.vae, pictures),
        "prompts": measure_prompts(pipe, judge, pictures, work),
        "combinations": measure_combinations(pipe, judge, pictures, work),
        "blip": measure_captions(pictures),
        "seconds": measure_speed(pipe),
    }
    text = json.dumps(figures, indent=1)
    (work / "figures.json").write_text(text, encoding="utf-8")
    print(text)


def on_white(pictures: Pictures, keys: list[tuple[str, str]]) -> torch.Tensor:
    """Return pictures on white, (N, 3, 64, 64)."""
    return on_background(pictures, keys, "white")


def on_background(pictures: Pictures, keys: list[tuple[str, str]], colour: str) -> torch.Tensor:
    """Return pictures on a plain background, (N, 3, 64, 64)."""
    backgrounds = plain_backgrounds(torch.full((len(keys),), tuple(COLOURS).index(colour)))
    return put_on(torch.stack([pictures[k] for k in keys]), backgrounds)


@torch.no_grad()
def reconstruct(vae: AutoencoderKL, pixels: torch.Tensor) -> torch.Tensor:
    """Encode pictures with the autoencoder and decode them again."""
    parts = [vae.decode(vae.encode(p).latent_dist.mode()).sample for p in torch.split(pixels, 64)]
    return torch.cat(parts).clamp(-1, 1)


def measure_autoencoder(vae: AutoencoderKL, pictures: Pictures) -> dict[str, float]:
    """Return the autoencoder's mean PSNR, in dB, for each group of pictures."""
    groups = {
        "base styles": [k for k in pictures if k[1] in BASE_STYLES and k[0] in EVERYDAY],
        "held-out styles": [k for k in pictures if k[1] in HELD_OUT_STYLES and k[0] in EVERYDAY],
        "held-out subjects": [k for k in pictures if k[0] in HELD_OUT_SUBJECTS],
    }
    figures = {}
    for group, keys in groups.items():
        pixels = on_white(pictures, keys)
        error = ((pixels - reconstruct(vae, pixels)) / 2).square().mean((1, 2, 3))
        figures[group] = round(float((-10 * error.log10()).mean()), 2)
    return figures


def measure_prompts(
    pipe: StableDiffusionPipeline, judge: Judge, pictures: Pictures, work: Path
) -> dict[str, dict[str, float]]:
    """Generate 24 known prompts in each base style and rank the true pictures."""
    keys = [(n, s) for s in BASE_STYLES for n in GRID_NAMES]
    figures = {}
    for seed in SEEDS:
        drawn = [p for s in BASE_STYLES for p in draw_known_prompts(pipe, s, seed)]
        if seed == SEEDS[0]:
            save_grid(drawn, work)
        features = judge.extract_features(drawn)
        by_style = features.view(len(BASE_STYLES), len(GRID_NAMES), -1)
        shuffled = by_style.roll(7, 1).flatten(0, 1)  # same styles, other prompts
        figures[f"base, seed {seed}"] = summarize_ranks(judge, features, keys)
        figures[f"control (prompts shuffled), seed {seed}"] = summarize_ranks(
            judge, shuffled, keys
        )
    back = reconstruct(pipe.vae, on_white(pictures, keys))
    ceiling = judge.extract_features([to_picture(p) for p in back])
    return figures | {"ceiling (through the autoencoder)": summarize_ranks(judge, ceiling, keys)}


def measure_combinations(
    pipe: StableDiffusionPipeline, judge: Judge, pictures: Pictures, work: Path
) -> dict[str, float]:
    """Generate new combinations and return the shares in which both parts are recognised."""
    combination_judge = CombinationJudge(judge, pictures)
    figures, rows, with_truth = {}, [], []
    for kind, combinations in zip(("colours", "pairs"), choose_combinations(), strict=True):
        prompts = [combination.prompt for combination in combinations]
        truth = reconstruct(pipe.vae, compose_truth(pictures, combinations))
        back = [to_picture(p) for p in truth]
        figures[f"{kind}: ceiling"] = combination_judge.measure_share(back, combinations)
        for seed in SEEDS:
            drawn = draw_prompts(pipe, prompts, seed)
            shuffled = drawn[4:] + drawn[:4]
            named = f"{kind}, seed {seed}"
            figures[named] = combination_judge.measure_share(drawn, combinations)
            figures[f"{named}: control"] = combination_judge.measure_share(shuffled, combinations)
            if seed == SEEDS[0]:
                rows += [drawn[:COLUMNS], drawn[COLUMNS:]]
                with_truth += [drawn, back]
        print(f"{kind}: {', '.join(each.phrase for each in combinations)}")
    save_rows(rows, COMBINATIONS)
    save_rows(with_truth, work / "combinations.png")
    return figures


def save_rows(rows: list[list[Image.Image]], path: Path) -> None:
    """Save rows of pictures in one file."""
    whole = Image.new("RGB", (len(rows[0]) * 64, len(rows) * 64))
    for down, row in enumerate(rows):
        for right, picture in enumerate(row):
            whole.paste(picture, (64 * right, 64 * down))
    whole.save(path)


def draw_known_prompts(pipe: StableDiffusionPipeline, style: str, seed: int) -> list[Image.Image]:
    """Generate the known prompts in one style."""
    return draw_prompts(pipe, [full_caption(name, style, "white") for name in GRID_NAMES], seed)


def draw_prompts(
    pipe: StableDiffusionPipeline, prompts: list[str], seed: int
) -> list[Image.Image]:
    """Generate pictures of prompts from one seed."""
    generator = torch.Generator().manual_seed(seed)
    pictures: list[Image.Image] = pipe(
        prompts,
        num_inference_steps=20,
        guidance_scale=GUIDANCE_BY_RESOLUTION[64],
        generator=generator,
    ).images
    return pictures


def summarize_ranks(
    judge: Judge, features: torch.Tensor, keys: list[tuple[str, str]]
) -> dict[str, float]:
    """Return where the true pictures rank and how often the style is right."""
    ranks = [
        judge.rank_within_style(features[i : i + 1], n, s)[0] for i, (n, s) in enumerate(keys)
    ]
    styles = judge.classify_styles(features)
    return {
        "median rank": statistics.median(ranks),
        "top 1": round(sum(r == 1 for r in ranks) / len(ranks), 3),
        "top 5": round(sum(r <= 5 for r in ranks) / len(ranks), 3),
        "style": round(sum(s == k[1] for s, k in zip(styles, keys, strict=True)) / len(keys), 3),
    }


def to_picture(pixels: torch.Tensor) -> Image.Image:
    """Convert pixels (3, 64, 64) in -1..1 to a picture."""
    return Image.fromarray(((pixels + 1) * 127.5).round().byte().permute(1, 2, 0).numpy())


def save_grid(drawn: list[Image.Image], work: Path) -> None:
    """Save 24 prompts in one file, six of each style in turn."""
    sheet = Image.new("RGB", (8 * 68, 3 * 68), "white")
    for place in range(len(GRID_NAMES)):
        picture = drawn[(place % len(BASE_STYLES)) * len(GRID_NAMES) + place]
        sheet.paste(picture, (2 + 68 * (place % 8), 2 + 68 * (place // 8)))
    sheet.save(GRID)
    save_rows(
        [drawn[at : at + len(GRID_NAMES)] for at in range(0, len(drawn), len(GRID_NAMES))],
        work / "whole.png",
    )


@torch.no_grad()
def measure_captions(pictures: Pictures) -> dict[str, float]:
    """Return the shares of right names, keywords and styles in captions of unseen pictures.

    Fifty pictures are few, so they are also shown mirrored and on every background.
    """
    captioner = blip.load(find_folder("blip"), Device.open(cpu=True))

    def caption_pictures(pixels: torch.Tensor) -> list[str]:
        return [text for text, _ in captioner.write([to_picture(each) for each in pixels])]

    keys = [k for k in pictures if is_test_picture(*k)]
    seen = [k for k in pictures if k[0] in EVERYDAY and not is_test_picture(*k)][::9]
    figures: dict[str, float] = {}
    for group, chosen in (("unseen", keys), ("seen", seen)):
        texts = caption_pictures(on_white(pictures, chosen))
        figures[f"{group}: pictures"] = len(chosen)
        figures |= {
            f"{group}: {of}": part for of, part in grade_captions(texts, chosen, "white").items()
        }
    on_every_background = [
        grade_captions(caption_pictures(pixels), keys, colour)
        for colour in COLOURS
        for there in [on_background(pictures, keys, colour)]
        for pixels in (there, there.flip(-1))
    ]
    for of in on_every_background[0]:
        mean = statistics.mean(found[of] for found in on_every_background)
        figures[f"unseen, all grounds, mirrored: {of}"] = round(mean, 3)
    return figures


def grade_captions(texts: list[str], keys: list[tuple[str, str]], colour: str) -> dict[str, float]:
    """Return the shares of captions with the right name, a word of it, style and background."""
    names = [text.split(" emoji")[0].split(" ", 1)[-1] for text in texts]
    truth = list(zip(names, texts, keys, strict=True))
    return {
        "name": share([n == to_words(k[0]) for n, _, k in truth]),
        "a word of the name": share(
            [bool(set(n.split()) & (set(k[0].split("-")) - {"face"})) for n, _, k in truth]
        ),
        "style": share([f", {k[1]} style" in t for _, t, k in truth]),
        "ground": share([f"{colour} background" in t for _, t, _ in truth]),
    }


def share(hits: list[bool]) -> float:
    """Return the share of hits, rounded to three digits."""
    return round(sum(hits) / len(hits), 3)


def measure_speed(pipe: StableDiffusionPipeline) -> dict[str, float]:
    """Return the seconds per picture, of one picture and of a batch of eight."""
    figures = {}
    for count in (1, 8):
        started = time.monotonic()
        pipe(
            ["a dog face emoji, flat style"] * count,
            num_inference_steps=20,
            guidance_scale=GUIDANCE_BY_RESOLUTION[64],
        )
        figures[f"batch of {count}"] = round((time.monotonic() - started) / count, 2)
    return figures
