"""Whole models are written as single files, with the names that other programs read."""

from __future__ import annotations

import pytest
import torch

from training.families import walk
from training.modelfiles import configs, singlefile, singlefile_writer

#: some of the names in Stable Diffusion 1.5's own file, each of another kind
KNOWN = {
    "model.diffusion_model.time_embed.2.bias",
    "model.diffusion_model.input_blocks.0.0.weight",
    "model.diffusion_model.input_blocks.3.0.op.weight",
    "model.diffusion_model.input_blocks.4.0.skip_connection.weight",
    "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_k.weight",
    "model.diffusion_model.output_blocks.2.1.conv.weight",
    "model.diffusion_model.output_blocks.5.2.conv.weight",
    "model.diffusion_model.output_blocks.11.1.proj_out.bias",
    "model.diffusion_model.out.2.weight",
    "first_stage_model.encoder.down.0.downsample.conv.weight",
    "first_stage_model.encoder.down.1.block.0.nin_shortcut.weight",
    "first_stage_model.decoder.up.3.upsample.conv.bias",
    "first_stage_model.decoder.mid.attn_1.proj_out.weight",
    "first_stage_model.decoder.norm_out.weight",
    "first_stage_model.post_quant_conv.weight",
    "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc2.weight",
    "cond_stage_model.transformer.text_model.final_layer_norm.bias",
}


OPEN = {
    "model.token_embedding.weight",
    "model.positional_embedding",
    "model.transformer.resblocks.22.attn.in_proj_weight",
    "model.transformer.resblocks.22.attn.out_proj.bias",
    "model.transformer.resblocks.22.ln_2.weight",
    "model.transformer.resblocks.22.mlp.c_fc.weight",
    "model.ln_final.bias",
}
XL = {
    "model.diffusion_model.label_emb.0.2.bias",
    "model.diffusion_model.input_blocks.8.1.transformer_blocks.9.attn2.to_k.weight",
    "conditioner.embedders.0.transformer.text_model.encoder.layers.11.mlp.fc2.weight",
    "conditioner.embedders.1.model.text_projection",
    *(f"conditioner.embedders.1.{name}" for name in OPEN),
}
EACH = {"sd1": KNOWN, "sd2": {f"cond_stage_model.{name}" for name in OPEN}, "sdxl": XL}


@pytest.mark.parametrize("family", sorted(EACH))
def test_true_names(family):
    """A model of true size has its original file's names, and every weight is read back."""
    with torch.device("meta"):
        networks = singlefile.make_empty_networks(walk()[family].SHAPE)
    unet, vae, *texts = networks.values()
    opened = [(text.state_dict(), text.config.hidden_act == "gelu") for text in texts]

    content = singlefile_writer.to_single_file(unet.state_dict(), vae.state_dict(), opened)

    assert content.keys() > EACH[family]
    for name, back in singlefile.convert_tensors(content, networks).items():
        wanted = {key: tensor.shape for key, tensor in networks[name].state_dict().items()}
        assert {key: tensor.shape for key, tensor in back.items()} == wanted


@pytest.mark.parametrize("family", sorted(EACH))
def test_same_weights(family):
    """Written and read again, every weight is equal."""
    torch.manual_seed(1)
    networks = singlefile.make_empty_networks(configs.shrink_shape(walk()[family].SHAPE))
    for network in networks.values():
        network.to_empty(device="cpu")
        for parameter in network.parameters():
            parameter.data.normal_()
    unet, vae, *texts = networks.values()
    opened = [(text.state_dict(), text.config.hidden_act == "gelu") for text in texts]

    content = singlefile_writer.to_single_file(unet.state_dict(), vae.state_dict(), opened)

    for name, back in singlefile.convert_tensors(content, networks).items():
        own = networks[name].state_dict()
        assert all(torch.equal(back[key], own[key]) for key in own), name
