"""CLIP and DINOv2 are found where the operator has put them; tiny random ones stand in here."""

from __future__ import annotations

import json

import pytest
import transformers
from PIL import Image

from storage.errors import JobError
from training.judge.encoders import measure_by_encoders
from training.judge.style_judge import Drawn

RED, BLUE = (Image.new("RGB", (40, 30), colour) for colour in ("red", "blue"))
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture
def folder(tmp_path):
    """Return a folder with both, of random weights."""
    words = ["<|startoftext|>", "<|endoftext|>", *"abcdefghijklmnopqrstuvwxyz"]
    words += [f"{each}</w>" for each in "abcdefghijklmnopqrstuvwxyz"]
    clip = tmp_path / "clip"
    clip.mkdir()
    (clip / "vocab.json").write_text(json.dumps({each: at for at, each in enumerate(words)}))
    (clip / "merges.txt").write_text("#version: 0.2\n")
    (clip / "preprocessor_config.json").write_text(json.dumps({"crop_size": {"height": 32}}))
    text = {**SMALL, "intermediate_size": 32, "vocab_size": len(words), "eos_token_id": 1}
    seen = {**SMALL, "intermediate_size": 32, "image_size": 32, "patch_size": 8}
    config = transformers.CLIPConfig(text_config=text, vision_config=seen, projection_dim=8)
    transformers.CLIPModel(config).save_pretrained(clip)
    dino = transformers.Dinov2Config(**SMALL, image_size=224, patch_size=56)
    transformers.Dinov2Model(dino).save_pretrained(tmp_path / "dinov2")
    return tmp_path


def measure(folder, pictures):
    """Return what they say of red photos and these pictures."""
    return measure_by_encoders(
        folder, None, [RED, RED], [Drawn(each, "a dog") for each in pictures]
    )


def test_what_they_say(folder):
    """A picture that is the photo is as like it as can be, and another one is less."""
    same, other = (measure(folder, [each] * 2) for each in (RED, BLUE))

    assert same["CLIP-I"] == pytest.approx(1, abs=1e-4)
    assert same["DINOv2"] == pytest.approx(1, abs=1e-4)
    assert other["CLIP-I"] < 0.9999
    assert other["DINOv2"] < 0.9999
    assert -1 <= same["CLIP-T"] <= 1


def test_what_is_missing_is_not_reported(folder, tmp_path):
    """Pickled weights are not loaded, and a damaged folder is named."""
    assert measure(None, [RED]) == measure(tmp_path / "none", [RED]) == {}
    (folder / "dinov2" / "model.safetensors").rename(folder / "dinov2" / "pytorch_model.bin")
    with pytest.raises(JobError) as refused:
        measure(folder, [RED])
    assert (refused.value.code, refused.value.facts) == ("judge_broken", {"file": "dinov2"})
