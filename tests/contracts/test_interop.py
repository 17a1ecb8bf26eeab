"""Every method's files on every family mean the same in a fresh process and in other programs."""

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
#: the programs that read each method's files, some of them with something beside it
READ_BY = {
    "lora": ALL,
    "locon": ALL,
    "embedding": ALL,
    "loha": ALL - {"diffusers"},
    "lokr": ALL - {"diffusers"},
    "dora": ALL - {"diffusers", "kohya"},
    "oft": ALL - {"Forge", "diffusers"},
    "pivotal": {"AUTOMATIC1111", "ComfyUI"},
    "hypernetwork": {"AUTOMATIC1111", "ComfyUI"},
    "dreambooth": ALL,
    "finetune": ALL,
}
COMFY = {"Forge Neo", "ComfyUI"}
#: the same for Z-Image
READ_BY_FLOW = {
    "lora": COMFY | {"diffusers", "kohya"},
    "locon": COMFY | {"diffusers", "kohya"},
    "lokr": COMFY | {"diffusers", "kohya"},
    "loha": COMFY | {"kohya"},
    "dora": COMFY,
    "oft": COMFY,
    "dreambooth": COMFY | {"kohya", "diffusers"},
    "finetune": COMFY | {"kohya", "diffusers"},
}
#: the programs that need more than the file, by method and family
NEEDS = {
    **{
        (method, family): {"kohya"}
        for method in ("loha", "lokr", "oft")
        for family in ("sd1", "sd2")
    },
    **{(method, "zimage"): {"kohya"} for method in ("lora", "locon", "loha", "lokr")},
    **{("pivotal", family): {"ComfyUI"} for family in ("sd1", "sd2", "sdxl")},
    **{("hypernetwork", family): {"AUTOMATIC1111", "ComfyUI"} for family in ("sd1", "sd2")},
}
#: methods that cannot train a family: A1111's hypernetworks know one vocabulary, and Z-Image has
#: neither cross-attention nor a file format for learned words
UNSUPPORTED = {
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


def expected_programs(one):
    """Return the programs that must read a file."""
    known = (READ_BY_FLOW if one.family == "zimage" else READ_BY)[one.method]
    return known - {"Forge Neo"} if one.family == "sd2" else known


def test_every_pair_is_trained(trained):
    """Every method is trained on every family that it supports."""
    pairs = {(method, family) for method in methods.walk() for family in families.names()}

    assert {(one.method, one.family) for one in trained} == pairs - UNSUPPORTED


@pytest.mark.parametrize(("method", "family"), sorted(UNSUPPORTED))
def test_an_unsupported_family_is_refused(bases, make_recipe, method, family):
    """A method refuses a family it does not support, with a code."""
    recipe = make_recipe(method, f"tiny-{family}")
    with bases.borrow(recipe.base) as base, pytest.raises(JobError) as refused:
        methods.walk()[method].attach(base.networks, recipe)

    assert refused.value.code == "method_family"


def test_our_sampler_renders_the_same(trained):
    """In a fresh process our sampler renders from the file what the trained layers rendered."""
    for one in trained:
        assert np.abs(one.live - one.by_sampler).max() < CLOSE, (one.method, one.family)
        assert np.abs(one.by_sampler - one.without_style).max() > 0.01, (one.method, one.family)


def test_diffusers_renders_the_same(trained):
    """In a fresh process diffusers renders from the file what the trained layers rendered."""
    for one in trained:
        assert (one.by_diffusers is not None) is ("diffusers" in expected_programs(one))
        if one.by_diffusers is not None:
            assert np.abs(one.live - one.by_diffusers).max() < CLOSE, (one.method, one.family)


def test_compatibility(trained):
    """Every method's file is readable by exactly the expected programs, judged by its keys."""
    for one in trained:
        as_it_is = set(compatibility.readable_by(one.names, one.family))
        with_more = set(compatibility.find_needs(one.names, one.family))

        assert as_it_is | with_more == expected_programs(one), (one.method, one.family)
        assert with_more == NEEDS.get((one.method, one.family), set())


def test_the_compatibility_page(trained):
    """The rows of docs/compatibility.md agree with the trained files."""
    page = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    shown = [table.row(method, family, ()) for method, family in UNSUPPORTED]
    shown += [table.row(one.method, one.family, one.names) for one in trained[1:]]

    assert sorted(rows) == sorted(shown)


def test_no_private_texts(trained):
    """No file contains a member's captions, prompts or photos' names."""
    for one in trained:
        content = one.file.read_bytes()
        for secret in PRIVATE:
            assert secret.encode() not in content, secret


def test_the_recipe_is_in_the_file(bases, trained):
    """The file's header has the method, steps, seed, base and the base's fingerprint."""
    for one in trained:
        with safe_open(one.file, "pt") as opened:
            metadata = opened.metadata()
        inside = json.loads(metadata["safelight.recipe"])

        assert (inside["method"], inside["family"]) == (one.method, one.family)
        assert (inside["steps"], inside["seed"], inside["photos"]) == (3, 7, 2)
        assert inside["base_fingerprint"] == bases.fingerprint(one.recipe.base)
        assert metadata["modelspec.architecture"].partition("/")[0] == ARCHITECTURES[one.family]
        assert ("/" in metadata["modelspec.architecture"]) is bool(one.recipe.rank)
        assert metadata["ss_v2"] == str(one.family == "sd2")


def test_half_precision(bases, make_recipe):
    """On half-precision weights the trained layers and their gradients stay fp32."""
    method = methods.walk()["lora"]
    with bases.borrow("embedded") as family:
        for part in family.networks.parts:
            part.module.to(torch.bfloat16)
        try:
            attached = method.attach(family.networks, replace(make_recipe("lora"), rank=2))
            types = {p.dtype for p in attached.parameters.values()}
            latents = torch.zeros(1, 8, 16, 16)
            conditions = {"states": torch.zeros(1, 77, 192, dtype=torch.bfloat16)}
            with torch.autocast("cpu", torch.bfloat16):
                loss = family.loss(
                    latents, conditions, torch.Generator().manual_seed(1), min_snr_gamma=5.0
                )
            loss.backward()  # type: ignore[no-untyped-call]
            grads = {p.grad.dtype for p in attached.parameters.values() if p.grad is not None}
            attached.detach()
        finally:
            bases.loaded.clear()  # the next test loads it again

    assert types == grads == {torch.float32}
    assert loss.dtype == torch.float32
