"""The training of the shipped models can be taken up where only they are left."""

from __future__ import annotations

import pytest
import torch

from training.embedded import restore
from training.embedded.export import filled
from training.embedded.layout import autoencoder, denoiser, reader
from training.embedded.tokens import BEGIN, END


@pytest.mark.parametrize("stage", ["vae", "unet"])
def test_the_shipped_weights_come_back(tmp_path, pipe, stage):
    """Every tensor of the pipeline is in the checkpoint that later stages read."""
    begin, end = pipe.tokenizer.convert_tokens_to_ids([BEGIN, END])
    built = {
        "vae": [("", autoencoder(), pipe.vae)],
        "unet": [
            ("unet.", denoiser(), pipe.unet),
            ("text.", reader(len(pipe.tokenizer), begin, end), pipe.text_encoder),
        ],
    }[stage]

    restore.run(tmp_path)

    for prefix, network, shipped in built:
        filled(network, tmp_path / f"{stage}.ckpt", prefix)
        wanted = shipped.state_dict()
        assert all(torch.equal(value, wanted[key]) for key, value in network.state_dict().items())


def test_a_later_checkpoint_is_kept(tmp_path):
    """What was trained since then is not overwritten."""
    (tmp_path / "vae.ckpt").write_bytes(b"of today")
    (tmp_path / "tokenizer").mkdir()

    restore.run(tmp_path)

    assert (tmp_path / "vae.ckpt").read_bytes() == b"of today"
    assert list((tmp_path / "tokenizer").iterdir()) == []
