"""How much of a GPU's memory a training takes, before it has begun: a sum of counted parts.

    2 bytes a number of the denoiser, and of text encoders that learn or read at each step; where
    all is in fp32, twice as much as half precision takes, here and on the way back
  + 14 bytes a number that is trained: itself and AdamW's two moments in fp32, and once rounded to
    bf16; with 8-bit moments 8, with Adafactor's 6; with a moving average 4 more
  + what a step keeps for the way back, for each place of its latents; or 2 bytes a number that is
    trained where that is more, as gradients come while the other goes
  + what the driver and torch take themselves

A picture drawn on the way, a photo encoded, or the base as it comes from its files may take more
than a step: the estimate is the largest of the four. Where the autoencoder does not fit beside the
denoiser, it works while that is off the device (`Latent.roomy`), so that its own sum counts.

What is kept is counted on meta tensors of the true shapes (`benchmarks.memory.counts`);
`benchmarks.memory.blueprint` shows how far the sum is right. Attention is a flash kernel's.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.records import Optimizer
from training.networks.quantize import NF4_BYTES
from training.networks.traits import MethodTraits
from training.recipe.recipe import Recipe

MIB = 2**20
USABLE_SHARE = 0.92  #: of a GPU's memory; the rest is for fragmentation
CONTEXT_BYTES = 600 * MIB  #: of CUDA's context and libraries, and what an allocator rounds up
FROZEN_BYTES, TRAINED_BYTES, EMA_BYTES, GRADIENT_BYTES = 2, 14, 4, 2  #: bytes a number
OPTIMIZER_BYTES = {Optimizer.ADAMW8BIT: 8, Optimizer.ADAFACTOR: 6}  #: … that is trained by these
GUIDANCE_PASSES = 2  #: times that a denoiser sees a picture in a step of drawing
#: bytes a place that a KL autoencoder takes in fp32, at most, to encode or decode
VAE_BYTES_PER_PLACE = 200_000
VAE_BYTES = 4 * 84_000_000  #: bytes of its own numbers in fp32
PIXELS_PER_PLACE = 8  #: pixels of a place of latents, each way
#: bytes a number of the denoiser that methods keep which compute weights anew, and those that
#: they take at once when frugal
REBUILT_BYTES, REBUILT_CHECKPOINTED_BYTES = 1.7, 0.35


@dataclass(frozen=True, slots=True)
class MemoryCounts:
    """What the networks of a family hold, counted on their true shapes."""

    denoiser: int  #: numbers
    linear: int  #: … of them in linear layers
    texts: int  #: numbers of the text encoders together
    attention: int  #: bytes a place and picture, where adapters are on attention alone
    every: int  #: … on every layer, or where all of it learns, if that is no more
    frugal: int  #: … either, with gradient checkpointing
    seen: int  #: … where there is no way back: in drawing
    whole: int = 0  #: … where all of it learns, if that is more than `every`


UNKNOWN = MemoryCounts(denoiser=0, linear=0, texts=0, attention=0, every=0, frugal=0, seen=0)


def training_bytes(keeps: MemoryCounts, recipe: Recipe, trained: int, traits: MethodTraits) -> int:
    """Return an upper bound of the GPU memory a run needs, in bytes; 0 where it is unknown."""
    if keeps == UNKNOWN:
        return 0
    held = bytes_per_parameter(recipe) * trained
    side = max(recipe.resolution, *recipe.extra_resolutions, 0)
    drawing = denoiser_bytes(keeps, recipe) + GUIDANCE_PASSES * precision_factor(
        recipe
    ) * drawing_bytes(keeps, recipe.resolution)
    coding = VAE_BYTES + vae_bytes(side)
    loading = FROZEN_BYTES * precision_factor(recipe) * (keeps.denoiser + keeps.texts) + VAE_BYTES
    step = step_bytes(keeps, recipe, trained, traits)
    return CONTEXT_BYTES + max(step, held + drawing, held + coding, loading)


def precision_factor(recipe: Recipe) -> int:
    """Return the bytes of a number, as a multiple of half precision's."""
    return 2 if recipe.precision == "fp32" else 1


def vae_bytes(side: int) -> int:
    """Return the bytes a VAE takes for a picture of a side, beside its weights."""
    return VAE_BYTES_PER_PLACE * (side // PIXELS_PER_PLACE) ** 2


def drawing_bytes(keeps: MemoryCounts, side: int) -> int:
    """Return the bytes of one pass of the denoiser without gradients."""
    return keeps.seen * (side // PIXELS_PER_PLACE) ** 2


def bytes_per_parameter(recipe: Recipe) -> int:
    """Return the bytes of a trained parameter: weight, moments, gradient and average."""
    return OPTIMIZER_BYTES.get(recipe.optimizer, TRAINED_BYTES) + EMA_BYTES * bool(
        recipe.ema_decay
    )


def denoiser_bytes(keeps: MemoryCounts, recipe: Recipe) -> int:
    """Return the bytes of the frozen denoiser; 0 if it is trained itself."""
    if not recipe.rank:
        return 0
    packed = keeps.linear if recipe.nf4 else 0
    return FROZEN_BYTES * precision_factor(recipe) * (keeps.denoiser - packed) + round(
        NF4_BYTES * packed
    )


def step_bytes(keeps: MemoryCounts, recipe: Recipe, trained: int, traits: MethodTraits) -> int:
    """Return the bytes that a step takes."""
    live = recipe.train_text_encoder or recipe.shuffle_caption or traits.learns_text
    texts = keeps.texts * (live and not (recipe.train_text_encoder and not recipe.rank))
    place = keeps.attention
    if recipe.all_layers or not recipe.rank or traits.rebuilds_weights:
        place = keeps.every if recipe.rank else max(keeps.every, keeps.whole)
    if recipe.gradient_checkpointing:
        place = keeps.frugal
    side = max(recipe.resolution, *recipe.extra_resolutions, 0)
    pictures = -(-recipe.batch_size // recipe.gradient_accumulation_steps)
    kept = precision_factor(recipe) * place * (side // PIXELS_PER_PLACE) ** 2 * pictures
    if traits.rebuilds_weights:
        kept += round(
            keeps.denoiser
            * (REBUILT_CHECKPOINTED_BYTES if recipe.gradient_checkpointing else REBUILT_BYTES)
        )
    held = (
        denoiser_bytes(keeps, recipe)
        + FROZEN_BYTES * precision_factor(recipe) * texts
        + bytes_per_parameter(recipe) * trained
    )
    return held + max(kept, GRADIENT_BYTES * trained)


def count_at_once(keeps: MemoryCounts, side: int, free: int) -> int:
    """Return how many pictures of a side can be drawn at once in so many bytes, at least 1.

    Each is seen twice, with its prompt and with its negative one; half of the room is left.
    """
    if keeps == UNKNOWN:
        return 1
    return max(1, free // (2 * GUIDANCE_PASSES * drawing_bytes(keeps, side)))


def count_parameters(keeps: MemoryCounts, recipe: Recipe, size: int) -> int:
    """Return how many parameters a recipe trains whose file has so many bytes."""
    if recipe.rank:
        return size // 2
    return keeps.denoiser + keeps.texts * recipe.train_text_encoder
