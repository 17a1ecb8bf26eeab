"""What is wrong with a photo, why it matters and what to do; and how ready a set of them is."""

from __future__ import annotations

from collections.abc import Iterable

from bot.wording.template import fill, join_words
from storage.planning.readiness import MIN_PHOTOS, Readiness
from storage.planning.verdicts import Finding, Verdict

#: of each finding: its name on a line, why it matters, and what to do
SHORT = {
    "animated": "only its first frame",
    "bars": "plain bars",
    "blurred": "soft",
    "bright": "overexposed",
    "dark": "very dark",
    "explicit": "explicit",
    "no_face": "no face",
    "nudity": "maybe nudity",
    "other_subject": "something else?",
    "plain": "one colour",
    "same_shot": "same shot as {others}",
    "screenshot": "screenshot",
    "several_faces": "{count} faces",
    "text": "text",
    "tiny": "small",
    "unsharp": "blurred",
    "watermark": "watermark",
}
WHY = {
    "animated": "It's animated, and only its first frame is used.",
    "bars": "It has plain bars ({sides}), which the style would learn too.",
    "blurred": "It's soft: it was enlarged or is out of focus, with detail for only about {width}×{height} pixels.",
    "bright": "It's overexposed: most of its middle is white, so there's little to learn from.",
    "dark": "It's so dark that there's little to learn from.",
    "explicit": "It looks explicit, so nothing can be trained on it here.",
    "no_face": "No face was found in it, unlike in the others, so it may show something else.",
    "nudity": "It may show nudity; the moderators decide what this server allows.",
    "other_subject": "It looks unlike the others, so it may show something else, and the style would mix that in.",
    "plain": "It's almost a single colour, so there's nothing to learn from.",
    "same_shot": "It's the same shot as {others}, so they count as one photo.",
    "screenshot": "It has bars with something on them ({sides}), like a screenshot, and the style would learn those too.",
    "several_faces": "There are {count} faces in it, and the style can't know which one you mean.",
    "text": "There's text in it ({words}), and the style would learn that too.",
    "tiny": "It's small: {width}×{height} pixels leave little detail to learn.",
    "unsharp": "It's blurred.",
    "watermark": "It has the same text at the same place as other photos ({words}), and the style may draw it.",
}
ADVICE = {
    "animated": "A still photo works just as well.",
    "bars": "Crop them off, or use the original.",
    "blurred": "It can stay; the original is better if you have it.",
    "bright": "Use one with less light.",
    "dark": "Use one with more light.",
    "explicit": "Remove it, or ask the operator if that's a mistake.",
    "no_face": "Keep it if it shows the same person from behind or from afar.",
    "nudity": "Remove it if you're not sure.",
    "other_subject": "Keep it if your subject is in it; if not, take it out.",
    "plain": "Check that it's the right file.",
    "same_shot": "Keep {best}, the best of them, and add photos that differ.",
    "screenshot": "Crop it to the photo itself, or use the original.",
    "several_faces": "Crop it to the one you mean, or say in its caption who is where.",
    "text": "That's fine if it belongs to the subject; if not, crop it off.",
    "tiny": "Unless it's an emoji, use the original if you have it.",
    "unsharp": "It can stay; a sharper one is better if you have it.",
    "watermark": "It can stay; crop it off if you mind.",
}
BEST = "This is the best of them. Add photos that differ."
PHOTO_NAME = "photo {number}"
PHOTO_NAMES = "photos {numbers}"
FINE = "Nothing wrong found."
ALSO = "Also: {names}."
ACCEPTED = "You keep it anyway ({names})."
NOT_CHECKED = "Not checked: {looks}."
SMALL_PRINT = "-# {said}"
LOOKS = {
    "bars": "bars",
    "content": "other subjects",
    "detail": "sharpness",
    "light": "exposure",
    "nudity": "nudity",
    "subjects": "several subjects",
    "shots": "same shots",
    "text": "text and watermarks",
}
SIDES = {"left": "left", "top": "top", "right": "right", "bottom": "bottom"}

# photos of the same shot

