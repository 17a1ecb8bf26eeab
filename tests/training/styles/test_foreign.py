"""Other people's adapters under our names: the same layers, strength and picture."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch
from diffusers.loaders.lora_conversion_utils import (
    _convert_non_diffusers_lora_to_diffusers,
    _maybe_map_sgm_blocks_to_diffusers,
)

from storage.errors import JobError
from training.families import Picture
from training.methods import dora, lora
from training.modelfiles.singlefile_writer import UnetNames
from training.networks.keys import split_key, to_file_keys, to_kohya_keys
from training.styles import foreign

PICTURE = Picture("a cat", "", 5, 2, 64, 64)


def make_lora(networks, rank=2):
    """Return a LoRA of every layer of the denoiser and of the text encoders, by our names."""
    generator, found = torch.Generator().manual_seed(1), {}
    for part in networks.parts:
        for key, layer in part.layers().items():
            out, inner, *window = layer.weight.shape
            draw = partial(torch.randn, generator=generator)
            found[f"{key}.lora_down.weight"] = draw(rank, inner, *window) * 0.3
            found[f"{key}.lora_up.weight"] = draw(out, rank, *[1] * len(window)) * 0.3
            found[f"{key}.alpha"] = torch.tensor(1.0)
    return found


def module_names(networks):
    """Return each layer's role and its module's name, as diffusers has it, by our key."""
    roles = iter(("unet", "text_encoder", "text_encoder_2"))
    return {
        part.key(name): (role, f"{part.name_prefix}{name}")
        for part, role in zip(networks.parts, roles, strict=False)
        for name in part.all_layers()
    }


def rename(tensors, networks, layout):
    """Return a LoRA under other names; `layout` writes one of a role, a layer and a half."""
    names, found = module_names(networks), {}
    for name, tensor in tensors.items():
        key, _, end = name.partition(".")
        if end != "alpha":
            half = "down" if "down" in end else "up"
            found[layout(*names[key], half)] = tensor
    return found


KOHYA_ROLES = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}
AB = {"down": "A", "up": "B"}
LAYOUTS = {
    "diffusers": lambda role, layer, half: f"{role}.{layer}.lora.{half}.weight",
    "diffusers, text": lambda role, layer, half: f"{role}.{layer}.lora_linear_layer.{half}.weight",
    "diffusers, peft": lambda role, layer, half: f"{role}.{layer}.lora_{AB[half]}.weight",
    "peft": lambda role, layer, half: (
        f"base_model.model.{role}.{layer}.lora_{AB[half]}.default.weight"
    ),
    "peft inside": lambda role, layer, half: (
        f"{role}.base_model.model.{layer}.lora_{AB[half]}.weight"
    ),
    "dotted": lambda role, layer, half: f"{KOHYA_ROLES[role]}.{layer}.lora_{half}.weight",
    "ComfyUI": lambda role, layer, half: (
        f"{'diffusion_model' if role == 'unet' else role}.{layer}.lora_{half}.weight"
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_become_ours(tiny_bases, layout):
    """Every layout's names become ours, layer by layer, with and without the text encoders."""
    with tiny_bases.borrow("tiny-sdxl") as family:
        ours = {n: t for n, t in make_lora(family.networks).items() if not n.endswith("alpha")}
        theirs = rename(ours, family.networks, LAYOUTS[layout])

        found = foreign.translate(theirs, family.networks)

    assert found.keys() == ours.keys()
    assert all(torch.equal(found[name], ours[name]) for name in ours)


def test_old_attention_processors_become_ours(tiny_bases):
    """Files of diffusers before 0.20 have a name for each half within a processor."""
    with tiny_bases.borrow("tiny-sd1") as family:
        layer = "mid_block.attentions.0.transformer_blocks.0.attn1"
        theirs = {f"{layer}.processor.to_q_lora.{h}.weight": torch.ones(2, 2) for h in AB}

        found = foreign.translate(theirs, family.networks)

    key = f"lora_unet_{layer.replace('.', '_')}_to_q"
    assert found.keys() == {f"{key}.lora_down.weight", f"{key}.lora_up.weight"}


