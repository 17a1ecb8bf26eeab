"""The tokenizers accept whatever people type."""

from __future__ import annotations

import pytest
from transformers import BlipProcessor

from training.embedded import find_folder

TEXTS = (
    "",
    "mydog",
    "photo of a sks dog",
    "DON'T! 100 % (really?) #1",
    "Ünïcödé, 漢字 and 🐼",
    "word " * 200,
    "x" * 300,
    "\x00\n\t",
)


@pytest.mark.parametrize("text", TEXTS)
def test_any_prompt_is_tokenized(pipe, text):
    """Every text becomes 77 known tokens, with CLIP's begin and end tokens."""
    tokens = pipe.tokenizer(text, padding="max_length", truncation=True).input_ids

    assert len(tokens) == 77
    assert tokens[0] == pipe.tokenizer.bos_token_id
    assert pipe.tokenizer.eos_token_id in tokens
    assert max(tokens) < pipe.text_encoder.config.vocab_size


@pytest.mark.parametrize("text", ["mydog", "a photo of sks dog", "quixotic zebra 42"])
def test_unknown_words_are_spelt_not_lost(pipe, text):
    """No word becomes "unknown": decoding returns the letters."""
    tokens = pipe.tokenizer(text).input_ids
    back = pipe.tokenizer.decode(tokens, skip_special_tokens=True)

    assert back.replace(" ", "") == text.replace(" ", "")


def test_a_known_word_is_one_token(pipe):
    """Caption words are whole tokens, so that embeddings can be initialized from them."""
    assert len(pipe.tokenizer("panda", add_special_tokens=False).input_ids) == 1


def test_a_caption_is_read_back():
    """The caption tokenizer keeps known words and spells the others."""
    tokenizer = BlipProcessor.from_pretrained(find_folder("blip")).tokenizer
    back = tokenizer.decode(tokenizer("a photo of mydog").input_ids, skip_special_tokens=True)

    assert back == "a photo of mydog"
