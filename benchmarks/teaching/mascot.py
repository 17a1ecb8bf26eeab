"""The demo's subject, trained as the demo's button trains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.teaching import runner
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.subject import KNOWN
from benchmarks.teaching.topic import Bar, Draw, Grades, grade_memorising, grade_ranks
from bot import wording
from bot.demo.mascot import GROUNDS, HELD_OUT, TRAINED, picture_files
from bot.demo.welcome import NAME, RANK, RATE, STEPS
from storage.records import Concept
from training.pretraining.judge import Judge
from training.pretraining.names import COLOURS


class Mascot:
    """Glim, of whom the judge's galleries know nothing.

    What the ten pictures that teach Glim have in common, the mean of the judge's features, is
    looked for among every real picture of every style. The rank is 1 when none of these is nearer.
    """

    concept = Concept.SUBJECT
    trigger = NAME.lower()
    bars: Mapping[tuple[str, str], Bar] = {("lora", KNOWN): Bar(5)}
    overrides: Mapping[str, Mapping[str, Any]] = {
        "lora": {"steps": STEPS, "rank": RANK, "rate": RATE}
    }

    def __init__(self, critic: Judge, draw: Draw, other: str) -> None:
        self.critic, self.other = critic, other
        galleries = critic.galleries.values()
        self.gallery_size = 1 + sum(len(gallery.names) for gallery in galleries)
        self.title = f"the mascot, among {self.gallery_size}"
        paths = picture_files(TRAINED)
        self.photos = [(path, self.caption(GROUNDS[path.stem])) for path in paths]
        self.prompts = [self.caption(colour) for colour in COLOURS]
        self.real = [runner.read_picture(path) for path in picture_files(TRAINED + HELD_OUT)]
        self.taught = critic.extract_features([runner.read_picture(path) for path in paths])
        self.unseen = critic.extract_features(
            [runner.read_picture(path) for path in picture_files(HELD_OUT)]
        )
        rows = [g.features[g.names.index(other)][None] for g in galleries if other in g.names]
        self.decoy = torch.cat(rows)
        self.base = draw(self.prompts)

    def caption(self, ground: str) -> str:
        """Say what is to be seen, as the demo does."""
        return wording.demo.MASCOT_CAPTION.format(word=self.trigger, ground=ground)

    def grade(self, pictures: Pictures) -> Grades:
        """Rank Glim; the control is judged as another thing that no base was taught.

        The control of the nearest picture taught are the two of Glim that are not.
        """
        features = self.critic.extract_features(pictures)
        own, other = (
            self.critic.rank_anywhere(features, real) for real in (self.taught, self.decoy)
        )
        return grade_ranks(own, other) | grade_memorising(features, self.taught, self.unseen)
