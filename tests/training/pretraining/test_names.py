"""Held-out names and styles stay out of the training captions."""

from __future__ import annotations

import torch

from training.pretraining.captions import draw_caption, full_caption
from training.pretraining.names import BASE_STYLES, EVERYDAY, HELD_OUT_STYLES, HELD_OUT_SUBJECTS


def test_held_out_subjects_are_not_trained():
    """No held-out subject is among the names the base learns."""
    assert len(HELD_OUT_SUBJECTS) == 10
    assert not set(EVERYDAY) & set(HELD_OUT_SUBJECTS)
    assert not set(BASE_STYLES) & set(HELD_OUT_STYLES)
    assert len(set(EVERYDAY)) == len(EVERYDAY) >= 150


def test_a_full_caption_reads_well():
    """Captions have fitting articles and no hyphens."""
    assert (
        full_caption("ice-cream", "noto", "orange")
        == "an ice cream emoji, noto style, on an orange background"
    )


def test_one_caption_in_ten_is_empty():
    """One caption in ten is empty, for guidance; all others name the thing."""
    generator = torch.Generator().manual_seed(0)
    texts = [draw_caption("ant", "flat", "red", generator) for _ in range(1000)]

    assert 60 < texts.count("") < 140
    assert all("ant" in text for text in texts if text)
