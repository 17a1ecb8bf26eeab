"""The noise of each step, drawn from the recipe's seed and the step's number alone."""

from __future__ import annotations

from dataclasses import dataclass

from training.device import Device, send
from training.families import Family
from training.recipe.recipe import Recipe
from training.run.examples import Batches, step_generator
from training.run.step import MicroBatch
from training.run.text import CaptionEncoder


@dataclass(frozen=True, slots=True)
class NoiseDraws:
    """What a run draws for its steps."""

    recipe: Recipe
    family: Family
    device: Device
    accumulation_steps: int  #: parts that a step's batch is split into

    def draw(
        self, batches: Batches, captions: CaptionEncoder, step: int, purpose: str
    ) -> list[MicroBatch]:
        """Draw the noise of a step's photos; for the purpose "prior" of its class images."""
        recipe, count, drawn = self.recipe, self.accumulation_steps, list[MicroBatch]()
        weight = (recipe.prior_loss_weight if purpose == "prior" else 1.0) / count
        # Each part of the batch draws by a number of its own, as if it were a step.
        for number, batch in enumerate(batches.at(step).split(count), step * count):
            with self.device.autocast():
                conditions = captions.conditions_at(number, batch.photos)
            inputs = self.family.draw_inputs(
                batch.latents,  # (B, C, h, w)
                step_generator(recipe.seed, number, purpose),
                min_snr_gamma=recipe.min_snr_gamma,
                noise_offset=recipe.noise_offset,
                loss_weights=batch.weights,
            )
            made, at = {**inputs, **batch.size_conditioning}, self.device.torch_device
            told = {name: send(tensor, at) for name, tensor in made.items()}
            given = {**told, **conditions}
            drawn.append(MicroBatch(given, weight, reported=purpose != "prior"))
        return drawn
