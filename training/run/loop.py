"""The one loop: a training is a generator of events."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import torch

from storage.errors import JobError
from storage.events import Cancelled, Done, Event, Note, Paused, Progress, Started, StepBoundary
from storage.records import JobCommand
from training import methods
from training.methods._full import Whole
from training.recipe.recipe import Recipe
from training.run import checkpoint, initial_word, memory, optimizers
from training.run.curve import recent_mean
from training.run.defaults import check_family
from training.run.dropout import adapter_dropout
from training.run.ema import EmaWeights
from training.run.examples import Batches, encode_photos, step_generator
from training.run.previews import Previews, copy_parameters
from training.run.prior import ClassImages
from training.run.text import CaptionEncoder, encodes_each_step
from training.run.timing import RunTimer
from training.run.writer import CheckpointWriter
from training.styles import writer
from training.styles.compatibility import readable_by
from training.styles.resize import smaller

if TYPE_CHECKING:
    from storage.folders import JobFolder
    from training.bases.cache import BaseCache
    from training.families import Family
    from training.networks.networks import Attached

Task = Generator[Event, JobCommand | None, None]
MAX_GRADIENT_NORM = 1.0  # norm of all gradients together


def train(folder: JobFolder, bases: BaseCache) -> Task:
    """Train what `job.json` asks for, from its newest checkpoint on."""
    request = folder.read_request()
    asked = Recipe.from_json(request["recipe"])
    saved = checkpoint.read_newest(folder.checkpoints, asked)
    recipe = saved.recipe if saved else fill_in_device(asked, bases)
    if recipe.base_fingerprint != bases.fingerprint(recipe.base):
        raise JobError("base_changed", base=recipe.base)
    method = methods.chosen(recipe)
    check_family(recipe)
    optimizers.check_installed(recipe)
    notes: list[Event] = []
    with bases.borrow(recipe.base) as family:
        while True:
            torch.set_num_threads(recipe.threads)
            attached = method.attach(family.networks, recipe)
            crowded = False
            try:
                recipe = (
                    recipe if saved else memory.fit_to_device(recipe, attached.parameters, bases)
                )
                first = saved.step if saved else 0
                yield Started(
                    first,
                    recipe.steps,
                    bases.device.name,
                    attempt=int(request.get("attempt", 1)),
                    resumed=saved is not None,
                )
                yield from notes
                if not (
                    yield from TrainingRun(
                        folder, recipe, family, attached, bases, saved=saved
                    ).run()
                ):
                    return
            except torch.OutOfMemoryError:
                crowded = True
            finally:
                attached.detach()
                family.checkpointing(enabled=False)
                del attached  # with all that it holds, before the next begins
            saved = checkpoint.read_newest(folder.checkpoints, asked)
            if crowded and not bases.unload_idle():
                recipe = memory.fall_back(recipe, saved.step if saved else 0)
                notes = [Note("memory")]


def fill_in_device(recipe: Recipe, bases: BaseCache) -> Recipe:
    """Write down what this worker chooses."""
    base = bases.find(recipe.base)
    return replace(
        recipe,
        family=base.family,
        base_fingerprint=recipe.base_fingerprint or bases.fingerprint(recipe.base),
        precision=bases.device.precision,
        threads=recipe.threads or bases.device.cpu_threads(small=base.small),
    )


class TrainingRun:
    """One training under way."""

    def __init__(  # noqa: PLR0913 - a run is made of all of these
        self,
        folder: JobFolder,
        recipe: Recipe,
        family: Family,
        attached: Attached,
        bases: BaseCache,
        *,
        saved: checkpoint.Checkpoint | None = None,
    ) -> None:
        self.folder, self.recipe, self.family, self.attached = folder, recipe, family, attached
        self.bases = bases
        self.parameters = attached.parameters
        self.first_step = saved.step if saved else 0
        held = memory.recipe_at(recipe, self.first_step)
        self.accumulation_steps = held.gradient_accumulation_steps
        self.optimizer = optimizers.make_optimizer(held, self.parameters, attached.paces)
        self.scaler = bases.device.scaler()
        self.ema = EmaWeights(self.parameters, held.ema_decay)
        self.class_images = ClassImages(folder, recipe)
        self.losses: list[float] = []
        self.pending_losses: list[torch.Tensor] = []
        self.timer = RunTimer()
        self.checkpoints = CheckpointWriter(
            folder, recipe.steps, keep_only_newest=isinstance(attached, Whole)
        )
        self.previews = Previews(folder.samples, recipe, family, bases.device, self.timer)
        family.checkpointing(held.gradient_checkpointing)
        if held.nf4:
            family.quantise()
        bases.device.reset_peak()
        self.memory_limit_mib = bases.device.usable_mib()
        if saved:
            saved.restore(self.parameters, self.optimizer)
            if saved.scaler:
                self.scaler.load_state_dict(saved.scaler)
            self.ema.load(saved.ema)
            self.losses = saved.losses

    def run(self) -> Generator[Event, JobCommand | None, bool]:
        """Go from the first missing step to the end, or to what somebody wishes.

        True says that it goes on from the checkpoint just written, a rung lower.
        """
        recipe, first, early = self.recipe, self.first_step, False
        wish = yield from self.class_images.draw(
            self.family, self.bases.device, partial(self.reach_boundary, first)
        )
        with self.timer.timing("photo", len(recipe.all_photos) + recipe.num_class_images):
            self.encode()
        wish = wish or (yield from self.choose_initial_word())
        recipe, reached = self.recipe, recipe.steps
        reads = encodes_each_step(recipe, learns=self.attached.text)
        done_with = ("vae",) if reads else ("vae", "text")
        with self.family.absent(*done_with), self.checkpoints:
            for step in range(first, recipe.steps):
                if step and step % recipe.save_every == 0:
                    if step > first:
                        yield from self.start_checkpoint(step)
                    yield from self.previews.draw(
                        step, self.final_weights if step else nullcontext
                    )
                wish = wish or (yield from self.reach_boundary(step))
                if wish is JobCommand.PAUSE:
                    if (yield from self.save_checkpoint(step)):
                        yield Paused(step)
                        return False
                    wish = None
                if wish is JobCommand.CANCEL:
                    yield Cancelled(step)
                    return False
                if step > first and any(rung.step == step for rung in recipe.memory_fallbacks):
                    if (yield from self.save_checkpoint(step)):
                        return True
                    raise JobError("checkpoint_lost")
                if wish is JobCommand.FINISH:
                    reached, early = step, True
                    break
                before = [] if step else copy_parameters(self.parameters)
                with self.timer.timing_step(), adapter_dropout(self.family.networks, recipe, step):
                    self.take_step(step)
                if before:
                    yield from self.previews.draw_before(self.parameters, before)
                if self.timer.is_report_due() or step + 1 == recipe.steps:
                    yield self.measure_progress(step + 1)
            yield from self.write_result(reached, early=early)
        return False

    def reach_boundary(self, step: int) -> Generator[Event, JobCommand | None, JobCommand | None]:
        """Let the worker do something else; hear what is wished."""
        yield from self.checkpoints.report()
        left = time.perf_counter()
        wish = yield StepBoundary(step)
        self.timer.served_seconds += time.perf_counter() - left
        if torch.get_num_threads() != self.recipe.threads:
            torch.set_num_threads(self.recipe.threads)
        return wish

    def choose_initial_word(self) -> Generator[Event, JobCommand | None, JobCommand | None]:
        """Let a learned word begin at the known word that is nearest, and say which."""
        recipe, wish = self.recipe, None
        if not self.first_step and initial_word.is_needed(recipe, self.bases.find(recipe.base)):
            some = self.batches.examples[: len(recipe.photos)]  # at the first of its sizes
            word, wish = yield from initial_word.find_nearest(
                recipe, some, self.family, self.bases.device, partial(self.reach_boundary, 0)
            )
            if word:
                self.recipe = replace(recipe, initializer_token=word)
                initial_word.set_vectors(self.recipe, self.family.networks, self.parameters)
                self.ema.load(self.parameters)
                yield Note("start", {"word": word})
        return wish

    def encode(self) -> None:
        """Encode photos and captions, once."""
        examples = encode_photos(self.family, self.recipe, self.folder.photos)
        concepts = self.recipe.photo_ranges.values()
        self.batches = Batches(examples, self.recipe.batch_size, self.recipe.seed, concepts)
        self.captions = CaptionEncoder(
            self.family, self.recipe, self.bases.device, learns=self.attached.text
        )
        self.class_images.encode(self.family, self.bases.device, learns=self.attached.text)

    def take_step(self, step: int) -> None:
        """Take one step; everything it draws follows from the seed and its number."""
        recipe = self.recipe
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * recipe.lr_factor(step) * group["pace"]
        loss = self.add_gradients(self.batches, self.captions, step, "noise")
        if self.class_images.batches and self.class_images.captions:
            self.add_gradients(
                self.class_images.batches,
                self.class_images.captions,
                step,
                "prior",
                recipe.prior_loss_weight,
            )
        self.scaler.unscale_(self.optimizer)
        torch.nn.utils.clip_grad_norm_(self.parameters.values(), MAX_GRADIENT_NORM, foreach=True)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update(step)
        self.pending_losses.append(loss)
        self.check_memory()

    def add_gradients(
        self, batches: Batches, reading: CaptionEncoder, step: int, noise: str, share: float = 1.0
    ) -> torch.Tensor:
        """Add a batch's gradients, by its share, and give its loss."""
        recipe, losses = self.recipe, []
        for at, batch in enumerate(
            batches.at(step).split(self.accumulation_steps), step * self.accumulation_steps
        ):
            with self.bases.device.autocast():
                heard = {**reading.conditions_at(at, batch.photos), **batch.framed}
                loss = self.family.loss(
                    batch.latents,
                    heard,
                    step_generator(recipe.seed, at, noise),
                    gamma=recipe.min_snr_gamma,
                    offset=recipe.noise_offset,
                    places=batch.weights,
                )
            counts = share / self.accumulation_steps
            self.scaler.scale(loss * counts if counts != 1 else loss).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        return losses[0] if self.accumulation_steps == 1 else torch.stack(losses).mean()

    def fetch_losses(self) -> None:
        """Fetch the losses that are still on the device."""
        if self.pending_losses:
            self.losses += torch.stack(self.pending_losses).tolist()
            self.pending_losses.clear()
            if not math.isfinite(self.losses[-1]):
                raise JobError("loss_nan", step=len(self.losses))

    def measure_progress(self, step: int) -> Progress:
        """Return how far the training is after so many steps."""
        self.fetch_losses()
        recipe = self.recipe
        return Progress(
            step,
            recipe.steps,
            self.losses[-1],
            recent_mean(self.losses),
            recipe.learning_rate * recipe.lr_factor(step - 1),
            self.timer.steps_per_second(),
            self.estimate_seconds_left(step),
            self.bases.device.used_mib(),
        )

    def check_memory(self) -> None:
        """Refuse to go on in memory that is not the device's own, as some drivers lend it."""
        if self.memory_limit_mib and self.bases.device.peak_mib() > self.memory_limit_mib:
            raise torch.OutOfMemoryError(f"{self.memory_limit_mib} MiB are not enough")

    def estimate_seconds_left(self, step: int) -> float:
        """Estimate the seconds that are left: the steps, and the samples on the way."""
        left = (self.recipe.steps - step) / self.timer.steps_per_second()
        shows = (
            math.ceil(self.recipe.steps / self.recipe.save_every) - step // self.recipe.save_every
        )
        return left + shows * len(self.recipe.prompts) * self.timer.mean_seconds("picture")

    def start_checkpoint(self, step: int) -> Iterator[Event]:
        """Begin to write a checkpoint."""
        self.fetch_losses()
        state = (step, self.recipe, self.losses, self.scaler.state_dict())
        copy = checkpoint.take_snapshot(state, self.parameters, self.optimizer, self.ema.tensors)
        yield from self.checkpoints.start(copy)

    def save_checkpoint(self, step: int) -> Generator[Event, JobCommand | None, bool]:
        """Write a checkpoint and wait for it; tell whether it is there."""
        yield from self.start_checkpoint(step)
        yield from self.checkpoints.finish()
        return self.checkpoints.saved_step == step

    @contextmanager
    def final_weights(self) -> Iterator[None]:
        """Have what is trained as it goes into samples and files inside the block."""
        with optimizers.averaged_weights(self.optimizer), self.ema.applied():
            yield

    def write_result(self, reached: int, *, early: bool) -> Iterator[Event]:
        """Write the style."""
        yield from self.start_checkpoint(reached)
        yield from self.previews.draw(reached, self.final_weights)
        yield from self.checkpoints.finish()
        recipe = replace(self.recipe, steps=max(1, reached))
        path = self.folder.result / f"{recipe.name}.safetensors"
        family, base = self.family, self.bases.find(recipe.base)
        kind = methods.find(recipe.method).TRAITS.modelspec if recipe.rank else ""
        origin = writer.Origin(
            family.architecture,
            family.version,
            kind,
            family.prediction,
            base.source,
            base.clip_skip,
        )
        with self.final_weights():
            weights = self.attached.weights()  # not always copies: they hold in here
            shown = self.previews.first_path(reached)
            digest = writer.publish(path, weights, recipe, origin, shown)
            small = smaller(path, weights, recipe, origin, shown)
        yield Done(
            reached,
            self.timer.timings(),
            path.name,
            path.stat().st_size,
            digest,
            early=early,
            full_model=not recipe.rank,
            readable_by=tuple(readable_by(weights, recipe.family)),
            small_copy=small,
        )
