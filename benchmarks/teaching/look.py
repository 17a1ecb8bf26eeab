"""A style the base has never seen, trained on other names than it is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.teaching import runner, spec
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.topic import MAX_SECONDS, Bar, Draw, Grades, grade_memorising
from storage.records import Concept
from training.pretraining.judge import Judge
from training.pretraining.names import BASE_STYLES, HELD_OUT_STYLES

DISTANCE = "distance from real pictures, of the base's"
REACH = "distance of four styles that the base knows from theirs"


class Look:
    """One of the judge's held-out styles."""

    concept = Concept.LOOK
    max_file_bytes = 0
    max_seconds = MAX_SECONDS
    bars: Mapping[tuple[str, str], Bar] = {("lora", DISTANCE): Bar(0.6)}
    overrides: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, judge: Judge, draw: Draw, name: str) -> None:
        self.judge, self.draw = judge, draw
        self.trigger, self.title = name, f"style {name}"
        (self.other,) = set(HELD_OUT_STYLES) - {name}
        self.photos = spec.read_photos(f"{name}/teach")
        measured = spec.read_photos(f"{name}/measure")
        self.prompts = [caption for _, caption in measured]
        self.names = [path.stem for path, _ in measured]
        self.real = [runner.read_picture(path) for path, _ in measured]
        self.training_features = judge.extract_features(
            [runner.read_picture(path) for path, _ in self.photos]
        )
        self.unseen = judge.galleries[name].features[self.list_unseen()]
        self.base = draw(self.prompts)
        self.start = self.measure_distances(self.base)

    def list_unseen(self) -> list[int]:
        """Return the rows of the style's gallery that it is not trained on."""
        names = {Path(path).stem for path, _ in self.photos}
        names_in_gallery = self.judge.galleries[self.trigger].names
        return [at for at, name in enumerate(names_in_gallery) if name not in names]

    def measure_distances(self, pictures: Pictures) -> tuple[float, float]:
        """Return the mean style's distances from this style and from the other held-out one."""
        features = self.judge.extract_features(pictures)
        own = self.judge.measure_style_distance(features, self.trigger, self.names)
        return own, self.judge.measure_style_distance(features, self.other)

    def grade(self, pictures: Pictures) -> Grades:
        """Return the style's distance relative to the base's; the control is the other style's.

        The control of the nearest training picture is the rest of the style's gallery.
        """
        (own, other), (start, astray) = self.measure_distances(pictures), self.start
        features = self.judge.extract_features(pictures)
        grades: Grades = {DISTANCE: (own / start, other / astray)}
        if pictures is self.base:
            grades[REACH] = self.reach
        return grades | grade_memorising(features, self.training_features, self.unseen)

    @cached_property
    def reach(self) -> tuple[float, float]:
        """Return the relative distance that the base reaches on styles it was trained on.

        A LoRA can hardly do better, since the base's own rendering is in all its pictures. The
        control judges the same pictures as this style.
        """
        own, other = [], []
        for style in BASE_STYLES:
            prompts = [prompt.replace(self.trigger, style) for prompt in self.prompts]
            features = self.judge.extract_features(self.draw(prompts))
            own.append(self.judge.measure_style_distance(features, style, self.names))
            other.append(self.judge.measure_style_distance(features, self.trigger, self.names))
        return fmean(own) / self.start[0], fmean(other) / self.start[0]
