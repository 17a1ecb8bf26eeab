"""Training objectives: what a network predicts, and how noise levels are drawn and weighted.

Diffusion: x is a clean latent (B, C, h, w), e the noise, a the cumulative product of 1 - beta at
the timestep (B,). Ho et al. 2020 (arXiv 2006.11239), Salimans and Ho 2022 (v-prediction, arXiv
2202.00512), Hang et al. 2023 (min-SNR, arXiv 2303.09556).

Flow matching: s is the share of noise (B,), from 0 to 1. Lipman et al. 2022 (arXiv 2210.02747),
Liu et al. 2022 (arXiv 2209.03003), Esser et al. 2024 (arXiv 2403.03206).
"""

from __future__ import annotations

from training.lazy import Tensor, torch


def expand_as_picture(a: Tensor, like: Tensor) -> Tensor:
    """Reshape a number per picture (B,) so that it broadcasts over pictures (B, ...)."""
    return a.view(-1, *(1,) * (like.ndim - 1))


def add_noise(x: Tensor, e: Tensor, a: Tensor) -> Tensor:
    """Return the latent with noise (Ho et al., equation 4)."""
    a = expand_as_picture(a, x)
    return a.sqrt() * x + (1 - a).sqrt() * e


def draw_noise(shape: torch.Size, offset: float, generator: torch.Generator) -> Tensor:
    """Draw noise (B, C, h, w), plus `offset` times one number for each picture and channel.

    With an offset a network learns pictures that are darker or brighter than most (Guttenberg
    2023, Diffusion with Offset Noise, crosslabs.org).
    """
    drawn = torch.randn(shape, generator=generator)
    if offset:
        drawn += offset * torch.randn(*shape[:2], *(1,) * len(shape[2:]), generator=generator)
    return drawn


def epsilon(x: Tensor, e: Tensor, a: Tensor) -> Tensor:  # noqa: ARG001  # one face for both
    """Return the target of epsilon prediction: the noise (Ho et al., equation 14)."""
    return e


def velocity(x: Tensor, e: Tensor, a: Tensor) -> Tensor:
    """Return the target v = sqrt(a) e - sqrt(1 - a) x (Salimans and Ho, appendix D)."""
    a = expand_as_picture(a, x)
    return a.sqrt() * e - (1 - a).sqrt() * x


def rescale_zero_terminal_snr(a: Tensor) -> Tensor:
    """Rescale cumulative products (T,) so that the last timestep is pure noise.

    Lin et al. 2023, arXiv 2305.08891, algorithm 1: square roots are shifted to end at zero and
    scaled to begin as before.
    """
    root = a.sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])).square()


CDF_MARGIN = 1e-6  #: keeps the normal distribution's quantiles finite
TARGETS = {"epsilon": epsilon, "v_prediction": velocity}


def snr(a: Tensor) -> Tensor:
    """Return the signal-to-noise ratio, in power."""
    return a / (1 - a)


def min_snr_weight(prediction: str, a: Tensor, gamma: float) -> Tensor:
    """Return min-SNR weights (B,) (Hang et al., section 3.4); all are 1 with a gamma of 0.

    For a loss on x the weight is min(SNR, gamma). A loss on e is SNR times one on x, a loss on v
    SNR + 1 times, so the weight is divided by that.
    """
    if gamma <= 0:
        return torch.ones_like(a)
    ratio = snr(a)
    clipped = ratio.clamp(max=gamma)
    return clipped / ratio if prediction == "epsilon" else clipped / (ratio + 1)


def draw_timesteps(count: int, most: int, generator: torch.Generator) -> Tensor:
    """Draw uniform timesteps (count,), one from each `count`-th of the schedule.

    Stratified draws make the loss of a batch steadier.
    """
    u = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return (u * most).long().clamp(max=most - 1)


def interpolate(x: Tensor, e: Tensor, s: Tensor) -> Tensor:
    """Return the point at s on the straight line from latent to noise (Esser et al., eq. 13)."""
    s = expand_as_picture(s, x)
    return (1 - s) * x + s * e


def flow_velocity(x: Tensor, e: Tensor) -> Tensor:
    """Return the target of flow matching: that line's direction (Esser et al., section 2)."""
    return e - x


def draw_noise_levels(count: int, shift: float, generator: torch.Generator) -> Tensor:
    """Draw shares of noise (count,), logit-normal (Esser et al., section 3.1), stratified.

    A shift above 1 moves them towards noise, as large pictures need (section 5.3.2, equation 23).
    """
    u = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    s: Tensor = torch.special.ndtri(u.clamp(CDF_MARGIN, 1 - CDF_MARGIN)).sigmoid()
    return shift * s / (1 + (shift - 1) * s)


def weighted_mse(
    predicted: Tensor, target: Tensor, weights: Tensor, places: Tensor | None = None
) -> Tensor:
    """Return the mean squared error of predictions (B, C, h, w), weighted by picture (B,).

    `places` (B, 1, h, w) also weighs the places of each picture, as shares of one: a small
    subject in a mask counts as much as one that fills its picture.
    """
    error = (predicted.float() - target.float()).square()
    if places is None:
        return (error.flatten(1).mean(1) * weights).mean()
    shares = places.expand_as(error).flatten(1)
    return ((error.flatten(1) * shares).sum(1) / shares.sum(1) * weights).mean()
