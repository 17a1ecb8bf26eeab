"""Captions are dropped and shuffled by the seed and the step alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch

from storage.events import Note
from training.recipe.concepts import SamplePrompt
from training.run.text import CaptionEncoder, shuffle_caption


def test_the_trigger_stays_first():
    """Parts are shuffled; the part with the trigger stays first, and nothing is lost."""
    generator = torch.Generator().manual_seed(1)
    caption = "a red dress, photo of mydog , sitting,, outside"

    seen = Counter(shuffle_caption(caption, "mydog", generator) for _ in range(60))

    assert len(seen) == 6
    for text in seen:
        first, *rest = text.split(", ")
        assert first == "photo of mydog"
        assert sorted(rest) == ["a red dress", "outside", "sitting"]


def test_without_the_trigger_all_are_shuffled():
    """A word that only begins like the trigger does not count."""
    generator = torch.Generator().manual_seed(1)

    assert {shuffle_caption("a, mydogs", "mydog", generator) for _ in range(20)} == {
        "a, mydogs",
        "mydogs, a",
    }


@pytest.fixture
def read(bases, make_recipe):
    """Return a function that embeds captions with the embedded base."""

    def made(*captions, learns=False, **more):
        asked = make_recipe(photos=len(captions), **more)
        shots = [replace(s, caption=c) for s, c in zip(asked.photos, captions, strict=True)]
        with bases.borrow("embedded") as family:
            return CaptionEncoder(
                family, replace(asked, photos=tuple(shots)), bases.device, learns=learns
            )

    return made


def test_long_captions_are_told(read):
    """The captions that are cut are counted, and the words that the first one loses are told."""
    long = "a cat " * 37 + "and a dog"

    (noted,) = read("mydog", long, "mydog " + "red, " * 90).note_cut()

    assert noted == Note("captions_cut", {"cut": 2, "captions": 3, "words": "a dog"})
    assert not list(read("mydog", "a cat").note_cut())


def test_long_sample_prompts_are_told(read):
    """A prompt for samples that is too long is told with the words that it loses."""
    prompt = SamplePrompt("a cat " * 37 + "and a dog", 3)

    (noted,) = read("mydog", prompts=(prompt,)).note_cut()

    assert noted == Note("sample_cut", {"prompt": prompt.text, "words": "a dog"})


def test_shuffled_captions_are_read_anew(read):
    """Each step embeds one of the orders, the same in every run, without gradients."""
    reading = read("mydog, red, blue, green", shuffle_caption=True)
    orders = ["red, blue, green", "green, blue, red", "blue, red, green", "blue, green, red"]
    known = [read(f"mydog, {order}").conditions_at(0, (0,))["states"] for order in orders]

    steps = [reading.conditions_at(step, (0,))["states"] for step in range(12)]

    assert not any(states.requires_grad for states in steps)
    assert torch.equal(steps[3], reading.conditions_at(3, (0,))["states"])
    assert sum(any(torch.allclose(s, k, atol=1e-5) for k in known) for s in steps) >= 4
    assert len({tuple(states.flatten().tolist()) for states in steps}) > 3


def test_a_dropped_caption_is_empty(read):
    """A dropped caption is embedded as an empty one, shuffled or not."""
    empty = read("").conditions_at(0, (0,))["states"]

    assert torch.equal(
        read("mydog, red", caption_dropout_rate=1.0).conditions_at(0, (0,))["states"], empty
    )
    assert torch.allclose(
        read("mydog, red", caption_dropout_rate=1.0, shuffle_caption=True).conditions_at(5, (0,))[
            "states"
        ],
        empty,
        atol=1e-6,
    )
