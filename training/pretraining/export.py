"""Stage `export`: write the finished models as fp16 folders with their checksums."""

# ruff: noqa: T201  # a stage prints what it measured

from __future__ import annotations

import json
import shutil
from functools import partial
from typing import TYPE_CHECKING

import torch
from diffusers import StableDiffusionPipeline
from transformers import BlipImageProcessorPil, BlipProcessor

from training.embedded import SUMS, WEIGHTS, hash_file
from training.pretraining.layout import (
    make_autoencoder,
    make_captioner,
    make_scheduler,
    make_text_encoder,
    make_unet,
)
from training.pretraining.names import EVERYDAY, to_words
from training.pretraining.tokenizers import (
    BEGIN,
    END,
    FOLDER,
    load_prompt_tokenizer,
    make_caption_tokenizer,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import nn


def run(work: Path, weights: Path = WEIGHTS) -> None:
    """Write the parts trained here; keep other shipped parts, and fill missing ones with noise."""
    torch.manual_seed(0)
    for part, last, fill in (
        ("diffusion", "vae", write_pipeline),
        ("blip", "blip", write_captioner),
    ):
        if (weights / part).exists() and not (work / f"{last}.ckpt").exists():
            print(f"{part}: not trained here, kept as it is")
        else:
            replace_folder(weights / part, partial(fill, work))
    write_words(weights.with_name("words.json"))
    files = write_sums(weights)
    print(f"{len(files)} files, {sum(p.stat().st_size for p in files):,} bytes")


def write_sums(weights: Path = WEIGHTS) -> list[Path]:
    """Write the checksums of all shipped files, and return those files."""
    files = sorted(p for p in weights.rglob("*") if p.is_file() and p.name != SUMS)
    lines = [f"{hash_file(path)}  {path.relative_to(weights).as_posix()}\n" for path in files]
    (weights / SUMS).write_text("".join(lines), encoding="utf-8")
    return files


def write_words(file: Path) -> None:
    """Write the everyday names that the base learns to a JSON list, in the recipe's order."""
    words = [to_words(name) for name in EVERYDAY]
    file.write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")


def list_names(work: Path) -> list[str]:
    """Return every name in a fixed order, on which the tokenizers depend."""
    return sorted(set(torch.load(work / "pictures.pt", weights_only=True, mmap=True)["names"]))


def replace_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """Fill a new folder and put it in the place of the old one."""
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    fill(new)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def write_pipeline(work: Path, folder: Path) -> None:
    """Save the whole Stable Diffusion pipeline."""
    tokenizer = load_prompt_tokenizer(work)
    begin, end = tokenizer.convert_tokens_to_ids([BEGIN, END])
    vae, unet = make_autoencoder(), make_unet()
    text = make_text_encoder(len(tokenizer), begin, end)
    load_average(vae, work / "vae.ckpt", "")
    load_average(unet, work / "unet.ckpt", "unet.")
    load_average(text, work / "unet.ckpt", "text.")
    scale = work / "scale.pt"
    if scale.exists():
        vae.register_to_config(scaling_factor=float(torch.load(scale, weights_only=True)))
    StableDiffusionPipeline(
        vae=vae.half(),
        text_encoder=text.half(),
        tokenizer=tokenizer,
        unet=unet.half(),
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    shutil.copytree(work / FOLDER, folder / "tokenizer", dirs_exist_ok=True)  # byte for byte
    set_compute_dtype(folder / "text_encoder")


def write_captioner(work: Path, folder: Path) -> None:
    """Save the captioner with its processor."""
    tokenizer = make_caption_tokenizer(list_names(work))
    model = make_captioner(len(tokenizer))
    load_average(model, work / "blip.ckpt", "blip.")
    model.half().save_pretrained(folder)
    set_compute_dtype(folder)
    image_processor = BlipImageProcessorPil(size={"height": 64, "width": 64})
    BlipProcessor(image_processor, tokenizer).save_pretrained(folder)


def set_compute_dtype(folder: Path) -> None:
    """Set the config's dtype to fp32: CPUs compute fp16 files far faster in it."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["dtype"] = "float32"
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def load_average(network: nn.Module, checkpoint: Path, prefix: str) -> None:
    """Load the moving average of a checkpoint into a network."""
    if not checkpoint.exists():
        print(f"not trained yet: {checkpoint.name} {prefix}")
        return
    average = torch.load(checkpoint, weights_only=True, mmap=True, map_location="cpu")["average"]
    kept = {k.removeprefix(prefix): v for k, v in average.items() if k.startswith(prefix)}
    network.load_state_dict(kept)
