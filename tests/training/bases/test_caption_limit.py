"""What the bot counts of a caption is what a training cuts."""

from __future__ import annotations

import pytest

from storage.planning.caption_length import count_cut, load_tokenizer
from training.bases.cache import BaseCache
from training.modelfiles.clip import TOKENS, make_tokenizer

CAPTIONS = (
    "sks dog, a corgi on an orange background, looking up, wearing a party hat, 8k, f/1.8, 1girl, "
    * 3,
    "naïve café — 犬が公園で走っている… 🐕🐕🐕, don't we've I'll 2026-11-30 !!! (masterpiece:1.2) "
    * 4,
    "a dog",
    "",
)


@pytest.mark.parametrize("caption", CAPTIONS)
def test_clip_counts_as_transformers_does(bases: BaseCache, caption: str) -> None:
    """The tokenizer without transformers splits a caption into as many tokens as its own one."""
    base = next(each for each in bases.list_bases() if each.name == "sd15")
    base = bases.with_caption_limit(base)
    ids = make_tokenizer()(caption, add_special_tokens=False, verbose=False).input_ids

    assert base.caption_tokens == TOKENS - 2
    assert count_cut(caption, load_tokenizer(""), base) == max(0, len(ids) - 75)


@pytest.mark.parametrize("caption", CAPTIONS)
def test_the_embedded_base_has_its_own_tokenizer(bases: BaseCache, caption: str) -> None:
    """Its words are others than CLIP's, so that captions end elsewhere."""
    base = bases.with_caption_limit(bases.find("embedded"))

    with bases.borrow("embedded") as family:
        assert (
            count_cut(caption, load_tokenizer(base.tokenizer), base) == family.tokenize(caption)[1]
        )


def test_a_base_that_reads_everything(bases: BaseCache) -> None:
    """Z-Image has room for any caption."""
    base = next(each for each in bases.list_bases() if each.name == "zimage")

    assert bases.with_caption_limit(base).caption_tokens == 0
