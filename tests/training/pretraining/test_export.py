"""Export writes the parts that were trained, and leaves the others alone."""

from __future__ import annotations

import torch
from transformers import BlipForConditionalGeneration

from training.embedded import SUMS, WORDS, known_words
from training.pretraining import export
from training.pretraining.layout import make_captioner
from training.pretraining.tokenizers import make_caption_tokenizer, save_prompt_tokenizer


def test_a_part_that_was_not_trained_here_is_kept(tmp_path, capsys):
    """A part without a checkpoint in the work folder keeps its shipped files, and is named."""
    work, weights = tmp_path / "work", tmp_path / "weights"
    work.mkdir()
    names = ["bell", "cat"]
    torch.save({"names": names}, work / "pictures.pt")
    save_prompt_tokenizer(work, names)
    shipped = weights / "diffusion" / "unet.safetensors"
    shipped.parent.mkdir(parents=True)
    shipped.write_bytes(b"what others trained")
    torch.manual_seed(3)
    model = make_captioner(len(make_caption_tokenizer(names)))
    average = {f"blip.{key}": value for key, value in model.state_dict().items()}
    torch.save({"average": average}, work / "blip.ckpt")

    export.run(work, weights)

    assert shipped.read_bytes() == b"what others trained"
    assert "diffusion: not trained here" in capsys.readouterr().out
    written = BlipForConditionalGeneration.from_pretrained(weights / "blip").state_dict()
    for key, value in model.state_dict().items():
        assert torch.equal(written[key].float(), value.half().float()), key
    assert "diffusion/unet.safetensors" in (weights / SUMS).read_text("utf-8")


def test_the_words_beside_the_weights_are_the_recipes(tmp_path):
    """The shipped list of known words is what the recipe writes, in its order."""
    export.write_words(tmp_path / "words.json")

    assert WORDS.read_bytes() == (tmp_path / "words.json").read_bytes()
    assert known_words()[:2] == ("ant", "baby chick")
