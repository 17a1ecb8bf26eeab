"""What the captioner is examined with is never shown to it; the rest is varied."""

from __future__ import annotations

import torch

from training.pretraining.names import BASE_STYLES, EVERYDAY
from training.pretraining.split import (
    augment,
    is_test_picture,
    load_test_pictures,
    shuffle_colours,
)


def test_examined_pictures_are_kept_apart():
    """A quarter of the everyday names has one base style that is never trained on."""
    kept = [
        (name, style) for name in EVERYDAY for style in BASE_STYLES if is_test_picture(name, style)
    ]

    assert len({name for name, _ in kept}) == len(kept) == -(-len(EVERYDAY) // 4)


def test_colours_are_swapped_where_names_do_not_speak_of_them():
    """Shapes stay, and so do red apples; of other things many change their colours."""
    names = ["cat", "red-apple"] * 20
    drawn = torch.randint(256, (2, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    given = drawn.byte().repeat(20, 1, 1, 1)

    changed = shuffle_colours(given, names, torch.Generator().manual_seed(1))

    same = (changed == given).flatten(1).all(1)
    assert torch.equal(changed[:, 3], given[:, 3])
    assert same[1::2].all()
    assert 4 <= (~same[::2]).sum() <= 16


def test_varied():
    """The same draws vary a picture in the same way, other draws in another."""
    rgba = torch.randint(256, (3, 4, 64, 64), generator=torch.Generator().manual_seed(1)).byte()
    grounds = torch.ones(3, 3, 64, 64)

    one, same, other = (
        augment(rgba, ["cat"] * 3, grounds, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )

    assert torch.equal(one, same)
    assert not torch.allclose(one, other, atol=0.5)


def test_the_examination_is_what_is_kept(tmp_path):
    """Of all pictures only those of the examination are given, on white, with what they are."""
    rgba = torch.zeros(3, 4, 64, 64, dtype=torch.uint8)
    rgba[1, 3, :, :8] = 255  # a black bar
    names, styles = ["scroll", EVERYDAY[0], EVERYDAY[0]], ["noto", "noto", "blob"]
    torch.save({"names": names, "styles": styles, "rgba": rgba}, tmp_path / "pictures.pt")

    pixels, pairs = load_test_pictures(tmp_path)

    assert pairs == [(EVERYDAY[0], "noto")]
    assert (pixels[0, :, :, :8] == -1).all()
    assert (pixels[0, :, :, 8:] == 1).all()
