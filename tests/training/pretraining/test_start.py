"""A training can start from the shipped weights."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file

from training.embedded import find_folder
from training.pretraining import start
from training.pretraining.layout import make_text_encoder, make_unet
from training.pretraining.tokenizers import load_prompt_tokenizer


def test_the_shipped_weights_are_taken_over(tmp_path):
    """After `start`, the text encoder has the shipped weights, and prompts the same token ids."""
    start.run(tmp_path)
    encoder = make_text_encoder(len(load_prompt_tokenizer(tmp_path)), 0, 1)

    start.load_fitting_weights(encoder, tmp_path, "text_encoder")

    shipped = load_file(find_folder("diffusion") / "text_encoder" / "model.safetensors")
    own = encoder.state_dict()
    assert all(torch.equal(own[name], weight.float()) for name, weight in shipped.items())


def test_layers_of_another_shape_stay(tmp_path):
    """A UNet for another autoencoder takes over everything but its first and last layer."""
    start.run(tmp_path)
    unet = make_unet()
    channels = unet.config.in_channels + 1
    unet.conv_in = torch.nn.Conv2d(channels, 96, 3, padding=1)
    random = unet.conv_in.weight.clone()

    start.load_fitting_weights(unet, tmp_path, "unet")

    shipped = load_file(find_folder("diffusion") / "unet" / "diffusion_pytorch_model.safetensors")
    assert torch.equal(unet.conv_in.weight, random)
    middle = "mid_block.resnets.0.conv1.weight"
    assert torch.equal(unet.state_dict()[middle], shipped[middle].float())


def test_an_own_tokenizer_is_kept(tmp_path):
    """A work folder whose pictures have a tokenizer of their own is refused."""
    (tmp_path / "tokenizer").mkdir()

    with pytest.raises(SystemExit, match="first"):
        start.run(tmp_path)


def test_without_a_start_weights_stay_random(tmp_path):
    """A work folder without `start` trains from noise."""
    unet = make_unet()
    before = unet.conv_in.weight.clone()

    start.load_fitting_weights(unet, tmp_path, "unet")

    assert torch.equal(unet.conv_in.weight, before)
