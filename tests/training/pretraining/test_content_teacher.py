"""The tutor learns things from the captioner's own pictures."""

from __future__ import annotations

import pytest
import torch

from training.pretraining.content_teacher import TAUGHT_NAMES, ContentTeacherTask, load_teacher
from training.pretraining.names import EVERYDAY
from training.pretraining.split import is_test_picture


@pytest.fixture
def lesson(tmp_path):
    """Prepare a lesson from invented pictures of the first everyday name and of a stranger."""
    rgba = torch.randint(256, (5, 4, 64, 64), generator=torch.Generator().manual_seed(1))
    names = [EVERYDAY[0]] * 4 + ["scroll"]
    styles = ["noto", "blob", "flat", "glossy", "noto"]
    torch.save({"names": names, "styles": styles, "rgba": rgba.byte()}, tmp_path / "pictures.pt")
    return ContentTeacherTask(tmp_path)


def test_it_sees_no_picture_of_the_examination(lesson):
    """It sees known names alone, without the style that is kept for the examination."""
    assert is_test_picture(EVERYDAY[0], "noto")
    assert lesson.names == [EVERYDAY[0]] * 3


def test_it_learns(lesson):
    """A few steps on the same draws lower the loss."""
    optimizer = torch.optim.AdamW(lesson.networks.parameters(), 1e-3)
    losses = []
    for _ in range(4):
        loss = lesson.loss(lesson.draw_batch(torch.Generator().manual_seed(1), 0))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())

    assert losses[-1] < losses[0] / 1.2


def test_it_is_frozen_when_it_teaches(tmp_path, lesson):
    """What a checkpoint's average holds is loaded, and trained no more."""
    torch.save({"average": lesson.networks.state_dict()}, tmp_path / "content_teacher.ckpt")

    tutor = load_teacher(tmp_path)

    pixels = torch.zeros(1, 3, 64, 64)
    assert torch.equal(tutor(pixels), lesson.networks.eval()(pixels))
    assert not any(p.requires_grad for p in tutor.parameters())
    assert tutor.name.out_features == len(TAUGHT_NAMES)
