"""Z-Image (arXiv 2511.22699): one transformer for words and pictures, taught by flow matching.

A language model, Qwen3, reads prompts: it is never trained, and no program has a form for words
learned in it, so there are neither embeddings nor pivotal tuning; hypernetworks change layers of
cross-attention, and it has none. Activations of its transformer are larger than fp16 can write:
it computes in bf16 or fp32.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from storage.errors import JobError
from storage.planning.clip import byte_alphabet
from storage.records import Base
from training import objectives
from training.device import Device
from training.families._latent import LatentFamily, PipelineReader
from training.lazy import Tensor, diffusers, torch, transformers
from training.modelfiles import configs, folder, zimage
from training.networks.conditioning import Conditions, pad_and_stack
from training.networks.counts import read_counts
from training.networks.networks import Networks, Part
from training.networks.traits import PROGRAMS, FamilyFiles

RESOLUTION, MEMORY = 1024, 22_000
CAPTION_TOKENS = 0  #: with its 512 it reads any caption to the end
COUNTS = read_counts(__file__)
OBJECTIVE = "flow"
FULL_RATE = 1e-6  #: musubi-tuner, docs/zimage.md
NETWORKS = ("transformer", "text_encoder", "vae")
MAX_TOKENS = 512  #: of a prompt and what is said around it; the pipeline cuts there, too
#: of noise levels in training, as musubi-tuner has it (867ab25d, docs/zimage.md)
TIMESTEP_SHIFT = 2.0
ATTENTION_LAYERS = ("attention.to_q", "attention.to_k", "attention.to_v", "attention.to_out.0")
OTHER_LAYERS = ("feed_forward.w1", "feed_forward.w2", "feed_forward.w3")
END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHAT_TEMPLATE = (  #: the part of Qwen3's chat template that a prompt goes through
    "{% for message in messages %}"
    f"{IM_START}{{{{ message.role }}}}\n{{{{ message.content }}}}{IM_END}\n"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{IM_START}assistant\n{{% endif %}}"
)


# Comfy-Org/ComfyUI, comfy/lora.py 17358c8f (model_lora_keys_unet for Lumina2, whose q, k and v
# become parts of one) and comfy/utils.py 09708eae (z_image_to_diffusers); Forge Neo and diffusers
# 0.42 know the same names, and of diffusers ZImageLoraLoaderMixin (lora_pipeline.py) reads LoKrs.
_PARTS = r"(attention\.to_(q|k|v|out\.0)|feed_forward\.w[123])"
KNOWN_LAYERS = (rf"diffusion_model\.(layers|noise_refiner|context_refiner)\.\d+\.{_PARTS}",)
#: a layer that smaller transformers lack: ComfyUI (comfy/model_detection.py) and Forge Neo
#: (037db03b, huggingface_guess/detection.py) know the width by the weights, musubi-tuner
#: (060ccc3a, zimage_model.py) and diffusers (from_single_file) the names
LAST = "layers.29.attention.qkv.weight"
_UNKNOWN = "doesn't support Z-Image"


def model_incompatibilities(names: Collection[str]) -> dict[str, str]:
    """Return, by program, why it cannot read a transformer's file."""
    return dict.fromkeys(PROGRAMS, "" if LAST in names else "doesn't support models this small")


# kohya-ss/musubi-tuner 30c658c, which is kohya's program for Z-Image, reads its own names alone;
# its convert_lora.py gives them to LoRAs, LoHas and LoKrs.
_CONVERTER = "musubi-tuner's convert_lora.py"
FILES = FamilyFiles(
    layers=("diffusion_model.",),
    model=("cap_pad_token",),
    known={"Forge Neo": KNOWN_LAYERS, "ComfyUI": KNOWN_LAYERS, "diffusers": KNOWN_LAYERS},
    no_adapters={"kohya": "reads LoRA, LoHa and LoKr only"},
    needs={"kohya": dict.fromkeys(("lora", "locon", "loha", "lokr"), _CONVERTER)},
    unknown_to={"AUTOMATIC1111": _UNKNOWN, "Forge": _UNKNOWN},
    also_reads={"diffusers": ("lokr",)},
    model_incompatibilities=model_incompatibilities,
)


