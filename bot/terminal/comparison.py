"""What `safelight compare` prints: a table of the entries, and which to take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot import wording
from bot.wording import fill, format_duration, format_size, join_words
from bot.wording.evaluation import format_grade

GRADES = ("score", "likeness", "obedience", "variety", "copies")


def comparison_lines(event: dict[str, Any]) -> Iterator[str]:
    """Yield a table in plain words."""
    said, labels = wording.comparison, event["labels"]
    yield said.SHELL_HEAD
    for number, label in enumerate(labels):
        grades, cost = event["grades"][str(number)], event["costs"][number]
        score, likeness, obedience, variety, copies = (format_grade(grades[n]) for n in GRADES)
        yield fill(
            said.SHELL_ROW,
            label=label,
            score=score,
            spread=format_grade(grades["spread"]),
            likeness=likeness,
            obedience=obedience,
            variety=variety,
            copies=copies,
            seconds=format_duration(cost["seconds"]),
            size=format_size(cost["bytes"]),
        )
    for each in event["crossed"]:
        trained, drawn = labels[each["trained"]], labels[each["drawn"]]
        score = format_grade(each["score"])
        yield fill(said.SHELL_CROSSED, trained=trained, drawn=drawn, score=score)
    yield from verdict_lines(event)
    yield fill(said.SHELL_WRITTEN, files=", ".join([*event["pictures"].values(), *event["files"]]))


def verdict_lines(event: dict[str, Any]) -> Iterator[str]:
    """Yield which entry to take, and why."""
    said, verdict, labels = wording.comparison, event["verdict"], event["labels"]
    best, why = labels[verdict["best"]], said.WHY[verdict["cheaper"]]
    if verdict["worse"]:
        others = join_words([labels[number] for number in verdict["worse"]])
        yield fill(said.SHELL_BETTER, best=best, others=others)
    if verdict["equal"]:
        equal = join_words([labels[number] for number in verdict["equal"]])
        yield fill(said.SHELL_EQUAL, best=best, equal=equal, why=why)
