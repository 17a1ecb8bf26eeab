"""The shell's commands on one finished file."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from storage.errors import JobError, UserError
from training.cli.arguments import ExportArguments
from training.cli.commands import parse
from training.cli.styles import export
from training.settings import TrainingSettings
from training.styles.inspect import inspect_file


def test_only_some_are_exported(tmp_path):
    """A file that needs no export is refused as loadable, not as damaged."""
    file = tmp_path / "word.safetensors"
    save_file({"emb_params": torch.zeros(1, 4)}, file, {"made": "elsewhere"})

    with pytest.raises(JobError) as refused:
        export(ExportArguments(file=file, out=tmp_path, overwrite=False), TrainingSettings())

    assert refused.value.code == "export_kind"


CLIP_L, CLIP_G = torch.rand(2, 768), torch.rand(2, 1280)


@pytest.mark.parametrize(
    ("bundled", "vectors"),
    [
        ({"clip_l": CLIP_L, "clip_g": CLIP_G}, {"clip_l": CLIP_L, "clip_g": CLIP_G}),
        ({"string_to_param.*": CLIP_L}, {"emb_params": CLIP_L}),
        ({"clip_l": CLIP_L}, {"emb_params": CLIP_L}),  # OneTrainer's for Stable Diffusion 1
    ],
)
def test_a_word_is_exported(tmp_path, bundled, vectors):
    """The word in a LoRA's file becomes an embedding of its name, as ComfyUI and Forge want it."""
    file = tmp_path / "my style.safetensors"
    save_file({f"bundle_emb.zorp.{end}": tensor for end, tensor in bundled.items()}, file)

    told = export(ExportArguments(file=file, out=tmp_path, overwrite=False), TrainingSettings())

    made = tmp_path / "zorp.safetensors"
    assert told == {"kind": "exported", "file": str(made), "bytes": made.stat().st_size}
    assert inspect_file(made)["method"] == "embedding"
    found = load_file(made)
    assert found.keys() == vectors.keys()
    assert all(torch.equal(found[end], vectors[end]) for end in vectors)


def test_a_word_names_no_other_folder(tmp_path):
    """A stranger's word that leads out of the folder is refused."""
    file = tmp_path / "theirs.safetensors"
    save_file({"bundle_emb.../../zorp.clip_l": torch.zeros(1, 4)}, file)

    with pytest.raises(UserError) as refused:
        export(ExportArguments(file=file, out=tmp_path, overwrite=False), TrainingSettings())

    assert refused.value.code == "name_bad"


@pytest.mark.parametrize("command", ["shrink", "export", "sample"])
@pytest.mark.parametrize(
    ("lost", "number", "reason"),
    [("lora_up.weight", 1.0, "without lora_up.weight"), ("", float("nan"), "NaN")],
)
def test_what_is_wrong_with_a_file_is_named(  # noqa: PLR0917 - cases
    tmp_path, capsys, command, lost, number, reason
):
    """Half a pair and NaN are named by each command that reads a file, before torch is loaded."""
    file = tmp_path / "theirs.safetensors"
    layer = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    halves = {"lora_down.weight": torch.full((4, 8), number), "lora_up.weight": torch.ones(8, 4)}
    save_file({f"{layer}.{end}": half for end, half in halves.items() if end != lost}, file)
    flags = {
        "shrink": [str(file), "--to", "1"],
        "export": [str(file)],
        "sample": ["--style", str(file), "--prompt", "a dog"],
    }
    typed, given = parse([command, *flags[command], "--out", str(tmp_path / "out")])

    code = typed.run(given, TrainingSettings(_env_file=None, home=tmp_path))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert (code, lines[-1]["code"]) == (1, "style_broken")
    assert reason in lines[-1]["reason"]
