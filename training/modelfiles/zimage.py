"""Single files of Z-Image's transformer, in its authors' own layout, which is ComfyUI's.

They hold no text encoder, tokenizer or autoencoder: those are lent by a folder of the family.
diffusers converts the weights; the other way round the names are those that its
loaders/single_file_utils.py (0.42, convert_z_image_transformer_checkpoint_to_diffusers) reads.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from storage.errors import JobError
from training.lazy import Tensor, accelerate, diffusers, torch
from training.modelfiles import folder, hub, singlefile
from training.modelfiles.singlefile import converters, stored

PIPELINE_NAME = "ZImagePipeline"
LENDERS = ("Tongyi-MAI/Z-Image", "Tongyi-MAI/Z-Image-Turbo")  #: the same but for the transformer
#: what the scheduler of the base is told, and Turbo's (invoke-ai/InvokeAI, migration_26.py, tells
#: folders apart by it); tensors and their shapes are the same
BASE_SHIFT, TURBO_SHIFT = 6.0, 3.0
PREFIX = "model.diffusion_model."  #: of all names, in some files
ORIGINAL_KEYS = {"x_embedder.weight", "noise_refiner.0.attention.qkv.weight", "cap_pad_token"}
DIFFUSERS_KEYS = {
    "all_x_embedder.2-1.weight",
    "noise_refiner.0.attention.to_q.weight",
    "cap_pad_token",
}
NAMES = {
    "all_x_embedder.2-1.": "x_embedder.",
    "all_final_layer.2-1.": "final_layer.",
    ".attention.to_out.0.": ".attention.out.",
    ".attention.norm_q.": ".attention.q_norm.",
    ".attention.norm_k.": ".attention.k_norm.",
}
QUERY, FUSED = ".attention.to_q.", ".attention.qkv."
LENT_NETWORKS = ("text_encoder", "vae")  #: networks


def recognises(place: Path) -> bool:
    """Return whether a file is such a transformer, by its header."""
    names = {name.removeprefix(PREFIX) for name in singlefile.read_header(place)}
    return names >= ORIGINAL_KEYS or names >= DIFFUSERS_KEYS


def load_pipeline(place: Path, dtype: torch.dtype) -> Any:
    """Load a file, with what it lacks, as a pipeline; no weight may be missing."""
    lender = find_lender(place)
    if lender is None:
        raise JobError("base_lone", base=place.name)
    config = diffusers.ZImageTransformer2DModel.load_config(lender / "transformer")
    with accelerate.init_empty_weights(include_buffers=False):
        network = diffusers.ZImageTransformer2DModel.from_config(config)
    try:
        found = {
            name: tensor.to(dtype)
            for name, tensor in to_diffusers(stored.load_file(place)).items()
        }
        network.load_state_dict(found, assign=True)
    except (SafetensorError, OSError, RuntimeError, KeyError) as broken:
        raise JobError("base_broken", base=place.name) from broken
    pipeline = folder.load_pipeline(
        lender, dtype, diffusers.ZImagePipeline, LENT_NETWORKS, transformer=network
    )
    own = pipeline.scheduler  # a Turbo's is for itself alone
    pipeline.scheduler = own.from_config(own.config, shift=BASE_SHIFT)
    return pipeline


def is_distilled(place: Path) -> bool:
    """Return whether a folder is a Z-Image-Turbo, by its scheduler."""
    return (
        folder.read_config(place, "scheduler", "scheduler_config.json").get("shift") == TURBO_SHIFT
    )


def find_lender(place: Path) -> Path | None:
    """Find a folder of the family: beside the file, or in the hub's cache."""
    for beside in sorted(place.parent.iterdir()):
        if beside.is_dir() and folder.read_pipeline_name(beside) == PIPELINE_NAME:
            return beside
    return next((found for source in LENDERS if (found := hub.find_cached(source))), None)


def to_diffusers(content: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name a file's tensors as diffusers does, with q, k and v apart; some files do, too."""
    bare = {name.removeprefix(PREFIX): tensor for name, tensor in content.items()}
    if bare.keys() >= DIFFUSERS_KEYS:
        return bare
    found: dict[str, Tensor] = converters.convert_z_image_transformer_checkpoint_to_diffusers(bare)
    return found


def original_layers(names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return a transformer's layers, given by diffusers' names, by its authors' names."""
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        ours = f"{name}."
        for theirs, original in NAMES.items():
            ours = ours.replace(theirs, original)
        if QUERY in ours:
            parts = tuple(name.replace("to_q", f"to_{which}") for which in "qkv")
            found[ours.replace(QUERY, FUSED).removesuffix(".")] = parts
        found[ours.removesuffix(".")] = (name,)
    return found


def to_original(transformer: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the tensors of a transformer, given by diffusers' names, for a single file."""
    content: dict[str, Tensor] = {}
    for name, tensor in transformer.items():
        ours = name
        for theirs, original in NAMES.items():
            ours = ours.replace(theirs, original)
        if QUERY in name:
            parts = [transformer[name.replace("to_q", f"to_{which}")] for which in "qkv"]
            content[ours.replace(QUERY, FUSED)] = torch.cat(parts)
        elif ".attention.to_k." not in name and ".attention.to_v." not in name:
            content[ours] = tensor
    return content
