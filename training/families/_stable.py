"""What all Stable Diffusions share: a UNet that sees through noise, a KL autoencoder, prompts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from storage.records import Base
from training import objectives
from training.device import Device, send
from training.families._latent import LatentFamily, PipelineReader
from training.lazy import Tensor, diffusers, torch
from training.modelfiles import singlefile, singlefile_writer
from training.networks.conditioning import Conditions
from training.networks.networks import Networks, Part
from training.networks.vocabulary import Vocabulary

GUIDANCE_BY_RESOLUTION = {64: 5.0}  #: by the resolution of a tiny base; else its family's own
ATTENTION_LAYERS = ("to_q", "to_k", "to_v", "to_out.0")
OTHER_LAYERS = ("ff.net.0.proj", "ff.net.2", "proj_in", "proj_out", "conv1", "conv2")
TEXT_ATTENTION_LAYERS = ("q_proj", "k_proj", "v_proj", "out_proj")
TEXT_MLP_LAYERS = ("fc1", "fc2")
NO_SAFETY_CHECKER: dict[str, Any] = {
    "safety_checker": None,
    "feature_extractor": None,
    "requires_safety_checker": False,
}
#: of guidance, where the last timestep is pure noise (Lin et al., section 3.4)
GUIDANCE_RESCALE = 0.7


class StableFamily(LatentFamily):
    """A resident Stable Diffusion.

    What differs from one to the next is how prompts are read: `states`, `heard` and `asked`.
    """

    guidance = 7.5
    embedding_keys: tuple[str, ...] = ("emb_params",)  #: what learned words are called in a file
    text_prefixes: tuple[str, ...] = ("lora_te",)  #: of its text encoders' keys
    #: whether more than half of its work is convolutions, which GPUs compute with channels last
    mostly_convolutions = False
    sgm_layer_names = (
        False  #: whether files call the UNet's layers as sgm does, as kohya's tools do
    )

    def __init__(self, read: PipelineReader, device: Device, base: Base) -> None:
        names = ("", "_2")[: len(self.text_prefixes)]
        super().__init__(read, device, "unet", [f"text_encoder{end}" for end in names])
        self.unet, self.clip_skip = self.denoiser, base.clip_skip
        if self.mostly_convolutions and device.cuda:
            self.unet.to(memory_format=torch.channels_last)
        call_processors(self.unet)
        self.set_prediction(base.prediction)
        tokenizers = [getattr(self.pipeline, f"tokenizer{end}") for end in names]
        triples = zip(self.embedding_keys, self.text_encoders, tokenizers, strict=True)
        self.vocabularies = tuple(
            Vocabulary(key, text.get_input_embeddings(), tokenizer)
            for key, text, tokenizer in triples
        )
        readers = zip(self.text_prefixes, self.text_encoders, strict=True)
        parts = (
            make_unet_part(self.unet, sgm=self.sgm_layer_names),
            *(make_text_part(prefix, text) for prefix, text in readers),
        )
        self.networks = Networks(self.name, parts, self.vocabularies, self)

    def set_prediction(self, prediction: str) -> None:
        """Know what the UNet predicts, as it is said of the base or else by its scheduler.

        A v-model whose scheduler asks for it learns with a last timestep of pure noise.
        """
        config = self.pipeline.scheduler.config
        self.prediction: str = prediction or config.prediction_type
        asked = config.get("rescale_betas_zero_snr", False)
        self.zero_terminal_snr = bool(asked) and self.prediction == "v_prediction"
        alphas: Tensor = self.pipeline.scheduler.alphas_cumprod.clone()
        self.alphas_cumprod = (
            objectives.rescale_zero_terminal_snr(alphas) if self.zero_terminal_snr else alphas
        )

    def tokenize(self, prompt: str) -> tuple[Tensor, int]:
        """Turn a prompt into token ids (V, T), a row for each vocabulary, and count those cut."""
        rows = [each.tokenize(prompt, self.networks.words) for each in self.vocabularies]
        return torch.tensor([row for row, _ in rows]), max(cut for _, cut in rows)

    def embed_prompts(self, tokens: Tensor) -> Conditions:
        """Turn token ids (B, V, T) into what the UNet reads: states (B, T, D)."""
        (text,), ids = self.text_encoders, send(tokens[:, 0], self.device.torch_device)
        if self.clip_skip < 2:
            return {"states": text(ids).last_hidden_state}
        read = text(ids, output_hidden_states=True).hidden_states[-self.clip_skip]
        return {"states": getattr(text, "text_model", text).final_layer_norm(read)}

    def unet_kwargs(self, conditions: Conditions) -> dict[str, Any]:
        """Return the UNet's arguments beside the noisy latents."""
        return {"encoder_hidden_states": conditions["states"]}

    def pipeline_kwargs(self, wanted: Conditions, unwanted: Conditions) -> dict[str, Any]:
        """Return the pipeline's arguments for embedded prompts and negative ones (B, ...)."""
        return {
            "prompt_embeds": wanted["states"].to(self.denoiser_dtype),
            "negative_prompt_embeds": unwanted["states"].to(self.denoiser_dtype),
        }

    def draw_inputs(
        self,
        latents: Tensor,
        generator: torch.Generator,
        *,
        min_snr_gamma: float,
        noise_offset: float = 0.0,
        loss_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Add noise to latents (B, C, h, w) at drawn timesteps; return that and the target."""
        x = latents
        t = objectives.draw_timesteps(len(x), len(self.alphas_cumprod), generator)
        e = objectives.draw_noise(x.shape, noise_offset, generator)
        a = self.alphas_cumprod[t]
        return {
            "noised": objectives.add_noise(x, e, a),
            "timesteps": t,
            "target": objectives.TARGETS[self.prediction](x, e, a),
            "weights": objectives.min_snr_weight(self.prediction, a, min_snr_gamma),
            **({} if loss_weights is None else {"places": loss_weights}),
        }

    def compute_loss(self, inputs: Conditions) -> Tensor:
        """Return the loss of the UNet's prediction."""
        at, read = self.device.torch_device, dict(inputs)
        if "tokens" in read:
            read |= self.embed_prompts(read.pop("tokens"))
        noised = read["noised"].to(at, self.denoiser_dtype)
        told = self.unet_kwargs(read)
        seen = self.unet(noised, read["timesteps"].to(at), return_dict=False, **told)[0]
        places = read["places"].to(at) if "places" in read else None
        target, weights = read["target"].to(at), read["weights"].to(at)
        return objectives.weighted_mse(seen, target, weights, places)

    @property
    def pipeline_names(self) -> tuple[str, ...]:
        """Name UNet and text encoders as the pipeline does."""
        return ("unet", "text_encoder", "text_encoder_2")[: 1 + len(self.text_encoders)]

    def to_single_file(self, changed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the whole model's tensors as in a single file, with these parameters changed."""
        unet, *texts, vae = (
            {name: changed.get(f"{role}.{name}", own) for name, own in net.named_parameters()}
            for role, net in self.full_precision_networks().items()
        )
        opened = [text.config.hidden_act == "gelu" for text in self.text_encoders]
        content = singlefile_writer.to_single_file(
            unet, vae, list(zip(texts, opened, strict=True))
        )
        v = len(texts) > 1 and self.prediction == "v_prediction"  # the others are known by more
        for mark, stands in zip(singlefile.MARKS, (v, self.zero_terminal_snr), strict=True):
            content |= {mark: torch.zeros(0)} if stands else {}
        return {name: tensor.detach().cpu() for name, tensor in content.items()}

    def from_single_file(self, content: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Find the parameters of UNet and text encoders in a single file."""
        networks = {name: getattr(self.pipeline, name) for name in self.pipeline_names}
        found = singlefile.convert_tensors(dict(content), networks | {"vae": self.vae})
        return {
            f"{part.role}.{name}": tensor
            for part, network in zip(self.networks.parts, networks, strict=True)
            for name, tensor in found[network].items()
        }

    def guidance_kwargs(self, guidance: float) -> dict[str, Any]:
        """Return the pipeline's arguments for a guidance scale."""
        tiny = GUIDANCE_BY_RESOLUTION.get(self.vae.config.sample_size, guidance)
        return super().guidance_kwargs(tiny) | {
            "guidance_rescale": GUIDANCE_RESCALE if self.zero_terminal_snr else 0.0
        }

    def make_scheduler(self) -> Any:
        """Return a fresh scheduler: one keeps state from the picture before.

        A v-model with a last timestep of pure noise begins there (Lin et al., section 3.3).
        """
        scheduler = self.pipeline.scheduler
        if not self.zero_terminal_snr:
            return type(scheduler).from_config(scheduler.config, prediction_type=self.prediction)
        return diffusers.DDIMScheduler.from_config(
            scheduler.config, prediction_type=self.prediction, timestep_spacing="trailing"
        )


def call_processors(unet: torch.nn.Module) -> None:
    """Let each attention call its processor itself.

    diffusers' `Attention.forward` inspects the processor's signature at every call, only to find
    out which further arguments it takes; nothing here has any.
    """
    for module in unet.modules():
        if isinstance(module, diffusers.models.attention_processor.Attention):
            module.forward = partial(module.processor, module)


def make_unet_part(unet: torch.nn.Module, *, sgm: bool) -> Part:
    """Offer a UNet, whose layers have diffusers' names in files or those of sgm."""
    named = singlefile_writer.UnetNames(dict(unet.named_parameters())).layer if sgm else None
    return Part(
        "lora_unet", unet, ATTENTION_LAYERS, OTHER_LAYERS, file_layer_name=named,
        other_names=singlefile_writer.unet_layers,
    )  # fmt: skip


def make_text_part(prefix: str, text: torch.nn.Module) -> Part:
    """Offer a text encoder, by the names that files have had since before transformers 5.6."""
    above = "" if hasattr(text, "text_model") else "text_model."
    return Part(prefix, text, TEXT_ATTENTION_LAYERS, TEXT_MLP_LAYERS, above, is_text_encoder=True)
