"""What `safelight doctor` finds."""

from __future__ import annotations

MARKS = {"ok": "✓ ok  ", "warn": "! warn", "fail": "✗ fail"}
VERDICTS = {
    "ok": "Everything is in place.",
    "warn": "It will run; the lines marked ! tell what could be better.",
    "fail": "It will not run like this; the lines marked ✗ tell what to do.",
}
CHECKS = {
    "python": "Python {version}",
    "python_old": "Python {version}: Safelight needs 3.11 or newer",
    "sqlite": "SQLite {version}",
    "sqlite_old": "SQLite {version}: Safelight needs {oldest} or newer; it comes with Python, so use"
    " a newer one",
    "torch": "torch {torch}",
    "torch_away": "torch cannot be loaded: {reason}. Install the project anew (see README.md)",
    "gpu": "{name}: {free} free, computing in {precision}",
    "gpu_away": "no GPU: the embedded base works, others would take hours ({name})",
    "gpu_unbuilt": "a GPU is here, but torch {torch} is a build for processors alone: install one for"
    " CUDA (https://pytorch.org/get-started/locally)",
    "gpu_driver": "a GPU is here, but its driver {driver} is too old for torch's CUDA {cuda}: install a"
    " newer driver, or a torch for an older CUDA",
    "gpu_silent": "a GPU is here (driver {driver}), but torch sees none: nvidia-smi should list it; look"
    " at CUDA_VISIBLE_DEVICES and at the container's settings, or start the machine anew",
    "reach": "{method} fits on: {families}",
    "reach_none": "{method} fits on none of the large bases",
    "memory": "{free} of {total} memory free",
    "memory_low": "only {free} of {total} memory free: close other programs, or use a small base",
    "disk": "{path}: {free} free, a file is safe on it in {milliseconds:.1f} ms",
    "disk_slow": "{path}: a file is safe on it only in {milliseconds:.1f} ms, and every job waits"
    " for that; set SAFELIGHT_HOME to a faster disk",
    "disk_low": "{path}: {free} free, below the {kept} to be kept free; make room, or lower"
    " SAFELIGHT_DISK_MB",
    "disk_closed": "{path}: cannot be written ({reason}); set SAFELIGHT_HOME to a folder that can",
    "database": "database: {path}, {jobs}",
    "database_broken": "database: {reason}; put {path} aside and start anew, or restore it",
    "token": "DISCORD_TOKEN has the shape of a token",
    "token_missing": "DISCORD_TOKEN is missing; safelight run tells how to get one",
    "link": "PUBLIC_URL answers: files too large for Discord go out as links",
    "link_unset": "PUBLIC_URL is not set: files over {limit} MiB have to be handed over by hand",
    "link_silent": "PUBLIC_URL does not answer at {url} ({reason}); it should lead to"
    " {host}:{port} while the bot runs",
    "bases": "bases here: {names}",
    "bases_away": "bases: the training cannot list them ({reason}); see the lines above",
    "bases_missing": "bases not on this machine: {names}; safelight bases fetch NAME fetches one, or put"
    " a .safetensors file into {folder}",
    "bases_wrong": "{sentence}",
    "captioner": "captions are written by {name}",
    "captioner_missing": "the captioner {name} is not on this machine: safelight bases fetch {name}, or"
    " set SAFELIGHT_CAPTIONER=embedded",
    "upload": "files up to {limit} MiB are posted on Discord (SAFELIGHT_UPLOAD_MIB)",
    "upload_high": "SAFELIGHT_UPLOAD_MIB={limit}, but servers without boosts take 20 MiB at most",
    "setting": "{problem}",
}