class Zimage(LatentFamily):
    """A resident Z-Image."""

    name = "zimage"
    architecture = "Z-Image"
    version = "z_image"
    prediction = "flow"
    guidance = 4.0  #: musubi-tuner's, too (the same page)
    pipeline_names = ("transformer",)

    def __init__(self, read: PipelineReader, device: Device, base: Base) -> None:  # noqa: ARG002
        super().__init__(read, device, "transformer", ("text_encoder",))
        part = Part(
            "diffusion_model", self.denoiser, ATTENTION_LAYERS, OTHER_LAYERS, dotted_keys=True,
            other_names=zimage.original_layers,
        )  # fmt: skip
        self.networks = Networks(self.name, (part,), (), self)

    def tokenize(self, prompt: str) -> tuple[Tensor, int]:
        """Turn a prompt into token ids and which of them count (2, T), and count those cut."""
        tokenizer = self.pipeline.tokenizer
        said = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=True,
        )
        filled = tokenizer(said, padding="max_length", max_length=MAX_TOKENS, truncation=True)
        rows = torch.tensor([filled.input_ids, filled.attention_mask])
        return rows, max(0, len(tokenizer(said, verbose=False).input_ids) - MAX_TOKENS)

    def embed_prompts(self, tokens: Tensor) -> Conditions:
        """Turn token ids (B, 2, T) into states (B, T, D) of its last layer but one, and lengths.

        What fills the room after a prompt is neither read nor kept: a prompt is as long as it is.
        """
        ids, counting = tokens.unbind(1)
        most = int(counting.any(0).nonzero().max()) + 1
        ids, counts = ids[:, :most], counting[:, :most].bool()
        at = self.device.torch_device
        read = self.text_encoders[0](
            input_ids=ids.to(at), attention_mask=counts.to(at), output_hidden_states=True
        ).hidden_states[-2]
        kept = [row[own.to(at)] for row, own in zip(read, counts, strict=True)]
        return {"states": pad_and_stack(kept), "lengths": counting.sum(1)}

    def list_embeds(self, conditions: Conditions) -> list[Tensor]:
        """Return each prompt's embedding (T, D), without padding."""
        rows = zip(conditions["states"], conditions["lengths"].tolist(), strict=True)
        return [states[:length].to(self.denoiser_dtype) for states, length in rows]

    def pipeline_kwargs(self, wanted: Conditions, unwanted: Conditions) -> dict[str, Any]:
        """Return the pipeline's arguments for embedded prompts and negative ones (B, ...)."""
        return {
            "prompt_embeds": self.list_embeds(wanted),
            "negative_prompt_embeds": self.list_embeds(unwanted),
        }

    def draw_inputs(
        self,
        latents: Tensor,
        generator: torch.Generator,
        *,
        min_snr_gamma: float,  # noqa: ARG002  # what counts is how often each noise level is drawn
        noise_offset: float = 0.0,
        loss_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Add noise to latents (B, 16, h, w) at drawn levels; return that and the velocity."""
        x = latents
        s = objectives.draw_noise_levels(len(x), TIMESTEP_SHIFT, generator)
        e = objectives.draw_noise(x.shape, noise_offset, generator)
        return {
            "noised": objectives.interpolate(x, e, s),
            "levels": s,
            "target": objectives.flow_velocity(x, e),
            **({} if loss_weights is None else {"places": loss_weights}),
        }

    def compute_loss(self, inputs: Conditions) -> Tensor:
        """Return the loss of the transformer's velocity.

        It counts from noise (0) to pictures (1), and gives the way there: as the pipeline has it,
        time is 1 - s and its answer the negative of the flow.
        """
        at = self.device.torch_device
        # one frame
        given = inputs["noised"].to(at, self.denoiser_dtype)[:, :, None]
        heard, times = self.list_embeds(inputs), (1 - inputs["levels"]).to(at)
        seen = self.denoiser(list(given), times, heard, return_dict=False)[0]
        found = -torch.stack(seen)[:, :, 0]
        places = inputs["places"].to(at) if "places" in inputs else None
        weights = torch.ones(len(given), device=at)
        return objectives.weighted_mse(found, inputs["target"].to(at), weights, places)

    def to_single_file(self, changed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the transformer's tensors as in a single file, with these parameters changed."""
        (part,) = self.networks.parts
        own = self.full_precision_networks()[part.role].named_parameters()
        content = {name: changed.get(f"{part.role}.{name}", tensor) for name, tensor in own}
        return {name: each.detach().cpu() for name, each in zimage.to_original(content).items()}

    def from_single_file(self, content: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Find the transformer's parameters in a single file."""
        (part,) = self.networks.parts
        return {f"{part.role}.{name}": each for name, each in zimage.to_diffusers(content).items()}


def recognises(place: Path) -> bool:
    """Return whether a base's files are a Z-Image."""
    if place.is_file():
        return zimage.recognises(place)
    return folder.read_pipeline_name(place) == zimage.PIPELINE_NAME


def load(place: Path, device: Device, base: Base) -> Zimage:
    """Load a diffusers folder or a transformer's file. Nothing is downloaded or unpickled.

    A folder of Z-Image-Turbo is refused, unless a list says that it is taught by flow: what is
    distilled draws in few steps without guidance, and a training takes that from it.
    """
    if place.is_dir() and zimage.is_distilled(place) and not base.prediction:
        raise JobError("base_distilled", base=base.title)
    if device.precision == "fp16":
        raise JobError("base_precision", base=base.title)
    return Zimage(partial(read_pipeline, place), device, base)


def read_pipeline(place: Path, dtype: torch.dtype) -> Any:
    """Read its pipeline."""
    if place.is_file():
        return zimage.load_pipeline(place, dtype)
    return folder.load_pipeline(place, dtype, diffusers.ZImagePipeline, NETWORKS)


def make_random_pipeline(*, large: bool) -> Any:
    """Make a model of random weights: of true size, or the same blocks with few channels."""
    said = [*byte_alphabet(), END_OF_TEXT, IM_START, IM_END]
    tokenizer = transformers.Qwen2Tokenizer(
        vocab={word: at for at, word in enumerate(said)},
        merges=[],
        model_max_length=4 * MAX_TOKENS,
    )
    tokenizer.add_special_tokens({"additional_special_tokens": [IM_START, IM_END]})
    tokenizer.chat_template = CHAT_TEMPLATE
    shape = configs.ZIMAGE if large else configs.TINY_ZIMAGE
    return diffusers.ZImagePipeline(
        tokenizer=tokenizer,
        text_encoder=transformers.Qwen3Model(transformers.Qwen3Config(**shape.text)),
        transformer=diffusers.ZImageTransformer2DModel(**shape.transformer),
        vae=diffusers.AutoencoderKL(**shape.vae),
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=zimage.BASE_SHIFT),
    )
