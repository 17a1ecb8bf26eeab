"""Pictures from prompts are repeatable and bounded, and leave the base unchanged."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from storage.errors import JobError
from storage.events import Note, PictureDrawn
from storage.folders import JobFolder, write_json
from storage.photos.filmstrip import GAP, SIDE
from storage.planning.grid import lay_out_grid
from storage.requests import GridRequest, GridStyle
from training import methods
from training.sample import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage.events import Event
    from training.bases.cache import BaseCache
    from training.recipe.recipe import Recipe

    Told = Callable[[Iterator[Event]], list[Event]]

NEAREST = Image.Resampling.NEAREST
VECTORS = {"emb_params": torch.full((3, 192), 0.3)}
WORD = {"method": "embedding", "trigger": "mydog"}


def write_job(path: Path, style: dict[str, torch.Tensor] | None = None, **asked: Any) -> JobFolder:
    """Write a sample job."""
    folder = JobFolder(path)
    folder.path.mkdir(parents=True)
    request = {"base": "embedded", "prompt": "a mydog emoji", "steps": 2, "seed": 5} | asked
    write_json(folder.request_file, {"kind": "sample", "attempt": 1, "request": request})
    if style is not None:
        save_file(style, folder.path / "style.safetensors")
    return folder


def pixels(folder: JobFolder, at: int = 0) -> bytes:
    """Return a result picture's pixels."""
    with Image.open(folder.result / f"{at}.png") as picture:
        return picture.tobytes()


