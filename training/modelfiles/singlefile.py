"""Single-file checkpoints of Stable Diffusion, in the layout of latent-diffusion or sgm.

diffusers converts the weights; the configurations and CLIP's vocabulary, which such a file lacks
and diffusers would download, are in `shapes` and `clip`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from storage.errors import JobError
from storage.planning.clip import END
from training.lazy import LazyModule, Tensor, accelerate, diffusers, torch, transformers
from training.modelfiles import tensorfile
from training.modelfiles.clip import make_tokenizer
from training.modelfiles.configs import SD15, Config, Shape

converters, stored = map(LazyModule, ("diffusers.loaders.single_file_utils", "safetensors.torch"))
Content = dict[str, Tensor]
UNET = "model.diffusion_model."
TO_K_KEY = f"{UNET}input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight"
CONV_IN_KEY = f"{UNET}input_blocks.0.0.weight"
LABEL_KEY = f"{UNET}label_emb.0.0.weight"  #: of what SDXL is told beside prompts
CLIP_KEY = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
OPENCLIP_KEY = "cond_stage_model.model.token_embedding.weight"
SDXL_CLIP_KEY = "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight"
SDXL_OPENCLIP_KEY = "conditioner.embedders.1.model.token_embedding.weight"
REFINER_KEY = "conditioner.embedders.0.model.token_embedding.weight"
VAE_KEY = "first_stage_model.encoder.conv_in.weight"
#: a bias whose spread tells SD 2's v-models from the others, and from where on: ComfyUI,
#: comfy/supported_models.py, SD20.model_type
V_BIAS_KEY, V_BIAS_STD = f"{UNET}output_blocks.11.1.transformer_blocks.0.norm1.bias", 0.09
#: empty tensors by which ComfyUI knows that an SDXL predicts v, and that its last noise is whole
MARKS = ("v_pred", "ztsnr")
PREDICTIONS = {"v": "v_prediction", "epsilon": "epsilon"}  #: by what modelspec calls them
SCHEDULER_CONFIG: Config = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


def read_header(place: Path) -> dict[str, Any]:
    """Read the names and shapes in a safetensors file; nothing for any other or a damaged file."""
    try:
        return tensorfile.read_header(place)
    except (OSError, tensorfile.BadFileError):
        return {}


def read_inputs(found: dict[str, Any], name: str) -> int:
    """Return the input channels of a tensor in a header; 0 if it says no such thing."""
    entry = found.get(name)
    shape = entry.get("shape") if isinstance(entry, dict) else None
    return shape[1] if isinstance(shape, list) and len(shape) > 1 else 0


def detect_family(place: Path) -> str:
    """Return the family of a whole model's file; "" for any other file."""
    found = read_header(place)
    if VAE_KEY not in found or read_inputs(found, CONV_IN_KEY) != 4:
        return ""
    if {SDXL_CLIP_KEY, SDXL_OPENCLIP_KEY, LABEL_KEY} <= found.keys():
        return "sdxl"
    width = read_inputs(found, TO_K_KEY)
    if CLIP_KEY in found and width == 768:
        return "sd1"
    return "sd2" if OPENCLIP_KEY in found and width == 1024 else ""


def find_fault(place: Path) -> str:
    """Return what a file is that is no whole model: "inpaint", "refiner", "part" or ""."""
    found = read_header(place)
    if read_inputs(found, CONV_IN_KEY) not in {0, 4}:
        return "inpaint"
    if REFINER_KEY in found and SDXL_OPENCLIP_KEY not in found:
        return "refiner"
    if CONV_IN_KEY in found:
        return "part"
    return ""


def require_family(place: Path, wanted: str) -> None:
    """Refuse a file that is no whole model of a family, and say what it is."""
    if detect_family(place) != wanted:
        what = find_fault(place)
        raise JobError(f"base_{what}" if what else "base_broken", base=place.name)


def load_pipeline(
    place: Path, dtype: torch.dtype, shape: Shape = SD15
) -> diffusers.StableDiffusionPipeline | diffusers.StableDiffusionXLPipeline:
    """Load a single file; nothing is downloaded, and no weight may be missing."""
    networks = make_empty_networks(shape)
    try:
        content = stored.load_file(place)
        for name, found in convert_tensors(content, networks).items():
            networks[name].load_state_dict(found, assign=True)
        foretold = detect_prediction(place, content)
    except (SafetensorError, OSError, RuntimeError, KeyError, AttributeError) as broken:
        raise JobError("base_broken", base=place.name) from broken
    kept = {name: network.to(dtype) for name, network in networks.items()}
    return build_pipeline(kept, foretold, zeroed=MARKS[1] in content)


