"""Train every topic with every method, and return the rows and pictures of the results."""

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
from benchmarks.teaching.topic import Grades, Topic
from storage.records import Concept
from training import methods
from training.pretraining.judge import Judge
from training.sample import LoadedStyle


class StyleRunner(Protocol):
    """Trains styles and samples pictures."""

    def train(self, training_spec: TrainingSpec) -> TrainedStyle:
        """Train a style to its file."""
        ...

    def sample(self, prompts: Sequence[str], style: LoadedStyle | None = None) -> Pictures:
        """Return one picture for each prompt."""
        ...

    def reconstruct(self, pictures: Pictures) -> Pictures:
        """Return pictures encoded and decoded by the autoencoder."""
        ...


@dataclass
class Evaluation:
    """Trains and grades topics."""

    runner: StyleRunner
    judge: Judge
    seeds: int
    out: Path | None = None  #: folder for contact sheets
    method: str | None = None  #: the only method to train with; else all

    @cached_property
    def known_prompts(self) -> KnownPrompts:
        """Return prompts that the base knows."""
        return KnownPrompts(self.judge)

    @cached_property
    def base_knowledge(self) -> tuple[float, float]:
        """Return the grade of the known prompts without a style."""
        return self.known_prompts.grade(self.runner.sample(self.known_prompts.prompts))

    def evaluate_topic(self, topic: Topic) -> Iterator[table.Row]:
        """Yield a topic's rows: of the base and the ceilings, then of each method."""
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
        """Train with every seed; yield the median of each figure, and the cost."""
        grades: dict[str, list[Grades]] = {}
        trained = []
        for seed in range(self.seeds):
            training_spec = TrainingSpec(
                method, topic.concept, topic.trigger, topic.photos, seed,
                overrides=topic.overrides.get(method, {}), max_file_bytes=topic.max_file_bytes,
            )  # fmt: skip
            trained.append(self.runner.train(training_spec))
            styles = {method: trained[-1].style, f"{method}, small copy": trained[-1].small_copy}
            for name, style in styles.items():
                if style:
                    title = f"{topic.title}, {name}, seed {seed}"
                    grades.setdefault(name, []).append(self.grade(topic, style, title, sheet))
        for name, each in grades.items():
            for figure in each[0]:
                yield summarize_figure(topic, name, figure, [seed[figure] for seed in each])
        yield from summarize_cost(topic, method, trained)

    def grade(self, topic: Topic, style: LoadedStyle, title: str, sheet: Sheet) -> Grades:
        """Return the grades of a style's pictures, which go onto the sheet, too."""
        pictures = self.runner.sample(topic.prompts, style)
        sheet.add(title, pictures)
        return topic.grade(pictures) | self.measure_forgetting(topic, style)

    def measure_forgetting(self, topic: Topic, style: LoadedStyle) -> Grades:
        """Grade the known prompts with a subject's style; a look may change them."""
        if topic.concept is not Concept.SUBJECT:
            return {}
        return {
            KNOWN: self.known_prompts.grade(self.runner.sample(self.known_prompts.prompts, style))
        }


def summarize_figure(
    topic: Topic, method: str, figure: str, grades: Sequence[tuple[float, float]]
) -> table.Row:
    """Return the row of one figure over all seeds, with its control."""
    own, control = zip(*grades, strict=True)
    each = ", ".join(table.format_number(value) for value in own)
    more = f" (seeds: {each}; control: {table.format_number(statistics.median(control))})"
    what, value = f"{topic.title}, {method}: {figure}", statistics.median(own)
    bar = topic.bars.get((method, figure))
    return (
        bar.row(what, value, bar.value, more=more) if bar else table.figure(what, value, "", more)
    )


def summarize_cost(
    topic: Topic, method: str, trained: Sequence[TrainedStyle]
) -> Iterator[table.Row]:
    """Yield the rows of seconds and bytes; seconds have a bar if the method has one."""
    seconds = max(each.seconds for each in trained)
    speed = statistics.median(each.speed for each in trained)
    more = f" ({trained[0].steps} steps, {speed:.3g} a second)"
    what = f"{topic.title}, {method}: seconds"
    if any(name == method for name, _ in topic.bars):
        yield table.at_most(what, seconds, topic.max_seconds, "s", more)
    else:
        yield table.figure(what, seconds, "s", more)
    yield table.figure(f"{topic.title}, {method}: bytes of the file", trained[0].bytes)
