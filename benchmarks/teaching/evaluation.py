"""Lessons with every method there is, and the rows and pictures that come of them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from benchmarks import table
from benchmarks.sheet import Sheet
from benchmarks.teaching.known_prompts import Recall
from benchmarks.teaching.runner import Pictures, Trained
from benchmarks.teaching.spec import Lesson
from benchmarks.teaching.subject import KNOWN
from benchmarks.teaching.topic import SECONDS, Grades, Topic
from storage.records import Concept
from training import methods
from training.pretraining.judge import Judge
from training.sample import LoadedStyle


class Studio(Protocol):
    """Where lessons are given and pictures drawn."""

    def teach(self, asked: Lesson) -> Trained:
        """Train to the file."""
        ...

    def drawn(self, prompts: Sequence[str], style: LoadedStyle | None = None) -> Pictures:
        """Draw prompts."""
        ...

    def through(self, pictures: Pictures) -> Pictures:
        """Send pictures through the autoencoder."""
        ...


@dataclass
class School:
    """Everything that lessons need."""

    studio: Studio
    critic: Judge
    seeds: int
    out: Path | None = None  #: where contact sheets go
    method: str | None = None  #: the only one to teach with; else all

    @cached_property
    def recall(self) -> Recall:
        """Give what the base knows already."""
        return Recall(self.critic)

    @cached_property
    def remembered(self) -> tuple[float, float]:
        """Grade what the base knows when nothing is worn."""
        return self.recall.grade(self.studio.drawn(self.recall.prompts))

    def report(self, topic: Topic) -> Iterator[table.Row]:
        """Give a topic's rows: what is known, then each method's."""
        sheet = Sheet()
        known = {
            "real": topic.real,
            "through the autoencoder": self.studio.through(topic.real),
            "the base": topic.base,
        }
        for name, pictures in known.items():
            sheet.add(f"{topic.title}, {name}", pictures)
            grades = topic.grade(pictures)
            if topic.concept is Concept.SUBJECT and pictures is topic.base:
                grades[KNOWN] = self.remembered
            for figure, (own, control) in grades.items():
                more = f" (control: {table.written(control)})"
                yield table.told(f"{topic.title}, {name}: {figure}", own, more=more)
        for method in [self.method] if self.method else methods.walk():
            yield from self.taught(topic, method, sheet)
            if self.out:
                sheet.save(self.out / f"{topic.trigger}.png")

    def taught(self, topic: Topic, method: str, sheet: Sheet) -> Iterator[table.Row]:
        """Teach with every seed; give the median of each figure, and what it took."""
        grades, lessons = [], []
        for seed in range(self.seeds):
            numbers = topic.numbers.get(method, {})
            asked = Lesson(
                method, topic.concept, topic.trigger, topic.photos, seed, numbers=numbers
            )
            lessons.append(self.studio.teach(asked))
            pictures = self.studio.drawn(topic.prompts, lessons[-1].worn)
            sheet.add(f"{topic.title}, {method}, seed {seed}", pictures)
            grades.append(topic.grade(pictures) | self.kept(topic, lessons[-1].worn))
        for figure in grades[0]:
            yield figured(topic, method, figure, [each[figure] for each in grades])
        yield from took(topic, method, lessons)

    def kept(self, topic: Topic, style: LoadedStyle) -> Grades:
        """Grade what the base still knows with a subject's style; a look is meant to change it."""
        if topic.concept is not Concept.SUBJECT:
            return {}
        return {KNOWN: self.recall.grade(self.studio.drawn(self.recall.prompts, style))}


def figured(
    topic: Topic, method: str, figure: str, found: Sequence[tuple[float, float]]
) -> table.Row:
    """Write one figure of all seeds, beside its control."""
    own, control = zip(*found, strict=True)
    each = ", ".join(table.written(value) for value in own)
    more = f" (seeds: {each}; control: {table.written(statistics.median(control))})"
    what, value = f"{topic.title}, {method}: {figure}", statistics.median(own)
    bar = topic.bars.get((method, figure))
    return bar.row(what, value, bar.value, more=more) if bar else table.told(what, value, "", more)


def took(topic: Topic, method: str, lessons: Sequence[Trained]) -> Iterator[table.Row]:
    """Write what the lessons took; seconds count where something is asked of the method."""
    longest = max(lesson.seconds for lesson in lessons)
    speed = statistics.median(lesson.speed for lesson in lessons)
    more = f" ({lessons[0].steps} steps, {speed:.3g} a second)"
    what = f"{topic.title}, {method}: seconds"
    if any(asked == method for asked, _ in topic.bars):
        yield table.most(what, longest, SECONDS, "s", more)
    else:
        yield table.told(what, longest, "s", more)
    yield table.told(f"{topic.title}, {method}: bytes of the file", lessons[0].bytes)
