"""The training objectives agree with diffusers."""

from __future__ import annotations

import pytest
import torch
from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.training_utils import compute_snr

from training import objectives


@pytest.fixture(scope="module")
def scheduler() -> DDPMScheduler:
    """Return a reference noise schedule."""
    return DDPMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012)


@pytest.fixture(scope="module")
def inputs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return latents, noise and timesteps."""
    generator = torch.Generator().manual_seed(1)
    x, e = torch.randn(2, 5, 4, 6, 6, generator=generator)
    return x, e, torch.tensor([0, 1, 300, 700, 999])


def test_noise(scheduler: DDPMScheduler, inputs: tuple[torch.Tensor, ...]) -> None:
    """Noise is added as by diffusers."""
    x, e, t = inputs

    ours = objectives.add_noise(x, e, scheduler.alphas_cumprod[t])

    assert torch.allclose(ours, scheduler.add_noise(x, e, t), atol=1e-6)


def test_velocity(scheduler: DDPMScheduler, inputs: tuple[torch.Tensor, ...]) -> None:
    """The v target is diffusers' velocity; the epsilon target is the noise."""
    x, e, t = inputs
    a = scheduler.alphas_cumprod[t]

    assert torch.allclose(objectives.velocity(x, e, a), scheduler.get_velocity(x, e, t), atol=1e-6)
    assert objectives.epsilon(x, e, a) is e


def test_snr(scheduler: DDPMScheduler, inputs: tuple[torch.Tensor, ...]) -> None:
    """The signal-to-noise ratio is diffusers'."""
    t = inputs[2]

    ours = objectives.snr(scheduler.alphas_cumprod[t])

    assert torch.allclose(ours, compute_snr(scheduler, t), rtol=1e-3)


@pytest.mark.parametrize("gamma", [1.0, 5.0])
def test_weights_agree(
    scheduler: DDPMScheduler, inputs: tuple[torch.Tensor, ...], gamma: float
) -> None:
    """An error in x weighs min(SNR, gamma), whatever the network predicts."""
    x, e, t = inputs
    a = scheduler.alphas_cumprod[t].double()
    x, e = x.double(), e.double()
    wrong = x + 0.1  # the x a network believes in, at the same noised latent
    noised = objectives.add_noise(x, e, a)
    shaped = objectives.expand_as_picture(a, x)
    e_wrong = (noised - shaped.sqrt() * wrong) / (1 - shaped).sqrt()
    expected = (objectives.snr(a).clamp(max=gamma) * 0.01).mean()

    for kind, target in objectives.TARGETS.items():
        weights = objectives.min_snr_weight(kind, a, gamma)
        missed = target(wrong, e_wrong, a) - target(x, e, a)
        loss = (missed.square().flatten(1).mean(1) * weights).mean()

        assert torch.allclose(loss, expected, rtol=1e-4), kind


def test_no_weights() -> None:
    """A gamma of zero weighs all timesteps alike."""
    assert objectives.min_snr_weight("epsilon", torch.tensor([0.1, 0.9]), 0).tolist() == [1, 1]


def test_timesteps() -> None:
    """Timesteps are stratified over the schedule and follow from the seed."""
    draws = [
        objectives.draw_timesteps(4, 1000, torch.Generator().manual_seed(s)) for s in range(500)
    ]

    assert all((t // 250).tolist() == [0, 1, 2, 3] for t in draws)
    assert 495 < torch.cat(draws).float().mean() < 505
    assert torch.equal(
        draws[3], objectives.draw_timesteps(4, 1000, torch.Generator().manual_seed(3))
    )


def test_loss() -> None:
    """Each picture's mean squared error is multiplied by its weight."""
    predicted, target = torch.zeros(2, 4, 2, 2), torch.ones(2, 4, 2, 2)

    assert objectives.weighted_mse(predicted, target, torch.tensor([1.0, 3.0])) == 2


def test_offset() -> None:
    """Offset noise is noise plus a constant for each channel."""
    shape = torch.Size((2, 4, 8, 8))

    plain, more = (
        objectives.draw_noise(shape, offset, torch.Generator().manual_seed(1))
        for offset in (0.0, 0.5)
    )

    added = (more - plain).flatten(2)
    assert torch.equal(plain, torch.randn(shape, generator=torch.Generator().manual_seed(1)))
    assert torch.allclose(added, added[:, :, :1].expand_as(added), atol=1e-6)
    assert len(added[:, :, 0].unique()) == 8


def test_zeroed() -> None:
    """The rescaled schedule is diffusers' own, starts as before and ends in pure noise."""
    given = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
    theirs = DDPMScheduler(**given, rescale_betas_zero_snr=True).alphas_cumprod

    ours = objectives.rescale_zero_terminal_snr(DDPMScheduler(**given).alphas_cumprod)

    assert torch.allclose(ours, theirs, atol=1e-5)
    assert float(ours[-1]) == 0
    assert torch.allclose(objectives.rescale_zero_terminal_snr(ours), ours)


def test_places() -> None:
    """Places are weighted within a picture; the weights' sum does not matter."""
    error = torch.zeros(2, 3, 2, 2)
    error[:, :, 0] = 2.0
    error[1] *= 2
    upper = torch.tensor([[1.0, 1.0], [0.0, 0.0]]).expand(2, 1, 2, 2)
    weights, nothing = torch.ones(2), torch.zeros_like(error)

    assert objectives.weighted_mse(error, nothing, weights, upper) == (4 + 16) / 2
    assert objectives.weighted_mse(error, nothing, weights, 1 - upper) == 0
    alike = objectives.weighted_mse(error, nothing, weights, torch.full((2, 1, 2, 2), 0.3))
    assert torch.isclose(alike, objectives.weighted_mse(error, nothing, weights))


def test_mixed():
    """A flow mixes latent and noise linearly, as diffusers' scheduler does."""
    x, e, s = torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3), torch.tensor([0.9, 0.25])
    scheduler = FlowMatchEulerDiscreteScheduler()
    scheduler.set_timesteps(sigmas=s.tolist())

    ours = objectives.interpolate(x, e, s)

    assert torch.allclose(ours, scheduler.scale_noise(x, scheduler.timesteps, e), atol=1e-6)
    beyond = objectives.interpolate(x, e, s + 0.1)
    assert torch.allclose((beyond - ours) / 0.1, objectives.flow_velocity(x, e), atol=1e-4)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_levels(shift):
    """Noise levels are logit-normal, shifted as by the scheduler, and stratified."""
    draws = [
        objectives.draw_noise_levels(4, shift, torch.Generator().manual_seed(s))
        for s in range(500)
    ]
    s = torch.stack(draws).double()
    before = s / (shift - (shift - 1) * s)  # equation 23, solved for what is shifted
    normal = before.logit()

    assert s.min() > 0
    assert s.max() < 1
    assert abs(normal.mean()) < 0.05
    assert abs(normal.std() - 1) < 0.05
    assert all((each.diff() > 0).all() for each in s)
    scheduler = FlowMatchEulerDiscreteScheduler(shift=shift)
    scheduler.set_timesteps(sigmas=before[0].tolist())
    assert torch.allclose(scheduler.sigmas[:-1].double(), s[0], atol=1e-6)
    assert torch.equal(
        draws[3], objectives.draw_noise_levels(4, shift, torch.Generator().manual_seed(3))
    )
