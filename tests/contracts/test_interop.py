"""Every family with every method: its files mean the same in a fresh process and elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from benchmarks import compatibility as table
from storage.errors import JobError
from training import families, methods
from training.styles import compatibility

pytestmark = pytest.mark.slow(65)

CLOSE = 1e-4
PRIVATE = ("grandmother", "IMG_2041", "holiday prompt")
ALL = {"kohya", "AUTOMATIC1111", "Forge", "Forge Neo", "ComfyUI", "diffusers"}
#: which programs read what each method writes
READ = {
    "lora": ALL,
    "locon": ALL,
    "embedding": ALL,
    "loha": ALL - {"diffusers"},
    "lokr": ALL - {"diffusers"},
    "dora": ALL - {"diffusers", "kohya"},
    "oft": {"kohya", "Forge Neo", "ComfyUI"},
    "pivotal": {"AUTOMATIC1111", "ComfyUI"},
    "hypernetwork": set(),
    "dreambooth": ALL,
    "finetune": ALL,
}
COMFY = {"Forge Neo", "ComfyUI"}
#: the same of Z-Image
FLOW = {
    "lora": COMFY | {"diffusers"},
    "locon": COMFY | {"diffusers"},
    "lokr": COMFY | {"diffusers"},
    "loha": COMFY,
    "dora": COMFY,
    "oft": COMFY,
    "dreambooth": COMFY | {"kohya", "diffusers"},
    "finetune": COMFY | {"kohya", "diffusers"},
}
#: which methods are not made for a family: A1111's hypernetworks know one vocabulary, and Z-Image
#: has neither cross-attention nor words that a file has a form for
NOT = {
    ("hypernetwork", "sdxl"),
    ("hypernetwork", "zimage"),
    ("embedding", "zimage"),
    ("pivotal", "zimage"),
}
ARCHITECTURES = {
    "sd1": "stable-diffusion-v1",
    "sd2": "stable-diffusion-v2-768-v",
    "sdxl": "stable-diffusion-xl-v1-base",
    "zimage": "Z-Image",
}


def reads(one):
    """List the programs that read a file."""
    known = (FLOW if one.family == "zimage" else READ)[one.method]
    return known - {"Forge Neo"} if one.family == "sd2" else known


def test_all(trained):
    """Every method that can be found is trained on every family that it is made for."""
    pairs = {(method, family) for method in methods.walk() for family in families.names()}

    assert {(one.method, one.family) for one in trained} == pairs - NOT


@pytest.mark.parametrize(("method", "family"), sorted(NOT))
def test_not(bases, asked, method, family):
    """A method that is not made for a family is refused on it by a code with a sentence."""
    recipe = asked(method, f"tiny-{family}")
    with bases.borrow(recipe.base) as base, pytest.raises(JobError) as refused:
        methods.walk()[method].attach(base.networks, recipe)

    assert refused.value.code == "method_family"


def test_fresh(trained):
    """A file worn by our sampler in a fresh process paints what the trained layers painted."""
    for one in trained:
        assert np.abs(one.live - one.fresh).max() < CLOSE, (one.method, one.family)
        assert np.abs(one.fresh - one.bare).max() > 0.01, (one.method, one.family)


def test_diffusers(trained):
    """In a fresh pipeline of diffusers a file paints what it paints here."""
    for one in trained:
        assert (one.stranger is not None) is ("diffusers" in reads(one))
        if one.stranger is not None:
            assert np.abs(one.live - one.stranger).max() < CLOSE, (one.method, one.family)


def test_loads(trained):
    """Every method's file loads where it should, by its keys; else there is a reason."""
    for one in trained:
        assert set(compatibility.readable_by(one.names, one.family)) == reads(one)


def test_table(trained):
    """What docs/compatibility.md says of methods and programs is what these very files show."""
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    shown = [table.row(method, family, ()) for method, family in NOT]
    shown += [table.row(one.method, one.family, one.names) for one in trained[1:]]

    assert sorted(rows) == sorted(shown)


def test_private(trained):
    """Captions, prompts and photos' names of a member are in no file."""
    for one in trained:
        content = one.file.read_bytes()
        for secret in PRIVATE:
            assert secret.encode() not in content, secret


def test_recipe_inside(bases, trained):
    """What ran is written in what came out: method, steps, seed, base and its fingerprint."""
    for one in trained:
        with safe_open(one.file, "pt") as opened:
            told = opened.metadata()
        inside = json.loads(told["safelight.recipe"])

        assert (inside["method"], inside["family"]) == (one.method, one.family)
        assert (inside["steps"], inside["seed"], inside["photos"]) == (3, 7, 2)
        assert inside["base_fingerprint"] == bases.fingerprint(one.recipe.base)
        assert told["modelspec.architecture"].partition("/")[0] == ARCHITECTURES[one.family]
        assert ("/" in told["modelspec.architecture"]) is bool(one.recipe.rank)
        assert told["ss_v2"] == str(one.family == "sd2")


def test_half_precision(bases, asked):
    """On half-precision weights the trained layers stay fp32, and learn in fp32."""
    method = methods.walk()["lora"]
    with bases.borrow("embedded") as family:
        for part in family.networks.parts:
            part.module.to(torch.bfloat16)
        try:
            attached = method.attach(family.networks, replace(asked("lora"), rank=2))
            types = {p.dtype for p in attached.parameters.values()}
            latents = torch.zeros(1, 4, 16, 16)
            told = {"states": torch.zeros(1, 77, 192, dtype=torch.bfloat16)}
            with torch.autocast("cpu", torch.bfloat16):
                loss = family.loss(
                    latents, told, torch.Generator().manual_seed(1), min_snr_gamma=5.0
                )
            loss.backward()  # type: ignore[no-untyped-call]
            grads = {p.grad.dtype for p in attached.parameters.values() if p.grad is not None}
            attached.detach()
        finally:
            bases.loaded.clear()  # the next one loads it anew

    assert types == grads == {torch.float32}
    assert loss.dtype == torch.float32
