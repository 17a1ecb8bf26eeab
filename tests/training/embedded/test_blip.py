"""The captioner names styles, grounds and things."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

from training.embedded import folder
from training.embedded.blip import Lesson, examined, recoloured
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


@pytest.fixture
def lesson(tmp_path):
    """Prepare a lesson from four invented pictures."""
    rgba = torch.randint(256, (4, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names, styles = ["bell", "cat", "panda", "red-apple"], ["flat", "noto", "ink", "blob"]
    pictures = {"names": names, "styles": styles, "rgba": rgba.byte()}
    torch.save(pictures, tmp_path / "pictures.pt")
    return Lesson(tmp_path)


def test_a_lesson_ends_with_whole_pictures(lesson):
    """In the end it looks as the finished captioner will; before, at half of the patches."""
    pixels = torch.randn(2, 3, 64, 64)
    lesson.networks.eval()

    early, late = (lesson.glimpse(pixels, torch.Generator(), at) for at in (0, lesson.steps - 1))

    assert early.shape[1] == 1 + 32
    assert torch.equal(late, lesson.networks.vision_model(pixels).last_hidden_state)


def test_a_lesson_learns(lesson):
    """A few steps on the same draws lower the loss."""
    optimizer = torch.optim.AdamW(lesson.networks.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = lesson.loss(torch.Generator().manual_seed(1), 0)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.2


def test_colours_are_swapped_where_names_do_not_speak_of_them(lesson):
    """Shapes stay, and so do red apples; of other things many change their colours."""
    names = ["cat", "red-apple"] * 20
    given = lesson.rgba[:2].repeat(20, 1, 1, 1)

    changed = recoloured(given, names, torch.Generator().manual_seed(1))

    same = (changed == given).flatten(1).all(1)
    assert torch.equal(changed[:, 3], given[:, 3])
    assert same[1::2].all()
    assert 4 <= (~same[::2]).sum() <= 16
