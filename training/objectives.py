"""What a network is asked to predict, and how much each noise level counts: pure functions.

x is a clean latent, e the noise, a the cumulative product of 1 - beta at the chosen timestep.
Ho et al. 2020 (arXiv 2006.11239), Salimans and Ho 2022 (v, arXiv 2202.00512), Hang et al. 2023
(min-SNR, arXiv 2303.09556). Of a flow, s is the part of noise, from 0 to 1: Lipman et al. 2022
(arXiv 2210.02747), Liu et al. 2022 (arXiv 2209.03003), Esser et al. 2024 (arXiv 2403.03206).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def expand_as_picture(a: Tensor, like: Tensor) -> Tensor:
    """Give a number per picture the dimensions of pictures."""
    return a.view(-1, *(1,) * (like.ndim - 1))


def add_noise(x: Tensor, e: Tensor, a: Tensor) -> Tensor:
    """Mix noise into a latent (Ho et al., equation 4)."""
    a = expand_as_picture(a, x)
    return a.sqrt() * x + (1 - a).sqrt() * e


def draw_noise(shape: torch.Size, offset: float, generator: torch.Generator) -> Tensor:
    """Draw noise (B, C, H, W), and some that is the same all over a picture and channel.

    So darker and brighter pictures than most can be learnt (Guttenberg 2023, Diffusion with
    Offset Noise, crosslabs.org).
    """
    drawn = torch.randn(shape, generator=generator)
    if offset:
        drawn += offset * torch.randn(*shape[:2], *(1,) * len(shape[2:]), generator=generator)
    return drawn


def epsilon(x: Tensor, e: Tensor, a: Tensor) -> Tensor:  # noqa: ARG001  # one face for both
    """Ask for the noise (Ho et al., equation 14)."""
    return e


def velocity(x: Tensor, e: Tensor, a: Tensor) -> Tensor:
    """Ask for v = sqrt(a) e - sqrt(1 - a) x (Salimans and Ho, appendix D)."""
    a = expand_as_picture(a, x)
    return a.sqrt() * e - (1 - a).sqrt() * x


def rescale_zero_terminal_snr(a: Tensor) -> Tensor:
    """Rescale a schedule (T,) so that its last timestep is pure noise.

    The roots are shifted to end at zero and scaled to begin as before (Lin et al. 2023,
    arXiv 2305.08891, algorithm 1).
    """
    root = a.sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])).square()


CDF_MARGIN = 1e-6  #: nearer than that to its ends, no distribution is drawn from
TARGETS = {"epsilon": epsilon, "v_prediction": velocity}


def snr(a: Tensor) -> Tensor:
    """Divide signal by noise, in power."""
    return a / (1 - a)


def min_snr_weight(prediction: str, a: Tensor, gamma: float) -> Tensor:
    """Weigh timesteps by min-SNR (Hang et al., section 3.4); a gamma of zero weighs all alike.

    In terms of x the weight is min(SNR, gamma); a loss on e is SNR times one on x, a loss on v
    is SNR + 1 times it.
    """
    if gamma <= 0:
        return torch.ones_like(a)
    ratio = snr(a)
    capped = ratio.clamp(max=gamma)
    return capped / ratio if prediction == "epsilon" else capped / (ratio + 1)


def draw_timesteps(count: int, most: int, generator: torch.Generator) -> Tensor:
    """Draw uniform timesteps, one from each `count`-th of the schedule, for a steadier loss."""
    u = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return (u * most).long().clamp(max=most - 1)


def interpolate(x: Tensor, e: Tensor, s: Tensor) -> Tensor:
    """Go a part of the straight way from a latent to noise (Esser et al., equation 13)."""
    s = expand_as_picture(s, x)
    return (1 - s) * x + s * e


def flow_velocity(x: Tensor, e: Tensor) -> Tensor:
    """Ask for the direction of that way, the same all along it (Esser et al., section 2)."""
    return e - x


def draw_noise_levels(count: int, shift: float, generator: torch.Generator) -> Tensor:
    """Draw parts of noise (B,), most of them in the middle: logit-normal (Esser et al., 3.1).

    One comes from each `count`-th of the distribution, for a steadier loss. A shift above one
    moves them towards noise, as large pictures need (section 5.3.2, equation 23).
    """
    u = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    s: Tensor = torch.special.ndtri(u.clamp(CDF_MARGIN, 1 - CDF_MARGIN)).sigmoid()
    return shift * s / (1 + (shift - 1) * s)


def weighted_mse(
    predicted: Tensor, target: Tensor, weights: Tensor, places: Tensor | None = None
) -> Tensor:
    """Average the squared error (B, C, h, w) of each picture by its weight (B,).

    Within a picture, places may count differently, by their own weights (B, 1, h, w): a small
    thing is learnt as strongly as one that fills its picture.
    """
    error = (predicted.float() - target.float()).square()
    if places is None:
        return (error.flatten(1).mean(1) * weights).mean()
    shares = places.expand_as(error).flatten(1)
    return ((error.flatten(1) * shares).sum(1) / shares.sum(1) * weights).mean()
