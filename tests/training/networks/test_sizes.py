"""Sizes of layers are those of the true networks, and files as large as they say."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from accelerate import init_empty_weights
from diffusers import ZImageTransformer2DModel

from storage.records import Base
from training import families
from training.families import zimage
from training.families._stable import ATTENTION, FURTHER, READING, THINKING
from training.modelfiles import configs, singlefile
from training.networks.networks import Part
from training.networks.sizes import SMALL, Layers, family, sizes


def counted(parts):
    """Count the layers of networks by outputs, inputs and places of a kernel."""
    found = []
    for further in (False, True):
        rows: Counter[tuple[int, int, int]] = Counter()
        for part in parts:
            own = {id(layer) for layer in Part("", part.module, part.targets).layers().values()}
            for layer in part.layers().values():
                if (id(layer) in own) is not further:
                    out, inner, *window = layer.weight.shape
                    rows[out, inner, window[0] * window[1] if window else 1] += 1
        found.append(tuple(sorted((*shape, count) for shape, count in rows.items())))
    return Layers(*found)


@pytest.mark.parametrize(
    ("name", "shape"), [("sd1", configs.SD15), ("sd2", configs.SD2), ("sdxl", configs.SDXL)]
)
def test_true_sizes(name, shape):
    """A Stable Diffusion's layers are counted as its true networks have them."""
    unet, _, *texts = singlefile.empty(shape).values()
    told = family(name)

    assert told.denoiser == counted([Part("lora_unet", unet, ATTENTION, FURTHER)])
    assert told.text == counted([Part("lora_te", text, READING, THINKING) for text in texts])
    assert told.words == tuple(text.config.hidden_size for text in texts)


def test_true_flow():
    """Z-Image's, too; what reads its prompts is not trained."""
    with init_empty_weights():
        network = ZImageTransformer2DModel()
    told = family("zimage")

    assert told.denoiser == counted([Part("", network, zimage.ATTENTION, zimage.FURTHER)])
    assert (told.text, told.words) == (Layers(), ())


def test_small(bases):
    """All small bases are as large as the embedded one."""
    with bases.family("embedded") as family:
        parts = family.networks.parts
        assert SMALL.denoiser == counted([part for part in parts if not part.text])
        assert SMALL.text == counted([part for part in parts if part.text])


def test_any_other_is_its_familys():
    """A small base of any family is taken for the embedded one, another for a true one."""
    base = Base("b", "B", "sd2", "b", 768, "", "", present=True)

    assert sizes(base) is family("sd2")
    assert sizes(replace(base, small=True)) is SMALL
    assert {name for name in families.names() if family(name).model} == set(families.names())
