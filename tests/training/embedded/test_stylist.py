"""The stylist learns looks, and none of the examination's pictures."""

from __future__ import annotations

import pytest
import torch

from training.embedded.names import EVERYDAY, STYLES
from training.embedded.split import examined
from training.embedded.stylist import Lesson, Look, trained


@pytest.fixture
def lesson(tmp_path):
    """Prepare a lesson from invented pictures, one of which is kept for the examination."""
    rgba = torch.randint(256, (4, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names, styles = [EVERYDAY[0]] * 3 + ["scroll"], ["noto", "blob", "ink", "flat"]
    torch.save({"names": names, "styles": styles, "rgba": rgba.byte()}, tmp_path / "pictures.pt")
    return Lesson(tmp_path)


def test_it_sees_no_picture_of_the_examination(lesson):
    """All pictures are shown but those that are kept; those of held-out styles more rarely."""
    assert examined(EVERYDAY[0], "noto")
    assert [STYLES[i] for i in lesson.styles] == ["blob", "ink", "flat"]
    assert lesson.often[1] < lesson.often[0] == lesson.often[2]


def test_it_sees_no_further_than_43_pixels():
    """What is far from a place changes nothing of what is seen there but its brightness."""
    torch.manual_seed(0)
    look = Look().eval()
    for module in look.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # it would spread every pixel over the whole
    one = torch.zeros(1, 3, 64, 64)
    other = one.clone()
    other[..., 63] = 1.0

    near, again = (look.sight(pixels)[0] for pixels in (one, other))

    changed = (near != again).any(1)[0].any(0)  # columns, 8 pixels apart
    assert changed.tolist() == [False] * 6 + [True] * 2


def test_it_learns(lesson):
    """A few steps on the same draws lower the loss."""
    optimizer = torch.optim.AdamW(lesson.networks.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        loss = lesson.loss(lesson.draw(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.1


def test_it_is_frozen_when_it_teaches(tmp_path, lesson):
    """What a checkpoint's average holds is loaded, and trained no more."""
    torch.save({"average": lesson.networks.state_dict()}, tmp_path / "stylist.ckpt")

    stylist = trained(tmp_path)

    pixels = torch.zeros(1, 3, 64, 64)
    assert torch.equal(stylist(pixels), lesson.networks.eval()(pixels))
    assert not any(p.requires_grad for p in stylist.parameters())
