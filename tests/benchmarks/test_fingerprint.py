"""A fingerprint notices every tensor and pixel that changes."""

from __future__ import annotations

import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks.fingerprint import hash_folder, list_differences


def test_a_digest_is_of_tensors_and_pixels(tmp_path):
    """A changed number, name or pixel changes a digest; headers and curves do not count."""
    zeros, picture = torch.zeros(2, 3), Image.new("RGB", (4, 4))
    save_file({"a": zeros}, tmp_path / "same.safetensors", {"words": "of a header"})
    save_file({"a": zeros}, tmp_path / "style.safetensors")
    picture.save(tmp_path / "sample.png")
    picture.save(tmp_path / "curve.png")
    before = hash_folder(tmp_path)

    save_file({"b": zeros}, tmp_path / "style.safetensors")
    renamed = hash_folder(tmp_path)
    save_file({"a": zeros + torch.eye(2, 3)}, tmp_path / "style.safetensors")
    picture.putpixel((1, 1), (0, 0, 1))
    picture.save(tmp_path / "sample.png")
    after = hash_folder(tmp_path)

    assert before["same.safetensors"] == before["style.safetensors"] == after["same.safetensors"]
    assert len({each["style.safetensors"] for each in (before, renamed, after)}) == 3
    assert before["sample.png"] == renamed["sample.png"] != after["sample.png"]
    assert "curve.png" not in before


def test_differences_are_listed():
    """Changed, missing and new digests have a line each; equal ones have none."""
    then = {"lora": {"a": "1", "b": "2"}, "gone": {"a": "1"}}
    now = {"lora": {"a": "1", "b": "3", "c": "4"}}

    assert list_differences(then, now) == [
        "gone: a: 1 is now nothing",
        "lora: b: 2 is now 3",
        "lora: c: nothing is now 4",
    ]
    assert list_differences(now, now) == []
