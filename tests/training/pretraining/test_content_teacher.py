"""The content teacher learns names from the captioner's own training pictures."""

from __future__ import annotations

import pytest
import torch

from training.pretraining.content_teacher import ContentTeacherTask, load_teacher
from training.pretraining.names import EVERYDAY, KNOWN_NAMES
from training.pretraining.split import is_test_picture


@pytest.fixture
def task(tmp_path):
    """Build the task from invented pictures of the first everyday name and an unknown one."""
    rgba = torch.randint(256, (5, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names = [EVERYDAY[0]] * 4 + ["scroll"]
    styles = ["noto", "blob", "flat", "glossy", "noto"]
    torch.save({"names": names, "styles": styles, "rgba": rgba.byte()}, tmp_path / "pictures.pt")
    more = {"names": [EVERYDAY[1]], "styles": ["soft"], "rgba": rgba[:1].byte()}
    torch.save(more, tmp_path / "more.pt")
    return ContentTeacherTask(tmp_path)


def test_it_is_trained_on_no_test_picture(task):
    """It is trained on known names only, without the style that is kept for the test.

    Pictures in further styles are among them.
    """
    assert is_test_picture(EVERYDAY[0], "noto")
    assert task.names == [EVERYDAY[0]] * 3 + [EVERYDAY[1]]


def test_it_learns(task):
    """A few steps on the same batch lower the loss."""
    optimizer = torch.optim.AdamW(task.networks.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = task.loss(task.draw_batch(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.2


def test_the_loaded_teacher_is_frozen(tmp_path, task):
    """`load_teacher` loads the checkpoint's average and freezes it."""
    torch.save({"average": task.networks.state_dict()}, tmp_path / "content_teacher.ckpt")

    teacher = load_teacher(tmp_path)

    pixels = torch.zeros(1, 3, 64, 64)
    assert torch.equal(teacher(pixels), task.networks.eval()(pixels))
    assert not any(p.requires_grad for p in teacher.parameters())
    assert teacher.name.out_features == len(KNOWN_NAMES)
