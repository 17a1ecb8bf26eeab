"""The names of tensors decide which programs can read a file."""

from __future__ import annotations

import pytest

from storage.errors import JobError
from training.families._stable_files import DEEP, PARTIAL
from training.networks.traits import PROGRAMS
from training.styles.compatibility import find_needs, incompatibilities, readable_by

KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
ENDS = ("lora_down.weight", "lora_up.weight", "alpha")


def test_a_key_that_a_program_does_not_know_is_named():
    """One unknown layer is enough, and the reason names it."""
    names = [f"{key}.{end}" for key in (KEY, "lora_unet_zork") for end in ENDS]

    found = incompatibilities(names)

    assert found["ComfyUI"] == found["AUTOMATIC1111"] == "does not know lora_unet_zork"


def test_a_plain_lora_loads_everywhere():
    """A plain LoRA is readable by every program."""
    assert incompatibilities([f"{KEY}.{end}" for end in ENDS]) == dict.fromkeys(PROGRAMS, "")


@pytest.mark.parametrize(
    ("ends", "amiss"),
    [
        ((*ENDS, "dora_scale"), {"kohya", "diffusers"}),
        (("oft_blocks", "alpha"), {"Forge", "diffusers"}),
        (("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"), {"diffusers"}),
        (("lokr_w1", "lokr_w2", "alpha"), {"diffusers"}),
    ],
)
def test_a_kind_that_a_program_cannot_read_has_a_reason(ends, amiss):
    """A program that cannot read a method's files has a reason."""
    found = incompatibilities([f"{KEY}.{end}" for end in ends])

    assert {program for program, reason in found.items() if reason} == amiss


@pytest.mark.parametrize(
    ("beside", "amiss"),
    [
        (("first_stage_model.a", "cond_stage_model.a"), ""),
        (("first_stage_model.a", "conditioner.embedders.0.a"), ""),
        (("first_stage_model.a",), PARTIAL),
        (("cond_stage_model.a",), PARTIAL),
        ((), PARTIAL),
    ],
)
def test_a_model_is_whole(beside, amiss):
    """A UNet is a readable model only with an autoencoder and a text encoder."""
    assert incompatibilities([DEEP, *beside]) == dict.fromkeys(PROGRAMS, amiss)


def test_a_family_that_a_program_left_out():
    """The family is passed where names do not show it: Forge Neo has no Stable Diffusion 2."""
    found = incompatibilities([f"{KEY}.{end}" for end in ENDS], "sd2")

    assert [program for program, reason in found.items() if reason] == ["Forge Neo"]


XL = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q"


@pytest.mark.parametrize(("end", "reads_old"), [("lora_down.weight", True), ("hada_w1_a", False)])
def test_kohya_translates_the_names_of_a_lora_alone(end, reads_old):
    """Of an SDXL file under diffusers' names, sd-scripts reads a LoRA, but no LoHa."""
    old = incompatibilities([f"lora_unet_down_blocks_1_attentions_0_proj_in.{end}"], "sdxl")

    assert incompatibilities([f"{XL}.{end}"], "sdxl")["kohya"] == ""
    assert (old["kohya"] == "") is reads_old


def test_what_is_needed_is_told_where_the_family_is_known():
    """sd-scripts reads a LoHa for Stable Diffusion 1 with an older LyCORIS, for SDXL with any."""
    loha, loha_xl = [f"{KEY}.hada_w1_a"], [f"{XL}.hada_w1_a"]

    assert find_needs(loha, "sd1").keys() == find_needs(loha, "sd2").keys() == {"kohya"}
    assert find_needs(loha_xl, "sdxl") == find_needs(loha) == {}
    assert "kohya" not in readable_by(loha, "sd1")
    assert "kohya" in readable_by(loha_xl, "sdxl")


def test_anything_else_is_refused():
    """Tensors of no known kind are refused."""
    with pytest.raises(JobError):
        incompatibilities(["conv_in.weight"])
