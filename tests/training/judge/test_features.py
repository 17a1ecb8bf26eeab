"""Pictures are described as the original network describes them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from training.device import HostMemory
from training.judge.features import FeatureNet

PICTURES = Path(__file__).parents[3] / "benchmarks" / "pictures"

#: the largest six of the features that the package efficientnet-lite-pytorch 0.1.0 gives a panda,
#: at their places, and the cosines of three pictures there
RECORDED = {995: 0.2132, 1005: 0.1922, 833: 0.1658, 169: 0.1469, 318: 0.1461, 289: 0.1362}
PANDAS, PANDA_AND_GUITAR, OTHER_AND_GUITAR = 0.5916, 0.3785, 0.3705


@pytest.fixture(scope="module")
def features():
    """Return the features of two pandas and a guitar."""
    names = ("panda/noto-white", "panda/glossy-pink", "guitar/noto-white")
    pictures = [Image.open(PICTURES / f"{name}.png") for name in names]
    return FeatureNet.load(HostMemory()).extract(pictures)


def test_features_are_those_of_the_original(features):
    """Folded norms and fp16 change no feature by more than a hundredth of the largest."""
    places = torch.tensor(list(RECORDED))

    assert features.shape == (3, 1280)
    assert features[0].topk(6).indices.tolist() == list(RECORDED)
    assert features[0][places].tolist() == pytest.approx(list(RECORDED.values()), abs=0.002)


def test_similar_pictures_have_similar_features(features):
    """Cosines are those of the original, and two pandas are more alike than panda and guitar."""
    cosines = features @ features.T

    assert cosines.diagonal().tolist() == pytest.approx([1, 1, 1])
    assert cosines[0, 1].item() == pytest.approx(PANDAS, abs=0.002)
    assert cosines[0, 2].item() == pytest.approx(PANDA_AND_GUITAR, abs=0.002)
    assert cosines[1, 2].item() == pytest.approx(OTHER_AND_GUITAR, abs=0.002)


def test_no_pictures_have_no_features():
    """An empty list is no error, and loads nothing but the weights."""
    assert FeatureNet.load(HostMemory()).extract([]).shape == (0, 1280)
