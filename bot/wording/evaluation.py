"""What `safelight evaluate` says of a style: each number with what computed it, and its meaning."""

from __future__ import annotations

from typing import Any

from bot.wording.template import fill

TITLE = "{style} on {base}"
SCORE = "Score {mean:.2f} ± {spread:.2f} over {seeds} seeds: likeness × obedience × variety, minus copies and forgetting."
SCORE_HEAD = "score, ±{spread:.2f} over {seeds} seeds"
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
    "likeness": "how close its pictures are to the photos, by {by}; 1 is as close as the photos are to each other, and more would be a copy",
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
OBEDIENCE_UNKNOWN = (
    "not measured: no captioner for this base is installed (safelight bases fetch blip)"
)
BINDINGS = "Likeness with its trigger alone {trigger:.2f}, with neither trigger nor class word {neither:.2f}."
BINDINGS_CLASS = "With the class word beside its trigger {likeness:.2f}."
LEAK = "It leaks: even without its trigger, pictures look {leak:.2f} more like the photos."
COPY = "Nearest to a photo: {file} (prompt “{prompt}”), cosine {cosine:.2f}, SSIM {ssim:.2f}{verdict}."
COPIED = ", a copy"
SEED_NOTE = "Two scores whose ± overlap may be no different."
WRITTEN = "Written in {seconds} s: {file}, {card} and {count} pictures in {folder}."
FOOT = "Compared by EfficientNet-Lite2 and SSIM · safelight evaluate"
NEAREST = "drawn above, nearest photo below · cosine {cosine:.2f} · SSIM {ssim:.2f}"


def describe_grade(name: str, report: dict[str, Any]) -> str:
    """Return a line on one grade."""
    value = report["grades"][name]
    by = report["computed_by"][name]
    meaning = OBEDIENCE_UNKNOWN if value is None else fill(MEANINGS[name], by=by)
    return fill(LINE, name=NAMES[name], figure=format_grade(value), meaning=meaning)


def format_grade(value: float | None) -> str:
    """Return a grade with two digits."""
    return NOT_MEASURED if value is None else f"{value:.2f}"
