"""CLIP's tokenizer, from OpenAI's merges: `clip.txt.gz` (MIT, `clip.LICENSE`)."""

from __future__ import annotations

import gzip
from pathlib import Path

from training.lazy import transformers

MERGES = Path(__file__).with_name("clip.txt.gz")
BEGIN, END, TOKENS = "<|startoftext|>", "<|endoftext|>", 77


def make_tokenizer(padding: str = END) -> transformers.CLIPTokenizer:
    """Build CLIP's tokenizer; OpenCLIP's differs in what fills the room that is left: "!"."""
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    merges = [tuple(line.split()) for line in lines]
    letters = byte_alphabet()
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(pair) for pair in merges]
    words += [BEGIN, END]
    vocabulary = {word: index for index, word in enumerate(words)}
    made: transformers.CLIPTokenizer = transformers.CLIPTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=TOKENS, pad_token=padding
    )
    return made


def byte_alphabet() -> list[str]:
    """List how bytes are written, in CLIP's order: the printable ones first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    moved = dict(zip(rest, range(256, 256 + len(rest)), strict=True))
    return [chr(moved.get(byte, byte)) for byte in (*printable, *rest)]
