"""CLIP's tokenizer, from OpenAI's merges: `clip.txt.gz` (MIT, `clip.LICENSE`)."""

from __future__ import annotations

import gzip
from pathlib import Path

MERGES = Path(__file__).with_name("clip.txt.gz")
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
CAPTION_TOKENS = 75  #: between its marks of begin and end

Merges = list[tuple[str, str]]


def read_vocabulary() -> tuple[dict[str, int], Merges]:
    """Return the id of each token, and the pairs that are merged into longer ones, in order."""
    lines = gzip.decompress(MERGES.read_bytes()).decode().splitlines()
    merges = [(first, second) for first, second in (line.split() for line in lines)]
    letters = byte_alphabet()
    words = [*letters, *(f"{letter}</w>" for letter in letters)]
    words += ["".join(pair) for pair in merges]
    words += [BEGIN, END]
    return {word: index for index, word in enumerate(words)}, merges


def byte_alphabet() -> list[str]:
    """List how bytes are written, in CLIP's order: the printable ones first."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    moved = dict(zip(rest, range(256, 256 + len(rest)), strict=True))
    return [chr(moved.get(byte, byte)) for byte in (*printable, *rest)]
