"""LoRA: what it adapts and writes, and which files it refuses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save

from storage.errors import JobError
from storage.records import Concept, Dial
from training.methods import lora
from training.run import defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from training.bases.cache import BaseCache
    from training.networks.networks import Networks
    from training.recipe.recipe import Recipe

KEY = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"


@pytest.fixture
def networks(bases: BaseCache) -> Iterator[Networks]:
    """Return the embedded base's networks."""
    with bases.borrow("embedded") as family:
        yield family.networks


@pytest.mark.parametrize(("text", "prefixes"), [(False, {"unet"}), (True, {"unet", "te"})])
def test_parts(
    networks: Networks, make_recipe: Callable[..., Recipe], text: bool, prefixes: set[str]
) -> None:
    """The UNet is adapted, and the text encoder if the recipe says so."""
    attached = lora.attach(networks, make_recipe(train_text_encoder=text))
    found = {name.split("_")[1] for name in attached.weights()}
    attached.detach()

    assert found == prefixes


def test_start(networks: Networks, make_recipe: Callable[..., Recipe]) -> None:
    """It starts without effect, from the recipe's seed, and leaves torch's generator unchanged."""
    state = torch.get_rng_state()
    starts = []
    for seed in (1, 1, 2):
        attached = lora.attach(networks, make_recipe(seed=seed))
        starts.append(attached.weights())
        attached.detach()

    assert torch.equal(state, torch.get_rng_state())
    ups = [tensor for name, tensor in starts[0].items() if "lora_up" in name]
    assert not any(up.any() for up in ups)
    down = f"{KEY}.lora_down.weight"
    assert torch.equal(starts[0][down], starts[1][down])
    assert not torch.equal(starts[0][down], starts[2][down])


def test_forward(networks: Networks, make_recipe: Callable[..., Recipe]) -> None:
    """Outputs and gradients of a layer equal peft's, at any scale and with the adapter off."""
    attached = lora.attach(networks, make_recipe())
    layer = attached.layers[KEY]
    layer.scaling[lora.ADAPTER_NAME] = 0.5
    for weight in attached.parameters.values():
        torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    given = torch.randn(2, 9, 192, generator=torch.Generator().manual_seed(2))
    found = []
    for answer in (layer, partial(type(layer).forward, layer)):
        out = answer(given)
        out.square().sum().backward()
        learnt = [attached.parameters[f"{KEY}.lora_{end}.weight"] for end in ("down", "up")]
        found.append([out.detach(), *(weight.grad for weight in learnt)])
        attached.parameters[f"{KEY}.lora_down.weight"].grad = None
        attached.parameters[f"{KEY}.lora_up.weight"].grad = None
    with attached.disabled():
        alone = layer(given)
    base = layer.get_base_layer()(given)
    attached.detach()

    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert torch.equal(alone, base)
    assert not torch.equal(found[0][0], base)


def test_scale_folded(networks: Networks, make_recipe: Callable[..., Recipe]) -> None:
    """A scale other than one is folded into the written tensors, and alpha equals the rank."""
    attached = lora.attach(networks, make_recipe())
    layer = attached.layers[KEY]
    layer.lora_B[lora.ADAPTER_NAME].weight.data.fill_(1.0)
    layer.scaling[lora.ADAPTER_NAME] = 0.5
    written = attached.weights()
    attached.detach()

    assert float(written[f"{KEY}.alpha"]) == 2
    assert (written[f"{KEY}.lora_up.weight"] == 0.5).all()


def pair(inner: int = 192, out: int = 192, rank: int = 2) -> dict[str, torch.Tensor]:
    """Return a style of one layer."""
    return {
        f"{KEY}.lora_down.weight": torch.ones(rank, inner),
        f"{KEY}.lora_up.weight": torch.ones(out, rank),
        f"{KEY}.alpha": torch.tensor(float(rank)),
    }


def test_fits(networks: Networks) -> None:
    """A style for these layers is accepted, also without alpha."""
    lora.check(networks, pair())
    lora.check(networks, {k: v for k, v in pair().items() if "alpha" not in k})


@pytest.mark.parametrize(
    "style",
    [
        pair(inner=320),
        pair(out=320),
        pair() | {f"{KEY}.lora_up.weight": torch.ones(192, 3)},
        pair() | {f"{KEY}.lora_up.weight": torch.full((192, 2), float("nan"))},
        pair() | {f"{KEY}.alpha": torch.ones(3)},
        pair() | {f"{KEY}.lora_down.weight": torch.ones(2, 192).int()},
        pair() | {f"{KEY}.lora_down.weight": torch.ones(2)},
        pair() | {f"{KEY}.dora_scale": torch.ones(1)},
        pair() | {"lora_unet_nowhere.alpha": torch.tensor(1.0)},
        pair() | {"bundle_emb.x": torch.ones(1)},
        {f"{KEY}.lora_up.weight": torch.ones(192, 2)},
        {f"{KEY}.alpha": torch.tensor(1.0)},
        {},
    ],
)
def test_refused(networks: Networks, style: dict[str, torch.Tensor]) -> None:
    """Tensors that are no LoRA for these layers are refused before use."""
    with pytest.raises(JobError) as refused:
        lora.check(networks, style)

    assert refused.value.code == "style_broken"


def test_alpha_scales(networks: Networks) -> None:
    """A style is scaled by alpha over rank times its strength."""
    layer = networks.parts[0].layers()[KEY]
    given = torch.ones(1, 192)
    bare = layer(given)

    with lora.apply(networks, pair() | {f"{KEY}.alpha": torch.tensor(1.0)}, "", 0.5):
        added = layer(given) - bare

    assert torch.allclose(added, torch.tensor(192 * 2 * 0.5 * 0.5), rtol=1e-4)
    assert torch.equal(layer(given), bare)


def test_rules(bases: BaseCache) -> None:
    """Every concept and dial has a rule; slower dials train longer."""
    for base in bases.list_bases():
        found = {(rule.concept, rule.dial): rule for rule in defaults.rules("lora", base)}

        assert set(found) == {(concept, dial) for concept in Concept for dial in Dial}
        for concept in Concept:
            steps = [found[concept, dial].min_steps for dial in Dial]
            assert steps == sorted(steps)
        if base.family == "zimage" and not base.small:
            assert max(rule.learning_rate for rule in found.values()) == 1e-4  # more explodes


def test_bytes(networks: Networks, bases: BaseCache, make_recipe: Callable[..., Recipe]) -> None:
    """The expected file size is within a twentieth of the true one."""
    for rule in defaults.rules("lora", bases.find("embedded")):
        if rule.dial is Dial.BALANCED:
            reads = rule.concept is Concept.LOOK  # a small base's looks adapt both networks
            attached = lora.attach(networks, make_recipe(rank=rule.rank, train_text_encoder=reads))
            body = save({name: tensor.half() for name, tensor in attached.weights().items()})
            attached.detach()

            assert abs(len(body) + 1800 - rule.file_bytes) < 0.05 * rule.file_bytes, rule