def make_empty_networks(shape: Shape) -> dict[str, Any]:
    """Make the networks of a shape, without weights, by what a pipeline calls them."""
    with accelerate.init_empty_weights(include_buffers=False):
        networks = {
            "unet": diffusers.UNet2DConditionModel(**shape.unet),
            "vae": diffusers.AutoencoderKL(**shape.vae),
            "text_encoder": transformers.CLIPTextModel(transformers.CLIPTextConfig(**shape.text)),
        }
        if shape.second:
            second = transformers.CLIPTextConfig(**shape.second)
            networks["text_encoder_2"] = transformers.CLIPTextModelWithProjection(second)
    return networks


def make_random_pipeline(shape: Shape, foretold: str = "epsilon", *, zeroed: bool = False) -> Any:
    """Make a pipeline of a shape with random weights, from torch's own generator."""
    networks = {
        name: type(network)(network.config)
        if hasattr(network.config, "to_dict")
        else type(network).from_config(network.config)
        for name, network in make_empty_networks(shape).items()
    }
    return build_pipeline(networks, foretold, zeroed=zeroed)


def convert_tensors(content: Content, networks: dict[str, Any]) -> dict[str, Content]:
    """Sort a file's tensors by network, by the names that diffusers and transformers have."""
    unet, vae, text = (networks[name] for name in ("unet", "vae", "text_encoder"))
    found = {
        "unet": converters.convert_ldm_unet_checkpoint(content, dict(unet.config)),
        "vae": converters.convert_ldm_vae_checkpoint(content, dict(vae.config)),
    }
    if "text_encoder_2" in networks:
        second = networks["text_encoder_2"]
        start = SDXL_OPENCLIP_KEY.removesuffix("token_embedding.weight")
        found["text_encoder_2"] = converters.convert_open_clip_checkpoint(second, content, start)
    opened = text.config.hidden_act == "gelu"
    found["text_encoder"] = convert_text_encoder(content, text if opened else None)
    return found


def convert_text_encoder(content: Content, opened: Any = None) -> Content:
    """Pick the text encoder's weights, by the names they have since transformers 5.6.

    `opened` is a text encoder whose weights are in OpenCLIP's layout.
    """
    if opened is None:
        found = converters.convert_ldm_clip_checkpoint(content)
    else:
        start = OPENCLIP_KEY.removesuffix("token_embedding.weight")
        found = converters.convert_open_clip_checkpoint(opened, content, start)
    named = {name.removeprefix("text_model."): tensor for name, tensor in found.items()}
    named.pop("embeddings.position_ids", None)
    return named


def detect_prediction(place: Path, content: Content) -> str:
    """Return what a file's UNet predicts, by its metadata, markers or weights."""
    told = read_header(place).get("__metadata__", {}).get("modelspec.prediction_type", "")
    if told in PREDICTIONS:
        return PREDICTIONS[told]
    wide = OPENCLIP_KEY in content and V_BIAS_KEY in content
    v = MARKS[0] in content or (
        wide and float(content[V_BIAS_KEY].float().std(correction=0)) > V_BIAS_STD
    )
    return "v_prediction" if v else "epsilon"


def build_pipeline(
    networks: dict[str, Any], foretold: str = "epsilon", *, zeroed: bool = False
) -> diffusers.StableDiffusionPipeline | diffusers.StableDiffusionXLPipeline:
    """Put networks together with tokenizers and the noise they were trained for."""
    more = {"prediction_type": foretold, "rescale_betas_zero_snr": zeroed}
    if "text_encoder_2" in networks:
        return diffusers.StableDiffusionXLPipeline(
            **networks, tokenizer=make_tokenizer(), tokenizer_2=make_tokenizer("!"),
            scheduler=diffusers.EulerDiscreteScheduler(
                **SCHEDULER_CONFIG, **more, timestep_spacing="leading",
            ),
            add_watermarker=False,
        )  # fmt: skip
    opened = networks["text_encoder"].config.hidden_act == "gelu"
    return diffusers.StableDiffusionPipeline(
        **networks, tokenizer=make_tokenizer("!" if opened else END),
        scheduler=diffusers.DDIMScheduler(
            **SCHEDULER_CONFIG, **more, clip_sample=False, set_alpha_to_one=False,
        ),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
