"""A thing the base has never seen, drawn by four styles that it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks import table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.topic import (
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

CLASSES = {"panda": "bear", "octopus": "squid"}  #: what the base knows of a thing's kind
PICTURES_PER_STYLE = 3  #: pictures in each base style
KNOWN = "median rank of 24 known prompts"


class Subject:
    """A held-out name: its true picture is looked for among all of the same style."""

    concept = Concept.SUBJECT
    bars: Mapping[tuple[str, str], Bar] = {
        ("lora", RANKED_FIRST): Bar(9, table.at_least),
        ("lora", KNOWN): Bar(5),
        ("embedding", MEDIAN_RANK): Bar(10),
    }

    def __init__(self, critic: Judge, draw: Draw, name: str, other: str) -> None:
        self.critic, self.trigger, self.other = critic, name, other
        self.title = f"subject {name}, among {self.gallery_size}"
        self.photos = spec.read_photos(name)
        known = {"word": CLASSES[name], "prior": FEW_CLASS_IMAGES} if name in CLASSES else {}
        self.overrides: Mapping[str, Mapping[str, Any]] = {"dreambooth": known}
        self.styles = [style for style in BASE_STYLES for _ in range(PICTURES_PER_STYLE)]
        self.prompts = [full_caption(name, style, "white") for style in self.styles]
        folder = spec.PICTURES / name
        self.real = [runner.read_picture(folder / f"{style}-white.png") for style in self.styles]
        self.taught = critic.extract_features(
            [runner.read_picture(path) for path, _ in self.photos]
        )
        self.unseen = self.unseen_features()
        self.base = draw(self.prompts)

    @property
    def gallery_size(self) -> int:
        """Give the size of the smallest crowd that the true picture is looked for in."""
        return min(len(self.critic.galleries[style].names) for style in BASE_STYLES)

    def unseen_features(self) -> torch.Tensor:
        """Give the features of all real pictures of these styles that do not teach it."""
        galleries = [self.critic.galleries[style] for style in BASE_STYLES]
        rows = [[n != self.trigger for n in gallery.names] for gallery in galleries]
        pairs = zip(galleries, rows, strict=True)
        return torch.cat([gallery.features[torch.tensor(kept)] for gallery, kept in pairs])

    def rank_pictures(self, features: torch.Tensor, name: str) -> list[int]:
        """Rank the picture of a name, for each picture drawn, among all of its style."""
        return [
            self.critic.rank_within_style(features[at : at + 1], name, style)[0]
            for at, style in enumerate(self.styles)
        ]

    def grade(self, pictures: Pictures) -> Grades:
        """Rank the true picture; the control is judged as another thing.

        The control of the nearest picture taught are the real pictures of other things.
        """
        features = self.critic.extract_features(pictures)
        own, other = (self.rank_pictures(features, name) for name in (self.trigger, self.other))
        return grade_ranks(own, other) | grade_memorising(features, self.taught, self.unseen)
