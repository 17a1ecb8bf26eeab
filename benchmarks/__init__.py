"""Benchmarks: each module prints a table; `RESULTS.md` keeps the figures with date and machine."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `python -m training` does, before torch