SHOTS_TITLE = "### The same shot more than once in {name}"
SHOT = "- {photos}: {best} is the best"
SHOTS_ASK = "Photos of the same shot count as one. Keep only the best of each, which removes {spare}, or keep all."
BARS_CUT = "Added as photo {number}, without the bars. The original stays until you remove it."
KEPT_BEST = "Removed {removed}. The best of each shot stays."
KEPT_ALL = "All photos stay, and I won't mention it again."

# how ready a dataset is

LEVELS = {"not_yet": "Not yet", "trains": "Trains", "good": "Good"}
READINESS = "**{level}:** {advice}."
READINESS_IN_SHELL = "{level}: {advice}."
#: the most useful next photo; without one, what is good
NEXT = {
    "": "{different} different photos in varied light and places",
    "crops": "crops of one photo count once, which leaves {different}, so add {missing} more",
    "few": "training needs at least {least} different photos, so add {missing} more",
    "grounds": "add {missing} with another background",
    "more": "{different} different photos work, but 10–20 work best, so add {missing} more",
    "one_ground": "all {different} have the same background, so add {missing} somewhere else",
    "one_view": "all {different} show it from a similar angle and distance, so add {missing} from another side or closer",
    "only_bright": "all {different} are in bright light, so add {missing} in the shade or indoors",
    "only_dim": "all {different} are in dim light, so add {missing} by day",
    "only_even": "all {different} are in similar light, so add {missing} in the sun or at dusk",
}
LIGHTS = {"dim": "dim", "even": "even", "bright": "bright"}
GROUNDS = {"plain": "plain ground", "some": "some detail", "busy": "busy ground"}
GRID_ROW, GRID_CELL, HOLE = "{name:<13}{cells}", "{count:^7}", "·"

# labels: a verb first, 18 characters at most

OPEN_SHOTS = "Same shots"
CUT_BARS = "Cut bars off"
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


def explain_readiness(readiness: Readiness, *, in_shell: bool = False) -> str:
    """Return how ready a dataset is, and the most useful next photo."""
    facts = {
        "different": readiness.different, "missing": readiness.missing, "least": MIN_PHOTOS,
    }  # fmt: skip
    advice = fill(NEXT[readiness.advice], **facts)
    words = READINESS_IN_SHELL if in_shell else READINESS
    return fill(words, level=LEVELS[readiness.level], advice=advice)


def draw_grid(readiness: Readiness) -> list[str]:
    """Return a table in text: how many photos there are in each light, on each ground."""
    head = "".join(fill(GRID_CELL, count=name) for name in LIGHTS.values())
    rows = zip(GROUNDS.values(), readiness.grid, strict=True)
    cells = [
        (name, "".join(fill(GRID_CELL, count=count or HOLE) for count in row))
        for name, row in rows
    ]
    return [fill(GRID_ROW, name=name, cells=row).rstrip() for name, row in [("", head), *cells]]


def name_photos(count: int) -> list[str]:
    """Return what the photos of a dataset are called in findings."""
    return [fill(PHOTO_NAME, number=number) for number in range(1, count + 1)]


def join_names(names: list[str]) -> str:
    """Join names as a sentence does; those of photos of a dataset by their numbers."""
    one = fill(PHOTO_NAME, number="")
    if len(names) > 1 and all(name.startswith(one) for name in names):
        numbers = join_words([name.removeprefix(one) for name in names])
        return fill(PHOTO_NAMES, numbers=numbers)
    return join_words(names)


def name_findings(verdict: Verdict) -> str:
    """Return the findings of a photo that its owner has not accepted, in a word or two each."""
    return ", ".join(map(name_finding, verdict.warnings))


def name_finding(finding: Finding) -> str:
    """Return a finding in a word or two."""
    return _fill(SHORT[finding.code], finding)


def name_unchecked(looks: Iterable[str]) -> str:
    """Return what nobody has looked at, or nothing."""
    names = [LOOKS[each] for each in looks]
    return fill(NOT_CHECKED, looks=join_words(names)) if names else ""


def _fill(template: str, finding: Finding) -> str:
    facts = {k: join_names(v) if isinstance(v, list) else v for k, v in finding.facts.items()}
    return fill(template, **facts)
