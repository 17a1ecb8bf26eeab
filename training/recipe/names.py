"""The keys of recipes and the names of memory fallbacks before 0.2, which are still read."""

from __future__ import annotations

from typing import Any

from storage.options import aliases

OLD_KEYS = {
    "rate": "learning_rate", "batch": "batch_size", "every": "save_every",
    "wide": "all_layers", "frugal": "gradient_checkpointing", "quantised": "nf4",
    "parts": "gradient_accumulation_steps", "prior": "num_class_images",
    "ordinary": "class_prompt", "word": "class_word", "start": "initializer_token",
    "identity": "base_fingerprint", "most": "max_file_bytes", "rungs": "memory_fallbacks",
    "others": "other_concepts",
}  # fmt: skip
OLD_FALLBACKS = {
    "frugal": "gradient_checkpointing", "bytewise": "adamw_8bit", "parted": "accumulate",
    "unaveraged": "no_ema", "factored": "adafactor", "quantised": "nf4",
}  # fmt: skip


def current_names(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's JSON with its keys and memory fallbacks under their present names."""
    names = OLD_KEYS | aliases()
    content = {names.get(key, key): value for key, value in recipe.items()}
    if "memory_fallbacks" in content:
        content["memory_fallbacks"] = [
            one | {"name": OLD_FALLBACKS.get(one["name"], one["name"])}
            for one in content["memory_fallbacks"]
        ]
    return content
