"""What a denoiser is told beside the noisy picture: named tensors that its family alone knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.lazy import Tensor, torch

Conditions = Mapping[str, Tensor]  #: of one picture (...), or of a batch (B, ...)


def stack_conditions(several: Sequence[Conditions]) -> dict[str, Tensor]:
    """Put the conditions of single pictures (...) together to those of a batch (B, ...).

    Shorter ones are filled up with zeros to the longest.
    """
    return {name: pad_and_stack([each[name] for each in several]) for name in several[0]}


def pad_and_stack(rows: Sequence[Tensor]) -> Tensor:
    """Stack tensors (...), of any length where they have one."""
    if all(row.shape == rows[0].shape for row in rows):
        return torch.stack(list(rows))
    return torch.nn.utils.rnn.pad_sequence(list(rows), batch_first=True)


def split_conditions(batch: Conditions) -> list[dict[str, Tensor]]:
    """Take the conditions of a batch (B, ...) apart into those of single pictures (...)."""
    rows = zip(*batch.values(), strict=True)
    return [dict(zip(batch, row, strict=True)) for row in rows]
