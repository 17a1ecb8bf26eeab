"""The two tokenizers: byte-level BPE for prompts, word pieces for captions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import BertTokenizer, CLIPTokenizer

from training.pretraining.captions import tokenizer_texts
from training.pretraining.layout import TOKENS

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "tokenizer"  # in the work folder
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # as CLIPTokenizer splits
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]"]


def fit_prompt_tokenizer(names: list[str]) -> CLIPTokenizer:
    """Return a BPE tokenizer for prompts; every byte is a token, so any text can be encoded."""
    bpe = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    bpe.normalizer = normalizers.Lowercase()
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=4096, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False
    )
    bpe.train_from_iterator(tokenizer_texts(names), trainer)
    merges = [tuple(pair) for pair in json.loads(bpe.to_str())["model"]["merges"]]
    words = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    words += ["".join(pair) for pair in merges]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(words))}
    vocabulary |= {BEGIN: len(vocabulary), END: len(vocabulary) + 1}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=TOKENS)


def make_caption_tokenizer(names: list[str]) -> BertTokenizer:
    """Return a word-piece tokenizer for captions: whole words if known, else letters."""
    words = {word for line in tokenizer_texts(names) for word in line.replace(",", " ").split()}
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    marks = list(",.;:!?'\"-()&/+#@*_=%$<>[]")
    pieces = [*SPECIAL, *marks, *letters, *(f"##{letter}" for letter in letters)]
    pieces += sorted(words - set(pieces))
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = BertTokenizer(vocab=vocabulary, do_lower_case=True, model_max_length=64)
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    return tokenizer


def save_prompt_tokenizer(work: Path, names: list[str]) -> None:
    """Fit the prompt tokenizer and save it, unless there is one.

    Fitting again may number the tokens otherwise, since equally frequent pairs have no fixed
    order. So it is fitted once, before anything is trained.
    """
    if not (work / FOLDER).exists():
        fit_prompt_tokenizer(names).save_pretrained(work / FOLDER)


def load_prompt_tokenizer(work: Path) -> CLIPTokenizer:
    """Load the prompt tokenizer that an earlier stage saved."""
    tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(work / FOLDER)
    return tokenizer
