"""The header of a style's file."""

from __future__ import annotations

import json

import pytest

from storage.errors import JobError
from training.styles.header import find_method, read_method_and_trigger


@pytest.fixture
def file(tmp_path):
    """Return a function that writes files with a given header."""

    def write(**header):
        path = tmp_path / "word.safetensors"
        body = json.dumps(header).encode()
        path.write_bytes(len(body).to_bytes(8, "little") + body)
        return path

    return write


@pytest.mark.parametrize(
    ("header", "made"),
    [
        (
            {
                "__metadata__": {
                    "safelight.recipe": '{"method": "embedding", "trigger": "mydog", "base": "x"}'
                }
            },
            {"method": "embedding", "trigger": "mydog"},
        ),
        ({"emb_params": {}}, {"method": "embedding", "trigger": "word"}),
        ({"clip_g": {}, "clip_l": {}}, {"method": "embedding", "trigger": "word"}),
        ({"lora_unet_a.lora_down.weight": {}}, {"method": "lora", "trigger": ""}),
        (
            {"__metadata__": {"safelight.recipe": "{"}, "lora_unet_a.lora_down.weight": {}},
            {"method": "lora", "trigger": ""},
        ),
    ],
)
def test_a_style_says_what_it_is(file, header, made):
    """Our files are recognised by their recipe, others by their tensors."""
    assert read_method_and_trigger(file(**header)) == made


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
