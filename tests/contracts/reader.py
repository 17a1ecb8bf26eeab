"""A fresh process that loads every file once more and paints with it: with diffusers, and with us.

With diffusers it is a stranger, that knows nothing of this project.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DDIMScheduler, DiffusionPipeline, ZImageTransformer2DModel
from safetensors.torch import load_file

SEED, STEPS, SIDE = 5, 4, 64
Order = dict[str, Any]


def opened(place: str) -> Any:
    """Open a base with diffusers."""
    pipeline = DiffusionPipeline.from_pretrained(place, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def prepared(pipeline: Any, order: Order) -> Any:
    """Load one style with diffusers' own loaders."""
    if order["whole"] and hasattr(pipeline, "transformer"):  # it comes alone
        transformer = ZImageTransformer2DModel.from_single_file(
            order["file"], config=order["place"], subfolder="transformer",
            local_files_only=True, torch_dtype=torch.float32,
        )  # fmt: skip
        return type(pipeline)(**{**pipeline.components, "transformer": transformer})
    if order["whole"]:  # a model of its own
        own = ("tokenizer", "tokenizer_2")
        return type(pipeline).from_single_file(
            order["file"], config=order["place"], local_files_only=True, dtype=torch.float32,
            **{name: getattr(pipeline, name) for name in own if hasattr(pipeline, name)},
        )  # fmt: skip
    if order["method"] == "embedding":
        learn(pipeline, order)
    else:
        pipeline.load_lora_weights(order["file"])
    return pipeline


def paint(base: Any, order: Order) -> None:
    """Paint a style's prompt."""
    pipeline = prepared(base, order)
    pipeline.set_progress_bar_config(disable=True)
    config = base.scheduler.config
    pipeline.scheduler = type(base.scheduler).from_config(config)
    if order["guided"].get("guidance_rescale"):
        pipeline.scheduler = DDIMScheduler.from_config(config, timestep_spacing="trailing")
    shape = (1, order["channels"], order["side"], order["side"])
    painted = pipeline(
        order["prompt"],
        negative_prompt="",
        latents=torch.randn(shape, generator=torch.Generator().manual_seed(SEED)),
        num_inference_steps=STEPS,
        **order["guided"],
        height=SIDE,
        width=SIDE,
        output_type="np",
    )
    np.save(order["stranger"], painted.images[0])
    if not order["whole"] and order["method"] != "embedding":
        pipeline.unload_lora_weights()


def learn(pipeline: Any, order: Order) -> None:
    """Teach a pipeline a word, each of its text encoders its own vectors."""
    content = load_file(order["file"])
    ends = {"emb_params": "", "clip_l": "", "clip_g": "_2"}
    for name, vectors in content.items():
        pipeline.load_textual_inversion(
            {name: vectors} if len(content) == 1 else vectors,
            token=order["trigger"],
            text_encoder=getattr(pipeline, f"text_encoder{ends[name]}"),
            tokenizer=getattr(pipeline, f"tokenizer{ends[name]}"),
        )


def wear(orders: list[Order]) -> None:
    """Wear every style as our sampler does and paint its prompt."""
    from training import methods  # noqa: PLC0415  # the stranger does not know them
    from training.bases.cache import BaseCache  # noqa: PLC0415
    from training.device import Device  # noqa: PLC0415
    from training.families import Picture  # noqa: PLC0415
    from training.styles import writer  # noqa: PLC0415  # the stranger does not know them

    bases = BaseCache(Path(orders[0]["home"]), Device.open(cpu=True))
    for order in orders:
        picture = Picture(order["prompt"], "", SEED, STEPS, SIDE, SIDE)
        method, tensors = methods.walk()[order["method"]], writer.read_tensors(Path(order["file"]))
        with bases.borrow(order["base"]) as family:
            method.check(family.networks, tensors)
            with method.apply(family.networks, tensors, order["trigger"], 1.0):
                np.save(order["fresh"], family.render_array(picture))  # type: ignore[attr-defined]


if __name__ == "__main__":
    torch.set_num_threads(1)
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    bases: dict[str, Any] = {}
    for each in sorted(given, key=lambda each: each["method"] == "embedding"):  # words stay
        if each["diffusers"]:
            where = each["place"]
            paint(bases.setdefault(where, bases.get(where) or opened(where)), each)
    wear(given)
