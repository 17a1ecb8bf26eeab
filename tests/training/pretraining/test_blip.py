"""The captioner names styles, backgrounds and things."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

from training.embedded import find_folder
from training.pretraining.blip import MEAN, STD, CaptionerTask, sampling_weights
from training.pretraining.captions import full_caption
from training.pretraining.layout import WIDTH
from training.pretraining.names import STYLES

PICTURES = Path(__file__).parents[3] / "benchmarks" / "pictures"


@pytest.fixture(scope="module")
def describe():
    """Load the captioner from its folder and return a function that captions image files."""
    torch.set_num_threads(1)
    processor = BlipProcessor.from_pretrained(find_folder("blip"))
    model = BlipForConditionalGeneration.from_pretrained(find_folder("blip")).eval()

    def caption_files(paths):
        images = [Image.open(path).convert("RGB") for path in paths]
        pixels = processor(images=images, return_tensors="pt").pixel_values
        tokens = model.generate(pixel_values=pixels, max_new_tokens=24)
        return processor.batch_decode(tokens, skip_special_tokens=True)

    return caption_files


def test_it_describes_pictures(describe):
    """Captions have the training captions' form, with the right style and background."""
    captions = describe(sorted((PICTURES / "ink" / "teach").glob("*.png"))[:8])

    assert sum("emoji, ink style, on a white background" in text for text in captions) >= 6


def test_it_names_things(describe):
    """It names things in every base style far above chance, which is one in 1,200."""
    paths = sorted((PICTURES / "panda").glob("*.png"))
    named = ["panda" in text for text in describe(paths)]

    assert sum(named) >= len(named) // 4


@pytest.fixture
def task(tmp_path):
    """Build the captioner's task from four invented pictures."""
    rgba = torch.randint(256, (4, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names, styles = ["bell", "cat", "panda", "red-apple"], ["flat", "noto", "ink", "blob"]
    pictures = {"names": names, "styles": styles, "rgba": rgba.byte()}
    torch.save(pictures, tmp_path / "pictures.pt")
    more = {"names": ["panda"], "styles": ["soft"], "rgba": 255 - rgba[:1].byte()}
    torch.save(more, tmp_path / "more.pt")
    torch.manual_seed(0)
    return CaptionerTask(tmp_path)


def test_mosaics_show_only_a_style(task):
    """Every tile has the style that the caption names; the caption's thing is random."""
    rgba = task.mosaics.rgba
    rgba[:, 3] = 255
    for number, value in enumerate((40, 90, 140, 190)):
        rgba[number, :3] = value
    kept = [STYLES.index(style) for _, style in task.pairs[: len(rgba)]]

    pixels, texts = task.draw_mosaics(24, torch.Generator().manual_seed(1))

    styles_in_captions = [next(s for s in STYLES if f", {s} style" in text) for text in texts]
    shown = {STYLES[style]: rgba[row, 0, 0, 0] for row, style in enumerate(kept)}
    for picture, style in zip(pixels, styles_in_captions, strict=True):
        if style in shown:
            assert (picture.mean() - (shown[style] / 127.5 - 1)).abs() < 0.05


def test_the_caption_loss_reaches_the_vision_tower_through_mosaics_only(task):
    """The tokens of pictures get no gradient from their captions; those of mosaics do."""
    whole = [full_caption("bell", "flat", "white"), full_caption("cat", "noto", "white")]
    tiles = [full_caption("cat", "ink", "red")] * 2
    seen = torch.randn(4, 65, WIDTH, requires_grad=True)
    task.batch_size = len(whole)

    task.caption_loss(
        seen, *task.make_labels(whole, tiles, torch.tensor([True, False]))
    ).backward()

    assert not seen.grad[:2].any()
    assert seen.grad[2:].any()


def test_styles_of_known_names_are_masked(task):
    """The caption loss of a known name leaves its style out."""
    task.networks.eval()
    seen = torch.randn(1, 65, WIDTH)

    def caption_loss(known):
        with torch.no_grad():
            texts = [full_caption("bell", "flat", "white")]
            return task.caption_loss(
                seen, *task.make_labels(texts, [], torch.tensor([known]))
            ).item()

    words = len(task.tokenizer(full_caption("bell", "flat", "white")).input_ids) - 1
    style = caption_loss(False) * words - caption_loss(True) * (words - 1)

    assert style == pytest.approx(math.log(len(task.tokenizer)), rel=0.2)


def test_known_names_teach_no_style(task):
    """Style is learnt only from other names, from mosaics, and from blends of other names."""
    task.known[:] = torch.tensor([name == "bell" for name, _ in task.pairs])
    generator = torch.Generator().manual_seed(1)

    _, learns_style, *_ = task.draw_batch(generator, 0)
    _, _, known = task.draw_pictures(generator.manual_seed(1))

    half = task.batch_size // 2
    assert learns_style[: task.batch_size].tolist() == (~known).tolist()
    assert learns_style[task.batch_size : -half].all()
    assert learns_style[-half:].tolist() == (~(known[:half] | known[half:])).tolist()


def test_sampling_weights():
    """Half of the pictures have known names; among the others all styles are equally frequent."""
    known = torch.tensor([True, True, False, False, False])

    weights = sampling_weights(known, ["flat", "ink", "flat", "flat", "blob"])

    assert torch.allclose(weights / weights.sum(), torch.tensor([0.25, 0.25, 0.125, 0.125, 0.25]))


def test_only_known_names_change_their_colours(task):
    """Known things are shown in other colours, too; pictures that teach style never are."""
    task.rgba[:] = torch.tensor([200, 90, 20, 255], dtype=torch.uint8)[:, None, None]
    task.known[:] = torch.tensor([name == "bell" for name, _ in task.pairs])
    task.batch_size = 64

    pixels, _, known = task.draw_pictures(torch.Generator().manual_seed(1))

    seen = (pixels.mean((2, 3)) + 1) * 127.5
    true = (seen - torch.tensor([200.0, 90.0, 20.0])).abs().amax(1) < 3
    assert true[~known].all()
    assert 0 < true[known].sum() < known.sum()


def test_encode_agrees_with_transformers(task):
    """The task's vision tokens equal those of transformers' own class."""
    task.networks.eval()
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1

    _, seen = task.networks.encode(pixels)

    normalized = ((pixels + 1) / 2 - MEAN) / STD
    assert torch.equal(seen, task.networks.blip.vision_model(normalized).last_hidden_state)


@pytest.mark.slow(3)
def test_the_loss_falls(task):
    """A few steps on the same batch lower the loss."""
    optimizer = torch.optim.AdamW(task.networks.parameters(), 1e-3)
    losses = []
    task.networks.eval()  # no dropout
    for _ in range(8):
        loss = task.loss(task.draw_batch(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.2
