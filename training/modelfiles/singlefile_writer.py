"""Writing a whole model as one file, in the layout of latent-diffusion or, for SDXL, of sgm.

The names are those that diffusers 0.42's loaders/single_file_utils.py reads, turned round.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from training.lazy import Tensor, torch

Tensors = Mapping[str, Tensor]

UNET, VAE = "model.diffusion_model.", "first_stage_model."
TEXT_PREFIX, TEXT_PREFIXES = "cond_stage_model.", "conditioner.embedders.{}."  #: of text encoders
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
LAYERS = {"resnets": RESNET, "downsamplers": {"conv": "op"}}
EDGES = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
OPENCLIP_NAMES = {
    "embeddings.position_embedding.weight": "positional_embedding",
    "embeddings.token_embedding": "token_embedding",
    "final_layer_norm": "ln_final",
    "encoder.layers": "transformer.resblocks",
    "layer_norm": "ln_",
    "self_attn": "attn",
    "fc1": "c_fc",
    "fc2": "c_proj",
}
VAE_ATTENTION_NAMES = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}


def to_single_file(
    unet: Tensors, vae: Tensors, texts: Sequence[tuple[Tensors, bool]]
) -> dict[str, Tensor]:
    """Name the tensors of a Stable Diffusion, given by diffusers' names, for a single file.

    `texts` are its text encoders, each with whether OpenCLIP's layout is its own.
    """
    denoiser = UnetNames(unet)
    blocks = len({name.split(".")[2] for name in vae if name.startswith("encoder.down_blocks.")})
    content = {UNET + denoiser.name(name): tensor for name, tensor in unet.items()}
    for name, tensor in vae.items():
        content[VAE + vae_name(name, blocks)] = to_convolution(name, tensor)
    for at, (text, opened) in enumerate(texts):
        start = TEXT_PREFIX if len(texts) == 1 else TEXT_PREFIXES.format(at)
        plain = {name.removeprefix("text_model."): tensor for name, tensor in text.items()}
        if opened:
            named = {f"model.{name}": tensor for name, tensor in to_openclip(plain).items()}
        else:
            named = {f"transformer.text_model.{name}": tensor for name, tensor in plain.items()}
        content |= {start + name: tensor for name, tensor in named.items()}
    return content


def to_openclip(text: Tensors) -> dict[str, Tensor]:
    """Name the tensors of a text encoder as OpenCLIP does, which keeps q, k and v in one."""
    found: dict[str, Tensor] = {}
    for name, tensor in text.items():
        ours = name
        for old, new in OPENCLIP_NAMES.items():
            ours = ours.replace(old, new)
        if name == "text_projection.weight":
            found["text_projection"] = tensor.T
        elif ".q_proj." in ours:
            parts = [text[name.replace(".q_proj.", f".{which}_proj.")] for which in "qkv"]
            found[ours.replace(".q_proj.", ".in_proj_")] = torch.cat(parts)
        elif ".k_proj." not in ours and ".v_proj." not in ours:
            found[ours] = tensor
    return found


def unet_layers(names: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return a UNet's layers, given by diffusers' names, by those of latent-diffusion and sgm."""
    named = UnetNames(names)
    return {named.layer(name): (name,) for name in names}


class UnetNames:
    """The names of a UNet's weights."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = names
        first = {name.split(".")[3] for name in names if name.startswith("down_blocks.0.resnets.")}
        self.span = len(first) + 1  #: blocks of CompVis' numbering in one of diffusers'

    def layer(self, name: str) -> str:
        """Name one layer."""
        return self.name(f"{name}.weight").removesuffix(".weight")

    def name(self, name: str) -> str:
        """Name one weight."""
        module, _, end = name.rpartition(".")
        if module in EDGES:
            return f"{EDGES[module]}.{end}"
        side, *rest = module.split(".")
        if side == "mid_block":
            kind, at, *inner = rest
            place = f"middle_block.{1 if kind == 'attentions' else 2 * int(at)}"
        else:
            kind, *inner = rest[1], *rest[3:]
            place = self.place(side, rest[0], kind, int(rest[2]))
        if kind in LAYERS:
            inner = [LAYERS[kind][inner[0]]]
        return ".".join([place, *inner, end])

    def place(self, side: str, block: str, kind: str, at: int) -> str:
        """Number a layer; what makes a picture larger stands after its block's last layer."""
        first = int(block) * self.span
        if kind == "downsamplers":
            return f"input_blocks.{first + self.span}.0"
        if kind == "upsamplers":
            sees = any(name.startswith(f"{side}.{block}.attentions.") for name in self.names)
            return f"output_blocks.{first + self.span - 1}.{1 + sees}"
        if side == "down_blocks":
            return f"input_blocks.{first + at + 1}.{int(kind == 'attentions')}"
        return f"output_blocks.{first + at}.{int(kind == 'attentions')}"


def vae_name(name: str, blocks: int) -> str:
    """Name one weight of an autoencoder of so many blocks each way."""
    side, block, *rest = name.split(".")
    if block == "mid_block" and rest[0] == "attentions":
        layer, _, end = ".".join(rest[2:]).rpartition(".")
        return f"{side}.mid.attn_1.{VAE_ATTENTION_NAMES[layer]}.{end}"
    if block == "mid_block":
        block, rest = "mid", [f"block_{int(rest[1]) + 1}", *rest[2:]]
    elif block in {"down_blocks", "up_blocks"}:
        number, kind, at, *inner = rest
        up = block == "up_blocks"
        layer = f"block.{at}" if kind == "resnets" else kind.removesuffix("rs")
        block = "up" if up else "down"
        rest = [str(blocks - 1 - int(number)) if up else number, layer, *inner]
    block = "norm_out" if block == "conv_norm_out" else block
    return ".".join([side, block, *rest]).replace("conv_shortcut", "nin_shortcut")


def to_convolution(name: str, tensor: Tensor) -> Tensor:
    """Make the matrices of an autoencoder's attention (out, in) convolutions (out, in, 1, 1)."""
    matrix = ".attentions." in name and tensor.ndim == 2
    return tensor[:, :, None, None] if matrix else tensor
