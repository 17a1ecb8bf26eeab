"""The runner samples and reconstructs with the embedded base itself."""

from __future__ import annotations

import pytest

from benchmarks.teaching import spec
from benchmarks.teaching.runner import Runner, read_picture
from storage.records import Concept
from training.bases.cache import BaseCache
from training.device import Device


@pytest.fixture(scope="module")
def style_runner(tmp_path_factory):
    """Return a real runner."""
    return Runner(BaseCache(None, Device.open(cpu=True)), tmp_path_factory.mktemp("evaluation"))


def test_the_autoencoder_is_a_ceiling(style_runner, frozen_judge):
    """Reconstructed real pictures still rank first in their style."""
    real = [read_picture(spec.PICTURES / name / "flat-white.png") for name in ("panda", "guitar")]

    features = frozen_judge.extract_features(style_runner.reconstruct(real))

    assert frozen_judge.rank_within_style(features[:1], "panda", "flat") == [1]
    assert frozen_judge.rank_within_style(features[1:], "guitar", "flat") == [1]


def test_every_style_is_drawn_from_the_same_seeds(style_runner):
    """A prompt's seed is its position: the same there, another elsewhere."""
    first = style_runner.sample(["a fox emoji", "a fox emoji"])
    (again,) = style_runner.sample(["a fox emoji"])

    assert first[0].tobytes() == again.tobytes() != first[1].tobytes()


def test_a_large_file_has_a_small_copy(style_runner):
    """Where a server's limit is lower, a LoRA taken from the whole network is there, too."""
    photos = spec.read_photos("panda")[:1]
    asked = spec.TrainingSpec(
        "finetune",
        Concept.SUBJECT,
        "panda",
        photos,
        overrides={"steps": 1},
        max_file_bytes=9 << 20,
    )

    trained = style_runner.train(asked)

    assert trained.style.method.METHOD.name == "finetune"
    assert trained.small_copy.method.METHOD.name == "locon"
    assert trained.bytes > 20 << 20
