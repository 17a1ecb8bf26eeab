"""The captioner names styles, grounds and things."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import BlipForConditionalGeneration, BlipProcessor

from training.embedded import find_folder
from training.pretraining.blip import MEAN, SPREAD, CaptionerTask, sampling_weights
from training.pretraining.captions import full_caption
from training.pretraining.layout import WIDTH
from training.pretraining.names import STYLES

PICTURES = Path(__file__).parents[3] / "benchmarks" / "pictures"


@pytest.fixture(scope="module")
def describe():
    """Load the captioner from its folder alone."""
    torch.set_num_threads(1)
    processor = BlipProcessor.from_pretrained(find_folder("blip"))
    model = BlipForConditionalGeneration.from_pretrained(find_folder("blip")).eval()

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


@pytest.fixture
def lesson(tmp_path):
    """Prepare a lesson from four invented pictures."""
    rgba = torch.randint(256, (4, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names, styles = ["bell", "cat", "panda", "red-apple"], ["flat", "noto", "ink", "blob"]
    pictures = {"names": names, "styles": styles, "rgba": rgba.byte()}
    torch.save(pictures, tmp_path / "pictures.pt")
    torch.manual_seed(0)
    return CaptionerTask(tmp_path)


def test_mosaics_show_a_style_alone(lesson):
    """Every tile is of the style that is told, and the name of none that is shown."""
    lesson.rgba[:, 3] = 255  # what the mosaics are laid of
    for number, value in enumerate((40, 90, 140, 190)):
        lesson.rgba[number, :3] = value
    kept = [STYLES.index(style) for _, style in lesson.pairs]

    pixels, texts = lesson.draw_mosaics(24, torch.Generator().manual_seed(1))

    told = [next(s for s in STYLES if f", {s} style" in text) for text in texts]
    shown = {STYLES[style]: lesson.rgba[row, 0, 0, 0] for row, style in enumerate(kept)}
    for picture, style in zip(pixels, told, strict=True):
        if style in shown:
            assert (picture.mean() - (shown[style] / 127.5 - 1)).abs() < 0.05


def test_only_mosaics_change_what_is_seen(lesson):
    """Pictures teach to read, mosaics to see, too; what they show is not asked for."""
    whole = [full_caption("bell", "flat", "white"), full_caption("cat", "noto", "white")]
    tiles = [full_caption("cat", "ink", "red")] * 2
    seen = torch.randn(4, 65, WIDTH, requires_grad=True)
    lesson.batch_size = len(whole)

    lesson.caption_loss(
        seen, *lesson.make_labels(whole, tiles, torch.tensor([True, False]))
    ).backward()

    assert not seen.grad[:2].any()
    assert seen.grad[2:].any()


def test_styles_of_known_things_are_not_asked_for(lesson):
    """Where a name lacks one style, what it is would tell which style it is not."""
    lesson.networks.eval()
    seen = torch.randn(1, 65, WIDTH)

    def asked(known):
        with torch.no_grad():
            texts = [full_caption("bell", "flat", "white")]
            return lesson.caption_loss(
                seen, *lesson.make_labels(texts, [], torch.tensor([known]))
            ).item()

    words = len(lesson.tokenizer(full_caption("bell", "flat", "white")).input_ids) - 1
    style = asked(False) * words - asked(True) * (words - 1)

    assert style == pytest.approx(math.log(len(lesson.tokenizer)), rel=0.2)


def test_known_names_teach_no_looks(lesson):
    """Looks are learnt from pictures of other names, from mosaics, and blends of others alone."""
    lesson.known[:] = torch.tensor([name == "bell" for name, _ in lesson.pairs])
    generator = torch.Generator().manual_seed(1)

    _, looks, *_ = lesson.draw_batch(generator, 0)
    _, _, known = lesson.draw_pictures(generator.manual_seed(1))

    half = lesson.batch_size // 2
    assert looks[: lesson.batch_size].tolist() == (~known).tolist()
    assert looks[lesson.batch_size : -half].all()
    assert looks[-half:].tolist() == (~(known[:half] | known[half:])).tolist()


def test_half_is_known_and_styles_are_alike():
    """Half of the pictures are of known names; of the others each style is as frequent."""
    known = torch.tensor([True, True, False, False, False])

    often = sampling_weights(known, ["flat", "ink", "flat", "flat", "blob"])

    assert torch.allclose(often / often.sum(), torch.tensor([0.25, 0.25, 0.125, 0.125, 0.25]))


def test_looks_keep_their_colours(lesson):
    """Known things are shown in other colours, too; what teaches looks never is."""
    lesson.rgba[:] = torch.tensor([200, 90, 20, 255], dtype=torch.uint8)[:, None, None]
    lesson.known[:] = torch.tensor([name == "bell" for name, _ in lesson.pairs])
    lesson.batch_size = 64

    pixels, _, known = lesson.draw_pictures(torch.Generator().manual_seed(1))

    seen = (pixels.mean((2, 3)) + 1) * 127.5
    true = (seen - torch.tensor([200.0, 90.0, 20.0])).abs().amax(1) < 3
    assert true[~known].all()
    assert 0 < true[known].sum() < known.sum()


def test_sight_is_what_the_finished_captioner_sees(lesson):
    """The lesson looks as transformers' own class does."""
    lesson.networks.eval()
    pixels = torch.rand(2, 3, 64, 64) * 2 - 1

    _, seen = lesson.networks.encode(pixels)

    given = ((pixels + 1) / 2 - MEAN) / SPREAD
    assert torch.equal(seen, lesson.networks.blip.vision_model(given).last_hidden_state)


@pytest.mark.slow(3)
def test_a_lesson_learns(lesson):
    """A few steps on the same draws lower the loss."""
    optimizer = torch.optim.AdamW(lesson.networks.parameters(), 1e-3)
    losses = []
    lesson.networks.eval()  # nothing is dropped
    for _ in range(8):
        loss = lesson.loss(lesson.draw_batch(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.2
