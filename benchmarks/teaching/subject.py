"""A thing the base has never seen, drawn in four styles that it knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks import table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.topic import (
    MAX_SECONDS,
    MEDIAN_RANK,
    RANKED_FIRST,
    Bar,
    Draw,
    Grades,
    grade_memorising,
    grade_ranks,
)
from storage.records import Concept
from training.methods.dreambooth import FEW_CLASS_IMAGES
from training.pretraining.captions import full_caption
from training.pretraining.judge import Judge
from training.pretraining.names import BASE_STYLES

CLASSES = {"panda": "bear", "octopus": "squid"}  #: class words that the base knows
PICTURES_PER_STYLE = 3  #: pictures in each base style
KNOWN = "median rank of 24 known prompts"


class Subject:
    """A held-out name, whose true picture is ranked among all of the same style."""

    concept = Concept.SUBJECT
    max_file_bytes = 0
    max_seconds = MAX_SECONDS
    bars: Mapping[tuple[str, str], Bar] = {
        ("lora", RANKED_FIRST): Bar(9, table.at_least),
        ("lora", KNOWN): Bar(5),
        ("embedding", MEDIAN_RANK): Bar(10),
    }

    def __init__(self, judge: Judge, draw: Draw, name: str, other: str) -> None:
        self.judge, self.trigger, self.other = judge, name, other
        self.title = f"subject {name}, among {self.gallery_size}"
        self.photos = spec.read_photos(name)
        overrides = {"word": CLASSES[name], "prior": FEW_CLASS_IMAGES} if name in CLASSES else {}
        self.overrides: Mapping[str, Mapping[str, Any]] = {"dreambooth": overrides}
        self.styles = [style for style in BASE_STYLES for _ in range(PICTURES_PER_STYLE)]
        self.prompts = [full_caption(name, style, "white") for style in self.styles]
        folder = spec.PICTURES / name
        self.real = [runner.read_picture(folder / f"{style}-white.png") for style in self.styles]
        self.training_features = judge.extract_features(
            [runner.read_picture(path) for path, _ in self.photos]
        )
        self.unseen = self.unseen_features()
        self.base = draw(self.prompts)

    @property
    def gallery_size(self) -> int:
        """Return the size of the smallest gallery that the true picture is ranked in."""
        return min(len(self.judge.galleries[style].names) for style in BASE_STYLES)

    def unseen_features(self) -> torch.Tensor:
        """Return the features of all real pictures of these styles but the subject's."""
        galleries = [self.judge.galleries[style] for style in BASE_STYLES]
        rows = [[n != self.trigger for n in gallery.names] for gallery in galleries]
        pairs = zip(galleries, rows, strict=True)
        return torch.cat([gallery.features[torch.tensor(kept)] for gallery, kept in pairs])

    def rank_pictures(self, features: torch.Tensor, name: str) -> list[int]:
        """Return the rank of a name's true picture for each generated picture."""
        return [
            self.judge.rank_within_style(features[at : at + 1], name, style)[0]
            for at, style in enumerate(self.styles)
        ]

    def grade(self, pictures: Pictures) -> Grades:
        """Return the true picture's ranks; the control is another thing's.

        The control of the nearest training picture are the real pictures of other things.
        """
        features = self.judge.extract_features(pictures)
        own, other = (self.rank_pictures(features, name) for name in (self.trigger, self.other))
        return grade_ranks(own, other) | grade_memorising(
            features, self.training_features, self.unseen
        )
