"""The stylists learn looks, and none of the examination's pictures."""

from __future__ import annotations

import pytest
import torch

from training.embedded.names import EVERYDAY, STYLES
from training.embedded.split import examined
from training.embedded.stylist import COUNT, LEAST, MOST, Lesson, Look, covered, trained


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


def test_a_part_is_covered():
    """Most pictures have one rectangle hidden under the colour of their corner, no more."""
    pixels = torch.rand(64, 3, 64, 64) + 1
    pixels[:, :, 0, 0] = 0.0

    hidden = (covered(pixels, torch.Generator().manual_seed(1)) == 0).all(1)

    sides = [(rows.any(1)[1:].sum().item(), rows.any(0)[1:].sum().item()) for rows in hidden]
    assert {side for pair in sides for side in pair} <= {0, *range(LEAST - 1, MOST)}
    assert 32 < sum(pair != (0, 0) for pair in sides) < 64


def test_each_draws_its_own(tmp_path, lesson):
    """Stylists differ in what they begin with and in what they are shown."""
    other = Lesson(tmp_path, 1)

    shown = [each.draw(torch.Generator().manual_seed(1), 0)[0] for each in (lesson, other)]

    assert not torch.equal(*shown)
    assert not torch.equal(*(next(each.networks.parameters()) for each in (lesson, other)))


def test_they_teach_frozen_and_together(tmp_path, lesson):
    """What checkpoints' averages hold is loaded, and trained no more; their mean counts."""
    others = [Lesson(tmp_path, number).networks.eval() for number in range(COUNT)]
    for number, other in enumerate(others):
        torch.save({"average": other.state_dict()}, tmp_path / f"stylist-{number}.ckpt")

    stylists = trained(tmp_path)

    pixels = lesson.draw(torch.Generator().manual_seed(1), 0)[0]
    mean = torch.stack([other(pixels).softmax(1) for other in others]).mean(0)
    assert torch.allclose(stylists(pixels).exp(), mean, atol=1e-6)
    assert torch.equal(stylists.sight(pixels)[0], others[0].sight(pixels)[0])
    assert not any(p.requires_grad for p in stylists.parameters())
