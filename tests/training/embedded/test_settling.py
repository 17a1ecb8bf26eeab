"""The last trainings of the denoiser: what they begin from and what they see."""

from __future__ import annotations

import pytest
import torch

from training.embedded.names import COLOURS
from training.embedded.tokens import fitted
from training.embedded.unet import Combining, Lesson, Settling


@pytest.fixture
def work(tmp_path):
    """Prepare a folder with invented latents and scenes, and the ends of both stages before."""
    fitted(tmp_path, ["bell", "cat"])
    latents = torch.zeros(len(COLOURS), 2, 4, 16, 16)
    things = {"latents": latents, "names": ["bell", "cat"], "styles": ["noto", "flat"]}
    torch.save(things, tmp_path / "latents.pt")
    marks = torch.tensor([1.0, 1.0, 2.0, 2.0, 2.0])[:, None, None, None]
    scenes = {
        "latents": torch.ones(5, 4, 16, 16) * marks,
        "phrases": ["red bell", "small cat", "bell and a cat", "cat and a bell", "cat and a cat"],
        "styles": ["noto"] * 5,
        "grounds": ["white"] * 5,
        "alone": 2,
    }
    torch.save(scenes, tmp_path / "scenes.pt")
    for stage, value in (("unet", 1.0), ("combining", 3.0)):
        average = Lesson(tmp_path).networks.state_dict()
        filled = {
            key: torch.full_like(t, value) if t.is_floating_point() else t
            for key, t in average.items()
        }
        torch.save({"average": filled}, tmp_path / f"{stage}.ckpt")
    return tmp_path


def test_combining_begins_where_single_things_ended(work):
    """Its start is the average of the stage before."""
    parameter = next(iter(Combining(work).networks.parameters()))

    assert torch.equal(parameter, torch.ones_like(parameter))


def test_settling_begins_between_both(work):
    """Seven tenths of the way from the start of `combining` to its end."""
    parameter = next(iter(Settling(work).networks.parameters()))

    assert torch.allclose(parameter, torch.full_like(parameter, 1 + 0.7 * 2))


@pytest.mark.parametrize("stage", [Combining, Settling])
def test_a_batch_has_its_parts(work, stage):
    """Of a batch so many are things, scenes of one and pairs, each with a caption."""
    lesson = stage(work)

    latents, texts = lesson.batched(torch.Generator().manual_seed(1))

    marks = latents[:, 0, 0, 0].tolist()
    assert len(latents) == len(texts) == lesson.batch
    assert (marks.count(1.0), marks.count(2.0)) == (lesson.alone, lesson.pairs)
    assert all(" and " in text for text in texts[-lesson.pairs :] if text)
