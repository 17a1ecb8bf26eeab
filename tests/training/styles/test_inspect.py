"""What `safelight inspect` reports."""

from __future__ import annotations

import json

import pytest
import torch
from PIL import Image

from benchmarks.hostile.weights import KINDS, write_file
from storage.errors import JobError
from training.networks.traits import PROGRAMS
from training.styles.inspect import inspect_file
from training.styles.writer import Origin, write_style

KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
LORA = {
    f"{KEY}.lora_down.weight": torch.zeros(4, 8),
    f"{KEY}.lora_up.weight": torch.zeros(8, 4),
    f"{KEY}.alpha": torch.tensor(4.0),
}


def test_ours_tells_its_recipe(tmp_path, make_recipe):
    """Our file's method, origin, picture and readers are reported, but no photo facts."""
    path = tmp_path / "mydog.safetensors"
    made = make_recipe(rank=4, steps=120, base_fingerprint="5afe" * 16)
    Image.new("RGB", (64, 64), (200, 60, 30)).save(tmp_path / "sample.png")
    origin = Origin("stable-diffusion-v1", "sd_v1", "lora", "epsilon", "embedded")
    write_style(path, LORA, made, origin, tmp_path / "sample.png")

    facts = inspect_file(path)

    assert (facts["method"], facts["trigger"]) == ("lora", made.trigger)
    assert (facts["steps"], facts["rank"], facts["photos"]) == ("120", "4", str(len(made.photos)))
    assert facts["architecture"] == "stable-diffusion-v1/lora"
    assert (facts["bytes"], facts["tensors"]) == (path.stat().st_size, 3)
    assert (len(facts["loads"]), facts["amiss"]) == (len(PROGRAMS), {})
    assert facts["fingerprint"] == "5afe5afe5afe"
    assert "peft" in facts["versions"]
    assert 100 < facts["thumbnail"] < 6000
    assert not any(shot.file in json.dumps(facts) for shot in made.photos)


def test_a_strangers_file_tells_what_it_can(tmp_path):
    """Without our recipe, tensors give the method and kohya's fields the rest, truncated."""
    told = {"ss_network_dim": "16", "ss_output_name": "x" * 500, "ss_base_model_version": "sd_v1"}
    path = write_file(tmp_path / "theirs.safetensors", KINDS["loha"], told)

    facts = inspect_file(path)

    assert (facts["method"], facts["rank"], facts["trigger"]) == ("loha", "16", "")
    assert facts["name"] == "x" * 80
    assert facts["made_for"] == "Stable Diffusion 1"
    assert "diffusers" in facts["amiss"]


def test_a_pickle_is_no_style(tmp_path):
    """A pickle is refused unread."""
    path = tmp_path / "old.pt"
    path.write_bytes(b"\x80\x04}")

    with pytest.raises(JobError, match="style_foreign"):
        inspect_file(path)


BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0.attn1"


@pytest.mark.parametrize(
    ("down", "up", "loads"),
    [
        (f"unet.{BLOCK}.to_q.lora_A.weight", f"unet.{BLOCK}.to_q.lora_B.weight", ["diffusers"]),
        (
            f"unet.{BLOCK}.to_q.lora.down.weight",
            f"unet.{BLOCK}.to_q.lora.up.weight", ["diffusers"],
        ),
        (
            f"base_model.model.{BLOCK}.to_q.lora_A.weight",
            f"base_model.model.{BLOCK}.to_q.lora_B.weight", [],
        ),
        (
            f"unet.{BLOCK}.processor.to_q_lora.down.weight",
            f"unet.{BLOCK}.processor.to_q_lora.up.weight",
            ["Forge", "Forge Neo", "ComfyUI", "diffusers"],
        ),
    ],
)  # fmt: skip
def test_names_of_diffusers_and_peft(tmp_path, down, up, loads):
    """Names with dots are read by the programs that know them, and by no others."""
    shapes = {down: ("F16", (4, 320)), up: ("F16", (320, 4))}

    assert inspect_file(write_file(tmp_path / "theirs.safetensors", shapes))["loads"] == loads


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("lora", {"lora_up.weight": None}, "has lora_down.weight without lora_up.weight"),
        ("lora", {"lora_down.weight": None}, "has lora_up.weight without lora_down.weight"),
        ("lora", {"lora_up.weight": ("F16", (8, 3))}, "have different ranks"),
        ("loha", {"hada_w1_b": None}, "has hada_w1_a without hada_w1_b"),
        ("loha", {"hada_w2_a": None, "hada_w2_b": None}, "has hada_w1_a without hada_w2_a"),
        ("loha", {"hada_w2_b": ("BF16", (3, 8))}, "have different ranks"),
    ],
)
def test_half_a_pair(tmp_path, kind, change, reason):
    """A layer with half of what belongs together is named, though the file itself is whole."""
    (layer,) = {name.partition(".")[0] for name in KINDS[kind]}
    shapes = {f"{layer}.{end}": entry for end, entry in change.items()}
    kept = {name: entry for name, entry in (KINDS[kind] | shapes).items() if entry is not None}

    with pytest.raises(JobError, match="style_broken") as refused:
        inspect_file(write_file(tmp_path / "half.safetensors", kept))

    assert reason in refused.value.facts["reason"]
