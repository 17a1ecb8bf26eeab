"""How the UNet's batches are composed of things, scenes and captions."""

from __future__ import annotations

import pytest
import torch

from training.pretraining.tokenizers import load_prompt_tokenizer, save_prompt_tokenizer
from training.pretraining.unet import UnetTask, list_unused_words
from training.recipe.backgrounds import COLOURS


@pytest.fixture
def work(tmp_path):
    """Prepare a work folder with invented latents and scenes."""
    save_prompt_tokenizer(tmp_path, ["bell", "cat", "panda"])
    latents = torch.zeros(len(COLOURS), 2, 8, 16, 16)
    things = {"latents": latents, "names": ["bell", "cat"], "styles": ["noto", "flat"]}
    torch.save(things, tmp_path / "latents.pt")
    marks = torch.tensor([1.0, 1.0, 2.0, 2.0, 2.0])[:, None, None, None]
    scenes = {
        "latents": torch.ones(5, 8, 16, 16) * marks,
        "phrases": ["red bell", "small cat", "bell and a cat", "cat and a bell", "cat and a cat"],
        "styles": ["noto"] * 5,
        "grounds": ["white"] * 5,
        "alone": 2,
    }
    torch.save(scenes, tmp_path / "scenes.pt")
    return tmp_path


def test_a_batch_has_its_parts(work):
    """A batch has fixed numbers of single things, scenes of one and pairs, all captioned."""
    task = UnetTask(work)

    latents, texts = task.draw_latents(torch.Generator().manual_seed(1))

    marks = latents[:, 0, 0, 0].tolist()
    assert len(latents) == len(texts) == task.batch_size
    assert (marks.count(1.0), marks.count(2.0)) == (task.single_scenes, task.pair_scenes)
    assert sum(" and " in text for text in texts[-task.pair_scenes :]) > task.pair_scenes / 2


def test_some_captions_have_a_word_that_means_nothing(work):
    """About three captions in a hundred lack the thing's name, and five its style."""
    task, generator = UnetTask(work), torch.Generator().manual_seed(2)

    texts = [task.draw_caption("cat", "flat", "white", generator) for _ in range(2000)]

    written = [text for text in texts if "style" in text and "background" in text]
    assert 0.02 < sum("cat" not in text for text in written) / len(written) < 0.05
    assert 0.03 < sum("flat" not in text for text in written) / len(written) < 0.08


def test_a_word_without_a_meaning_is_in_no_caption(work):
    """Unused words exclude the names, styles and colours that the base learns."""
    words = list_unused_words(load_prompt_tokenizer(work), ["bell", "cat", "noto", "flat"])

    assert {"panda", "firefox", "city"} <= set(words)
    assert not {"bell", "cat", "noto", "red", "white", "emoji", "background", "and"} & set(words)


def test_the_loss_is_one_number(work):
    """The same seed draws the same batch, whose loss has gradients for every parameter."""
    task = UnetTask(work)
    task.batch_size, task.single_scenes, task.pair_scenes = 4, 1, 1
    batch, again = (task.draw_batch(torch.Generator().manual_seed(s), 0) for s in (3, 3))

    loss = task.loss(batch)
    loss.backward()

    assert all(torch.equal(a, b) for a, b in zip(batch, again, strict=True) if a is not batch[1])
    assert loss.isfinite()
    assert all(p.grad is not None for p in task.networks.parameters())
