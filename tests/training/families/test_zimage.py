"""Z-Image: prompts as in its pipeline, and its direction of time."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from PIL import Image
from safetensors.torch import load_file

from storage.errors import JobError
from tests.fakes.gpu import Fp16Device
from training import objectives
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Picture, zimage
from training.methods import lora
from training.networks import keys
from training.run.loop import train

PICTURE = Picture("a fox", "", 1, 2, 64, 64)


@pytest.mark.parametrize("prompt", ["", "a zorp, ünder a tree", "long " * 150])
def test_prompts(tiny_bases, prompt):
    """Prompts are embedded as by the pipeline, truncated ones, too."""
    with tiny_bases.borrow("tiny-zimage") as family, torch.no_grad():
        tokens, cut = family.tokenize(prompt)
        (ours,) = family.list_embeds(family.embed_prompts(tokens[None]))
        (theirs,), _ = family.pipeline.encode_prompt(prompt, do_classifier_free_guidance=False)

    assert tokens.shape == (2, zimage.MAX_TOKENS)
    assert (cut > 0) is (len(prompt) > zimage.MAX_TOKENS)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_prompts_together(tiny_bases):
    """Prompts of different lengths in one batch are embedded as each alone."""
    with tiny_bases.borrow("tiny-zimage") as family, torch.no_grad():
        tokens = [family.tokenize(prompt)[0] for prompt in ("a fox", "a very much longer fox")]
        together = family.list_embeds(family.embed_prompts(torch.stack(tokens)))
        alone = [family.list_embeds(family.embed_prompts(each[None]))[0] for each in tokens]

    assert len(alone[0]) < len(alone[1])
    for ours, theirs in zip(together, alone, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-5)


def test_loss(tiny_bases):
    """The transformer is called as by its pipeline: same noise, reversed time, negated output."""
    latents = torch.randn((2, 16, 8, 8), generator=torch.Generator().manual_seed(3))
    with tiny_bases.borrow("tiny-zimage") as family, torch.no_grad():
        told = family.embed_prompts(
            torch.stack([family.tokenize("a fox")[0], family.tokenize("")[0]])
        )
        loss = family.loss(latents, told, torch.Generator().manual_seed(1), min_snr_gamma=0.0)

        generator = torch.Generator().manual_seed(1)
        s = objectives.draw_noise_levels(2, zimage.TIMESTEP_SHIFT, generator)
        noise = torch.randn(latents.shape, generator=generator)
        scheduler = FlowMatchEulerDiscreteScheduler()
        scheduler.set_timesteps(sigmas=s.sort(descending=True).values.tolist())
        t = torch.stack(
            [scheduler.timesteps[(scheduler.sigmas[:-1] - each).abs().argmin()] for each in s]
        )
        noised = scheduler.scale_noise(latents, t, noise)
        prompts = family.list_embeds(told)
        seen = family.denoiser(list(noised[:, :, None]), (1000 - t) / 1000, prompts)[0]
        # a step of the scheduler goes by (next - now) times what the pipeline gives it
        flow = -torch.stack(seen)[:, :, 0]

    assert float(loss) == pytest.approx(
        float((flow - (noise - latents)).square().mean()), rel=1e-4
    )


def test_a_step_leads_to_the_picture():
    """With a known flow, one scheduler step reaches the picture."""
    x, e = torch.ones(1, 16, 2, 2), torch.full((1, 16, 2, 2), 3.0)
    scheduler = FlowMatchEulerDiscreteScheduler(shift=6.0)
    scheduler.set_timesteps(sigmas=[1.0])

    arrived = scheduler.step(objectives.flow_velocity(x, e), scheduler.timesteps[0], e).prev_sample

    assert torch.allclose(arrived, x)


def test_again(tiny_bases, make_recipe, make_job_folder, run_task):
    """The same recipe gives the same bytes, and gradient checkpointing keeps the gradients."""
    digests, weights = [], []
    for name, frugal in (("a", False), ("b", False), ("c", True)):
        asked = replace(
            make_recipe(
                min_snr_gamma=0.0, train_text_encoder=False, gradient_checkpointing=frugal
            ),
            base="tiny-zimage",
        )
        folder = make_job_folder(asked, name)
        digests.append(run_task(train(folder, tiny_bases))[-1].digest)
        weights.append(load_file(folder.result / "mydog.safetensors"))

    assert digests[0] == digests[1]
    assert weights[0].keys() == weights[2].keys()
    assert all(torch.allclose(t, weights[2][name], atol=1e-3) for name, t in weights[0].items())


def test_halves_may_be_called_otherwise(tiny_bases, make_recipe):
    """A LoRA is applied under peft's key names, which we write, and under kohya's."""
    with tiny_bases.borrow("tiny-zimage") as family:
        attached = lora.attach(family.networks, make_recipe(min_snr_gamma=0.0))
        for parameter in attached.parameters.values():
            parameter.data += 0.1
        file = attached.weights()
        attached.detach()
        drawn = []
        for tensors in (file, keys.to_kohya_keys(file)):
            lora.check(family.networks, tensors)
            with lora.apply(family.networks, tensors, "", 1.0):
                drawn.append(family.sample_image(PICTURE).tobytes())
        drawn.append(family.sample_image(PICTURE).tobytes())

    assert file.keys() != keys.to_kohya_keys(file).keys()
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(
    "more", [{"min_snr_gamma": 5.0}, {"min_snr_gamma": 0.0, "train_text_encoder": True}]
)
def test_what_it_has_not_is_refused(make_recipe, more):
    """Min-SNR and training its text encoder are refused."""
    with pytest.raises(JobError) as refused:
        make_recipe(family="zimage", **more)

    assert refused.value.code == ("text_flow" if "train_text_encoder" in more else "gamma_flow")


def test_half_precision(tiny_bases, make_recipe):
    """In bf16 the loss is finite, and trained weights are kept and learnt in fp32."""
    base = tiny_bases.find("tiny-zimage")
    family = zimage.load(tiny_bases.locate("tiny-zimage"), Halved(tiny_bases.device), base)
    attached = lora.attach(family.networks, make_recipe(min_snr_gamma=0.0))
    latents = family.encode([Image.new("RGB", (64, 64), "navy")])

    with torch.autocast("cpu", torch.bfloat16):
        told = family.embed_prompts(family.tokenize("a fox")[0][None])
        loss = family.loss(latents, told, torch.Generator().manual_seed(1), min_snr_gamma=0.0)
    loss.backward()

    trained = [p for p in attached.parameters.values() if p.grad is not None]
    assert family.denoiser.dtype is family.vae.dtype is torch.bfloat16
    assert loss.dtype is torch.float32
    assert torch.isfinite(loss)
    assert {p.dtype for p in trained} == {p.grad.dtype for p in trained} == {torch.float32}


def test_too_old(tiny_bases):
    """A GPU without bf16 is refused at once: its values overflow fp16."""
    older = BaseCache(tiny_bases.folder, Fp16Device(tiny_bases.device))

    with pytest.raises(JobError, match="base_precision"), older.borrow("tiny-zimage"):
        pass


class Halved(Device):
    """A CPU that computes in bf16."""

    dtype = torch.bfloat16

    def __init__(self, device):
        super().__init__(device.accelerator)


def test_words_are_not_learned(tiny_bases):
    """It has no vocabulary and no text encoder to train."""
    with tiny_bases.borrow("tiny-zimage") as family:
        assert family.networks.vocabularies == ()
        assert not family.networks.has_text_encoder
