"""What is wrong with a photo, why it matters and what to do; and how ready a set of them is."""

from __future__ import annotations

from collections.abc import Iterable

from bot.wording.template import fill, join_words
from storage.planning.verdicts import Finding, Verdict

#: of each finding: its name on a line, why it matters, and what to do
SHORT = {
    "animated": "only its first frame",
    "bars": "plain bars",
    "blurred": "soft",
    "bright": "overexposed",
    "dark": "very dark",
    "plain": "one colour",
    "same_shot": "same shot as {others}",
    "screenshot": "screenshot",
    "tiny": "small",
    "unsharp": "blurred",
}
WHY = {
    "animated": "It's animated, and only its first frame is used.",
    "bars": "It has plain bars ({sides}), which the style would learn too.",
    "blurred": "It's soft: it was enlarged or is out of focus, with detail for only about {width}×{height} pixels, and the style would learn that.",
    "bright": "It's overexposed: most of its middle is white, so there's little to learn from.",
    "dark": "It's so dark that there's little to learn from.",
    "plain": "It's almost a single colour, so there's nothing to learn from.",
    "same_shot": "It's the same shot as {others}, so together they count as one photo.",
    "screenshot": "It has bars with something on them ({sides}), like a screenshot, and the style would learn those too.",
    "tiny": "It's small: {width}×{height} pixels leave little detail to learn.",
    "unsharp": "It's blurred, and the style would learn that too.",
}
ADVICE = {
    "animated": "A still photo works just as well.",
    "bars": "Crop them off, or use the original.",
    "blurred": "Use the original, or a sharper photo.",
    "bright": "Use one with less light.",
    "dark": "Use one with more light.",
    "plain": "Check that it's the right file.",
    "same_shot": "Keep {best}, the best of them, and add photos that differ.",
    "screenshot": "Crop it to the photo itself, or use the original.",
    "tiny": "Use the original if you have it.",
    "unsharp": "Use a sharper photo.",
}
BEST = "It's the best of them; add photos that differ."
PHOTO_NAME = "photo {number}"
FINE = "Nothing wrong found."
ALSO = "Also: {names}."
ACCEPTED = "You keep it anyway ({names})."
NOT_CHECKED = "Not checked: {looks}."
LOOKS = {
    "bars": "bars",
    "content": "whether it shows the same as the others",
    "detail": "sharpness",
    "light": "exposure",
    "nudity": "nudity",
    "shots": "whether it's the same shot as another",
    "text": "text and watermarks",
}
SIDES = {"left": "left", "top": "top", "right": "right", "bottom": "bottom"}

# labels: a verb first, 18 characters at most

ACCEPT = "Keep anyway"
KEEP_BEST = "Keep the best"
KEEP_ALL = "Keep all"


def explain_verdict(verdict: Verdict) -> str:
    """Return what is to be said of a photo, in plain text."""
    if not verdict.findings:
        return FINE
    names = [name_finding(each) for each in verdict.findings]
    if verdict.accepted:
        return fill(ACCEPTED, names=", ".join(names))
    worst = verdict.findings[0]
    advice = BEST if worst.facts.get("is_best") else _fill(ADVICE[worst.code], worst)
    said = f"{_fill(WHY[worst.code], worst)} {advice}"
    return f"{said} {fill(ALSO, names=', '.join(names[1:]))}" if names[1:] else said


def name_photos(count: int) -> list[str]:
    """Return what the photos of a dataset are called in findings."""
    return [fill(PHOTO_NAME, number=number) for number in range(1, count + 1)]


def name_findings(verdict: Verdict) -> str:
    """Return the findings of a photo that its owner has not accepted, in a word or two each."""
    return "" if verdict.accepted else ", ".join(map(name_finding, verdict.findings))


def name_finding(finding: Finding) -> str:
    """Return a finding in a word or two."""
    return _fill(SHORT[finding.code], finding)


def name_unchecked(looks: Iterable[str]) -> str:
    """Return what nobody has looked at, or nothing."""
    names = [LOOKS[each] for each in looks]
    return fill(NOT_CHECKED, looks=join_words(names)) if names else ""


def _fill(template: str, finding: Finding) -> str:
    facts = {k: join_words(v) if isinstance(v, list) else v for k, v in finding.facts.items()}
    return fill(template, **facts)
