"""The header of a style's file."""

from __future__ import annotations

import pytest

from benchmarks.hostile.weights import KINDS, write_file
from storage.errors import JobError
from training.styles.header import find_method, read_method_and_trigger

RECIPE = '{"method": "embedding", "trigger": "mydog", "base": "x"}'


@pytest.mark.parametrize(
    ("shapes", "told", "made"),
    [
        ({}, {"safelight.recipe": RECIPE}, ("embedding", "mydog")),
        (KINDS["embedding"], {}, ("embedding", "word")),
        (KINDS["embedding_xl"], {}, ("embedding", "word")),
        (KINDS["lora"], {}, ("lora", "")),
        (KINDS["lora"], {"safelight.recipe": "{"}, ("lora", "")),
        (KINDS["peft"], {}, ("lora", "")),
        (KINDS["sgm"], {}, ("lora", "")),
        (KINDS["bundle"], {}, ("pivotal", "mydog")),
    ],
)
def test_a_style_says_what_it_is(tmp_path, shapes, told, made):
    """Our files are recognised by their recipe, others by their tensors."""
    file = write_file(tmp_path / "word.safetensors", shapes, told)

    assert read_method_and_trigger(file) == dict(zip(("method", "trigger"), made, strict=True))


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04}", b"\xff" * 64, b"\x02" + bytes(7) + b"[]", b"\x02" + bytes(7) + b"{}"],
)
def test_what_is_no_style_is_refused(tmp_path, content):
    """A pickle and a truncated file are refused."""
    path = tmp_path / "style.safetensors"
    path.write_bytes(content)

    with pytest.raises(JobError) as broken:
        read_method_and_trigger(path)
    assert broken.value.code in {"style_foreign", "style_broken"}  # `{}` is an empty header


def test_a_missing_style_is_missing(tmp_path):
    """A missing path has its own code."""
    with pytest.raises(JobError) as missing:
        read_method_and_trigger(tmp_path / "none")
    assert missing.value.code == "style_missing"


def test_an_embedding_is_a_kind():
    """An embedding is recognised by its names alone."""
    assert find_method({"emb_params"}) == find_method({"clip_l", "clip_g"}) == "embedding"