def test_pictures(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """Each picture follows from its own seed, however many are requested in one batch.

    Batches round differently: by a level of 255 here, where another seed differs strongly.
    """
    both, one = write_job(tmp_path / "2", count=2), write_job(tmp_path / "1", seed=6)

    events = run_task(sample(both, bases))
    run_task(sample(one, bases))

    assert [e.seed for e in events if isinstance(e, PictureDrawn)] == [5, 6]
    assert events[-1].kind == "done"
    near, far = (
        [abs(a - b) for a, b in zip(pixels(both, at), pixels(one), strict=True)] for at in (1, 0)
    )
    assert max(near) <= 1 < max(far)


def test_word(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """A learned word changes the pictures of prompts that contain it, and no others."""
    plain, said = write_job(tmp_path / "plain"), write_job(tmp_path / "said", VECTORS, **WORD)
    other = {"prompt": "a cat emoji"}
    without, unsaid = (
        write_job(tmp_path / "c", **other),
        write_job(tmp_path / "d", VECTORS, **WORD, **other),
    )

    for folder in (plain, said, without, unsaid):
        run_task(sample(folder, bases))

    assert pixels(plain) != pixels(said)
    assert pixels(without) == pixels(unsaid)


def test_strength(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """A LoRA of zero strength gives the base's picture; more strength changes more."""
    key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    style = {
        f"{key}.lora_down.weight": torch.ones(2, 192),
        f"{key}.lora_up.weight": torch.ones(192, 2),
    }
    bare = write_job(tmp_path / "bare")
    run_task(sample(bare, bases))
    found = []
    for strength in (0.0, 1.0):
        folder = write_job(tmp_path / str(strength), style, method="lora", strength=strength)
        run_task(sample(folder, bases))
        found.append(pixels(folder))

    assert found[0] == pixels(bare) != found[1]


def test_grid(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """A grid is one picture of all, each drawn as a sample would be; one too large is refused."""
    key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    lora = {
        f"{key}.lora_down.weight": torch.ones(2, 192),
        f"{key}.lora_up.weight": torch.ones(192, 2),
    }
    columns, cells = lay_out_grid(["none", "mine"], ["a mydog emoji", "a cat emoji"])
    styles = (GridStyle(0), GridStyle(7, method="lora"))
    asked = asdict(GridRequest("", "two", styles=styles, cells=cells, columns=columns))
    folder = write_job(tmp_path / "grid", **asked | {"base": "embedded", "seed": 5, "steps": 2})
    save_file(lora, folder.grid_style(1))
    alone = write_job(tmp_path / "alone")
    worn = write_job(tmp_path / "worn", lora, method="lora")
    many = write_job(tmp_path / "many", **asked | {"columns": 1, "cells": asked["cells"] * 2})

    events = run_task(sample(folder, bases))
    for each in (alone, worn):
        run_task(sample(each, bases))
    with pytest.raises(JobError, match="grid_large"):
        run_task(sample(many, bases))

    kinds = [event.kind for event in events]
    assert kinds == ["started", *["progress"] * 4, "picture", "done"]
    assert [path.name for path in folder.result.iterdir()] == ["0.png"]
    with Image.open(folder.result / "0.png") as grid:
        tiles = [
            grid.convert("RGB").crop((left, 0, left + SIDE, SIDE)).resize((64, 64), NEAREST)
            for left in (0, SIDE + GAP)
        ]
    assert [tile.tobytes() for tile in tiles] == [pixels(alone), pixels(worn)]


def test_while_training(
    bases: BaseCache, make_recipe: Callable[..., Recipe], run_task: Told, tmp_path: Path
) -> None:
    """A sample during a training is not affected by it, and does not affect it."""
    alone = write_job(tmp_path / "alone")
    run_task(sample(alone, bases))
    for name, method in methods.walk().items():
        with bases.borrow("embedded") as family:
            attached = method.attach(family.networks, make_recipe(name))
            for parameter in attached.parameters.values():
                parameter.data.fill_(0.05)
            before = [p.detach().clone() for p in attached.parameters.values()]
            state = torch.get_rng_state()
            served = write_job(tmp_path / name)
            run_task(sample(served, bases))
            after = list(attached.parameters.values())
            assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
            assert all(parameter.requires_grad and parameter.grad is None for parameter in after)
            attached.detach()

        assert pixels(served) == pixels(alone)
        assert torch.equal(torch.get_rng_state(), state)


def test_long_prompt(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """Words beyond the text encoder's limit are cut, and the card says which."""
    long = "a cat " * 36 + "a big red dog"
    events = run_task(sample(write_job(tmp_path / "long", prompt=long, negative=long), bases))

    notes = [event for event in events if isinstance(event, Note)]
    facts = {"tokens": 1, "words": "dog"}
    assert notes == [Note("negative_cut", facts), Note("prompt_cut", facts)]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"steps": -1}, "out_of_range"),
        ({"steps": 10**9}, "out_of_range"),
        ({"count": 5}, "out_of_range"),
        ({"seed": -1}, "out_of_range"),
        ({"strength": 9.0}, "out_of_range"),
        ({"size": 4096}, "out_of_range"),
        ({"prompt": "a" * 5000}, "prompt_long"),
        ({"base": "nowhere"}, "base_unknown"),
        ({"method": "magic"}, "method_unknown"),
        ({"method": "lora"}, "style_missing"),
    ],
)
def test_refused(
    bases: BaseCache, run_task: Told, tmp_path: Path, asked: dict[str, Any], code: str
) -> None:
    """Values out of bounds fail the job with their code."""
    with pytest.raises(JobError) as refused:
        run_task(sample(write_job(tmp_path / "job", **asked), bases))

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"safelight.recipe": '{"base": "sd15"}'}, "style_misfit"),
        ({"safelight.recipe": '{"base": "embedded"}'}, "style_broken"),
        ({}, "style_broken"),
    ],
)
def test_misfit(
    bases: BaseCache, run_task: Told, tmp_path: Path, told: dict[str, str], code: str
) -> None:
    """A style of another base family and a damaged style have different codes."""
    folder = write_job(tmp_path / "job", **WORD)
    save_file({"emb_params": torch.ones(2, 768)}, folder.path / "style.safetensors", told)

    with pytest.raises(JobError) as refused:
        run_task(sample(folder, bases))

    assert refused.value.code == code


def test_size(bases: BaseCache, run_task: Told, tmp_path: Path) -> None:
    """A size is rounded to the base's multiple."""
    own, asked = (
        write_job(tmp_path / "own", steps=1),
        write_job(tmp_path / "asked", size=100, steps=1),
    )

    for folder in (own, asked):
        run_task(sample(folder, bases))

    assert len(pixels(own)) == 64 * 64 * 3
    assert len(pixels(asked)) == 96 * 96 * 3


@pytest.mark.parametrize(
    ("layer", "width", "code", "made"),
    [
        (
            "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k",
            2048,
            "style_family",
            "SDXL",
        ),
        ("lora_unet_double_blocks_12_img_attn_qkv", 3072, "style_other", "FLUX.1"),
        ("lora_unet_mid_block_attentions_0_zork", 8, "style_strange", ""),
    ],
)
def test_other_families(  # noqa: PLR0917 - fixtures
    bases: BaseCache, run_task: Told, tmp_path: Path, layer: str, width: int, code: str, made: str
) -> None:
    """A file of another family is told to be made for that, never damaged."""
    style = {
        f"{layer}.lora_down.weight": torch.ones(2, width),
        f"{layer}.lora_up.weight": torch.ones(8, 2),
    }

    with pytest.raises(JobError) as refused:
        run_task(sample(write_job(tmp_path / "job", style, method="lora"), bases))

    assert (refused.value.code, refused.value.facts.get("made", "")) == (code, made)
