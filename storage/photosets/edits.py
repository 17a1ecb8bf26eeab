"""Changes of captions: a text replaced, a word added or removed, the trigger renamed.

Texts are found in any case and in any width of spaces, and as whole words: "cat" is not in
"category". All but the renaming leave the trigger alone, and captions that are empty.
"""

from __future__ import annotations

import re

from storage.names import contains_trigger

#: CLIP reads 75 tokens; a trigger within so many characters is surely among them
TRIGGER_SEARCH_CHARS = 100
#: what a removed word leaves behind: two spaces, a space before a comma, two commas
LEFTOVERS = ((re.compile(r"\s+"), " "), (re.compile(r" +([,.;:!?])"), r"\1"),
             (re.compile(r",(?: ?,)+"), ","), (re.compile(r",([.;:!?])"), r"\1"))  # fmt: skip


def put_trigger(caption: str, trigger: str) -> str:
    """Return a caption as a training reads it: the trigger in front, unless it is near there."""
    if not caption or contains_trigger(caption[:TRIGGER_SEARCH_CHARS], trigger):
        return caption
    return f"{trigger}, {caption}"


def find_text(text: str) -> re.Pattern[str]:
    """Return a pattern that finds a text, as whole words where its script has cases or digits."""
    words = text.split()
    inner = r"\s+".join(map(re.escape, words))
    before, after = (is_part_of_word(each) for each in (words[0][0], words[-1][-1]))
    return re.compile(r"(?<!\w)" * before + inner + r"(?!\w)" * after, re.IGNORECASE)


def is_part_of_word(sign: str) -> bool:
    """Return whether words have spaces around them where they are written with this sign."""
    return sign.isdigit() or sign.upper() != sign.lower()


def replace_text(caption: str, trigger: str, text: str, words: str) -> str:
    """Replace a text wherever it is, but in the trigger at the beginning."""
    front, rest = split_trigger(caption, trigger)
    changed = find_text(text).sub(lambda _: words, rest)
    return caption if changed == rest else tidy(front + changed)


def add_word(caption: str, trigger: str, word: str) -> str:
    """Put a word behind a caption that does not have it."""
    _, rest = split_trigger(caption, trigger)
    if not caption or find_text(word).search(rest):
        return caption
    return tidy(f"{caption}, {word}")


def remove_word(caption: str, trigger: str, word: str) -> str:
    """Take a word out wherever it is, but at the beginning as the trigger."""
    return replace_text(caption, trigger, word, "")


def rename_trigger(caption: str, old: str, new: str) -> str:
    """Put the new trigger for the first old one."""
    return find_text(old).sub(lambda _: new, caption, count=1)


def split_trigger(caption: str, trigger: str) -> tuple[str, str]:
    """Split a caption behind the trigger that it begins with, if it does."""
    found = find_text(trigger).match(caption)
    end = found.end() if found else 0
    return caption[:end], caption[end:]


def tidy(caption: str) -> str:
    """Remove spaces and commas that no words stand between any more."""
    for pattern, put in LEFTOVERS:
        caption = pattern.sub(put, caption)
    return caption.strip(" ,")
