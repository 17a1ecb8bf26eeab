"""The captioner names styles, grounds and things."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

from training.embedded import folder
from training.embedded.blip import examined
from training.embedded.names import BASE_STYLES, EVERYDAY

PICTURES = Path(__file__).parents[3] / "benchmarks" / "pictures"


@pytest.fixture(scope="module")
def describe():
    """Load the captioner from its folder alone."""
    torch.set_num_threads(1)
    processor = BlipProcessor.from_pretrained(folder("blip"))
    model = BlipForConditionalGeneration.from_pretrained(folder("blip")).eval()

    def say(paths):
        images = [Image.open(path).convert("RGB") for path in paths]
        pixels = processor(images=images, return_tensors="pt").pixel_values
        tokens = model.generate(pixel_values=pixels, max_new_tokens=24)
        return processor.batch_decode(tokens, skip_special_tokens=True)

    return say


def test_it_describes_pictures(describe):
    """Captions have the form the base was trained on, with the right style and ground."""
    captions = describe(sorted((PICTURES / "ink" / "teach").glob("*.png"))[:8])

    assert sum("emoji, ink style, on a white background" in text for text in captions) >= 6


def test_it_names_things(describe):
    """It names things of every base style far above chance, one in 1,200."""
    paths = sorted((PICTURES / "panda").glob("*.png"))
    named = ["panda" in text for text in describe(paths)]

    assert sum(named) >= len(named) // 4


def test_examined_pictures_are_kept_apart():
    """A quarter of the everyday names has one base style that is never trained on."""
    kept = [(name, style) for name in EVERYDAY for style in BASE_STYLES if examined(name, style)]

    assert len({name for name, _ in kept}) == len(kept) == -(-len(EVERYDAY) // 4)
