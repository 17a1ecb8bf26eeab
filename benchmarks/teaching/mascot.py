"""The demo's subject, trained as the demo's button trains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.subject import KNOWN
from benchmarks.teaching.topic import Bar, Draw, Grades, grade_memorising, grade_ranks
from bot.demo.mascot import CAPTIONS, HELD_OUT, TRAINED, on_ground, picture_files
from bot.demo.welcome import NAME, RANK, RATE, STEPS
from storage.records import Concept
from training.pretraining.judge import Judge
from training.recipe.backgrounds import COLOURS, name_ground


class Mascot:
    """Glim, which is not in the judge's galleries.

    The mean of the judge's features of the ten training pictures is ranked among every real
    picture of every style; rank 1 means that none of those is nearer.
    """

    concept = Concept.SUBJECT
    max_file_bytes = 0
    max_seconds = 90.0
    trigger = NAME.lower()
    bars: Mapping[tuple[str, str], Bar] = {("lora", KNOWN): Bar(5)}
    overrides: Mapping[str, Mapping[str, Any]] = {
        "lora": {"steps": STEPS, "rank": RANK, "learning_rate": RATE}
    }

    def __init__(self, judge: Judge, draw: Draw, other: str) -> None:
        self.judge, self.other = judge, other
        galleries = judge.galleries.values()
        self.gallery_size = 1 + sum(len(gallery.names) for gallery in galleries)
        self.title = f"the mascot, among {self.gallery_size}"
        self.photos = [
            (path, CAPTIONS[path.stem].format(word=self.trigger)) for path in picture_files()
        ]
        self.prompts = [name_ground(f"a {self.trigger} emoji", colour) for colour in COLOURS]
        self.real = [on_ground(name) for name in TRAINED + HELD_OUT]
        self.training_features = judge.extract_features([on_ground(name) for name in TRAINED])
        self.unseen = judge.extract_features([on_ground(name) for name in HELD_OUT])
        rows = [g.features[g.names.index(other)][None] for g in galleries if other in g.names]
        self.decoy = torch.cat(rows)
        self.base = draw(self.prompts)

    def grade(self, pictures: Pictures) -> Grades:
        """Return Glim's ranks; the control is another thing that the base has never seen.

        The control of the nearest training picture are the two pictures of Glim that are held out.
        """
        features = self.judge.extract_features(pictures)
        own, other = (
            self.judge.rank_anywhere(features, real)
            for real in (self.training_features, self.decoy)
        )
        return grade_ranks(own, other) | grade_memorising(
            features, self.training_features, self.unseen
        )
