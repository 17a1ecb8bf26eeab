"""The audit's worth is measured on captions that it can put right."""

from __future__ import annotations

import torch
from PIL import Image

from benchmarks.teaching.audit import (
    AFTER,
    BEFORE,
    BOTH,
    NEAREST,
    Audit,
    fix_captions,
    make_captions,
)


class Painter:
    """A trainer whose styles draw in grey what their captions say, at half strength if twice."""

    def train(self, spec):
        """Return how many words the captions have for the thing."""
        self.style = len(spec.photos[0][1].split(" emoji")[0].split()) - 1
        return self

    def sample(self, prompts, style):
        """Return a picture for each prompt, dark if the prompt has all the words of the style."""
        words = [len(prompt.split(" emoji")[0].split()) - 1 for prompt in prompts]
        return [Image.new("RGB", (8, 8), "black" if n >= style else "white") for n in words]


class Judge:
    """A judge to whom everything dark is the thing."""

    def extract_features(self, pictures):
        """Return how bright pictures are."""
        return torch.tensor([[float(each.getpixel((0, 0))[0])] for each in pictures])

    def rank_within_style(self, features, name, style):
        """Return the rank of the true picture."""
        assert (name, bool(style)) == ("guitar", True)
        return [1 if features[0, 0] == 0 else 300]


def test_the_fix_takes_the_other_word_out_of_all_captions():
    """Trigger, style and ground stay, for each of the things."""
    for name, word in NEAREST.items():
        before = make_captions(name, f"my{name}")
        after = fix_captions(before, f"my{name}")

        assert all(f"my{name} {word} emoji" in caption for _, caption in before)
        assert [text.replace(f" {word}", "") for _, text in before] == [text for _, text in after]


def test_ranks_are_compared_before_and_after():
    """Of a style that was taught two words, one word draws the thing only after the fix."""
    audit = Audit(Painter(), Judge(), "embedding")

    figures = [row.figure for row in audit.measure("guitar", seeds=1)]

    assert figures == ["300, 0 of 12 first", "1, 12 of 12 first", "1, 12 of 12 first"]
    assert [name for name, _ in audit.sheet.rows] == [
        f"guitar: {group}" for group in (BEFORE, BOTH, AFTER)
    ]
    assert audit.compare().met
