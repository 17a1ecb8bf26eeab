"""A style the base has never seen; other names teach it than those it is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.teaching import runner, spec
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.topic import Bar, Draw, Grades, grade_memorising
from storage.records import Concept
from training.pretraining.judge import Judge
from training.pretraining.names import BASE_STYLES, HELD_OUT_STYLES

DISTANCE = "distance from real pictures, of the base's"
REACH = "distance of four styles that the base knows from theirs"


class Look:
    """A held-out style of the judge's."""

    concept = Concept.LOOK
    bars: Mapping[tuple[str, str], Bar] = {("lora", DISTANCE): Bar(0.6)}
    overrides: Mapping[str, Mapping[str, Any]] = {}

    def __init__(self, critic: Judge, draw: Draw, name: str) -> None:
        self.critic, self.draw = critic, draw
        self.trigger, self.title = name, f"style {name}"
        (self.other,) = set(HELD_OUT_STYLES) - {name}
        self.photos = spec.read_photos(f"{name}/teach")
        measured = spec.read_photos(f"{name}/measure")
        self.prompts = [caption for _, caption in measured]
        self.names = [path.stem for path, _ in measured]
        self.real = [runner.read_picture(path) for path, _ in measured]
        self.taught = critic.extract_features(
            [runner.read_picture(path) for path, _ in self.photos]
        )
        self.unseen = critic.galleries[name].features[self.list_unseen()]
        self.base = draw(self.prompts)
        self.start = self.measure_distances(self.base)

    def list_unseen(self) -> list[int]:
        """Find the pictures in the style's gallery that do not teach it."""
        names = {Path(path).stem for path, _ in self.photos}
        listed = self.critic.galleries[self.trigger].names
        return [at for at, name in enumerate(listed) if name not in names]

    def measure_distances(self, pictures: Pictures) -> tuple[float, float]:
        """Measure how far the mean look is from the style's, and from the other held-out one's."""
        features = self.critic.extract_features(pictures)
        own = self.critic.measure_style_distance(features, self.trigger, self.names)
        return own, self.critic.measure_style_distance(features, self.other)

    def grade(self, pictures: Pictures) -> Grades:
        """Measure the distance of the look; the control is judged as the other held-out style.

        The control of the nearest picture taught is the rest of the style's gallery.
        """
        (own, other), (start, astray) = self.measure_distances(pictures), self.start
        features = self.critic.extract_features(pictures)
        grades: Grades = {DISTANCE: (own / start, other / astray)}
        if pictures is self.base:
            grades[REACH] = self.reach
        return grades | grade_memorising(features, self.taught, self.unseen)

    @cached_property
    def reach(self) -> tuple[float, float]:
        """Measure how near the base comes to what it was trained on, in the same measure.

        A LoRA can hardly do better: how the base draws is in everything it draws. The control are
        the same pictures, judged as the style that is taught.
        """
        own, other = [], []
        for style in BASE_STYLES:
            prompts = [prompt.replace(self.trigger, style) for prompt in self.prompts]
            features = self.critic.extract_features(self.draw(prompts))
            own.append(self.critic.measure_style_distance(features, style, self.names))
            other.append(self.critic.measure_style_distance(features, self.trigger, self.names))
        return fmean(own) / self.start[0], fmean(other) / self.start[0]
