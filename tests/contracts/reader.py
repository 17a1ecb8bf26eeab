"""A fresh process that loads every file and renders with it: by diffusers, and by our sampler.

The diffusers part imports nothing of this project.
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

SEED, STEPS, SIDE = 5, 2, 64
Request = dict[str, Any]


def open_base(place: str) -> Any:
    """Open a base with diffusers."""
    pipeline = DiffusionPipeline.from_pretrained(place, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def load_style(pipeline: Any, request: Request) -> Any:
    """Load a style with diffusers' own loaders and return the pipeline."""
    if request["whole"] and hasattr(pipeline, "transformer"):  # the file has only the transformer
        transformer = ZImageTransformer2DModel.from_single_file(
            request["file"], config=request["place"], subfolder="transformer",
            local_files_only=True, torch_dtype=torch.float32,
        )  # fmt: skip
        return type(pipeline)(**{**pipeline.components, "transformer": transformer})
    if request["whole"]:  # the file is a whole model
        own = ("tokenizer", "tokenizer_2")
        return type(pipeline).from_single_file(
            request["file"], config=request["place"], local_files_only=True, dtype=torch.float32,
            **{name: getattr(pipeline, name) for name in own if hasattr(pipeline, name)},
        )  # fmt: skip
    if request["method"] == "embedding":
        load_embedding(pipeline, request)
    else:
        pipeline.load_lora_weights(request["file"])
    return pipeline


def render_with_diffusers(base: Any, request: Request) -> None:
    """Render a style's prompt with diffusers."""
    pipeline = load_style(base, request)
    pipeline.set_progress_bar_config(disable=True)
    config = base.scheduler.config
    pipeline.scheduler = type(base.scheduler).from_config(config)
    if request["guided"].get("guidance_rescale"):
        pipeline.scheduler = DDIMScheduler.from_config(config, timestep_spacing="trailing")
    shape = (1, request["channels"], request["side"], request["side"])
    rendered = pipeline(
        request["prompt"],
        negative_prompt="",
        latents=torch.randn(shape, generator=torch.Generator().manual_seed(SEED)),
        num_inference_steps=STEPS,
        **request["guided"],
        height=SIDE,
        width=SIDE,
        output_type="np",
    )
    np.save(request["by_diffusers"], rendered.images[0])
    if not request["whole"] and request["method"] != "embedding":
        pipeline.unload_lora_weights()


def load_embedding(pipeline: Any, request: Request) -> None:
    """Load an embedding into a pipeline, each text encoder its own vectors."""
    content = load_file(request["file"])
    ends = {"emb_params": "", "clip_l": "", "clip_g": "_2"}
    for name, vectors in content.items():
        pipeline.load_textual_inversion(
            {name: vectors} if len(content) == 1 else vectors,
            token=request["trigger"],
            text_encoder=getattr(pipeline, f"text_encoder{ends[name]}"),
            tokenizer=getattr(pipeline, f"tokenizer{ends[name]}"),
        )


def render_with_sampler(requests: list[Request]) -> None:
    """Apply every style as our sampler does and render its prompt."""
    from training import methods  # noqa: PLC0415  # diffusers' part must not import them
    from training.bases.cache import BaseCache  # noqa: PLC0415
    from training.device import Device  # noqa: PLC0415
    from training.families import Picture  # noqa: PLC0415
    from training.styles import foreign, header, writer  # noqa: PLC0415

    bases = BaseCache(Path(requests[0]["home"]), Device.open(cpu=True))
    for request in requests:
        picture = Picture(request["prompt"], "", SEED, STEPS, SIDE, SIDE)
        method = methods.walk()[request["method"]]
        content = writer.read_tensors(Path(request["file"]))
        with bases.borrow(request["base"]) as family:
            adapter = not header.is_whole_model(content)
            tensors = foreign.translate(content, family.networks) if adapter else content
            method.check(family.networks, tensors)
            with method.apply(family.networks, tensors, request["trigger"], 1.0):
                np.save(request["by_sampler"], family.render_array(picture))  # type: ignore[attr-defined]


if __name__ == "__main__":
    torch.set_num_threads(1)
    requests_read = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    bases: dict[str, Any] = {}
    # embeddings cannot be unloaded, so they come last
    for each in sorted(requests_read, key=lambda each: each["method"] == "embedding"):
        if each["diffusers"]:
            where = each["place"]
            render_with_diffusers(
                bases.setdefault(where, bases.get(where) or open_base(where)), each
            )
    render_with_sampler(requests_read)
