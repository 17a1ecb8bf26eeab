"""Captioners of random weights, in the files that the real ones come in."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import torch
import transformers
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import WordLevel

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 64
WORDS = ("a", "dog", "cat", "on", "grass", "red", "house", "tree", "the", "sky", "in", "snow")


def write_blip(place: Path, *, large: bool = False) -> Path:
    """Write a BLIP; the large one has more and wider layers, as the real one has."""
    torch.manual_seed(3)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]", *WORDS]
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2,
              "num_hidden_layers": 2, "image_size": SIDE, "patch_size": 16,
              "initializer_range": 0.2}  # fmt: skip
    if large:
        vision |= {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 4}
    text = {"hidden_size": 32, "encoder_hidden_size": vision["hidden_size"],
            "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
            "vocab_size": len(tokens), "bos_token_id": 5, "eos_token_id": 3, "sep_token_id": 3,
            "pad_token_id": 0}  # fmt: skip
    config = transformers.BlipConfig(text_config=text, vision_config=vision)
    transformers.BlipForConditionalGeneration(config).save_pretrained(place)
    vocabulary = {token: at for at, token in enumerate(tokens)}
    transformers.BertTokenizerFast(vocab=vocabulary).save_pretrained(place)
    size = {"height": SIDE, "width": SIDE}
    transformers.BlipImageProcessorPil(size=size).save_pretrained(place)
    return place


def write_florence2(place: Path) -> Path:
    """Write a Florence-2 whose vision tower sees four places and their mean."""
    torch.manual_seed(3)
    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<image>", *WORDS]
    vision = {"depths": [1] * 4, "embed_dim": [8, 16, 32, 64], "num_heads": [1, 2, 4, 8],
              "num_groups": [1, 2, 4, 8], "projection_dim": 32, "window_size": 4}  # fmt: skip
    text = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
            "decoder_attention_heads": 2, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64,
            "vocab_size": len(tokens), "max_position_embeddings": 128, "pad_token_id": 1,
            "bos_token_id": 0, "eos_token_id": 2, "decoder_start_token_id": 2}  # fmt: skip
    config = transformers.Florence2Config(
        text_config=text, vision_config=vision, image_token_id=tokens.index("<image>")
    )
    transformers.Florence2ForConditionalGeneration(config).save_pretrained(place)
    split = Tokenizer(WordLevel({token: at for at, token in enumerate(tokens)}, "<unk>"))
    split.pre_tokenizer, split.decoder = pre_tokenizers.Whitespace(), decoders.WordPiece()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=split, bos_token="<s>", eos_token="</s>", pad_token="<pad>",  # noqa: S106
        unk_token="<unk>", extra_special_tokens={"image_token": "<image>"},  # noqa: S106
    )  # fmt: skip
    tokenizer.save_pretrained(place)
    processor = transformers.CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE}, crop_size={"height": SIDE, "width": SIDE},
        image_seq_length=5,
    )  # fmt: skip
    processor.save_pretrained(place)
    return place


def write_wd_tagger(place: Path) -> Path:
    """Write a WD tagger in timm's layout, whose answers depend on the picture."""
    torch.manual_seed(3)
    tags = [
        ("general", "9"),
        ("1girl", "0"),
        ("red_hair", "0"),
        ("^_^", "0"),
        ("hatsune_miku", "4"),
    ]
    width, places = 128, (SIDE // 16) ** 2
    shapes = {"pos_embed": (1, places, width), "patch_embed.proj.weight": (width, 3, 16, 16),
              "patch_embed.proj.bias": (width,), "head.weight": (len(tags), width),
              "head.bias": (len(tags),)}  # fmt: skip
    linear = {"attn.qkv": (3 * width, width), "attn.proj": (width, width),
              "mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}  # fmt: skip
    for block in ("blocks.0", "blocks.1"):
        for name, shape in linear.items():
            shapes |= {f"{block}.{name}.weight": shape, f"{block}.{name}.bias": shape[:1]}
    weights = {name: torch.randn(shape) * 0.1 for name, shape in shapes.items()}
    for norm in ("norm", *(f"blocks.{at}.norm{n}" for at in (0, 1) for n in (1, 2))):
        weights |= {f"{norm}.weight": torch.ones(width), f"{norm}.bias": torch.zeros(width)}
    place.mkdir(parents=True, exist_ok=True)
    save_file(weights, place / "model.safetensors")
    config = {"architecture": "vit_base_patch16_224", "num_classes": len(tags),
              "model_args": {"img_size": SIDE, "class_token": False}}  # fmt: skip
    (place / "config.json").write_text(json.dumps(config))
    with (place / "selected_tags.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["tag_id", "name", "category", "count"])
        rows.writerows([at, name, category, 9] for at, (name, category) in enumerate(tags))
    return place
