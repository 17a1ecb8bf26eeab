"""Every family with every method: its files mean the same in other programs."""

from __future__ import annotations

import io
import json
import pickletools
import subprocess
import sys
import zipfile
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
from training import embedded, families, files, ldm, loaders, lycoris, methods, pt, single
from training.bases import Bases
from training.device import Device
from training.families import Picture
from training.loop import train
from training.networks import Part
from training.recipe import Prompt, Recipe
from training.stable import ATTENTION, GUIDANCE, READING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROMPT = "a zorp emoji, on a white background"
PICTURE = Picture(PROMPT, "", 5, 4, 64, 64)
CLOSE = 1e-4
PRIVATE = ("grandmother", "IMG_2041", "holiday prompt")

ENDS = {"lora_down.weight", "lora_up.weight", "alpha"}
ALL = {"kohya", "AUTOMATIC1111", "Forge", "ComfyUI", "diffusers"}
#: which programs read what each method writes
READ = {
    "lora": ALL,
    "locon": ALL,
    "embedding": ALL,
    "loha": ALL - {"diffusers"},
    "lokr": ALL - {"diffusers"},
    "dora": ALL - {"diffusers", "kohya"},
    "oft": {"kohya", "ComfyUI"},
    "pivotal": {"AUTOMATIC1111", "ComfyUI"},
    "hypernetwork": set(),
    "dreambooth": ALL,
    "finetune": ALL,
}


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
        "text": method != "embedding",
        "ema": 0.0,  # so that what was trained and what is written are the same
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
        if "diffusers" in READ[one.method]
    ]  # fmt: skip
    reader = Path(__file__).with_name("reader.py")
    subprocess.run([sys.executable, reader, json.dumps(orders)], check=True, capture_output=True)
    painted = {one.method: one.file.with_name("painted.npy") for one in trained}
    return {method: np.load(path) for method, path in painted.items() if path.exists()}


def names(one: Trained) -> list[str]:
    """List a file's keys; of a whole model those that Stable Diffusion 1.5 itself has."""
    if one.recipe.rank:
        return list(load_file(one.file))
    with torch.device("meta"):
        unet, vae, text = ldm.empty(ldm.SD15).values()
    content = single.written(unet.state_dict(), vae.state_dict(), [(text.state_dict(), False)])
    return list(content)


def cut(one: Trained) -> Iterator[tuple[str, str]]:
    """Cut every key of a file at its first dot, as A1111 does."""
    for key in load_file(one.file):
        name, _, end = key.partition(".")
        yield name, end


def test_all(trained: list[Trained]) -> None:
    """Every family and every method that can be found is trained here."""
    assert {one.family for one in trained} <= set(families.walk())
    assert {one.method for one in trained} == set(methods.walk()) >= {"lora", "embedding"}


def test_worn(trained: list[Trained]) -> None:
    """A file worn by our sampler paints what the trained layers paint."""
    for one in trained:
        assert np.abs(one.live - one.worn).max() < CLOSE, one.method


def test_diffusers(trained: list[Trained], strangers: dict[str, Any]) -> None:
    """In a fresh process and a fresh pipeline of diffusers a file paints what it paints here."""
    assert set(strangers) == {method for method, read in READ.items() if "diffusers" in read}
    for one in trained:
        if one.method in strangers:
            assert np.abs(one.live - strangers[one.method]).max() < CLOSE, one.method


def test_loads(trained: list[Trained]) -> None:
    """Every method's file loads where it should, by its keys; else there is a reason."""
    for one in trained:
        found = loaders.loads(names(one))

        assert {program for program, amiss in found.items() if not amiss} == READ[one.method]


def test_table(trained: list[Trained]) -> None:
    """What ARCHITECTURE.md says of methods and programs is what these very files show."""
    page = (Path(__file__).parents[2] / "ARCHITECTURE.md").read_text("utf-8")

    for one in trained:
        found = loaders.loads(names(one))
        cells = [f"no: {amiss}" if amiss else "yes" for amiss in found.values()]
        row = f"| {' | '.join([one.method, one.family, *cells])} |"
        assert row in page, row


def test_keys(trained: list[Trained]) -> None:
    """A LoRA's keys are those of UNet and text encoder, and end as A1111 and ComfyUI demand."""
    for one in trained:
        if one.method in {"lora", "locon"}:
            assert {end for _, end in cut(one)} == ENDS
            assert {name.split("_")[1] for name, _ in cut(one)} == {"unet", "te"}


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


@pytest.mark.parametrize("method", ["lora", "locon", "loha", "lokr", "oft"])
def test_lycoris(bases: Bases, trained: list[Trained], method: str) -> None:
    """LyCORIS' own merge adds the very delta that we say the file describes, on every layer."""
    (one,) = (one for one in trained if one.method == method)
    content = load_file(one.file)
    with bases.family("embedded") as family:
        layers = {k: layer for part in family.networks.parts for k, layer in part.layers().items()}
        before = {key: layer.weight.clone() for key, layer in layers.items()}
        unet, text = (part.module for part in family.networks.parts)
        try:
            merge([Named(text)], unet, dict(content))
            for key, parts in lycoris.by_layer(content).items():
                weight = before[key]
                added = layers[key].weight - weight
                assert torch.allclose(added, delta(method, parts, weight), atol=2e-6), key
        finally:
            for key, weight in before.items():
                layers[key].weight.data = weight


