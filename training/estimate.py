"""How much of a GPU's memory a training takes, before it has begun: a sum of counted parts.

    2 bytes a number of the denoiser, and of text encoders that learn or read at each step
  + 14 bytes a number that is trained: itself and AdamW's two moments in fp32, and once rounded to
    bf16; with 8-bit moments 8; with a moving average 4 more
  + what a step keeps for the way back, for each place of its latents; or 2 bytes a number that is
    trained where that is more, as gradients come while the other goes
  + what the driver and torch take themselves

What is kept was counted on meta tensors of the true shapes; `benchmarks.blueprint` counts it again
and shows how far the sum is right. Attention is taken to be a flash kernel's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.records import Optimizer

if TYPE_CHECKING:
    from training.recipe import Recipe

MIB = 2**20
CONTEXT = 600 * MIB  #: of CUDA's context and libraries, and what an allocator rounds up
FROZEN, TRAINED, EIGHT, AVERAGE, LEARNT = 2, 14, 8, 4, 2  #: bytes a number
SEEN = 2  #: times that a denoiser sees a picture in a step of drawing
GRAIN = 8  #: pixels of a place of latents, each way
REBUILT = frozenset({"loha", "lokr", "dora", "oft"})  #: methods that compute weights anew
#: bytes a number of the denoiser that those keep of their weights, and take at once when frugal
ANEW, ANEW_FRUGAL = 1.7, 0.35


@dataclass(frozen=True, slots=True)
class Keeps:
    """What the networks of a family hold, counted on their true shapes."""

    denoiser: int  #: numbers
    texts: int  #: numbers of the text encoders together
    attention: int  #: bytes a place and picture, where adapters are on attention alone
    every: int  #: … on every layer, or where all of it learns
    frugal: int  #: … either, with gradient checkpointing


def needed(keeps: Keeps, recipe: Recipe, trained: int) -> int:
    """Add up the bytes that a recipe takes whose method trains so many numbers."""
    live = recipe.text or recipe.shuffle or recipe.method == "embedding"
    frozen = keeps.denoiser * bool(recipe.rank) + keeps.texts * (
        live and not (recipe.text and not recipe.rank)
    )
    each = EIGHT if recipe.optimizer is Optimizer.ADAMW8BIT else TRAINED
    each += AVERAGE * bool(recipe.ema)
    place = keeps.attention
    if recipe.wide or not recipe.rank or recipe.method in REBUILT:
        place = keeps.every
    if recipe.frugal:
        place = keeps.frugal
    side = max(recipe.resolution, *recipe.sides, 0)
    pictures = -(-recipe.batch // recipe.parts)
    kept = place * (side // GRAIN) ** 2 * pictures
    if recipe.method in REBUILT:
        kept += round(keeps.denoiser * (ANEW_FRUGAL if recipe.frugal else ANEW))
    return FROZEN * frozen + each * trained + max(kept, LEARNT * trained) + CONTEXT


def abreast(keeps: Keeps, side: int, free: int) -> int:
    """Say how many pictures of a side are drawn at once in so many free bytes, one at least.

    Each is seen twice, with its prompt and with its negative one. Without a way back to keep for,
    a step of drawing holds no more than one of a frugal training; half of the room is left.
    """
    return max(1, free // (2 * SEEN * keeps.frugal * (side // GRAIN) ** 2))


def trained(keeps: Keeps, recipe: Recipe, size: int) -> int:
    """Say how many numbers a method trains whose file will have so many bytes."""
    if recipe.rank:
        return size // 2
    return keeps.denoiser + keeps.texts * recipe.text
