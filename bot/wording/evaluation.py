"""What a report says of a style, in a shell or on a card: each number, its meaning and its source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.wording.template import fill

TITLE = "{style} on {base}"
SCORE = "Score {mean} ± {spread} of 100 over {seeds} seeds: likeness × {obedience}variety, minus copies and forgetting."
SCORE_OBEDIENCE = "obedience × "  #: where it was measured
SCORE_HEAD = "of 100, ±{spread} over {seeds} seeds"
LINE = "{name:<12}{figure:>6}  {meaning}"
#: of each grade: its name, and what it says
NAMES = {
    "likeness": "Likeness",
    "obedience": "Obedience",
    "variety": "Variety",
    "copies": "Copies",
    "forgetting": "Forgetting",
}
MEANINGS = {
    "likeness": "how close its pictures are to the photos, by {by}; 100 is as close as the photos are to each other, and more would be a copy",
    "obedience": "how much of each prompt a {by} finds in the picture, beside what the base achieves",
    "variety": "how much its pictures differ, by {by}; 0 is always the same picture",
    "copies": "share of its pictures that repeat a photo, by {by}",
    "forgetting": "how far it changes pictures without its trigger, by {by}; 0 is not at all",
}
CARD_MEANINGS = {
    "likeness": "looks like the photos",
    "obedience": "draws what the prompt says",
    "variety": "draws different pictures",
    "copies": "repeats a photo (less is better)",
    "forgetting": "changes other pictures (less is better)",
}
NOT_MEASURED = "–"
OBEDIENCE_UNKNOWN = "not measured: no captioner here can judge pictures like these (for photos, safelight bases fetch blip)"
CALLED = "Binding: the trigger alone calls it (likeness {trigger})."
CALLED_WITH_CLASS = "Binding: the trigger alone hardly calls it (likeness {trigger}); with the class word it does ({both}), so write both."
CALLED_LITTLE = "Binding: the trigger calls little (likeness {trigger})."
LEAK = "Leak: even without the trigger, pictures look more like the photos, by {leak} of 100."
NO_LEAK = "Leak: none; without the trigger, pictures look no more like the photos than the base's."
SHIFT = "Style strength {shift}: how far its pictures go from the base's toward the photos, by {by}; 100 is all the way."
SET = "{name} {value:.3f} ± {spread:.3f}: {meaning}"
SET_EXACT = "{name} {value:.3f}: {meaning}"
SET_MEANINGS = {
    "KID-EffLite2": "how far the pictures are from the photos as sets, by KID on EfficientNet-Lite2; 0 is not at all",
    "MiFID-EffLite2": "the same by MiFID on EfficientNet-Lite2, larger if pictures repeat photos; compare it between sets of one size alone",
    "FID": "the same by FID on Inception v3, as papers report it",
    "IS": "how clear and how varied the pictures are, by the Inception Score",
}
REFUSED = "{name}: not computed; {why}"
REFUSALS = {
    "set_small": "it takes at least {least:,} pictures, and as many photos if it compares with them. Here are {pictures:,} and {photos:,}.",
    "inception_missing": "it takes Inception's weights, which the operator has not set up (docs/reports.md).",
}
ENCODED = "{name} {value:.2f}: {meaning}"
ENCODED_MEANINGS = {
    "CLIP-T": "how well pictures fit their prompts, by CLIP",
    "CLIP-I": "how like the photos they are, by CLIP",
    "DINOv2": "how like the photos they are, by DINOv2",
}
COPY = "Nearest to a photo: {file} (prompt “{prompt}”), cosine {cosine:.2f}, SSIM {ssim:.2f}{verdict}."
COPIED = ", a copy"
SEED_NOTE = "Two scores whose ± overlap may be no different."
WRITTEN = "Written in {seconds} s: {file}, {card} and {count} pictures in {folder}."
FOOT = "Compared by EfficientNet-Lite2 and SSIM · Safelight"
NEAREST = "drawn, and nearest photo\ncosine {cosine:.2f} · SSIM {ssim:.2f}"
PERCENT = 100
MIN_LEAK = 0.1  #: of likeness; less is within the noise
MIN_CALLED = 0.2  #: likeness from which a trigger calls something
MIN_SHARE = 0.6  #: of the likeness with the class word that a trigger alone should reach


def describe_grade(name: str, report: dict[str, Any]) -> str:
    """Return a line on one grade."""
    value = report["grades"][name]
    by = report["computed_by"][name]
    meaning = OBEDIENCE_UNKNOWN if value is None else fill(MEANINGS[name], by=by)
    return fill(LINE, name=NAMES[name], figure=format_grade(value), meaning=meaning)


def format_grade(value: float | None) -> str:
    """Return a grade of 0 to 1 as a whole number of 100."""
    return NOT_MEASURED if value is None else f"{PERCENT * value:.0f}"


def describe_bindings(report: dict[str, Any]) -> Iterator[str]:
    """Yield which words call the style, what happens without them, and how strong a look is."""
    bound, leak = report["bindings"], report["leak"]
    alone, both = bound["trigger"], bound.get("trigger_and_class", 0.0)
    trigger = format_grade(alone)
    if alone >= max(MIN_CALLED, MIN_SHARE * both):
        yield fill(CALLED, trigger=trigger)
    elif both >= MIN_CALLED:
        yield fill(CALLED_WITH_CLASS, trigger=trigger, both=format_grade(both))
    else:
        yield fill(CALLED_LITTLE, trigger=trigger)
    yield fill(LEAK, leak=format_grade(leak)) if leak >= MIN_LEAK else NO_LEAK
    if (shift := report.get("shift")) is not None:
        yield fill(SHIFT, shift=format_grade(shift), by=report["computed_by"]["shift"])


def describe_sets(report: dict[str, Any]) -> Iterator[str]:
    """Yield the set scores, why others are refused, and what CLIP and DINOv2 say."""
    for name, value in report.get("encoded", {}).items():
        yield fill(ENCODED, name=name, value=value, meaning=ENCODED_MEANINGS[name])
    for each in report.get("sets", ()):
        name, value, spread = each["name"], each["value"], each["spread"]
        if each["refused"]:
            facts = dict.fromkeys(("least", "pictures", "photos"), 0) | each["facts"]
            least, pictures, photos = (facts[key] for key in ("least", "pictures", "photos"))
            refusal = REFUSALS[each["refused"]]
            why = fill(refusal, least=least, pictures=pictures, photos=photos)
            yield fill(REFUSED, name=name, why=why)
        elif spread is None:
            yield fill(SET_EXACT, name=name, value=value, meaning=SET_MEANINGS[name])
        else:
            yield fill(SET, name=name, value=value, spread=spread, meaning=SET_MEANINGS[name])
