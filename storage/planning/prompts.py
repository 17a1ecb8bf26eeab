"""The prompts that show what a training has taught: drawn on the way, at the end, and offered."""

from __future__ import annotations

from collections.abc import Sequence

from storage.errors import SafelightError
from storage.records import Concept

MAX_OWN_PROMPTS, MAX_OWN_PROMPT_CHARS = 4, 300  #: of a member's, for one training
PREVIEW_PROMPTS = 2  #: of a training with one concept; each further concept adds one
MIN_RESULT_STEPS = 100  #: of a run whose end is worth more pictures than the way to it
#: backgrounds of the pictures on a small base's result, and of what is offered to draw next
RESULT_GROUNDS = ("white", "blue", "green", "pink")
MORE_GROUNDS = ("yellow", "light blue", "purple")
THINGS = ("cat", "pizza", "fox", "rose")  #: that a look is shown on


def list_prompts(
    trigger: str,
    concept: Concept,
    class_word: str = "",
    *,
    small: bool,
    grounds: Sequence[str] = RESULT_GROUNDS,
) -> list[str]:
    """List the prompts of a result: the subject, or other things in the look.

    A small base draws emoji on plain grounds, as its captions say. The first PREVIEW_PROMPTS are
    drawn on the way, too.
    """
    if small:
        looks = [f"a {thing} emoji, {trigger} style" for thing in THINGS]
        shown = looks if concept is Concept.LOOK else [f"a {trigger} emoji"] * len(grounds)
        return [
            f"{what}, on a {ground} background"
            for what, ground in zip(shown, grounds, strict=False)
        ]
    if concept is Concept.LOOK:
        return [f"a cat, {trigger} style", f"a house by a lake, {trigger} style"]
    thing = f"{trigger} {class_word}".strip()
    return [f"a photo of {thing}", f"a painting of {thing} on a beach"]


def check_own_prompts(prompts: Sequence[str], error: type[SafelightError]) -> None:
    """Raise `error` for too many prompts of a member's, or one that is too long."""
    if len(prompts) > MAX_OWN_PROMPTS:
        raise error("prompts_many", count=len(prompts), most=MAX_OWN_PROMPTS)
    for prompt in prompts:
        if len(prompt) > MAX_OWN_PROMPT_CHARS:
            raise error("prompt_long", length=len(prompt), most=MAX_OWN_PROMPT_CHARS)


def recommend_prompts(trigger: str, concept: Concept, *, small: bool) -> list[str]:
    """List the prompts that cards and the demo's page offer: none that the result shows."""
    return list_prompts(trigger, concept, small=small, grounds=MORE_GROUNDS)
