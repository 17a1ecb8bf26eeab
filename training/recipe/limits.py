"""The limits of a recipe's numbers; those that people choose are in `storage/limits.py`."""

from __future__ import annotations

from storage import limits

MEMORY_FALLBACKS = (
    "eager", "gradient_checkpointing", "adamw_8bit", "accumulate", "no_ema", "adafactor", "nf4",
)  # fmt: skip
RANGES: dict[str, tuple[float, float]] = {
    "steps": limits.STEPS,
    "rank": limits.RANK,
    "batch_size": limits.BATCH_SIZE,
    "gradient_accumulation_steps": limits.BATCH_SIZE,
    "seed": limits.SEED,
    "resolution": limits.RESOLUTION,
    "num_class_images": limits.CLASS_IMAGES,
}
