"""The audit of captions: what will make a style learn something else than is meant.

A style learns whatever comes with its trigger and is in no other word. What nearly all captions
say, too, is learnt with those words as much as with the trigger, which alone then draws less of it
(`python -m benchmarks.teaching.audit` shows how much less).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from storage.photosets.edits import find_text, split_trigger, tidy

MIN_CAPTIONS = 4  #: of fewer, "nearly all" means nothing
MIN_SHARE = 0.8  #: of all captions that words are in before they fuse with the trigger
MAX_PHRASE_WORDS = 4
MAX_PHRASES = 3  #: that are told at once
WORD, PART = re.compile(r"[^\W\d_][\w'-]*"), re.compile(r"[,.;:!?()]+")
GROUND = re.compile(r"\bon an? ((?:[\w-]+ )?[\w-]+) background\b", re.IGNORECASE)
#: words without a meaning of their own, and those for pictures of any kind
EMPTY_WORDS = frozenset((
    "a", "an", "and", "are", "as", "at", "background", "by", "for", "from", "has", "his", "her",
    "image", "in", "is", "it", "its", "of", "on", "or", "out", "photo", "photograph", "picture",
    "emoji", "that", "the", "their", "there", "this", "to", "up", "very", "was", "with",
))  # fmt: skip
#: of these, a caption means one
OPPOSITES = (
    ("indoors", "outdoors"), ("inside", "outside"), ("day", "night"), ("daytime", "night"),
    ("sitting", "standing"), ("sitting", "running"), ("standing", "lying"), ("sitting", "lying"),
    ("asleep", "awake"), ("sleeping", "running"), ("sleeping", "standing"),
    ("smiling", "frowning"),
    ("eyes open", "eyes closed"), ("open mouth", "closed mouth"), ("monochrome", "colourful"),
    ("monochrome", "colorful"), ("black and white", "colourful"), ("black and white", "colorful"),
    ("from above", "from below"), ("from the front", "from behind"), ("front view", "back view"),
    ("close-up", "full body"), ("close-up", "wide shot"), ("summer", "winter"), ("wet", "dry"),
    ("sunny", "rainy"), ("old", "young"), ("long hair", "short hair"), ("solo", "multiple girls"),
    ("simple background", "detailed background"), ("looking at viewer", "looking away"),
    ("no humans", "1girl"), ("no humans", "1boy"),
)  # fmt: skip


#: what goes with a phrase that is removed: "with a" before it, at the end of a part; its article
LEADING = (
    r"(?:\b(?:a|an|and|at|by|from|has|his|her|in|its|near|of|on|or|the|their|wearing|with)\s+)*"
)
PART_END = r"(?=\s*(?:[,.;:!?)]|$))"
ARTICLE, LINK = r"(?:\b(?:a|an|the)\s+)?", r"(?=\s+(?:and|at|by|from|in|of|on|with)\b)"


class FindingKind(StrEnum):
    """What is wrong with captions."""

    EMPTY = "empty"
    SAME = "same"
    FUSED = "fused"
    CONTRADICTION = "contradiction"


class Finding(NamedTuple):
    """Something that is wrong with captions."""

    kind: FindingKind
    photos: tuple[int, ...]  #: their places, from 0
    words: tuple[str, ...] = ()  #: that fuse with the trigger, or contradict each other


def audit_captions(captions: Sequence[str], trigger: str) -> list[Finding]:
    """Return what is wrong with captions, the worst first."""
    rests = [strip_trigger(caption, trigger) for caption in captions]
    empty = tuple(at for at, caption in enumerate(captions) if not caption.strip())
    return [
        *([Finding(FindingKind.EMPTY, empty)] if empty else []),
        *find_fused(rests),
        *find_contradictions(rests),
        *find_same(rests),
    ]


def strip_trigger(caption: str, trigger: str) -> str:
    """Return a caption without its trigger, wherever it is."""
    if not trigger:
        return caption
    _, rest = split_trigger(caption, trigger)
    return find_text(trigger).sub(" ", rest).strip(" ,")


def find_fused(captions: Sequence[str]) -> Iterator[Finding]:
    """Yield the phrases that nearly all captions have, the longest first."""
    written = [(at, caption.casefold()) for at, caption in enumerate(captions) if caption]
    if len(written) < MIN_CAPTIONS:
        return
    places = defaultdict[str, list[int]](list)
    for at, caption in written:
        for phrase in set(list_phrases(GROUND.sub("", caption))):
            places[phrase].append(at)
    least = MIN_SHARE * len(written)
    common = [phrase for phrase, found in places.items() if len(found) >= least]
    common.sort(key=lambda phrase: (-len(phrase.split()), -len(places[phrase]), phrase))
    told = list[str]()
    for phrase in common:
        if not any(find_text(phrase).search(longer) for longer in told):
            told.append(phrase)
            yield Finding(FindingKind.FUSED, tuple(places[phrase]), (phrase,))
        if len(told) == MAX_PHRASES:
            return


def list_phrases(caption: str) -> Iterator[str]:
    """Yield the words of a caption, and what stands together between two commas."""
    for part in PART.split(caption):
        words = WORD.findall(part)
        for length in range(1, MAX_PHRASE_WORDS + 1):
            for start in range(len(words) - length + 1):
                phrase = words[start : start + length]
                if phrase != ["style"] and not {phrase[0], phrase[-1]} & EMPTY_WORDS:
                    yield " ".join(phrase)


def find_contradictions(captions: Sequence[str]) -> Iterator[Finding]:
    """Yield the pairs of words that contradict each other, with the captions that have both."""
    places = defaultdict[tuple[str, str], list[int]](list)
    for at, caption in enumerate(captions):
        for pair in list_contradictions(caption):
            places[pair].append(at)
    for pair, found in places.items():
        yield Finding(FindingKind.CONTRADICTION, tuple(found), pair)


def list_contradictions(caption: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of words in a caption that contradict each other."""
    for one, other in OPPOSITES:
        if find_text(one).search(caption) and find_text(other).search(caption):
            yield one, other
    grounds = list(dict.fromkeys(found[0].casefold() for found in GROUND.finditer(caption)))
    yield from pairwise(grounds)


def find_same(captions: Sequence[str]) -> Iterator[Finding]:
    """Yield the photos whose captions say the same, apart from trigger and ground."""
    texts = list(map(normalise, captions))
    counts = Counter(text for text in texts if text)
    places = tuple(at for at, text in enumerate(texts) if counts[text] > 1)
    if places:
        yield Finding(FindingKind.SAME, places)


def normalise(caption: str) -> str:
    """Return a caption as it is compared: without case, its ground and what parts its words."""
    return " ".join(WORD.findall(GROUND.sub("", caption).casefold()))


def list_repeats(captions: Sequence[str], trigger: str) -> set[int]:
    """Return the places of captions that an earlier one says already."""
    texts = [normalise(strip_trigger(each, trigger)) for each in captions]
    return {at for at, text in enumerate(texts) if text and text in texts[:at]}


def remove_words(caption: str, trigger: str, words: Iterable[str]) -> str:
    """Return a caption without some words, and without what only led to them.

    The trigger at its beginning stays, and stands for a caption of which nothing else is left.
    """
    front, before = split_trigger(caption, trigger)
    rest = before
    for each in words:
        phrase = find_text(each).pattern
        for pattern in (rf"{LEADING}{phrase}{PART_END}", rf"{ARTICLE}{phrase}{LINK}", phrase):
            rest = re.sub(pattern, "", rest, flags=re.IGNORECASE)
    return caption if rest == before else tidy(front + rest) or trigger
