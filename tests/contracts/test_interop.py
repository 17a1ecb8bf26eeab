"""Every family with every method: its files mean the same in other programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from lycoris.utils import merge
from PIL import Image, ImageDraw
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from storage.folders import JobFolder, dump
from storage.records import Concept, Dial
from storage.requests import TrainRequest
from training import embedded, families, files, ldm, methods
from training.bases import Bases
from training.device import Device
from training.families import Picture
from training.families.sd1 import ATTENTION, GUIDANCE, READING
from training.loop import train
from training.networks import Part
from training.recipe import Prompt, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = "a zorp emoji, on a white background"
PICTURE = Picture(PROMPT, "", 5, 4, 64, 64)
CLOSE = 1e-4
PRIVATE = ("grandmother", "IMG_2041", "holiday prompt")

# AUTOMATIC1111/stable-diffusion-webui 873edba4 (1.6), extensions-builtin/Lora/networks.py: a key
# is cut at its first dot; what stands before must be named like one of these.
A1111 = (
    r"lora_unet_(down|up)_blocks_\d+_(attentions|resnets)_\d+_.+",
    r"lora_unet_mid_block_(attentions|resnets)_\d+_.+",
    r"lora_te_text_model_encoder_layers_\d+_.+",
)
# Comfy-Org/ComfyUI 17358c8f, comfy/lora.py (prefixes and the text encoder's layers), and
# 09708eae, comfy/utils.py (the UNet's layers that are known).
COMFY = (
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_attentions_\d+_transformer_blocks_\d+_{layer}",
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_attentions_\d+_proj_(in|out)",
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_resnets_\d+_conv[12]",
    r"lora_te_text_model_encoder_layers_\d+_(self_attn_(q|k|v|out)_proj|mlp_fc[12])",
)
LAYER = r"(attn[12]_to_(q|k|v|out_0)|ff_net_(0_proj|2))"
ENDS = {"lora_down.weight", "lora_up.weight", "alpha"}


@dataclass(frozen=True, slots=True)
class Trained:
    """One family with one method, after a few steps."""

    family: str
    method: str
    file: Path
    recipe: Recipe
    live: Any  #: painted with the layers that were trained, rounded as the file is
    worn: Any  #: painted with the file


@pytest.fixture(scope="session")
def bases() -> Bases:
    """Hold the embedded base on one thread."""
    torch.set_num_threads(1)
    return Bases(None, Device.open(cpu=True))


def asked(method: str, concept: Concept = Concept.SUBJECT) -> Recipe:
    """Ask for a training, with private things in it."""
    request = TrainRequest(
        method, "embedded", "zorp", "zorp", concept, Dial.QUICK, 3, 3, 2e-2, 2, 7, "cat"
    )
    base = Bases(None).find("embedded")
    shots = [("IMG_2041.png", "a zorp emoji of my grandmother"), ("b.png", "zorp")]
    more = {
        "every": 50,
        "threads": 1,
        "text": method == "lora",
        "prompts": (Prompt("holiday prompt", 1),),
    }
    return Recipe.of(request, base, shots, **more)


def layout(folder: JobFolder, recipe: Recipe) -> None:
    """Lay out a job."""
    folder.photos.mkdir(parents=True)
    for shot in recipe.photos:
        picture = Image.new("RGB", (80, 80), "navy")
        ImageDraw.Draw(picture).ellipse((10, 20, 60, 70), fill="orange")
        picture.save(folder.photos / shot.file)
    dump(folder.job, {"kind": "train", "recipe": recipe.json()})


def taught(bases: Bases, recipe: Recipe, folder: JobFolder) -> Trained:
    """Train, and paint with the trained layers themselves before they are taken off."""
    layout(folder, recipe)
    method, painted = methods.walk()[recipe.method], []
    with bases.family(recipe.base) as family:
        for event in train(folder, bases):
            if event.kind == "done":  # the layers are still on
                attached = family.networks.attached
                assert attached is not None
                for parameter in attached.parameters.values():
                    parameter.data = parameter.data.half().float()
                painted.append(family.paint(PICTURE))  # type: ignore[attr-defined]
        path = folder.result / "zorp.safetensors"
        tensors = files.tensors(path)
        method.check(family.networks, tensors)
        with method.worn(family.networks, tensors, recipe.trigger, 1.0):
            painted.append(family.paint(PICTURE))  # type: ignore[attr-defined]
        painted.append(family.paint(PICTURE))  # type: ignore[attr-defined]
    assert np.abs(painted[1] - painted[2]).max() > 0.01  # it does something
    return Trained(family.name, recipe.method, path, recipe, *painted[:2])


@pytest.fixture(scope="session")
def trained(bases: Bases, tmp_path_factory: pytest.TempPathFactory) -> list[Trained]:
    """Train every method of every family there is a tiny base for."""
    home = tmp_path_factory.mktemp("contracts")
    return [taught(bases, asked(m), JobFolder(home / m)) for m in sorted(methods.walk())]


@pytest.fixture(scope="session")
def strangers(trained: list[Trained]) -> dict[str, Any]:
    """Paint with every file in a fresh process that knows only diffusers."""
    orders = [
        {
            "base": str(embedded.folder("diffusion")), "kind": one.method, "file": str(one.file),
            "trigger": one.recipe.trigger, "prompt": PROMPT, "guidance": str(GUIDANCE[64]),
            "out": str(one.file.with_name("painted.npy")),
        }
        for one in trained
    ]  # fmt: skip
    reader = Path(__file__).with_name("reader.py")
    subprocess.run([sys.executable, reader, json.dumps(orders)], check=True, capture_output=True)
    return {one.method: np.load(one.file.with_name("painted.npy")) for one in trained}


def cut(one: Trained) -> Iterator[tuple[str, str]]:
    """Cut every key of a file at its first dot, as A1111 does."""
    for key in load_file(one.file):
        name, _, end = key.partition(".")
        yield name, end


def test_all(trained: list[Trained]) -> None:
    """Every family and every method that can be found is trained here."""
    assert {one.family for one in trained} == set(families.walk())
    assert {one.method for one in trained} == set(methods.walk()) >= {"lora", "embedding"}


def test_worn(trained: list[Trained]) -> None:
    """A file worn by our sampler paints what the trained layers paint."""
    for one in trained:
        assert np.abs(one.live - one.worn).max() < CLOSE, one.method


def test_diffusers(trained: list[Trained], strangers: dict[str, Any]) -> None:
    """In a fresh process and a fresh pipeline of diffusers a file paints what it paints here."""
    for one in trained:
        assert np.abs(one.live - strangers[one.method]).max() < CLOSE, one.method


def test_keys(trained: list[Trained]) -> None:
    """Every key of a LoRA is one that A1111 and ComfyUI load."""
    comfy = [rule.replace("{layer}", LAYER) for rule in COMFY]
    (lora,) = (one for one in trained if one.method == "lora")

    for name, end in cut(lora):
        assert end in ENDS, name
        assert any(re.fullmatch(rule, name) for rule in A1111), name
        assert any(re.fullmatch(rule, name) for rule in comfy), name
    assert {name.split("_")[1] for name, _ in cut(lora)} == {"unet", "te"}


def test_true_keys() -> None:
    """On the true Stable Diffusion 1.5 the keys are exactly the attention layers these know."""
    with torch.device("meta"):
        unet = UNet2DConditionModel(**ldm.SD15.unet)
        text = CLIPTextModel(CLIPTextConfig(**ldm.SD15.text))
    parts = (
        Part("lora_unet", unet, ATTENTION),
        Part("lora_te", text, READING, above="text_model.", text=True),
    )
    places = [f"down_blocks_{b}_attentions_{a}" for b in range(3) for a in range(2)]
    places += ["mid_block_attentions_0"]
    places += [f"up_blocks_{b}_attentions_{a}" for b in range(1, 4) for a in range(3)]
    known = {
        f"lora_unet_{place}_transformer_blocks_0_attn{n}_to_{which}"
        for place in places
        for n in (1, 2)
        for which in ("q", "k", "v", "out_0")
    } | {
        f"lora_te_text_model_encoder_layers_{n}_self_attn_{which}_proj"
        for n in range(12)
        for which in ("q", "k", "v", "out")
    }

    assert {key for part in parts for key in part.layers()} == known


def test_alpha(trained: list[Trained]) -> None:
    """Alpha is there for every layer and equals the rank, so that no program can scale amiss."""
    (lora,) = (one for one in trained if one.method == "lora")
    content = load_file(lora.file)

    for key, tensor in content.items():
        name, _, end = key.partition(".")
        if end == "lora_down.weight":
            assert content[f"{name}.alpha"].item() == len(tensor) == lora.recipe.rank
            assert content[f"{name}.alpha"].ndim == 0
            assert content[f"{name}.lora_up.weight"].shape[1] == len(tensor)


def test_lycoris(bases: Bases, trained: list[Trained]) -> None:
    """LyCORIS' own merge adds the very delta that the file describes, on every layer."""
    (lora,) = (one for one in trained if one.method == "lora")
    content = load_file(lora.file)
    with bases.family("embedded") as family:
        layers = {k: layer for part in family.networks.parts for k, layer in part.layers().items()}
        before = {key: layer.weight.clone() for key, layer in layers.items()}
        unet, text = (part.module for part in family.networks.parts)
        try:
            merge([Named(text)], unet, dict(content))
            for key, weight in before.items():
                down, up = (content[f"{key}.lora_{way}.weight"].float() for way in ("down", "up"))
                delta = (up.flatten(1) @ down.flatten(1)).view_as(weight)
                assert torch.allclose(layers[key].weight - weight, delta, atol=1e-6), key
        finally:
            for key, weight in before.items():
                layers[key].weight.data = weight


