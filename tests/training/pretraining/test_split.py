"""Test pictures are kept out of the captioner's training; the others are augmented."""

from __future__ import annotations

import torch

from training.pretraining.names import BASE_STYLES, EVERYDAY
from training.pretraining.split import (
    augment,
    is_test_picture,
    load_test_pictures,
    shuffle_colours,
)


def test_test_pictures_are_kept_out():
    """A quarter of the everyday names has one base style that is never trained on."""
    kept = [
        (name, style) for name in EVERYDAY for style in BASE_STYLES if is_test_picture(name, style)
    ]

    assert len({name for name, _ in kept}) == len(kept) == -(-len(EVERYDAY) // 4)


def test_colours_change_unless_the_name_contains_one():
    """Shapes stay, red apples stay red, and many other things change colour."""
    names = ["cat", "red-apple"] * 20
    drawn = torch.randint(256, (2, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    given = drawn.byte().repeat(20, 1, 1, 1)

    changed = shuffle_colours(given, names, torch.Generator().manual_seed(1))

    same = (changed == given).flatten(1).all(1)
    assert torch.equal(changed[:, 3], given[:, 3])
    assert same[1::2].all()
    assert 4 <= (~same[::2]).sum() <= 16


def test_augment():
    """The same seed augments a picture in the same way, another seed in another."""
    rgba = torch.randint(256, (3, 4, 64, 64), generator=torch.Generator().manual_seed(1)).byte()
    backgrounds = torch.ones(3, 3, 64, 64)

    one, same, other = (
        augment(rgba, ["cat"] * 3, backgrounds, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )

    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=0.5)


def test_test_pictures_are_loaded_on_white(tmp_path):
    """Only the test pictures are loaded, on white, with their names and styles."""
    rgba = torch.zeros(3, 4, 64, 64, dtype=torch.uint8)
    rgba[1, 3, :, :8] = 255  # a black bar
    names, styles = ["scroll", EVERYDAY[0], EVERYDAY[0]], ["noto", "noto", "blob"]
    torch.save({"names": names, "styles": styles, "rgba": rgba}, tmp_path / "pictures.pt")

    pixels, pairs = load_test_pictures(tmp_path)

    assert pairs == [(EVERYDAY[0], "noto")]
    assert (pixels[0, :, :, :8] == -1).all()
    assert (pixels[0, :, :, 8:] == 1).all()
