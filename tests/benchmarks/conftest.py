"""The frozen judge, and a runner that trains nothing: its styles return the real pictures."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from benchmarks.teaching.runner import JUDGE, TrainedStyle
from training import methods
from training.pretraining import judge
from training.sample import LoadedStyle


def draw_blank(prompts):
    """Return a white picture for each prompt."""
    return [Image.new("RGB", (64, 64), "white") for _ in prompts]


class FakeRunner:
    """Returns the real picture of each prompt with a style, and a blank one without."""

    def __init__(self):
        self.copies, self.trainings = {}, []

    def add_copies(self, topic):
        """Store a topic's real pictures as what its prompts return."""
        self.copies |= dict(zip(topic.prompts, topic.real, strict=True))
        return topic

    def train(self, training_spec):
        """Record the request; each seed takes a second longer."""
        self.trainings.append(training_spec)
        loaded = LoadedStyle(methods.walk()[training_spec.method], {}, training_spec.trigger, 1.0)
        small = loaded if training_spec.max_file_bytes else None
        return TrainedStyle(loaded, 50.0 + training_spec.seed, 200, 7.5, 4096, small)

    def sample(self, prompts, style=None):
        """Return the stored pictures with a style, blank ones without."""
        pairs = zip(prompts, draw_blank(prompts), strict=True)
        return [self.copies.get(prompt, empty) if style else empty for prompt, empty in pairs]

    def reconstruct(self, pictures):
        """Return the pictures unchanged."""
        return pictures


@pytest.fixture(scope="session")
def frozen_judge():
    """Load the judge."""
    torch.set_num_threads(1)
    return judge.load_judge(JUDGE)


@pytest.fixture(scope="session")
def blank():
    """Return a base that draws blank pictures."""
    return draw_blank


@pytest.fixture
def style_runner():
    """Return a new runner."""
    return FakeRunner()


@pytest.fixture(scope="module")
def shared_runner():
    """Return a runner that the tests of a file share."""
    return FakeRunner()
