"""The frozen judge, and a studio in which nothing is trained: styles draw copies."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from benchmarks.teaching.runner import JUDGE, TrainedStyle
from training import methods
from training.pretraining import judge
from training.sample import LoadedStyle


def nothing(prompts):
    """Draw nothing, as often as asked."""
    return [Image.new("RGB", (64, 64), "white") for _ in prompts]


class FakeRunner:
    """Draws a copy of what each prompt stands for when a style is worn, and else nothing."""

    def __init__(self):
        self.copies, self.lessons = {}, []

    def copy(self, topic):
        """See what the real pictures of a topic look like."""
        self.copies |= dict(zip(topic.prompts, topic.real, strict=True))
        return topic

    def train(self, asked):
        """Note what is asked; each seed takes a second longer."""
        self.lessons.append(asked)
        worn = LoadedStyle(methods.walk()[asked.method], {}, asked.trigger, 1.0)
        return TrainedStyle(worn, 50.0 + asked.seed, 200, 7.5, 4096)

    def sample(self, prompts, style=None):
        """Hand copies over."""
        pairs = zip(prompts, nothing(prompts), strict=True)
        return [self.copies.get(prompt, empty) if style else empty for prompt, empty in pairs]

    def reconstruct(self, pictures):
        """Change nothing."""
        return pictures


@pytest.fixture(scope="session")
def critic():
    """Load the judge."""
    torch.set_num_threads(1)
    return judge.load_judge(JUDGE)


@pytest.fixture(scope="session")
def blank():
    """Give a base that draws nothing."""
    return nothing


@pytest.fixture
def studio():
    """Open an empty studio."""
    return FakeRunner()


@pytest.fixture(scope="module")
def full():
    """Open a studio that the tests of a file share."""
    return FakeRunner()
