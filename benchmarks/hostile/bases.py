"""A hostile folder of bases: what an operator, or a half-finished copy, may leave there."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

from benchmarks.hostile.pictures import MUTATIONS
from benchmarks.hostile.weights import LORA, STRANGE, join, make_content, make_weights
from benchmarks.hostile.words import DEVICES, MARKDOWN, PATHS, SCRIPTS

CHECKPOINT = {
    f"model.diffusion_model.{name}": {"dtype": "F16", "shape": shape, "data_offsets": [0, 64]}
    for name, shape in (
        ("input_blocks.0.0.weight", [320, 4, 3, 3]),
        ("input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight", [320, 768]),
        ("middle_block.1.proj_in.weight", [1280, 1280]),
    )
}
BODY = bytes(64)  #: shared by the checkpoint's tensors, which is a lie of its own
PIPELINES = (
    "StableDiffusionPipeline",
    "StableDiffusionXLPipeline",
    "ZImagePipeline",
    "os.system",
    "",
)
DEEP = "[" * 50_000


def make_file(rng: random.Random, place: Path) -> None:
    """Write a file that may be taken for a checkpoint."""
    contents: list[Callable[[], bytes]] = [
        lambda: b"",
        lambda: b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        lambda: b"PK\x03\x04archive/data.pkl",
        lambda: b"GGUF\x03\0\0\0" + bytes(100),
        lambda: b"<!DOCTYPE html><title>404</title>",
        lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n",
        lambda: join(CHECKPOINT, BODY),
        lambda: rng.choice(MUTATIONS)(rng, join(CHECKPOINT, BODY)),
        lambda: join({**CHECKPOINT, "__metadata__": rng.choice(STRANGE)}, BODY),
        lambda: make_content(LORA),
        lambda: make_weights(rng),
    ]
    place.write_bytes(rng.choice(contents)())


def make_folder(rng: random.Random, place: Path) -> None:
    """Write a folder that may be taken for a diffusers pipeline."""
    place.mkdir()
    indexes = [
        "", "{", DEEP, "null", "[]", '"x"', "{}", '{"_class_name": 7}', "\ufeff{}", "NaN", '{"a":' * 9000,
        json.dumps({"_class_name": rng.choice(PIPELINES), "unet": rng.choice(STRANGE)}),
        json.dumps({"_class_name": rng.choice(PIPELINES), "unet": ["diffusers", "UNet2DConditionModel"]}),
        json.dumps({"_class_name": rng.choice(PIPELINES), "../../unet": ["os", "system"]}),
    ]  # fmt: skip
    (place / "model_index.json").write_text(rng.choice(indexes))
    for part in ("unet", "vae", "text_encoder", "../escape"):
        if rng.random() < 0.5 and ".." not in part:
            (place / part).mkdir()
            (place / part / "config.json").write_text(rng.choice(indexes))
            weights = rng.choice(
                ("diffusion_pytorch_model.safetensors", "pytorch_model.bin", "model.gguf")
            )
            make_file(rng, place / part / weights)
    (place / "config.json").write_text(
        rng.choice((*indexes, '{"model_type": "blip"}', '{"model_type": []}'))
    )


def make_strange(rng: random.Random, place: Path) -> None:
    """Leave something that is neither a file nor a folder of files."""
    kind = rng.randrange(5)
    if kind == 0:
        place.symlink_to(place)
    elif kind == 1:
        place.symlink_to("/nowhere/at/all")
    elif kind == 2:
        place.symlink_to("/dev/zero")
    elif kind == 3:
        os.mkfifo(place)
    else:
        place.mkdir()
        (place / "again").symlink_to(place)
        (place / "model_index.json").symlink_to("/dev/zero")


def fill_folder(rng: random.Random, folder: Path, count: int) -> list[str]:
    """Fill a folder with so many things, and return their names."""
    folder.mkdir(exist_ok=True)
    words = [
        w for w in (*PATHS, *DEVICES, *MARKDOWN, *SCRIPTS) if "/" not in w and w not in {".", ".."}
    ]
    for number in range(count):
        name = f"{number}{rng.choice(words)[:40]}"
        suffix = rng.choice(
            (".safetensors", ".safetensors", ".ckpt", ".gguf", ".part", ".toml", "")
        )
        make = rng.choice((make_file, make_file, make_folder, make_strange))
        make(rng, folder / f"{name}{suffix}")
    return sorted(place.name for place in folder.iterdir())
