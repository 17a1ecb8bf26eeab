"""Find the option `sparkle` in the shell, on the form, in the recipe and in a file's header.

`test_new_files.py` runs this with one more line in the table; the findings go to found.json.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from bot.actions.order import TrainingOrder
from bot.cards.training_options import OptionsForm
from storage.records import Base, Concept, Dial
from storage.requests import TrainRequest
from training.cli.commands import parse
from training.recipe.recipe import Recipe
from training.run.defaults import complete_recipe
from training.styles import header, writer

BASE = Base("embedded", "Emoji", "sd1", "embedded", 64, "MIT", "emoji", present=True, small=True)


async def form_labels() -> list[str]:
    """Return the labels of the form's switches."""
    form = OptionsForm(TrainingOrder(1, "lora", "embedded"), [], small=True)
    return [option.label for option in form.switches.options]


def main(folder: Path) -> None:
    """Pass the option from the shell to a file."""
    _, command = parse(["train", "photos", "--out", "out", "--name", "dog", "--sparkle", "0.5"])
    request = TrainRequest(
        "lora", "embedded", "dog", "dog", Concept.SUBJECT, Dial.QUICK, 2, 4, 1e-3, 1, 0,
        options=command.options,
    )  # fmt: skip
    queued = TrainRequest.from_json(json.loads(json.dumps(asdict(request))))
    completed = complete_recipe(queued, BASE, [("0.png", "")])
    recipe = Recipe.from_json(json.loads(json.dumps(completed.to_json())))
    file, origin = folder / "dog.safetensors", writer.Origin("", "", "", "", "embedded")
    writer.write_style(file, {"lora.alpha": torch.ones(1)}, recipe, origin)
    metadata = header.read_metadata(header.read_header(file))
    found = {
        "flag": command.options,
        "form": "Sparkle" in asyncio.run(form_labels()),
        "recipe": recipe.sparkle,
        "header": json.loads(metadata["safelight.recipe"])["sparkle"],
    }
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
