"""Hostile weight files: `safelight inspect` describes each or refuses it with a sentence."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.hostile.weights import LORA, make_content, make_weights
from bot import wording
from storage.errors import JobError
from tests.fakes.memory import measure_growth
from training.styles.inspect import inspect_file

FILES = 150


def inspect_files(file: Path) -> tuple[int, list[JobError]]:
    """Return how many files were described, and the refusals of the others."""
    rng, described, refused = random.Random(19), 0, []
    for content in (make_content(LORA), *(make_weights(rng) for _ in range(FILES))):
        file.write_bytes(content)
        try:
            described += bool(inspect_file(file))
        except JobError as error:
            refused.append(error)
    return described, refused


def test_weights(tmp_path: Path) -> None:
    """Whatever a header says, the answer is a description or a sentence, in little memory."""
    (described, refused), growth = measure_growth(inspect_files, tmp_path / "hostile.safetensors")

    assert described > 0
    assert len(refused) > FILES // 10
    sentences = [wording.explain_in_shell(error) for error in refused]
    assert [said for said in sentences if not said.isprintable() or len(said) > 500] == []
    assert growth < 50 << 20
