"""Which programs read files of Stable Diffusion, by the names of their tensors."""

from __future__ import annotations

from collections.abc import Collection

from training.networks.traits import PROGRAMS, FamilyFiles

#: a layer of SDXL's UNet by the names of sgm, as kohya's tools write them
SGM = r"lora_unet_((input|output)_blocks_\d+_\d|middle_block_\d)_.+"
# AUTOMATIC1111/stable-diffusion-webui 873edba4 (1.6), extensions-builtin/Lora/networks.py: a key
# is cut at its first dot; what stands before must be named like one of these.
A1111 = (
    SGM,
    r"lora_unet_(down|up)_blocks_\d+_(attentions|resnets)_\d+_.+",
    r"lora_unet_mid_block_(attentions|resnets)_\d+_.+",
    r"lora_te[12]?_text_model_encoder_layers_\d+_.+",
)
# Comfy-Org/ComfyUI a125cd84 (0.3.64), comfy/lora.py: the names in the program's own model, and
# those of comfy/utils.py (unet_to_diffusers). lllyasviel/stable-diffusion-webui-forge dfdcbab6 has
# both in packages_3rdparty/comfyui_lora_collection.
_LAYER = r"(attn[12]_to_(q|k|v|out_0)|ff_net_(0_proj|2))"
# Both read diffusers' names of before 0.22 (`attn1.processor.to_q_lora`), but none of its newer
# ones and none of peft's (Comfy-Org/ComfyUI issue 9753).
_DOTTED_INNER = r"(attn[12]\.processor\.to_(q|k|v|out)|ff\.net\.(0\.proj|2))"
_DOTTED_LAYER = rf"(proj_(in|out)|transformer_blocks\.\d+\.{_DOTTED_INNER})"
_DOTTED_TEXT = r"(self_attn\.(q|k|v|out)_proj|mlp\.fc[12])"
COMFY = (
    rf"(unet\.)?((down|up)_blocks\.\d+|mid_block)\.attentions\.\d+\.{_DOTTED_LAYER}([._]lora)?",
    rf"text_encoder(_2)?\.text_model\.encoder\.layers\.\d+\.{_DOTTED_TEXT}(\.lora(_linear_layer)?)?",
    SGM,
    rf"lora_unet_((down|up)_blocks_\d+|mid_block)_attentions_\d+_transformer_blocks_\d+_{_LAYER}",
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_attentions_\d+_proj_(in|out)",
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_resnets_\d+_conv[12]",
    r"lora_te[12]?_text_model_encoder_layers_\d+_(self_attn_(q|k|v|out)_proj|mlp_fc[12])",
)
# kohya-ss/sd-scripts 48d368fa, networks/lora.py, for LoRAs: a UNet's names are diffusers', and for
# SDXL those of sgm, too.
KOHYA = (
    SGM,
    r"lora_unet_((down|up)_blocks_\d+|mid_block)_(attentions|resnets|(down|up)samplers)_\d+_.+",
    r"lora_te[12]?_text_model_encoder_layers_\d+_(self_attn|mlp)_.+",
)
#: of SDXL, which the LyCORIS loader in sd-scripts reads by these names alone
KOHYA_SDXL = (SGM, r"lora_te[12]_text_model_encoder_layers_\d+_(self_attn|mlp)_.+")
# LyCORIS 4.1.3, kohya.py: where it lists a UNet's layers, it finds those of the time embedding
# twice and gives up ("duplicated lora name"); 3.4.0 reads them (tests/contracts/test_kohya.py).
LYCORIS_3 = dict.fromkeys(("loha", "lokr", "oft"), "LyCORIS 3 (LyCORIS 4 fails)")
#: a layer that no model has which is smaller than those that programs know
DEEP = "model.diffusion_model.input_blocks.8.0.in_layers.0.weight"
TOO_SMALL = "doesn't support models this small"
#: how the names of what a model has beside its UNet begin: the autoencoder, the text encoders
BESIDE = ("first_stage_model.", ("cond_stage_model.", "conditioner.embedders."))
PARTIAL = "wants text encoder and autoencoder, too"


def model_incompatibilities(names: Collection[str]) -> dict[str, str]:
    """Return, by program, why it cannot read a file as a whole model: all agree."""
    complete = all(any(name.startswith(start) for name in names) for start in BESIDE)
    reason = "" if DEEP in names else TOO_SMALL
    return dict.fromkeys(PROGRAMS, reason if complete else PARTIAL)


# Haoming02/sd-webui-forge-classic, branch neo, 0cc5e9ea, modules_forge/packages/comfy/lora.py, has
# the names of ComfyUI.
STABLE_FILES = FamilyFiles(
    layers=("lora_unet_", "lora_te"),
    model=("model.diffusion_model.",),
    known={
        "kohya": KOHYA,
        "AUTOMATIC1111": A1111,
        "Forge": COMFY,
        "Forge Neo": COMFY,
        "ComfyUI": COMFY,
        # diffusers 0.42, loaders/lora_pipeline.py: other names than peft's, which has no `unet.`
        "diffusers": (r"(?!base_model\.).+",),
    },
    model_incompatibilities=model_incompatibilities,
)
