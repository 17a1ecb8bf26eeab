"""The shell's commands on one finished file."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from storage.errors import JobError
from training.cli.arguments import ExportArguments
from training.cli.styles import export
from training.settings import TrainingSettings


def test_only_some_are_exported(tmp_path):
    """A file that needs no export is refused as loadable, not as damaged."""
    file = tmp_path / "word.safetensors"
    save_file({"emb_params": torch.zeros(1, 4)}, file, {"made": "elsewhere"})

    with pytest.raises(JobError) as refused:
        export(ExportArguments(file=file, out=tmp_path, overwrite=False), TrainingSettings())

    assert refused.value.code == "export_kind"
