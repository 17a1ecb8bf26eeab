"""How much of a caption a base reads: CLIP reads 75 tokens, and ignores the rest."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from storage.planning.clip import END, read_vocabulary
from storage.records import Base

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MAX_LOST_CHARS = 100  #: of the words that a note quotes
#: how CLIP splits a text before its merges: as transformers' CLIPTokenizer does
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


class CutCaptions(NamedTuple):
    """Captions that are longer than a base reads."""

    cut: int
    captions: int  #: all there are
    words: str  #: what the base ignores of the first one that is cut


def find_cut_captions(captions: Sequence[str], base: Base) -> CutCaptions | None:
    """Return which captions a base does not read to their end; None if it reads all of them."""
    if not base.caption_tokens:
        return None
    tokenizer = load_tokenizer(base.tokenizer)
    lost = [caption for caption in captions if count_cut(caption, tokenizer, base)]
    if not lost:
        return None
    return CutCaptions(len(lost), len(captions), find_ignored_words(lost[0], base))


def find_ignored_words(caption: str, base: Base) -> str:
    """Return the end of a caption that a base does not read; "" if it reads all of it."""
    if not base.caption_tokens:
        return ""
    tokenizer = load_tokenizer(base.tokenizer)
    return find_lost_words(caption, lambda part: count_cut(part, tokenizer, base))


def count_cut(text: str, tokenizer: Tokenizer, base: Base) -> int:
    """Return how many tokens of a text are beyond what a base reads."""
    tokens = len(tokenizer.encode(text, add_special_tokens=False))
    return max(0, tokens - base.caption_tokens)


@lru_cache(maxsize=8)
def load_tokenizer(file: str) -> Tokenizer:
    """Load a tokenizer from its `tokenizer.json`; without a file, and if it is gone, CLIP's."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - not needed by most who import this

    return Tokenizer.from_file(file) if Path(file).is_file() else make_clip_tokenizer()


def make_clip_tokenizer() -> Tokenizer:
    """Build CLIP's tokenizer, which puts nothing around a text."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers  # noqa: PLC0415 - as above
    from tokenizers.models import BPE  # noqa: PLC0415 - as above

    vocabulary, merges = read_vocabulary()
    made = Tokenizer(
        BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>", unk_token=END)
    )
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    made.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    split = pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True)
    letters = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.pre_tokenizer = pre_tokenizers.Sequence([split, letters])
    return made


def find_lost_words(text: str, count_cut: Callable[[str], int]) -> str:
    """Return the end of a text that a text encoder does not read, from the start of a word.

    `count_cut` counts the tokens of a text that are cut off. Returns "" if it reads all of it.
    """
    if not count_cut(text):
        return ""
    ends = range(len(text) + 1)
    read = bisect_left(ends, True, key=lambda end: count_cut(text[:end]) > 0) - 1
    words = (word.start() for word in re.finditer(r"\S+", text) if word.end() > read)
    lost = " ".join(text[next(words, read) or read :].split())  # without spaces, it is one word
    return lost if len(lost) <= MAX_LOST_CHARS else lost[: MAX_LOST_CHARS - 1] + "…"
