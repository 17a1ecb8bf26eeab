"""Obedience: whether pictures show what their prompts ask for, as a captioner tells it.

A captioner knows no trigger, and words that all prompts share say nothing of any, so only those
are looked for that tell a prompt from the others. CLIP-T (Ruiz et al. 2022) needs weights that
no package has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from training.lazy import Tensor, torch

WORD = re.compile(r"[^\W\d_]+")
#: words that a caption leaves out or adds as it likes
FILLERS = frozenset({
    "a", "an", "and", "at", "by", "for", "from", "in", "into", "is", "it", "of", "on", "or",
    "over", "photo", "picture", "the", "to", "under", "up", "with",
})  # fmt: skip
MIN_SHARE = 0.25  #: of the words; a base that obeys less is no measure for its styles


def list_words(text: str) -> list[str]:
    """Return the words of a text that mean something, each once, without plurals."""
    words = (word.removesuffix("s") for word in WORD.findall(text.lower()))
    return [*dict.fromkeys(word for word in words if word not in FILLERS)]


def list_wanted(prompts: Sequence[str], ignored: Collection[str]) -> list[list[str]]:
    """Return the words to look for in the picture of each prompt; `ignored` has the trigger.

    Words of all prompts are left out, unless the prompts are all the same.
    """
    skipped = {word for text in ignored for word in list_words(text)}
    found = [[word for word in list_words(each) if word not in skipped] for each in prompts]
    shared = set.intersection(*map(set, found)) if found else set()
    if all(set(words) == shared for words in found):
        return found
    return [[word for word in words if word not in shared] for words in found]


def measure_obedience(wanted: Sequence[Sequence[str]], captions: Sequence[str]) -> Tensor:
    """Return the share (N,) of the wanted words that the captions of pictures have.

    Nothing to look for counts as found.
    """
    shares = []
    for words, caption in zip(wanted, captions, strict=True):
        said = set(list_words(caption))
        shares.append(sum(word in said for word in words) / len(words) if words else 1.0)
    return torch.tensor(shares)
