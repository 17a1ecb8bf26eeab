"""The words that a text encoder knows, and those that are learned beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from training.lazy import Tensor, torch

Words = Mapping[str, Mapping[str, Tensor]]  #: by word: what an embedding's file holds of it


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """One text encoder's words."""

    name: str  #: what vectors for it are called in a file: "emb_params", "clip_l"
    embedding: torch.nn.Embedding  #: the vectors of the tokens it knows
    tokenizer: Any

    def encode(self, text: str) -> list[int]:
        """Turn known words into token ids, with nothing around them."""
        encoded = self.tokenizer(text, add_special_tokens=False, verbose=False)  # we tell of cuts
        ids: list[int] = encoded.input_ids
        return ids

    def tokenize(self, prompt: str, words: Words) -> tuple[list[int], int]:
        """Turn a prompt into token ids, learned words included, and count those cut off.

        Learned words have the ids after the known ones, in their order.
        """
        tokenizer, first, last = self.tokenizer, {}, len(self.embedding.weight)
        for word, vectors in words.items():
            first[word.lower()] = range(last, last + len(vectors[self.name]))
            last += len(vectors[self.name])
        ids: list[int] = []
        for piece in split_at_words(prompt, first):
            ids += first.get(piece.lower()) or self.encode(piece)
        room = tokenizer.model_max_length - 2
        cut = ids[:room]
        padding = [tokenizer.pad_token_id] * (room - len(cut))
        whole = [tokenizer.bos_token_id, *cut, tokenizer.eos_token_id, *padding]
        return whole, len(ids) - len(cut)

    def stack_vectors(self, words: Words) -> Tensor:
        """Put the vectors of learned words one after another (N, width), in their ids' order."""
        return torch.cat(
            [vectors[self.name].to(self.embedding.weight) for vectors in words.values()]
        )


def split_at_words(prompt: str, words: Iterable[str]) -> list[str]:
    """Cut a prompt at the learned words in it."""
    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    if not known:
        return [prompt]
    return [piece for piece in re.split(rf"(?i)(?<!\w)({known})(?!\w)", prompt) if piece.strip()]
