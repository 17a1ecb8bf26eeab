"""LoCon (Yeh et al. 2023, arXiv 2309.14859): a LoRA of MLP and convolutions, too."""

from __future__ import annotations

from functools import partial

from training.methods import lora
from training.methods.lora import KIND, TAKES, WORDY, attach, check, worn

__all__ = ["KIND", "TAKES", "WORDY", "attach", "check", "rules", "worn"]

rules = partial(lora.rules, name="locon", wide=True)