class Named(nn.Module):
    """A text encoder under the name that it had before transformers 5.6."""

    def __init__(self, text: nn.Module) -> None:
        super().__init__()
        self.text_model = text


def test_embedding(trained: list[Trained]) -> None:
    """An embedding is exactly one tensor, vectors by width, as A1111 and ComfyUI demand."""
    (one,) = (one for one in trained if one.method == "embedding")
    content = load_file(one.file)

    assert list(content) == ["emb_params"]
    assert content["emb_params"].shape == (one.recipe.rank, 192)


def test_only_those_rows(bases: Bases, trained: list[Trained]) -> None:
    """Training a word leaves the vectors of every other word alone."""
    assert any(one.method == "embedding" for one in trained)
    vectors = embedded.folder("diffusion") / "text_encoder" / "model.safetensors"
    (before,) = (t for k, t in load_file(vectors).items() if k.endswith("token_embedding.weight"))

    with bases.family("embedded") as family:
        assert torch.equal(family.networks.vocabulary.weight, before.float())


def test_private(trained: list[Trained]) -> None:
    """Captions, prompts and photos' names of a member are in no file."""
    for one in trained:
        content = one.file.read_bytes()
        for secret in PRIVATE:
            assert secret.encode() not in content, secret


def test_recipe_inside(trained: list[Trained]) -> None:
    """What ran is written in what came out: method, steps, seed, base and its fingerprint."""
    for one in trained:
        with safe_open(one.file, "pt") as opened:
            told = opened.metadata()
        inside = json.loads(told["safelight.recipe"])

        assert inside["method"] == one.method
        assert (inside["steps"], inside["seed"], inside["photos"]) == (3, 7, 2)
        assert inside["identity"] == Bases(None).identity("embedded")
        assert told["modelspec.architecture"].startswith("stable-diffusion-v1/")


def test_half_precision(bases: Bases) -> None:
    """On half-precision weights the trained layers stay fp32, and learn in fp32."""
    method = methods.walk()["lora"]
    with bases.family("embedded") as family:
        for part in family.networks.parts:
            part.module.to(torch.bfloat16)
        try:
            attached = method.attach(family.networks, replace(asked("lora"), rank=2))
            types = {p.dtype for p in attached.parameters.values()}
            latents, states = (
                torch.zeros(1, 4, 16, 16),
                torch.zeros(1, 77, 192, dtype=torch.bfloat16),
            )
            with torch.autocast("cpu", torch.bfloat16):
                loss = family.loss(latents, states, 5.0, torch.Generator().manual_seed(1))
            loss.backward()  # type: ignore[no-untyped-call]
            grads = {p.grad.dtype for p in attached.parameters.values() if p.grad is not None}
            attached.detach()
        finally:
            bases.resident.clear()  # the next one loads it anew

    assert types == grads == {torch.float32}
    assert loss.dtype == torch.float32
