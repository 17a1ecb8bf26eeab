"""Set scores rank sets of known worth, say why they are refused, and are the same every time."""

from __future__ import annotations

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from storage.errors import JobError
from training.judge.inception import BLOCKS, FILE, InceptionNet
from training.judge.sets import MIN_SET, measure_fid, measure_score, score_by_inception, score_sets

WIDTH = 16  #: of features


def make_set(count, turn, seed):
    """Return features (N, D) of length 1 around a direction."""
    random = torch.Generator().manual_seed(seed)
    middle = torch.zeros(WIDTH).index_fill_(0, torch.tensor([turn]), 2.0)
    found = torch.randn(count, WIDTH, generator=random) * 0.4 + middle
    return torch.nn.functional.normalize(found, dim=1)


def score(photos, pictures):
    """Return the set scores by name."""
    plain = [[Image.new("RGB", (8, 8))] * len(each) for each in (photos, pictures)]
    return {each.name: each for each in score_sets((photos, pictures), tuple(plain), None)}


def test_nearer_sets_score_better():
    """Both are smaller for pictures like the photos than for others; MiFID punishes copies."""
    photos = make_set(12, 0, 1)
    near, far, copied = make_set(12, 0, 2), make_set(12, 1, 3), photos + 0.02 * make_set(12, 0, 2)
    before = torch.random.get_rng_state()

    good, bad, copies = (score(photos, each) for each in (near, far, copied))

    assert good["KID-EffLite2"].value < bad["KID-EffLite2"].value
    assert good["MiFID-EffLite2"].value < bad["MiFID-EffLite2"].value
    drift = copies["MiFID-EffLite2"].value
    assert (
        drift > torch.dist(photos.mean(0), copied.mean(0)) ** 2 * 10
    )  # divided by a tiny distance
    assert score(photos, near) == good
    assert torch.equal(before, torch.random.get_rng_state())


def test_the_span_of_features_is_enough():
    """MiFID in the space that the features span is that of the whole space."""
    photos, pictures = (make_set(12, 0, seed) for seed in (1, 2))
    wide = [torch.cat([each, torch.zeros(12, 40)], 1) for each in (photos, pictures)]

    found, same = score(photos, pictures), score(*wide)

    name = "MiFID-EffLite2"
    assert found[name].value == pytest.approx(same[name].value, rel=1e-5)


def test_small_sets_are_refused():
    """With the numbers; and those of Inception without its weights."""
    found = score(make_set(MIN_SET - 1, 0, 1), make_set(12, 0, 2))

    assert found["KID-EffLite2"].refused == found["MiFID-EffLite2"].refused == "set_small"
    assert found["KID-EffLite2"].facts == {"least": MIN_SET, "photos": 9, "pictures": 12}
    assert {found["FID"].refused, found["IS"].refused} == {"inception_missing"}


def list_layers():
    """Yield each layer of Inception with its widths, here a few channels, and its kernel."""
    yield from (("Conv2d_1a_3x3", 3, (3, 3)), ("Conv2d_2a_3x3", 2, (3, 3)))
    yield from (("Conv2d_2b_3x3", 2, (3, 3)), ("Conv2d_3b_1x1", 2, (1, 1)))
    yield "Conv2d_4a_3x3", 2, (3, 3)
    width = 2
    for block, branches in BLOCKS.items():
        halving = block in {"Mixed_6a", "Mixed_7a"}
        out = width if halving else 2
        for layers in branches:
            given = width
            for layer in layers:
                beside = (layer,) if isinstance(layer, str) else layer
                for name in beside:
                    yield f"{block}.{name}", given, (1, 1) if name.endswith("1x1") else (3, 3)
                given = 2 * len(beside)
            out += given
        if not halving:
            yield f"{block}.branch_pool", width, (1, 1)
        width = out
    yield "fc", width, ()


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a narrow Inception of random weights."""
    weights = {}
    for name, given, kernel in list_layers():
        if name == "fc":
            weights["fc.weight"] = torch.randn(5, given) / 100
            continue
        scale = 2 / (given * kernel[0] * kernel[1])  # so that levels stay as they are
        weights[f"{name}.conv.weight"] = torch.rand(2, given, *kernel) * scale
        for part, level in {"weight": 1, "bias": 0, "running_mean": 0, "running_var": 1}.items():
            weights[f"{name}.bn.{part}"] = torch.full((2,), float(level))
    save_file(weights, tmp_path / FILE)
    return tmp_path


def test_inception(folder):
    """Its weights are read from safetensors; sets that are too small for FID are refused."""
    net = InceptionNet.load(folder, None)
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("white", "silver")]

    features, logits = net.extract(pictures)
    fid, score = score_by_inception((pictures, pictures), net)

    assert (len(features), logits.shape) == (2, (2, 5))
    assert not torch.allclose(features[0], features[1])
    assert fid.facts == {"least": 2049, "photos": 2, "pictures": 2}
    assert score.facts["least"] == 50_000
    assert InceptionNet.load(None, None) is None
    (folder / FILE).write_bytes(b"pickle")
    with pytest.raises(JobError) as refused:
        InceptionNet.load(folder, None)
    assert refused.value.code == "judge_broken"


def test_large_sets_have_fid_and_inception_score(folder):
    """FID of a set with itself is 0, and less than with another."""
    net = InceptionNet.load(folder, None)
    reds, blues = (
        [Image.new("RGB", (64, 64), (level, 220, 220)) for level in levels]
        for levels in ((250, 245, 240, 235, 230), (150, 145, 140, 135, 130))
    )

    assert measure_fid(net, reds, reds).value == pytest.approx(0, abs=1e-6)
    assert measure_fid(net, reds, blues).value > 1e-3
    assert measure_score(net, reds * 2).value >= 1
