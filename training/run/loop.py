"""The training loop, as a generator of events.

The worker advances it and may send a `JobCommand` at each `StepBoundary`.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import torch

from storage.errors import JobError
from storage.events import Cancelled, Event, Note, Paused, Progress, Started, StepBoundary
from storage.folders import JobFolder
from storage.records import JobCommand
from training.bases.cache import BaseCache
from training.families import Family
from training.methods._full import FullNetworks
from training.networks.networks import Attached
from training.recipe.recipe import Recipe
from training.run import checkpoint, initial_word, memory, optimizers, steppers
from training.run.checks import find_method
from training.run.choosing import CheckpointJudge
from training.run.defaults import fill_in_device
from training.run.draws import NoiseDraws
from training.run.dropout import adapter_dropout
from training.run.ema import EmaWeights
from training.run.examples import Batches, encode_photos
from training.run.folds import FoldRunner, can_fold
from training.run.metrics import MetricsLog
from training.run.previews import Draw, Previews, Weights, copy_parameters, list_rounds
from training.run.prior import ClassImages
from training.run.probes import Drift
from training.run.rate_finder import RateFinder
from training.run.record import RunRecord
from training.run.room import Commanded, write_when_room
from training.run.step import MicroBatch, OptimizerStep, WrongReplay, describe_shapes
from training.run.stylefile import StyleFiles
from training.run.text import CaptionEncoder
from training.run.timing import RunTimer, read_last_progress
from training.run.writer import CheckpointWriter

Task = Generator[Event, JobCommand | None, None]
log = logging.getLogger(__name__)


def train(folder: JobFolder, bases: BaseCache) -> Task:
    """Train what `job.json` asks for, from its newest checkpoint on.

    The adapter is attached anew for each attempt: one attempt, unless memory runs out.
    """
    timer, request = RunTimer(), folder.read_request()
    requested = Recipe.from_json(request["recipe"])
    saved = checkpoint.read_newest(folder.checkpoints, requested)
    timer.go_on_from(read_last_progress(folder.events_file), saved.seconds if saved else 0.0)
    recipe = saved.recipe if saved else fill_in_device(requested, bases)
    method = find_method(recipe, bases)
    notes: list[Event] = []
    attempt = int(request.get("attempt", 1))
    with bases.borrow(recipe.base) as family:
        while True:
            torch.set_num_threads(recipe.threads)
            attached = method.attach(family.networks, recipe)
            out_of_memory = wrong_replay = False
            try:
                if saved is None:
                    recipe = memory.fit_to_device(recipe, attached.parameters, bases)
                    recipe = steppers.settle(recipe, bases.device, attempt)
                first_step = saved.step if saved else 0
                yield Started(
                    first_step,
                    recipe.last_step,
                    bases.device.name,
                    attempt=attempt,
                    resumed=saved is not None,
                    rounds=tuple(step for step in list_rounds(recipe) if step >= first_step),
                )
                yield from notes
                must_restart = yield from TrainingRun(
                    folder, recipe, family, attached, bases, saved=saved, timer=timer
                ).run()
                if not must_restart:
                    return
            except torch.OutOfMemoryError:
                out_of_memory = True
            except WrongReplay as wrong:
                log.warning("Steps are computed op by op: %s", wrong)
                wrong_replay = True
            finally:
                attached.detach()
                family.set_gradient_checkpointing(enabled=False)
                del attached  # the adapter's memory is free before the next attempt
            saved = checkpoint.read_newest(folder.checkpoints, requested)
            # Idle models of other jobs go first; only then does this one learn with less.
            if wrong_replay or (out_of_memory and not bases.unload_idle()):
                recipe = memory.fall_back(recipe, saved.step if saved else 0)
                notes = [] if wrong_replay else [Note("memory")]


class TrainingRun:
    """One attempt at a training, from its first missing step."""

    def __init__(  # noqa: PLR0913 - a run is made of all of these
        self,
        folder: JobFolder,
        recipe: Recipe,
        family: Family,
        attached: Attached,
        bases: BaseCache,
        *,
        timer: RunTimer,
        saved: checkpoint.Checkpoint | None = None,
    ) -> None:
        self.folder, self.recipe, self.family, self.attached = folder, recipe, family, attached
        self.bases, self.device = bases, bases.device
        self.parameters = attached.parameters
        self.first_step = saved.step if saved else 0
        current = memory.recipe_at(recipe, self.first_step)  # with its memory fallbacks
        self.draws = NoiseDraws(recipe, family, self.device, current.gradient_accumulation_steps)
        self.optimizer = optimizers.make_optimizer(current, self.parameters, attached.rate_factors)
        self.scaler = self.device.scaler()
        parts = self.parameters.values(), self.optimizer, self.scaler, self.device.autocast
        step = OptimizerStep(family.compute_loss, *parts)
        self.stepper = steppers.choose_stepper(step, current, family, self.device)
        self.ema = EmaWeights(self.parameters, current.ema_decay)
        self.class_images = ClassImages(folder, recipe)
        self.timer = timer
        timer.begin_attempt()
        self.drift = Drift(attached)
        losses = saved.losses if saved else []
        log = partial(MetricsLog, folder, tracker_names=bases.device.trackers)
        self.record = RunRecord(recipe, timer, self.drift, losses, log)
        full_model = isinstance(attached, FullNetworks)  # its checkpoints have gigabytes
        self.checkpoints = CheckpointWriter(folder, recipe.last_step, keep_only_newest=full_model)
        self.preview_steps = list_rounds(recipe)
        self.previews = Previews(folder, recipe, family, bases, self.timer)
        self.styles = StyleFiles(folder, family, attached, bases.find(recipe.base), self.previews)
        self.judge = CheckpointJudge(recipe, self.previews)
        family.set_gradient_checkpointing(current.gradient_checkpointing)
        if current.nf4:
            family.quantize()
        self.device.reset_peak()
        self.memory_limit_mib = self.device.usable_mib()
        if saved:
            saved.restore(self.parameters, self.optimizer)
            if saved.scaler:
                self.scaler.load_state_dict(saved.scaler)
            self.ema.load(saved.ema)

    def run(self) -> Generator[Event, JobCommand | None, bool]:
        """Train to the end, or to where a command ends the run.

        Returns True if the run must restart from the checkpoint with the next memory fallback.
        """
        command = yield from self.prepare()
        unused = ("vae",) if self.captions.encodes_each_step else ("vae", "text")
        with self.family.off_device(*unused), self.checkpoints, self.record:
            command = command or (yield from self.find_learning_rate())
            command = command or (yield from self.try_folds())
            recipe, last, early = self.recipe, self.recipe.last_step, False
            for step in range(self.first_step, recipe.last_step):
                # 1) Measure, then save, so that whatever ends the run here loses nothing.
                if self.record.is_due(step):
                    yield from self.record.measure()
                if step and step % recipe.save_every == 0:
                    command = (yield from self.save_and_draw(step)) or command

                # 2) The worker serves short jobs here, and hands over what a member asked for.
                command = command or (yield from self.reach_boundary(step))
                if ending := (yield from self.obey(command, step)):
                    yield ending
                    return False

                # 3) A fallback changes what is kept for a step, so the run is built anew for it,
                #    from a checkpoint: then an interrupted run falls back at the same step.
                if step > self.first_step and memory.falls_back_at(recipe, step):
                    if (yield from self.save_checkpoint(step)):
                        return True
                    raise JobError(self.checkpoints.error_code)
                if command is JobCommand.FINISH or self.judge.has_peaked(step):
                    last, early = step, True
                    break
                command = None

                # 4) The step. On a GPU this only queues the work.
                before = [] if step else copy_parameters(self.parameters)
                with self.timer.timing_step(), adapter_dropout(self.family.networks, recipe, step):
                    self.take_step(step)

                # 5) The pictures "before training" wait until here: the first step comes sooner.
                if before:
                    yield from self.previews.draw_before(self.parameters, before)

                # 6) Reading losses is a CPU-GPU sync point, so at most twice a second.
                if self.timer.is_report_due() or step + 1 == recipe.last_step:
                    yield self.measure_progress(step + 1)
            yield from self.write_result(last, early=early)
        return False

    def prepare(self) -> Commanded:
        """Draw class images, encode everything once and choose the word to begin at."""
        recipe, boundary = self.recipe, partial(self.reach_boundary, self.first_step)
        command = yield from self.class_images.draw(self.family, self.device, boundary)
        photos = len(recipe.all_photos + recipe.class_photos) + recipe.num_class_images
        with self.timer.timing("photo", photos):
            self.encode()
        if not self.first_step:
            yield from self.captions.note_cut()
        return command or (yield from self.choose_initial_word())

    def obey(
        self, command: JobCommand | None, step: int
    ) -> Generator[Event, JobCommand | None, Paused | Cancelled | None]:
        """Return how a command ends the run, None if it goes on.

        It also goes on where the disk had no room for the checkpoint of a pause.
        """
        if command is JobCommand.CANCEL:
            return Cancelled(step)
        if command is JobCommand.PAUSE and (yield from self.save_checkpoint(step)):
            return Paused(step)
        return None

    def reach_boundary(self, step: int) -> Commanded:
        """Let the worker do something else; return the command it brings back."""
        yield from self.checkpoints.report()
        began = time.perf_counter()
        command = yield StepBoundary(step)
        self.timer.served_seconds += time.perf_counter() - began
        # A job served in between may have changed it, and sums depend on the number of threads.
        if torch.get_num_threads() != self.recipe.threads:
            torch.set_num_threads(self.recipe.threads)
        return command

    def choose_initial_word(self) -> Commanded:
        """Set a new word's vectors to those of the known word that fits the photos best."""
        recipe, base = self.recipe, self.bases.find(self.recipe.base)
        if self.first_step or not initial_word.is_needed(recipe, base):
            return None
        examples = self.batches.examples[: len(recipe.photos)]  # at the first resolution only
        word, command = yield from initial_word.find_nearest(
            recipe, examples, self.family, self.device, partial(self.reach_boundary, 0)
        )
        if word:
            self.recipe = replace(recipe, initializer_token=word)
            initial_word.set_vectors(self.recipe, self.family.networks, self.parameters)
            self.drift.begin_here()
            self.ema.load(self.parameters)
            yield Note("start", {"word": word})
        return command

    def find_learning_rate(self) -> Commanded:
        """Look for the learning rate before the first step, if the recipe says so."""
        recipe = self.recipe
        if self.first_step or not recipe.find_learning_rate or recipe.found_learning_rate:
            return None
        draw = partial(self.draws.draw, self.batches, self.captions)
        finder = RateFinder(recipe, self.attached, self.family, self.device, draw)
        found, command = yield from finder.search(self.folder, partial(self.reach_boundary, 0))
        self.recipe = self.record.recipe = found
        return command

    def try_folds(self) -> Commanded:
        """Look for the last step before the first one, if the recipe says so."""
        if self.first_step or not (can_fold(self.recipe) and self.judge.seeds):
            return None

        def draw(batches: Batches, step: int, purpose: str) -> list[MicroBatch]:
            return self.draws.draw(batches, self.captions, step, purpose)

        runner = FoldRunner(self.recipe, self.attached, self.judge, self.batches.examples, draw)
        found, command = yield from runner.search(partial(self.reach_boundary, 0))
        self.recipe = self.record.recipe = found
        self.preview_steps, self.judge = list_rounds(found), CheckpointJudge(found, self.previews)
        return command

    def encode(self) -> None:
        """Encode photos and captions; after this the VAE is not needed any more."""
        recipe, learns = self.recipe, self.attached.learns_text
        examples = encode_photos(self.family, recipe, self.folder.photos)
        self.batches = Batches(examples, recipe.batch_size, recipe.seed, recipe.photo_repeats)
        self.captions = CaptionEncoder(self.family, recipe, self.device, learns=learns)
        self.class_images.encode(self.family, self.device, learns=learns)
        self.record.choose_probes(examples, self.captions, self.folder.photos)

    def take_step(self, step: int) -> None:
        """Take one optimizer step; all its randomness follows from the seed and the step."""
        # 1) Learning rates: the schedule times each group's own factor.
        recipe, class_images = self.recipe, self.class_images
        for group in self.optimizer.param_groups:
            rate = recipe.trained_rate * recipe.lr_factor(step) * group["pace"]
            optimizers.set_learning_rate(group, rate)

        # 2) What is drawn: the photos' batch, then that of the class images, if there are any.
        drawn = self.draws.draw(self.batches, self.captions, step, "noise")
        if class_images.batches and class_images.captions:
            drawn += self.draws.draw(class_images.batches, class_images.captions, step, "prior")

        # 3) Gradients, clipping, update. The first step of each shape may be compiled.
        self.timer.note_kind(describe_shapes(drawn))
        self.record.add(self.stepper(drawn))
        self.ema.update(step)
        self.device.check_peak(self.memory_limit_mib)

    def measure_progress(self, step: int) -> Progress:
        """Return how far the training is after so many steps."""
        rounds = sum(drawn >= step for drawn in self.preview_steps)
        pictures = self.previews.count_pictures(rounds)
        return self.record.report_progress(step, self.device.used_mib(), pictures)

    def save_and_draw(self, step: int) -> Commanded:
        """Start the checkpoint of a step and draw its previews.

        A resumed run begins with its first step's checkpoint, but may lack the previews.
        """
        if step > self.first_step:
            yield from self.start_checkpoint(step)
        due = step in self.preview_steps
        return (yield from self.draw_when_room(step, self.draw_and_keep)) if due else None

    def draw_and_keep(self, step: int, final_weights: Weights) -> list[Event]:
        """Draw the previews of a checkpoint, and write the style as it is there."""
        return self.previews.draw(step, final_weights) + self.keep_and_score(step, final_weights)

    def keep_and_score(self, step: int, final_weights: Weights) -> list[Event]:
        """Write the style as it is at a step, and score it."""
        with final_weights():
            self.styles.keep(self.recipe, step)
        self.judge.score(step, final_weights)
        return []

    def draw_when_room(self, step: int, draw: Draw) -> Commanded:
        """Draw pictures of a step when the disk has room; return a command that came."""
        paint, boundary = partial(draw, step, self.final_weights), self.reach_boundary
        drawn, command = yield from write_when_room(self.folder.path, paint, boundary, step)
        yield from drawn
        return command

    def start_checkpoint(self, step: int) -> Iterator[Event]:
        """Copy the state and begin to write it; the steps go on meanwhile."""
        self.record.fetch()
        self.record.flush()
        state = (step, self.recipe, self.record.losses, self.scaler.state_dict())
        snapshot = checkpoint.take_snapshot(
            state, self.parameters, self.optimizer, self.ema.tensors, self.timer.total_seconds()
        )
        yield from self.checkpoints.start(snapshot)

    def save_checkpoint(self, step: int) -> Generator[Event, JobCommand | None, bool]:
        """Write a checkpoint to its end; return whether the disk took it."""
        yield from self.start_checkpoint(step)
        yield from self.checkpoints.finish()
        return self.checkpoints.saved_step == step

    @contextmanager
    def final_weights(self) -> Iterator[None]:
        """Put the weights in place that previews and files are made of: averages, if any."""
        with optimizers.averaged_weights(self.optimizer), self.ema.applied():
            yield

    def write_result(self, steps: int, *, early: bool) -> Task:
        """Write the last checkpoint, the result's pictures and the style's file."""
        if self.record.is_due(steps):
            yield from self.record.measure()
        yield from self.start_checkpoint(steps)
        chosen = yield from self.choose_checkpoint(steps)
        yield from self.draw_when_room(chosen, partial(self.styles.try_strengths, self.judge))
        yield from self.draw_when_room(chosen, self.previews.draw_result)
        yield from self.checkpoints.finish()
        facts = self.recipe, (chosen, steps), self.final_weights
        write = partial(self.styles.write_result, *facts, early=early)
        done, _ = yield from write_when_room(self.folder.path, write, self.reach_boundary, steps)
        yield done

    def choose_checkpoint(self, last: int) -> Generator[Event, JobCommand | None, int]:
        """Put the weights of the best checkpoint in place if it is clearly better than the last.

        Returns its step; the last where there was no time to score them.
        """
        if self.judge.scores:
            self.judge.steps.add(last)
            yield from self.draw_when_room(last, self.keep_and_score)
            yield from self.checkpoints.finish()
        if (choice := self.judge.choose(last)) is None:
            return last
        if choice.step != last:
            yield from self.draw_when_room(last, self.previews.draw)  # to be seen beside the best
            saved = checkpoint.read(checkpoint.path_of_step(self.folder.checkpoints, choice.step))
            saved.restore(self.parameters, self.optimizer)
            self.ema.load(saved.ema)
        yield choice
        return choice.step
