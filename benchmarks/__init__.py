"""Figures: each module prints one table; `RESULTS.md` keeps them with their date and machine."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `python -m training` does, before torch
