"""CLIP's tokenizer, built from its merges alone."""

from __future__ import annotations

import pytest

from training.modelfiles import clip


@pytest.mark.parametrize(("padding", "filled"), [(clip.END, 49407), ("!", 0)])
def test_tokenizer(padding, filled):
    """Token ids equal those of OpenAI's CLIP, with the requested padding."""
    tokenizer = clip.make_tokenizer(padding)

    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert len(tokenizer) == 49408
    assert tokenizer.pad_token_id == filled
    assert tokenizer.model_max_length == 77
