"""The style teacher learns styles, from none of the test pictures."""

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
def task(tmp_path):
    """Build the task from invented pictures, one of which is a test picture."""
    rgba = torch.randint(256, (4, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names, styles = [EVERYDAY[0]] * 3 + ["scroll"], ["noto", "blob", "ink", "flat"]
    torch.save({"names": names, "styles": styles, "rgba": rgba.byte()}, tmp_path / "pictures.pt")
    return StyleTeacherTask(tmp_path)


def test_it_is_trained_on_no_test_picture(task):
    """It is trained on all but the test pictures, more rarely on those of held-out styles."""
    assert is_test_picture(EVERYDAY[0], "noto")
    assert [STYLES[i] for i in task.styles] == ["blob", "ink", "flat"]
    assert task.weights[1] < task.weights[0] == task.weights[2]


def test_it_sees_no_further_than_43_pixels():
    """Distant pixels do not change the local features."""
    torch.manual_seed(0)
    network = StyleNetwork().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.GroupNorm):
            module.forward = lambda x: x  # it would mix the whole picture
    one = torch.zeros(1, 3, 64, 64)
    other = one.clone()
    other[..., 63] = 1.0

    near, again = (network.encode(pixels)[0] for pixels in (one, other))

    changed = (near != again).any(1)[0].any(0)  # columns, 8 pixels apart
    assert changed.tolist() == [False] * 6 + [True] * 2


def test_it_learns(task):
    """A few steps on the same batch lower the loss."""
    optimizer = torch.optim.AdamW(task.networks.parameters(), 3e-3)
    losses = []
    for _ in range(6):
        loss = task.loss(task.draw_batch(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.1


def test_a_part_is_covered():
    """Most pictures have one rectangle covered with the colour of their corner."""
    pixels = torch.rand(64, 3, 64, 64) + 1
    pixels[:, :, 0, 0] = 0.0

    hidden = (cover_parts(pixels, torch.Generator().manual_seed(1)) == 0).all(1)

    sides = [(rows.any(1)[1:].sum().item(), rows.any(0)[1:].sum().item()) for rows in hidden]
    assert {side for pair in sides for side in pair} <= {0, *range(MIN_COVERED - 1, MAX_COVERED)}
    assert 32 < sum(pair != (0, 0) for pair in sides) < 64


def test_exact_colours_are_told_apart():
    """Colours two of 255 steps apart differ little as they are, and much on the shortest wave."""
    one, other = torch.zeros(1, 3, 1, 1), torch.full((1, 3, 1, 1), 2 / 127.5)

    difference = (encode_colours(one) - encode_colours(other)).abs()[0, :, 0, 0]

    assert difference.shape == (3 * 15,)
    assert difference[:3].max() < 0.02
    assert difference.max() > 1


def test_colour_features_are_local():
    """A colour changes the colour features where it is, and nowhere else."""
    torch.manual_seed(0)
    network = StyleNetwork().eval()
    one = torch.zeros(1, 3, 64, 64)
    other = one.clone()
    other[..., :8, 8:16] = 0.3

    _, colours, _ = network.encode(one)
    _, again, _ = network.encode(other)

    assert colours.shape == (1, COLOUR_FEATURES, 8, 8)
    assert (colours != again).any(1)[0].nonzero().tolist() == [[0, 1]]


def test_the_loaded_teacher_is_frozen(tmp_path, task):
    """`load_teacher` loads the checkpoint's average and freezes it."""
    other = task.networks.eval()
    torch.save({"average": other.state_dict()}, tmp_path / "style_teacher.ckpt")

    teacher = load_teacher(tmp_path)

    pixels = task.draw_batch(torch.Generator().manual_seed(1), 0)[0]
    assert torch.equal(teacher(pixels), other(pixels))
    assert not any(p.requires_grad for p in teacher.parameters())