def delta(method: str, parts: dict[str, torch.Tensor], weight: torch.Tensor) -> torch.Tensor:
    """Say what a file adds to a layer."""
    if method in {"lora", "locon"}:
        down, up = (parts[f"lora_{way}.weight"].float() for way in ("down", "up"))
        return (up.flatten(1) @ down.flatten(1)).view_as(weight)
    own: lycoris.Kind = methods.walk()[method].OWN  # type: ignore[attr-defined]
    return own.changed("", parts, weight)


def test_dora(bases: Bases, trained: list[Trained]) -> None:
    """A DoRA gives each input of a layer its length, and has one for each, as A1111 reads them.

    AUTOMATIC1111 1.9, network.py, apply_weight_decompose: lengths of columns, over all outputs.
    """
    (one,) = (one for one in trained if one.method == "dora")
    with bases.family("embedded") as family:
        layers = {k: layer for part in family.networks.parts for k, layer in part.layers().items()}
        for key, parts in lycoris.by_layer(load_file(one.file)).items():
            weight = layers[key].weight
            whole = weight + delta("dora", parts, weight)
            lengths = whole.transpose(0, 1).flatten(1).norm(dim=1)

            assert parts["dora_scale"].shape == (1, weight.shape[1], *[1] * (weight.ndim - 2))
            assert torch.allclose(lengths, parts["dora_scale"].float().flatten(), rtol=1e-3)


def test_one_after_another(bases: Bases) -> None:
    """Kinds leave nothing behind: a LoHa after a LoKr begins as in a fresh process."""
    kinds = methods.walk()
    begun = []
    with bases.family("embedded") as family:
        for before in ("loha", "lokr"):
            for name in (before, "loha"):
                attached = kinds[name].attach(family.networks, asked(name))
                weights = attached.weights()
                attached.detach()
            begun.append(weights)

    assert begun[0].keys() == begun[1].keys()
    assert all(torch.equal(begun[0][key], begun[1][key]) for key in begun[0])


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


def test_export(trained: list[Trained]) -> None:
    """A hypernetwork's `.pt` holds A1111's fields and our tensors; nothing in it can be called.

    It is taken apart as a zip with pickletools, and never unpickled.
    """
    (one,) = (one for one in trained if one.method == "hypernetwork")
    content = load_file(one.file)
    with zipfile.ZipFile(io.BytesIO(pt.exported(content, {"ss_steps": "3"}, "zorp"))) as archive:
        (inside,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        ops = list(pickletools.genops(archive.read(inside)))
        stored = {archive.read(name) for name in archive.namelist() if "/data/" in name}
    called = {arg for op, arg, _ in ops if op.name in {"GLOBAL", "STACK_GLOBAL"}}
    words = {arg for op, arg, _ in ops if isinstance(arg, (str, int))}

    assert called <= {
        "torch._utils _rebuild_tensor_v2", "torch FloatStorage", "collections OrderedDict",
    }  # fmt: skip
    assert {192, "linear.0.weight", "linear.2.bias", "layer_structure", "activation_func"} <= words
    assert {"relu", "is_layer_norm", "use_dropout", "activate_output", "zorp", 3} <= words
    assert stored == {tensor.float().numpy().tobytes() for tensor in content.values()}


def test_only_those_rows(bases: Bases, trained: list[Trained]) -> None:
    """Training a word leaves the vectors of every other word alone."""
    assert any(one.method == "embedding" for one in trained)
    vectors = embedded.folder("diffusion") / "text_encoder" / "model.safetensors"
    (before,) = (t for k, t in load_file(vectors).items() if k.endswith("token_embedding.weight"))

    with bases.family("embedded") as family:
        (table,) = (each.table for each in family.networks.vocabularies)
        assert torch.equal(table.weight, before.float())


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
        assert told["modelspec.architecture"].partition("/")[0] == "stable-diffusion-v1"
        assert ("/" in told["modelspec.architecture"]) is bool(one.recipe.rank)


def test_half_precision(bases: Bases) -> None:
    """On half-precision weights the trained layers stay fp32, and learn in fp32."""
    method = methods.walk()["lora"]
    with bases.family("embedded") as family:
        for part in family.networks.parts:
            part.module.to(torch.bfloat16)
        try:
            attached = method.attach(family.networks, replace(asked("lora"), rank=2))
            types = {p.dtype for p in attached.parameters.values()}
            latents = torch.zeros(1, 4, 16, 16)
            told = {"states": torch.zeros(1, 77, 192, dtype=torch.bfloat16)}
            with torch.autocast("cpu", torch.bfloat16):
                loss = family.loss(latents, told, torch.Generator().manual_seed(1), gamma=5.0)
            loss.backward()  # type: ignore[no-untyped-call]
            grads = {p.grad.dtype for p in attached.parameters.values() if p.grad is not None}
            attached.detach()
        finally:
            bases.resident.clear()  # the next one loads it anew

    assert types == grads == {torch.float32}
    assert loss.dtype == torch.float32
