"""Every family with every method, trained for three steps, and painted with in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
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
PICTURE = Picture(PROMPT, "", 5, 4, 64, 64)
BASES = tuple(f"tiny-{name}" for name in families.names())
RANKS = {"dreambooth": 0}  #: that are asked for, else 3; of none, a whole network learns
PRIVATE = ("grandmother", "IMG_2041", "holiday prompt")


@dataclass(frozen=True, slots=True)
class Trained:
    """One family with one method, after a few steps."""

    family: str
    method: str
    file: Path
    recipe: Recipe
    live: Any  #: painted with the layers that were trained, rounded as the file is
    bare: Any  #: painted without anything
    fresh: Any = None  #: painted with the file in a fresh process
    stranger: Any = None  #: the same, by diffusers, where it reads such files

    @property
    def names(self) -> list[str]:
        """List the file's keys; of a whole model those that its true one has."""
        return list(load_file(self.file)) if self.recipe.rank else list(model_names(self.family))


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> BaseCache:
    """Hold the embedded base, and tiny random ones of every family, on one thread."""
    torch.set_num_threads(1)
    home = tmp_path_factory.mktemp("bases")
    for base in BASES:
        random.write_random_model(home, base.removeprefix("tiny-"))
    return BaseCache(home, Device.open(cpu=True))


@pytest.fixture(scope="session")
def asked(bases: BaseCache) -> Callable[[str, str], Recipe]:
    """Ask for trainings, with private things in them."""

    def made(method: str, base: str = "embedded") -> Recipe:
        request = TrainRequest(
            method, base, "zorp", "zorp", Concept.SUBJECT, Dial.QUICK, 3, RANKS.get(method, 3),
            2e-2, 2, 7, "cat", num_class_images=int(method == "dreambooth"),
        )  # fmt: skip
        shots = [("IMG_2041.png", "a zorp emoji of my grandmother"), ("b.png", "zorp")]
        shown = (SamplePrompt("holiday prompt", 1),) if method == "lora" else ()
        return complete_recipe(
            request, bases.find(base), shots, save_every=50, threads=1, resolution=64,
            ema_decay=0.0, prompts=shown,
            train_text_encoder=method != "embedding" and base != "tiny-zimage",
        )  # fmt: skip

    return made


def taught(bases: BaseCache, recipe: Recipe, folder: JobFolder) -> Trained:
    """Train, and paint with the trained layers themselves before they are taken off."""
    folder.photos.mkdir(parents=True)
    for shot in recipe.photos:
        picture = Image.new("RGB", (80, 80), "navy")
        ImageDraw.Draw(picture).ellipse((10, 20, 60, 70), fill="orange")
        picture.save(folder.photos / shot.file)
    write_json(folder.request_file, {"kind": "train", "recipe": recipe.to_json()})
    painted = []
    with bases.borrow(recipe.base) as family:
        for event in train(folder, bases):
            if event.kind == "done":  # the layers are still on
                attached = family.networks.attached
                assert attached is not None
                for parameter in attached.parameters.values():
                    parameter.data = parameter.data.half().float()
                painted.append(family.render_array(PICTURE))  # type: ignore[attr-defined]
        painted.append(family.render_array(PICTURE))  # type: ignore[attr-defined]
    return Trained(
        family.name, recipe.method, folder.result / "zorp.safetensors", recipe, *painted
    )


@pytest.fixture(scope="session")
def lesson(
    bases: BaseCache, asked: Callable[[str, str], Recipe], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Trained]:
    """Train one method on a base, each pair once."""
    home, done = tmp_path_factory.mktemp("contracts"), {}

    def found(method: str, base: str = "tiny-sd1") -> Trained:
        if (method, base) not in done:
            folder = JobFolder(home / base / method)
            done[method, base] = taught(bases, asked(method, base), folder)
        return done[method, base]

    return found


@pytest.fixture(scope="session")
def trained(
    bases: BaseCache, lesson: Callable[..., Trained], tmp_path_factory: pytest.TempPathFactory
) -> list[Trained]:
    """Train every method that is made for a family on it, and paint with every file anew.

    On the embedded base a LoRA is trained, too.
    """
    lessons = [lesson("lora", "embedded")]
    lessons += [
        lesson(method, base)
        for base in BASES
        for method in sorted(methods.walk())
        if any(rules(method, bases.find(base)))
    ]
    return anew(lessons, bases, tmp_path_factory.mktemp("anew"))


def anew(lessons: list[Trained], bases: BaseCache, home: Path) -> list[Trained]:
    """Paint with every file in one fresh process."""
    orders = []
    for one in lessons:
        base = bases.find(one.recipe.base)
        with bases.borrow(base.name) as family:
            orders.append(
                {
                    "home": str(bases.folder), "base": base.name, "method": one.method,
                    "place": str(
                        bases.locate_source(base.source) or embedded.find_folder("diffusion")
                    ),
                    "file": str(one.file), "whole": not one.recipe.rank,
                    "trigger": one.recipe.trigger, "prompt": PROMPT,
                    "channels": family.vae.config.latent_channels,  # type: ignore[attr-defined]
                    "side": 16 if base.small else 8,
                    "guided": family.guidance_kwargs(family.guidance),  # type: ignore[attr-defined]
                    "diffusers": "diffusers" in readable_by(one.names, one.family),
                    "stranger": str(one.file.with_name("stranger.npy")),
                    "fresh": str(one.file.with_name("fresh.npy")),
                }
            )  # fmt: skip
    (home / "orders.json").write_text(json.dumps(orders))
    command = [sys.executable, Path(__file__).with_name("reader.py"), home / "orders.json"]
    subprocess.run(command, check=True, cwd=Path(__file__).parents[2])
    return [replaced(one, order) for one, order in zip(lessons, orders, strict=True)]


def replaced(one: Trained, order: dict[str, Any]) -> Trained:
    """Add what was painted in the fresh process."""
    strange = np.load(order["stranger"]) if order["diffusers"] else None
    return Trained(
        one.family, one.method, one.file, one.recipe, one.live, one.bare,
        np.load(order["fresh"]), strange,
    )  # fmt: skip
