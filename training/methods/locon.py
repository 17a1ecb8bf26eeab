"""LoCon (Yeh et al. 2023, arXiv 2309.14859): a LoRA of MLP and convolutions, too."""

from __future__ import annotations

from functools import partial

from storage.records import Method
from training.methods import lora
from training.methods.lora import KIND, attach, check, worn

__all__ = ["KIND", "METHOD", "attach", "check", "rules", "worn"]

METHOD = Method("locon", dropout=True)

rules = partial(lora.rules, name="locon", wide=True)
