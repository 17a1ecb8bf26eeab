"""What families share that draw in latents: a denoiser, text encoders, a KL autoencoder."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
from PIL import Image

from training.device import Device
from training.families import Crop, Family, Picture
from training.lazy import Tensor, torch
from training.networks.conditioning import Conditions
from training.networks.memory import MIB, vae_bytes
from training.networks.quantize import quantize

PipelineReader = Callable[["torch.dtype"], Any]  #: a pipeline from a base's files, rounded to this


class LatentFamily(Family):
    """A resident base, as its pipeline in diffusers.

    What differs from one to the next is how prompts are read (`tokenize`, `embed_prompts`), how
    the denoiser is taught (`draw_inputs`, `compute_loss`), and how a pipeline is called
    (`pipeline_kwargs`).
    """

    guidance: float

    def __init__(
        self, read: PipelineReader, device: Device, denoiser: str, texts: Sequence[str]
    ) -> None:
        self.read_pipeline, self.device = read, device
        self.pipeline = pipeline = read(device.dtype)
        pipeline.set_progress_bar_config(disable=True)
        self.denoiser, self.vae = getattr(pipeline, denoiser), pipeline.vae
        self.text_encoders = [getattr(pipeline, text) for text in texts]
        for network in (self.denoiser, *self.text_encoders, self.vae):
            network.requires_grad_(False).eval().to(device.torch_device)
        self.modified = False  #: whether its numbers are no longer those of its files
        #: pixels of a latent's
        self.vae_scale_factor = 2 ** (len(self.vae.config.block_out_channels) - 1)
        self.size_multiple = 2 * self.vae_scale_factor

    def loss(
        self, latents: Tensor, conditions: Conditions, generator: torch.Generator, **options: Any
    ) -> Tensor:
        """Draw inputs and return their loss."""
        return self.compute_loss({**self.draw_inputs(latents, generator, **options), **conditions})

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        """Return the latents (B, C, h, w) of pictures of one size, on the CPU, without noise."""
        arrays = np.stack([np.array(picture.convert("RGB")) for picture in pictures])
        pixels = torch.from_numpy(arrays).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.no_grad(), self.with_free_memory("vae", vae_bytes(max(pixels.shape[2:]))):
            seen = self.run_vae(lambda given: self.vae.encode(given).latent_dist.mode(), pixels)
        latents: Tensor = (seen - self.vae_shift) * self.vae.config.scaling_factor
        return latents.float().cpu()

    @property
    def vae_shift(self) -> float:
        """Return what is subtracted from the VAE's latents before they are scaled."""
        return float(self.vae.config.shift_factor or 0.0)

    @property
    def denoiser_dtype(self) -> torch.dtype:
        """The type of the denoiser's weights, which is what it reads.

        diffusers' own `dtype` walks through all modules for it: 2 ms of a step.
        """
        dtype: torch.dtype = next(self.denoiser.parameters()).dtype
        return dtype

    def run_vae(self, through: Callable[[Tensor], Tensor], given: Tensor) -> Tensor:
        """Run the VAE; retry in fp32 if fp16 overflows, and stay in fp32."""
        with torch.autocast(self.device.torch_device.type, enabled=False):
            found = through(given.to(self.device.torch_device, self.vae.dtype))
            if self.vae.dtype is torch.float16 and not torch.isfinite(found).all():
                self.vae.float()
                found = through(given.to(self.device.torch_device, torch.float32))
        return found

    @abstractmethod
    def pipeline_kwargs(self, wanted: Conditions, unwanted: Conditions) -> dict[str, Any]:
        """Return the pipeline's arguments for embedded prompts and negative ones (B, ...)."""

    def guidance_kwargs(self, guidance: float) -> dict[str, Any]:
        """Return the pipeline's arguments for a guidance scale."""
        return {"guidance_scale": guidance}

    def size_conditioning(self, frame: Crop) -> Conditions:  # noqa: ARG002  # others tell
        """Return no conditions: the size of a photo means nothing to the denoiser."""
        return {}

    @property
    @abstractmethod
    def pipeline_names(self) -> tuple[str, ...]:
        """The pipeline's names of the networks that methods may change."""

    def full_precision_networks(self) -> dict[str, torch.nn.Module]:
        """Return the networks by role in fp32, read again if they are in half precision."""
        rounded = self.device.dtype is not torch.float32
        pipeline = self.read_pipeline(torch.float32) if rounded else self.pipeline
        pairs = zip(self.networks.parts, self.pipeline_names, strict=True)
        return {part.role: getattr(pipeline, name) for part, name in pairs} | {"vae": pipeline.vae}

    def sample_image(self, picture: Picture) -> Image.Image:
        """Draw one picture."""
        (drawn,) = self.sample_images([picture])
        return drawn

    def sample_images(self, pictures: Sequence[Picture]) -> list[Image.Image]:
        """Draw pictures of one size and as many steps at once."""
        painted = self.render_arrays(pictures)
        return [Image.fromarray((each * 255).round().astype("uint8")) for each in painted]

    def render_array(self, picture: Picture) -> np.ndarray[Any, Any]:
        """Draw one picture as an array (height, width, 3) of 0 to 1."""
        (painted,) = self.render_arrays([picture])
        return painted

    def render_arrays(self, pictures: Sequence[Picture]) -> list[np.ndarray[Any, Any]]:
        """Draw a batch of pictures as arrays (height, width, 3) of 0 to 1.

        The VAE, which takes most memory, decodes one at a time.
        """
        picture = pictures[0]
        with torch.no_grad():
            drawn = self.denoise(pictures)
            latents = drawn / self.vae.config.scaling_factor + self.vae_shift
            with self.with_free_memory("vae", vae_bytes(max(picture.height, picture.width))):
                return [self.decode_latent(latent[None]) for latent in latents]

    def denoise(self, pictures: Sequence[Picture]) -> Tensor:
        """Return the latents (B, C, h, w) that the pipeline makes of prompts and seeds."""
        picture, count = pictures[0], len(pictures)
        texts = [*(each.prompt for each in pictures), *(each.negative for each in pictures)]
        both = self.embed_prompts(torch.stack([self.tokenize(text)[0] for text in texts]))
        wanted = {name: rows[:count] for name, rows in both.items()}
        unwanted = {name: rows[count:] for name, rows in both.items()}
        sides = picture.height // self.vae_scale_factor, picture.width // self.vae_scale_factor
        shape = (1, self.vae.config.latent_channels, *sides)
        seeds = [torch.Generator().manual_seed(each.seed) for each in pictures]
        noise = torch.cat([torch.randn(shape, generator=seed) for seed in seeds])
        scheduler = self.pipeline.scheduler
        self.pipeline.scheduler = self.make_scheduler()
        try:
            drawn: Tensor = self.pipeline(
                **self.pipeline_kwargs(wanted, unwanted),
                **self.guidance_kwargs(self.guidance),
                latents=noise.to(self.device.torch_device, self.denoiser_dtype),
                num_inference_steps=picture.steps,
                height=picture.height,
                width=picture.width,
                output_type="latent",
            ).images
        finally:
            self.pipeline.scheduler = scheduler
        return drawn

    def decode_latent(self, latent: Tensor) -> np.ndarray[Any, Any]:
        """Decode one latent (1, C, h, w) to an array (height, width, 3) of 0 to 1."""
        pixels = self.run_vae(lambda given: self.vae.decode(given).sample, latent)
        painted = (pixels * 0.5 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).float()
        return painted.cpu().numpy()

    def make_scheduler(self) -> Any:
        """Return a fresh scheduler: one keeps state from the picture before."""
        scheduler = self.pipeline.scheduler
        return type(scheduler).from_config(scheduler.config)

    def set_gradient_checkpointing(self, enabled: bool) -> None:  # a switch
        """Switch gradient checkpointing: less memory, a third more time."""
        if enabled:
            self.denoiser.enable_gradient_checkpointing()
        else:
            self.denoiser.disable_gradient_checkpointing()

    def on_device(self, *parts: str) -> AbstractContextManager[None]:
        """Keep these parts on the device inside the block."""
        return self.moved(parts, self.device.torch_device)

    def off_device(self, *parts: str) -> AbstractContextManager[None]:
        """Move these parts off the device inside the block."""
        return self.moved(parts, torch.device("cpu"))

    def quantize(self) -> None:
        """Round the frozen denoiser to 4 bits (NF4); the base must be read again afterwards."""
        self.modified = True
        quantize(self.denoiser)

    @contextmanager
    def with_free_memory(self, part: str, needed: int) -> Iterator[None]:
        """Free so many bytes inside the block, if need be by moving all other parts off.

        A processor has no memory of its own to be short of.
        """
        if not self.device.total_mib() or self.device.available_mib() >= needed / MIB:
            yield
            return
        staying = {part, "denoiser"} if self.modified else {part}
        with self.off_device(*({"text", "denoiser", "vae"} - staying)):
            self.device.empty_cache()
            yield

    @contextmanager
    def moved(self, parts: Iterable[str], device: torch.device) -> Iterator[None]:
        """Move parts to a device inside the block."""
        networks = {"text": self.text_encoders, "denoiser": [self.denoiser], "vae": [self.vae]}
        moved = [network for part in parts for network in networks[part]]
        before = [network.device for network in moved]
        for network in moved:
            network.to(device)
        try:
            yield
        finally:
            for network, at in zip(moved, before, strict=True):
                network.to(at)
