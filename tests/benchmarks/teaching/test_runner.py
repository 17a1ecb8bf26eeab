"""What is measured is drawn and restored by the embedded base itself."""

from __future__ import annotations

import pytest

from benchmarks.teaching import spec
from benchmarks.teaching.runner import Runner, read_picture
from training.bases.cache import BaseCache
from training.device import Device


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    """Open the real studio."""
    return Runner(BaseCache(None, Device.open(cpu=True)), tmp_path_factory.mktemp("exam"))


def test_the_autoencoder_is_a_ceiling(studio, critic):
    """Real pictures that went through the autoencoder are still found first in their style."""
    real = [read_picture(spec.PICTURES / name / "flat-white.png") for name in ("panda", "guitar")]

    features = critic.extract_features(studio.reconstruct(real))

    assert critic.rank_within_style(features[:1], "panda", "flat") == [1]
    assert critic.rank_within_style(features[1:], "guitar", "flat") == [1]


def test_every_style_is_drawn_from_the_same_seeds(studio):
    """A prompt's seed is its place: drawn again it is the same picture, elsewhere another."""
    first = studio.sample(["a fox emoji", "a fox emoji"])
    (again,) = studio.sample(["a fox emoji"])

    assert first[0].tobytes() == again.tobytes() != first[1].tobytes()
