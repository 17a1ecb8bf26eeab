"""Any style's file can be graded: its base is found by what it says, or by its layers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from storage.errors import JobError, UserError
from storage.records import Base
from training.cli.commands import parse
from training.cli.evaluate import choose_base, choose_trigger

SMALL = Base("embedded", "Emoji", "sd1", "", 64, "", "", present=True, small=True)
LARGE = Base("sd15", "SD 1.5", "sd1", "", 512, "", "", present=True)
AWAY = Base("sdxl", "SDXL", "sdxl", "", 1024, "", "", present=False)
ATTENTION = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
FLUX = "lora_unet_double_blocks_9_img_attn_qkv"


class Registry:
    """Knows these bases."""

    def __init__(self, *bases):
        self.bases = bases

    def list_bases(self):
        """List them."""
        return [*self.bases]

    def find(self, name):
        """Return one by its name."""
        return next(base for base in self.bases if base.name == name)


def write_lora(tmp_path: Path, layer: str, width: int, **metadata: str):
    """Write a LoRA with kohya's names, and return how it is asked to be graded."""
    file = tmp_path / "theirs.safetensors"
    rows = {
        f"{layer}.lora_down.weight": torch.ones(2, width),
        f"{layer}.lora_up.weight": torch.ones(8, 2),
    }
    save_file(rows, file, metadata)
    line = ["evaluate", str(file), "--photos", str(tmp_path), "--json", str(tmp_path / "r.json")]
    return parse(line)[1]


def test_a_base_is_found_by_the_layers(tmp_path):
    """Of the family's that are here, one with its widths; what is open gets the usual one."""
    everywhere = Registry(SMALL, LARGE, AWAY)

    assert choose_base(write_lora(tmp_path, ATTENTION, 768), everywhere) == "sd15"
    assert choose_base(write_lora(tmp_path, ATTENTION, 192), everywhere) == "embedded"
    told = write_lora(tmp_path, ATTENTION, 192, ss_base_model_version="sd_v1")
    assert choose_base(told, Registry(SMALL)) == "embedded"
    ours = {"safelight.recipe": json.dumps({"base": "embedded", "method": "lora"})}
    assert choose_base(write_lora(tmp_path, ATTENTION, 192, **ours), everywhere) == "embedded"


@pytest.mark.parametrize(
    ("layer", "width", "code"),
    [
        (ATTENTION, 768, "family_missing"),
        (ATTENTION, 2048, "family_missing"),
        (FLUX, 8, "style_other"),
    ],
)
def test_what_cannot_be_graded_says_why(tmp_path, layer, width, code):
    """Without a base of its family, and for a model of none."""
    with pytest.raises(JobError) as refused:
        choose_base(write_lora(tmp_path, layer, width), Registry(SMALL, AWAY))

    assert refused.value.code == code


def test_something_must_call_it(tmp_path):
    """A file that says no trigger needs one, or the class word."""
    given = write_lora(tmp_path, ATTENTION, 768)

    assert choose_trigger(given, "sks") == "sks"
    with pytest.raises(UserError) as refused:
        choose_trigger(given, "")
    assert refused.value.code == "trigger_unknown"
