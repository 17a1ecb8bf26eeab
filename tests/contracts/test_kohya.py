"""What kohya's sd-scripts reads of our files, through the LyCORIS loader that it imports."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.embeddings import TimestepEmbedding
from lycoris.kohya import create_network_from_weights
from safetensors.torch import load_file
from torch import nn

from tests.contracts.test_merge import OldTextEncoder, delta
from training import methods
from training.methods import _lycoris
from training.modelfiles.singlefile_writer import UnetNames
from training.styles.foreign import translate

pytestmark = pytest.mark.slow(10)


def sgm_unet(unet):
    """Return a UNet's layers under the names that sd-scripts' SDXL has for them.

    kohya-ss/sd-scripts 48d368fa, library/sdxl_original_unet.py.
    """
    names, whole = UnetNames(dict(unet.named_parameters())), nn.Module()
    for name, module in unet.named_modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            *above, last = names.layer(name).split(".")
            inside = whole
            for part in above:
                if not hasattr(inside, part):
                    inside.add_module(part, nn.Module())
                inside = inside.get_submodule(part)
            inside.add_module(last, module)
    return whole


def load_with_kohya(networks, file, unet):
    """Load a file onto a UNet and the text encoders, and merge it."""
    texts = [OldTextEncoder(getattr(p.module, "text_model", p.module)) for p in networks.parts[1:]]
    given = texts if len(texts) > 1 else texts[0]
    network, content = create_network_from_weights(1.0, str(file), None, given, unet)
    network.merge_to(given, unet, content, torch.float32, "cpu")
    return network


@pytest.mark.parametrize("method", ["loha", "lokr", "oft"])
def test_sdxl_is_read_whole(bases, train_method, method):
    """sd-scripts reads every layer of an SDXL file and changes the weights as we do."""
    file = train_method(method, "tiny-sdxl").file
    with bases.borrow("tiny-sdxl") as family:
        networks = family.networks
        layers = {k: layer for part in networks.parts for k, layer in part.layers().items()}
        before = {key: layer.weight.clone() for key, layer in layers.items()}
        content = translate(load_file(file), networks)
        try:
            network = load_with_kohya(networks, file, sgm_unet(networks.parts[0].module))
            parts = _lycoris.group_by_layer(content)
            assert len(network.loras) == len(parts)
            for key, tensors in parts.items():
                added = layers[key].weight - before[key]
                assert torch.allclose(added, delta(method, tensors, before[key]), atol=2e-6), key
        finally:
            for key, weight in before.items():
                layers[key].weight.data = weight


@pytest.mark.parametrize("method", ["loha", "lokr", "oft"])
def test_version_4_refuses_stable_diffusion_1(bases, train_method, method):
    """LyCORIS 4 finds a layer of the UNet of Stable Diffusion 1 and 2 twice, and gives up."""
    file = train_method(method, "tiny-sd1").file
    with bases.borrow("tiny-sd1") as family:
        unet = family.networks.parts[0].module
        assert isinstance(unet.time_embedding, TimestepEmbedding)
        with pytest.raises(AssertionError, match="duplicated lora name: lora_unet_time_embedding"):
            load_with_kohya(family.networks, file, unet)


def test_dora_is_not_read(bases, train_method):
    """sd-scripts has no room for the magnitudes of a DoRA's inputs."""
    file = train_method("dora", "tiny-sdxl").file
    with bases.borrow("tiny-sdxl") as family, pytest.raises(RuntimeError):
        load_with_kohya(family.networks, file, sgm_unet(family.networks.parts[0].module))


@pytest.mark.parametrize("method", ["lora", "loha"])
def test_older_files_are_still_read(bases, train_method, method):
    """An SDXL file under diffusers' names, as earlier versions wrote it, is the same style."""
    written = load_file(train_method(method, "tiny-sdxl").file)
    with bases.borrow("tiny-sdxl") as family:
        older = translate(written, family.networks)

        assert any("_down_blocks_" in name for name in older)
        assert any("_input_blocks_" in name for name in written)
        assert family.networks.to_file_names(older).keys() == written.keys()
        assert translate(older, family.networks).keys() == older.keys()
        methods.walk()[method].check(family.networks, older)
