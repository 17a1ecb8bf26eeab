"""Train every family with every method for three steps, and render with the files."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import load_file

from benchmarks.compatibility import model_names
from storage.folders import JobFolder, write_json
from storage.records import Concept, Dial
from storage.requests import TrainRequest
from training import embedded, families, methods
from training.bases import random
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Picture
from training.recipe.recipe import Recipe, SamplePrompt
from training.run.defaults import complete_recipe, rules
from training.run.loop import train
from training.styles.compatibility import readable_by

if TYPE_CHECKING:
    from collections.abc import Callable

PROMPT = "a zorp emoji, on a white background"
PICTURE = Picture(PROMPT, "", 5, 2, 64, 64)
BASES = tuple(f"tiny-{name}" for name in families.names())
RANKS = {"dreambooth": 0}  #: requested ranks, else 3; with 0 a whole network is trained
PRIVATE = ("grandmother", "IMG_2041", "holiday prompt")


@dataclass(frozen=True, slots=True)
class Trained:
    """One family trained with one method, and its pictures."""

    family: str
    method: str
    file: Path
    recipe: Recipe
    live: Any  #: rendered with the trained layers, rounded to the file's precision
    without_style: Any  #: rendered by the base alone
    by_sampler: Any = None  #: rendered with the file by our sampler in a fresh process
    by_diffusers: Any = None  #: the same by diffusers, if it reads such files

    @property
    def names(self) -> list[str]:
        """Return the file's keys; for a whole model those of the true model."""
        return list(load_file(self.file)) if self.recipe.rank else list(model_names(self.family))


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> BaseCache:
    """Return the embedded base and a tiny random one of every family, on one thread."""
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("bases")
    for base in BASES:
        random.write_random_model(home, base.removeprefix("tiny-"))
    return BaseCache(home, Device.open(cpu=True))


@pytest.fixture(scope="session")
def make_recipe(bases: BaseCache) -> Callable[[str, str], Recipe]:
    """Return a function that makes recipes with private texts in them."""

    def make(method: str, base: str = "embedded") -> Recipe:
        request = TrainRequest(
            method, base, "zorp", "zorp", Concept.SUBJECT, Dial.QUICK, 3, RANKS.get(method, 3),
            2e-2, 2, 7, "cat", num_class_images=int(method == "dreambooth"),
        )  # fmt: skip
        photos = [("IMG_2041.png", "a zorp emoji of my grandmother"), ("b.png", "zorp")]
        prompts = (SamplePrompt("holiday prompt", 1),) if method == "lora" else ()
        return complete_recipe(
            request, bases.find(base), photos, save_every=50, threads=1, resolution=64,
            ema_decay=0.0, prompts=prompts,
            train_text_encoder=method != "embedding" and base != "tiny-zimage",
        )  # fmt: skip

    return make


def train_and_render(bases: BaseCache, recipe: Recipe, folder: JobFolder) -> Trained:
    """Train, and render with the trained layers before they are detached."""
    folder.photos.mkdir(parents=True)
    for shot in recipe.photos:
        picture = Image.new("RGB", (80, 80), "navy")
        ImageDraw.Draw(picture).ellipse((10, 20, 60, 70), fill="orange")
        picture.save(folder.photos / shot.file)
    write_json(folder.request_file, {"kind": "train", "recipe": recipe.to_json()})
    rendered = []
    with bases.borrow(recipe.base) as family:
        for event in train(folder, bases):
            if event.kind == "done":  # the layers are still attached
                attached = family.networks.attached
                assert attached is not None
                for parameter in attached.parameters.values():
                    parameter.data = parameter.data.half().float()
                rendered.append(family.render_array(PICTURE))  # type: ignore[attr-defined]
    file = folder.result / "zorp.safetensors"
    return Trained(
        family.name, recipe.method, file, recipe, *rendered, render_bare(bases, recipe.base)
    )


@cache
def render_bare(bases: BaseCache, base: str) -> Any:
    """Render with a base alone."""
    with bases.borrow(base) as family:
        return family.render_array(PICTURE)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def train_method(
    bases: BaseCache,
    make_recipe: Callable[[str, str], Recipe],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Trained]:
    """Return a function that trains a method on a base, each pair only once."""
    home, done = tmp_path_factory.mktemp("contracts"), {}

    def find(method: str, base: str = "tiny-sd1") -> Trained:
        if (method, base) not in done:
            folder = JobFolder(home / base / method)
            done[method, base] = train_and_render(bases, make_recipe(method, base), folder)
        return done[method, base]

    return find


@pytest.fixture(scope="session")
def trained(
    bases: BaseCache,
    train_method: Callable[..., Trained],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Trained]:
    """Train every method on every family it supports, and render with every file.

    On the embedded base a LoRA is trained, too.
    """
    results = [train_method("lora", "embedded")]
    results += [
        train_method(method, base)
        for base in BASES
        for method in sorted(methods.walk())
        if any(rules(method, bases.find(base)))
    ]
    return render_in_fresh_process(results, bases, tmp_path_factory.mktemp("fresh"))


def render_in_fresh_process(results: list[Trained], bases: BaseCache, home: Path) -> list[Trained]:
    """Render with every file in one fresh process."""
    requests = []
    for result in results:
        base = bases.find(result.recipe.base)
        with bases.borrow(base.name) as family:
            requests.append(
                {
                    "home": str(bases.folder), "base": base.name, "method": result.method,
                    "place": str(
                        bases.locate_source(base.source) or embedded.find_folder("diffusion")
                    ),
                    "file": str(result.file), "whole": not result.recipe.rank,
                    "trigger": result.recipe.trigger, "prompt": PROMPT,
                    "channels": family.vae.config.latent_channels,  # type: ignore[attr-defined]
                    "side": 16 if base.small else 8,
                    "guided": family.guidance_kwargs(family.guidance),  # type: ignore[attr-defined]
                    "diffusers": "diffusers" in readable_by(result.names, result.family),
                    "by_diffusers": str(result.file.with_name("diffusers.npy")),
                    "by_sampler": str(result.file.with_name("sampler.npy")),
                }
            )  # fmt: skip
    (home / "requests.json").write_text(json.dumps(requests))
    command = [sys.executable, Path(__file__).with_name("reader.py"), home / "requests.json"]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return [
        add_fresh_renders(result, request)
        for result, request in zip(results, requests, strict=True)
    ]


def add_fresh_renders(result: Trained, request: dict[str, Any]) -> Trained:
    """Add the pictures that the fresh process rendered."""
    by_diffusers = np.load(request["by_diffusers"]) if request["diffusers"] else None
    return Trained(
        result.family, result.method, result.file, result.recipe, result.live,
        result.without_style,
        np.load(request["by_sampler"]), by_diffusers,
    )  # fmt: skip
