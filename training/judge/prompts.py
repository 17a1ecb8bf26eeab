"""The prompts that a style is graded on: 25 a kind, after the protocol of Ruiz et al. 2022.

Their kinds are kept (new places, other things beside it, something put on it, another property),
in words of our own.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage.planning.prompts import MORE_GROUNDS, RESULT_GROUNDS, THINGS
from storage.records import Concept

SMALL_PROMPTS = 4  #: of a small base, which draws emoji on plain grounds and no places
ALIVE = frozenset({
    "animal", "bear", "bird", "boy", "cat", "child", "dog", "fish", "fox", "frog", "girl", "horse",
    "kitten", "lion", "man", "monkey", "panda", "person", "pig", "puppy", "rabbit", "wolf",
    "woman",
})  # fmt: skip
PLACES = (
    "in deep snow", "on a sandy beach", "in a green jungle", "on a street of cobbles",
    "on a wooden floor", "on a pink blanket", "in front of a brick wall", "with mountains behind",
    "with a city behind", "in a field of wheat", "floating on water", "in autumn leaves",
    "on a white carpet", "in front of a waterfall", "under a blue sky",
)  # fmt: skip
#: what is done to a thing, and to somebody alive
BESIDE = (
    "on top of a mirror", "on a green blanket with flowers", "beside a cup of coffee",
    "on a stack of books", "with a tree in autumn behind",
)  # fmt: skip
WORN = (
    "wearing a red hat", "wearing a santa hat", "wearing a yellow scarf", "wearing sunglasses",
    "in a police outfit",
)  # fmt: skip
CHANGES = ("a red {}", "a purple {}", "a shiny {}", "a wet {}", "a cube shaped {}")
SHOTS = (
    "a close photo of {}", "{} seen from far away", "{} at night", "a painting of {}",
    "a pencil drawing of {}",
)  # fmt: skip
LOOKS = (
    *THINGS, "house by a lake", "dog", "castle", "boat", "bicycle", "mountain", "city at night",
    "bowl of fruit", "bridge", "old woman", "astronaut", "tree in winter", "train", "lighthouse",
    "bird", "market", "garden", "kitchen", "horse", "road", "cup of tea",
)  # fmt: skip
#: what no style should change
UNRELATED = (
    "a photo of a bicycle", "a bowl of fruit on a table", "a lighthouse at night",
    "an astronaut on a horse",
)  # fmt: skip


def list_prompts(
    trigger: str, concept: Concept, class_word: str = "", *, small: bool
) -> list[str]:
    """List the prompts of a style: 25, or as many grounds or things as a small base knows."""
    if small and concept is Concept.LOOK:
        return [f"a {thing} emoji, {trigger} style, on a white background" for thing in THINGS]
    if small:
        grounds = (*RESULT_GROUNDS, *MORE_GROUNDS)
        return [f"a {trigger} emoji, on a {ground} background" for ground in grounds]
    if concept is Concept.LOOK:
        return [f"a {thing}, {trigger} style" for thing in LOOKS]
    named = f"{trigger} {class_word}".strip()
    more = WORN if class_word.lower() in ALIVE else BESIDE
    places = [f"a photo of {named} {place}" for place in (*PLACES, *more)]
    changed = SHOTS if class_word.lower() in ALIVE else CHANGES
    return [*places, *(each.format(named) for each in changed)]


def list_unrelated(*, small: bool) -> Sequence[str]:
    """List prompts that have nothing to do with any style."""
    return [f"a {thing} emoji, on a white background" for thing in THINGS] if small else UNRELATED


def name_bindings(
    trigger: str, concept: Concept, class_word: str, *, small: bool
) -> dict[str, str]:
    """Return prompts with the trigger alone, with the class word if it is known, with neither.

    A look is no thing, so its prompts name one, with its trigger and without. A small base takes a
    word that it does not know for any other, the trigger too, so it is given one that it knows.
    """
    if concept is Concept.LOOK:
        thing = f"a {THINGS[0]} emoji" if small else f"a {THINGS[0]}"
        return {"trigger": f"{thing}, {trigger} style", "neither": thing}
    other = THINGS[-1] if small else "thing"
    words = {"trigger": trigger, "neither": class_word or other}
    if class_word:
        words["trigger_and_class"] = f"{trigger} {class_word}"
    form = "a {} emoji" if small else "a photo of {}"
    return {name: form.format(each) for name, each in words.items()}