def test_kohyas_sdxl_draws_the_same_picture(tiny_bases):
    """A file with sgm's names, as kohya writes SDXL, draws what ours with the same tensors does.

    diffusers' own converter agrees on which block is which.
    """
    with tiny_bases.borrow("tiny-sdxl") as family:
        networks = family.networks
        ours = make_lora(networks)
        theirs = networks.to_file_names(ours)
        assert any("input_blocks_" in name for name in theirs)
        mapped = _maybe_map_sgm_blocks_to_diffusers(dict(theirs), family.unet.config)
        converted, _ = _convert_non_diffusers_lora_to_diffusers(mapped)
        halves = foreign.translate(converted, networks)
        assert all(torch.equal(ours[name], tensor) for name, tensor in halves.items())
        assert len(halves) == len(ours) * 2 / 3

        found = foreign.translate(theirs, networks)
        lora.check(networks, found)
        pictures = []
        for tensors in (ours, found, None):
            if tensors is None:
                pictures.append(family.render_array(PICTURE))
                continue
            with lora.apply(networks, tensors, "", 1.0):
                pictures.append(family.render_array(PICTURE))

    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


FURTHER_LAYERS = (
    "time_embedding.linear_1", "add_embedding.linear_2", "down_blocks.0.downsamplers.0.conv",
    "down_blocks.1.resnets.0.time_emb_proj", "down_blocks.1.resnets.0.conv_shortcut", "conv_out",
    "up_blocks.0.upsamplers.0.conv",
)  # fmt: skip


def test_layers_that_we_do_not_train_are_applied(tiny_bases):
    """Kohya's LoCons have layers that ours never have: of time, of resizing, shortcuts."""
    with tiny_bases.borrow("tiny-sdxl") as family:
        names, theirs = UnetNames(dict(family.unet.named_parameters())), {}
        for name in FURTHER_LAYERS:
            key = f"lora_unet_{names.layer(name)}".replace(".", "_")
            out, inner, *window = family.unet.get_submodule(name).weight.shape
            theirs[f"{key}.lora_down.weight"] = torch.ones(1, inner, *window) / 9
            theirs[f"{key}.lora_up.weight"] = torch.ones(out, 1, *[1] * len(window)) / 9
        found = foreign.translate(theirs, family.networks)
        lora.check(family.networks, found)

        with lora.apply(family.networks, found, "", 1.0):
            drawn = family.render_array(PICTURE)

        assert (drawn != family.render_array(PICTURE)).any()


def test_zimage_of_others_becomes_ours(tiny_bases):
    """Z-Image by kohya's and diffusers' names, and its authors' fused attention, cut in three."""
    with tiny_bases.borrow("tiny-zimage") as family:
        networks = family.networks
        ours = make_lora(networks)
        flat = {
            f"lora_unet_{layer.removeprefix('diffusion_model.').replace('.', '_')}.{end}": tensor
            for (layer, end), tensor in zip(map(split_key, ours), ours.values(), strict=True)
        }
        assert to_kohya_keys(foreign.translate(flat, networks)).keys() == ours.keys()
        diffusers = {
            name.replace("diffusion_model.", "transformer."): tensor
            for name, tensor in to_file_keys(ours).items()
        }
        assert to_kohya_keys(foreign.translate(diffusers, networks)).keys() == ours.keys()

        start = "diffusion_model.layers.0.attention"
        parts = [ours[f"{start}.to_{which}.lora_up.weight"] for which in "qkv"]
        fused = {
            "lora_unet_layers_0_attention_qkv.lora_down.weight": torch.ones(2, parts[0].shape[0]),
            "lora_unet_layers_0_attention_qkv.lora_up.weight": torch.cat(parts),
            "lora_unet_layers_0_attention_out.lora_down.weight": torch.ones(2, 4),
        }
        found = to_kohya_keys(foreign.translate(fused, networks))

    for which, part in zip("qkv", parts, strict=True):
        assert torch.equal(found[f"{start}.to_{which}.lora_up.weight"], part)
        assert found[f"{start}.to_{which}.lora_down.weight"].shape == (2, parts[0].shape[0])
    assert f"{start}.to_out.0.lora_down.weight" in found


