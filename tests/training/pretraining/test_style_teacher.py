"""The stylist learns looks, and none of the examination's pictures."""

from __future__ import annotations

import pytest
import torch

from training.pretraining.names import EVERYDAY, STYLES
from training.pretraining.split import is_test_picture
from training.pretraining.style_teacher import (
    COLOUR_FEATURES,
    MAX_COVERED,
    MIN_COVERED,
    StyleNetwork,
    StyleTeacherTask,
    cover_parts,
    encode_colours,
    load_teacher,
)


@pytest.fixture
def lesson(tmp_path):
    """Prepare a lesson from invented pictures, one of which is kept for the examination."""
    rgba = torch.randint(256, (4, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names, styles = [EVERYDAY[0]] * 3 + ["scroll"], ["noto", "blob", "ink", "flat"]
    torch.save({"names": names, "styles": styles, "rgba": rgba.byte()}, tmp_path / "pictures.pt")
    return StyleTeacherTask(tmp_path)


def test_it_sees_no_picture_of_the_examination(lesson):
    """All pictures are shown but those that are kept; those of held-out styles more rarely."""
    assert is_test_picture(EVERYDAY[0], "noto")
    assert [STYLES[i] for i in lesson.styles] == ["blob", "ink", "flat"]
    assert lesson.weights[1] < lesson.weights[0] == lesson.weights[2]


def test_it_sees_no_further_than_43_pixels():
    """What is far from a place changes nothing of what is seen there but its brightness."""
    torch.manual_seed(0)
    look = StyleNetwork().eval()
    for module in look.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # it would spread every pixel over the whole
    one = torch.zeros(1, 3, 64, 64)
    other = one.clone()
    other[..., 63] = 1.0

    near, again = (look.encode(pixels)[0] for pixels in (one, other))

    changed = (near != again).any(1)[0].any(0)  # columns, 8 pixels apart
    assert changed.tolist() == [False] * 6 + [True] * 2


def test_it_learns(lesson):
    """A few steps on the same draws lower the loss."""
    optimizer = torch.optim.AdamW(lesson.networks.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        loss = lesson.loss(lesson.draw_batch(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.1


def test_a_part_is_covered():
    """Most pictures have one rectangle hidden under the colour of their corner, no more."""
    pixels = torch.rand(64, 3, 64, 64) + 1
    pixels[:, :, 0, 0] = 0.0

    hidden = (cover_parts(pixels, torch.Generator().manual_seed(1)) == 0).all(1)

    sides = [(rows.any(1)[1:].sum().item(), rows.any(0)[1:].sum().item()) for rows in hidden]
    assert {side for pair in sides for side in pair} <= {0, *range(MIN_COVERED - 1, MAX_COVERED)}
    assert 32 < sum(pair != (0, 0) for pair in sides) < 64


def test_exact_colours_are_told_apart():
    """Colours two of 255 steps apart are near as they are, and far apart on the shortest wave."""
    one, other = torch.zeros(1, 3, 1, 1), torch.full((1, 3, 1, 1), 2 / 127.5)

    apart = (encode_colours(one) - encode_colours(other)).abs()[0, :, 0, 0]

    assert apart.shape == (3 * 15,)
    assert apart[:3].max() < 0.02
    assert apart.max() > 1


def test_paints_are_seen_by_place():
    """A colour changes what is seen of the colours where it is, and nowhere else."""
    torch.manual_seed(0)
    look = StyleNetwork().eval()
    one = torch.zeros(1, 3, 64, 64)
    other = one.clone()
    other[..., :8, 8:16] = 0.3

    _, colours, _ = look.encode(one)
    _, again, _ = look.encode(other)

    assert colours.shape == (1, COLOUR_FEATURES, 8, 8)
    assert (colours != again).any(1)[0].nonzero().tolist() == [[0, 1]]


def test_it_teaches_frozen(tmp_path, lesson):
    """What a checkpoint's average holds is loaded, and trained no more."""
    other = lesson.networks.eval()
    torch.save({"average": other.state_dict()}, tmp_path / "style_teacher.ckpt")

    stylist = load_teacher(tmp_path)

    pixels = lesson.draw_batch(torch.Generator().manual_seed(1), 0)[0]
    assert torch.equal(stylist(pixels), other(pixels))
    assert not any(p.requires_grad for p in stylist.parameters())
