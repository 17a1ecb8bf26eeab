"""A stranger with diffusers: loads styles into fresh pipelines and paints; knows nothing of us."""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from diffusers import StableDiffusionPipeline


def paint(order: dict[str, str]) -> None:
    """Load one style with diffusers' own loader and paint its prompt."""
    if order["kind"] == "finetune":
        pipeline = StableDiffusionPipeline.from_single_file(
            order["file"], config=order["base"], local_files_only=True, dtype=torch.float32
        )
    else:
        pipeline = StableDiffusionPipeline.from_pretrained(order["base"], dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    if order["kind"] == "embedding":
        pipeline.load_textual_inversion(order["file"], token=order["trigger"])
    elif order["kind"] != "finetune":
        pipeline.load_lora_weights(order["file"])
    noise = torch.randn((1, 4, 16, 16), generator=torch.Generator().manual_seed(5))
    guidance = float(order["guidance"])
    painted = pipeline(
        order["prompt"],
        latents=noise,
        num_inference_steps=4,
        guidance_scale=guidance,
        output_type="np",
    )
    np.save(order["out"], painted.images[0])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for each in json.loads(sys.argv[1]):
        paint(each)
