"""What `safelight compare` and `sweep` print: a table of the entries, and which to take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot import wording
from bot.wording import fill, format_duration, format_size, join_words
from bot.wording.evaluation import format_grade

GRADES = ("score", "likeness", "obedience", "variety", "copies")


def comparison_lines(event: dict[str, Any]) -> Iterator[str]:
    """Yield a table in plain words, what crossings scored, and which entry to take."""
    said, labels = wording.comparison, event["labels"]
    yield from table_lines(event, [event["grades"][str(at)] for at, _ in enumerate(labels)])
    for each in event["crossed"]:
        trained, drawn = labels[each["trained"]], labels[each["drawn"]]
        score = format_grade(each["score"])
        yield fill(said.SHELL_CROSSED, trained=trained, drawn=drawn, score=score)
    yield from verdict_lines(event)
    yield fill(said.SHELL_WRITTEN, files=", ".join([*event["pictures"].values(), *event["files"]]))


def sweep_lines(event: dict[str, Any]) -> Iterator[str]:
    """Yield a table of a sweep's recipes, and which became the style."""
    yield from table_lines(event, event["grades"])
    ended = zip(event["labels"], event["steps"], strict=True)
    others = [
        fill(wording.sweep.OTHER, label=label, steps=steps)
        for at, (label, steps) in enumerate(ended)
        if at != event["winner"]
    ]
    best = event["labels"][event["winner"]]
    yield fill(wording.sweep.SHELL_WINNER, best=best, others=join_words(others))
    shorter = [
        label
        for label, grades in zip(event["labels"], event["grades"], strict=True)
        if event["winner"] in grades["beats"]
    ]
    if shorter:
        yield fill(wording.sweep.SHELL_SHORTER_BETTER, others=join_words(shorter))
    files = ", ".join([event["file"], *event["pictures"].values()])
    yield fill(wording.comparison.SHELL_WRITTEN, files=files)


def table_lines(event: dict[str, Any], grades: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a row for each entry, with its grades and costs."""
    yield wording.comparison.SHELL_HEAD
    for label, each, cost in zip(event["labels"], grades, event["costs"], strict=True):
        score, likeness, obedience, variety, copies = (format_grade(each[n]) for n in GRADES)
        yield fill(
            wording.comparison.SHELL_ROW,
            label=label,
            score=score,
            spread=format_grade(each["spread"]),
            likeness=likeness,
            obedience=obedience,
            variety=variety,
            copies=copies,
            seconds=format_duration(cost["seconds"]),
            size=format_size(cost["bytes"]),
        )


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