def test_strength_is_what_the_file_says(tiny_bases):
    """Whole alphas are numbers, and diffusers' alphas stand in the metadata."""
    with tiny_bases.borrow("tiny-sd1") as family:
        ours = make_lora(family.networks)
        whole = {n: t.long() if n.endswith("alpha") else t for n, t in ours.items()}
        lora.check(family.networks, foreign.translate(whole, family.networks))

        bare = {n: t for n, t in ours.items() if "unet" in n and not n.endswith("alpha")}
        theirs = rename(bare, family.networks, LAYOUTS["diffusers, peft"])
        attention = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
        config = {"unet.r": 2, "unet.lora_alpha": 8, "unet.alpha_pattern": {attention: 3}}
        told = {foreign.ADAPTER_METADATA: json.dumps(config)}
        found = foreign.translate(theirs, family.networks, told)

    key = f"lora_unet_{attention.replace('.', '_')}.alpha"
    alphas = {n: float(t) for n, t in found.items() if n.endswith("alpha")}
    assert len(alphas) == len(bare) / 2
    assert alphas.pop(key) == 3
    assert {*alphas.values()} == {8}


def test_pefts_alpha_stands_beside_the_file(tmp_path):
    """A file of peft's has its alpha in adapter_config.json, where peft writes it."""
    half = "base_model.model.unet.conv_out.lora_A.weight"
    (tmp_path / foreign.PEFT_CONFIG).write_text('{"r": 4, "lora_alpha": 8, "use_rslora": true}')

    told = foreign.read_told(tmp_path / "adapter_model.safetensors", {half: {}})
    found = foreign.normalize({half: torch.ones(4, 2)}, told)

    assert float(found["base_model.model.unet.conv_out.alpha"]) == 16
    assert foreign.read_told(tmp_path / "kohya.safetensors", {"lora_unet_x.alpha": {}}) == {}


def test_three_parts_become_two(tiny_bases):
    """LyCORIS' Tucker convolutions are folded into plain ones of the same effect."""
    with tiny_bases.borrow("tiny-sd1") as family:
        key = "lora_unet_mid_block_resnets_0_conv1"
        layer = family.networks.find_layers()[key]
        out, inner = layer.weight.shape[:2]
        down, mid, up = (
            torch.randn(2, inner, 1, 1),
            torch.randn(2, 2, 3, 3),
            torch.randn(out, 2, 1, 1),
        )
        theirs = {
            f"{key}.lora_down.weight": down, f"{key}.lora_mid.weight": mid,
            f"{key}.lora_up.weight": up,
        }  # fmt: skip
        found = foreign.translate(theirs, family.networks)
        lora.check(family.networks, found)

    folded = torch.einsum("or,rcij->ocij", up.flatten(1), found[f"{key}.lora_down.weight"])
    whole = torch.einsum("or,rsij,sc->ocij", up.flatten(1), mid, down.flatten(1))
    assert torch.allclose(folded, whole, atol=1e-5)


def test_magnitudes_of_outputs(tiny_bases):
    """A DoRA of LyCORIS or peft rescales outputs: doubled magnitudes double the layer."""
    with tiny_bases.borrow("tiny-sd1") as family:
        key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
        weight = family.networks.find_layers()[key].weight.detach()
        length = weight.norm(dim=1)
        parts = {"lora_down.weight": torch.ones(1, weight.shape[1])}
        parts["lora_up.weight"] = torch.zeros(len(weight), 1)
        for scale in (2 * length, 2 * length[:, None]):
            added = dora.file_delta(parts | {"dora_scale": scale}, weight)
            assert torch.allclose(added, weight, atol=1e-6)


def test_a_layer_twice_is_refused(tiny_bases):
    """Two names of one layer cannot both be meant."""
    with tiny_bases.borrow("tiny-sd1") as family:
        names = ("lora_unet_out_2", "lora_unet_conv_out", "unet.conv_out")
        theirs = {f"{name}.lora_up.weight": torch.ones(4, 1) for name in names}
        with pytest.raises(JobError, match="twice"):
            foreign.translate(theirs, family.networks)
