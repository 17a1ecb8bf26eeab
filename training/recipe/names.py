"""What a recipe's keys and memory fallbacks were called before 0.2: still read, never written."""

from __future__ import annotations

from typing import Any

from storage.options import aliases

KEYS = {
    "rate": "learning_rate",
    "batch": "batch_size",
    "every": "save_every",
    "wide": "all_layers",
    "frugal": "gradient_checkpointing",
    "quantised": "nf4",
    "parts": "gradient_accumulation_steps",
    "prior": "num_class_images",
    "ordinary": "class_prompt",
    "word": "class_word",
    "start": "initializer_token",
    "identity": "base_fingerprint",
    "most": "max_file_bytes",
    "rungs": "memory_fallbacks",
    "others": "other_concepts",
}
FALLBACKS = {
    "frugal": "gradient_checkpointing",
    "bytewise": "adamw_8bit",
    "parted": "accumulate",
    "unaveraged": "no_ema",
    "factored": "adafactor",
    "quantised": "nf4",
}


def current_names(recipe: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's JSON with every key under the name it has now."""
    names = KEYS | aliases()
    content = {names.get(key, key): value for key, value in recipe.items()}
    if "memory_fallbacks" in content:
        content["memory_fallbacks"] = [
            one | {"name": FALLBACKS.get(one["name"], one["name"])}
            for one in content["memory_fallbacks"]
        ]
    return content
