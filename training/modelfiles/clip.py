"""CLIP's tokenizer as transformers has it."""

from __future__ import annotations

from storage.planning.clip import CAPTION_TOKENS, END, read_vocabulary
from training.lazy import transformers

TOKENS = CAPTION_TOKENS + 2


def make_tokenizer(padding: str = END) -> transformers.CLIPTokenizer:
    """Build CLIP's tokenizer; OpenCLIP's differs in what fills the room that is left: "!"."""
    vocabulary, merges = read_vocabulary()
    made: transformers.CLIPTokenizer = transformers.CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=TOKENS, pad_token=padding
    )
    return made
