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
from benchmarks.teaching.known_prompts import KnownPrompts
from benchmarks.teaching.runner import Pictures, TrainedStyle
from benchmarks.teaching.spec import TrainingSpec
from benchmarks.teaching.subject import KNOWN
from benchmarks.teaching.topic import MAX_SECONDS, Grades, Topic
from storage.records import Concept
from training import methods
from training.pretraining.judge import Judge
from training.sample import LoadedStyle


class StyleRunner(Protocol):
    """Where lessons are given and pictures drawn."""

    def train(self, asked: TrainingSpec) -> TrainedStyle:
        """Train to the file."""
        ...

    def sample(self, prompts: Sequence[str], style: LoadedStyle | None = None) -> Pictures:
        """Draw prompts."""
        ...

    def reconstruct(self, pictures: Pictures) -> Pictures:
        """Send pictures through the autoencoder."""
        ...


@dataclass
class Evaluation:
    """Everything that lessons need."""

    runner: StyleRunner
    critic: Judge
    seeds: int
    out: Path | None = None  #: where contact sheets go
    method: str | None = None  #: the only one to teach with; else all

    @cached_property
    def known_prompts(self) -> KnownPrompts:
        """Give what the base knows already."""
        return KnownPrompts(self.critic)

    @cached_property
    def base_knowledge(self) -> tuple[float, float]:
        """Grade what the base knows when nothing is worn."""
        return self.known_prompts.grade(self.runner.sample(self.known_prompts.prompts))

    def evaluate_topic(self, topic: Topic) -> Iterator[table.Row]:
        """Give a topic's rows: what is known, then each method's."""
        sheet = Sheet()
        known = {
            "real": topic.real,
            "through the autoencoder": self.runner.reconstruct(topic.real),
            "the base": topic.base,
        }
        for name, pictures in known.items():
            sheet.add(f"{topic.title}, {name}", pictures)
            grades = topic.grade(pictures)
            if topic.concept is Concept.SUBJECT and pictures is topic.base:
                grades[KNOWN] = self.base_knowledge
            for figure, (own, control) in grades.items():
                more = f" (control: {table.format_number(control)})"
                yield table.figure(f"{topic.title}, {name}: {figure}", own, more=more)
        for method in [self.method] if self.method else methods.walk():
            yield from self.evaluate_method(topic, method, sheet)
            if self.out:
                sheet.save(self.out / f"{topic.trigger}.png")

    def evaluate_method(self, topic: Topic, method: str, sheet: Sheet) -> Iterator[table.Row]:
        """Teach with every seed; give the median of each figure, and what it took."""
        grades, lessons = [], []
        for seed in range(self.seeds):
            numbers = topic.overrides.get(method, {})
            asked = TrainingSpec(
                method, topic.concept, topic.trigger, topic.photos, seed, overrides=numbers
            )
            lessons.append(self.runner.train(asked))
            pictures = self.runner.sample(topic.prompts, lessons[-1].style)
            sheet.add(f"{topic.title}, {method}, seed {seed}", pictures)
            grades.append(
                topic.grade(pictures) | self.measure_forgetting(topic, lessons[-1].style)
            )
        for figure in grades[0]:
            yield summarize_figure(topic, method, figure, [each[figure] for each in grades])
        yield from summarize_cost(topic, method, lessons)

    def measure_forgetting(self, topic: Topic, style: LoadedStyle) -> Grades:
        """Grade what the base still knows with a subject's style; a look is meant to change it."""
        if topic.concept is not Concept.SUBJECT:
            return {}
        return {
            KNOWN: self.known_prompts.grade(self.runner.sample(self.known_prompts.prompts, style))
        }


def summarize_figure(
    topic: Topic, method: str, figure: str, found: Sequence[tuple[float, float]]
) -> table.Row:
    """Write one figure of all seeds, beside its control."""
    own, control = zip(*found, strict=True)
    each = ", ".join(table.format_number(value) for value in own)
    more = f" (seeds: {each}; control: {table.format_number(statistics.median(control))})"
    what, value = f"{topic.title}, {method}: {figure}", statistics.median(own)
    bar = topic.bars.get((method, figure))
    return (
        bar.row(what, value, bar.value, more=more) if bar else table.figure(what, value, "", more)
    )


def summarize_cost(
    topic: Topic, method: str, lessons: Sequence[TrainedStyle]
) -> Iterator[table.Row]:
    """Write what the lessons took; seconds count where something is asked of the method."""
    longest = max(lesson.seconds for lesson in lessons)
    speed = statistics.median(lesson.speed for lesson in lessons)
    more = f" ({lessons[0].steps} steps, {speed:.3g} a second)"
    what = f"{topic.title}, {method}: seconds"
    if any(asked == method for asked, _ in topic.bars):
        yield table.at_most(what, longest, MAX_SECONDS, "s", more)
    else:
        yield table.figure(what, longest, "s", more)
    yield table.figure(f"{topic.title}, {method}: bytes of the file", lessons[0].bytes)
