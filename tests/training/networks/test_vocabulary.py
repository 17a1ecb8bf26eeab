"""Prompts with learned words become token ids and vectors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
import torch

from training.modelfiles import clip
from training.networks.vocabulary import Vocabulary, split_at_words

if TYPE_CHECKING:
    from training.bases.cache import BaseCache


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("a mydog emoji", ["a ", "mydog", " emoji"]),
        ("MyDog", ["MyDog"]),
        ("mydogs", ["mydogs"]),
        ("mydog2, mydog", ["mydog2", ", ", "mydog"]),
        ("a cat", ["a cat"]),
        ("", []),
    ],
)
def test_split(prompt: str, pieces: list[str]) -> None:
    """Learned words are found as whole words, the longest first, in any case."""
    assert split_at_words(prompt, ["mydog", "mydog2"]) == pieces


def test_plain_prompt(bases: BaseCache) -> None:
    """Without learned words prompts are tokenized as by the base's own tokenizer."""
    with bases.borrow("embedded") as family:
        tokenizer = family.pipeline.tokenizer  # type: ignore[attr-defined]
        for prompt in ("", "a cat emoji, on a white background", "a cat " * 50):
            theirs = tokenizer(prompt, padding="max_length", truncation=True).input_ids

            assert family.tokenize(prompt)[0].tolist() == [theirs]


def test_learned_words(bases: BaseCache) -> None:
    """Learned words have ids after the vocabulary's, and their own vectors."""
    one, two = torch.full((2, 192), 0.1), torch.full((1, 192), 0.2)
    words = {"one": {"emb_params": one}, "two": {"emb_params": two}}
    with bases.borrow("embedded") as family, family.networks.with_words(words):
        (table,) = (each.embedding for each in family.networks.vocabularies)
        known = len(table.weight)
        (tokens,), cut = family.tokenize("two ONE")
        vectors = table(tokens)

        assert tokens[1:4].tolist() == [known + 2, known, known + 1]
        assert cut == 0
        assert torch.equal(vectors[1:4], torch.cat([two, one]))
        assert torch.equal(vectors[0], table.weight[tokens[0]])


def test_a_cut_is_counted_in_silence() -> None:
    """What is cut is told by our own sentences, not by a line of transformers in a log."""
    said: list[str] = []
    logger = logging.getLogger("transformers.tokenization_utils_base")
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    vocabulary = Vocabulary("emb_params", torch.nn.Embedding(300, 2), clip.make_tokenizer())
    logger.addHandler(handler)
    try:
        _, cut = vocabulary.tokenize("a dog, " * 99, {})
    finally:
        logger.removeHandler(handler)

    assert cut > 0
    assert said == []
