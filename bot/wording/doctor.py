"""The lines of `safelight doctor`."""

from __future__ import annotations

MARKS = {"ok": "✓ ok  ", "warn": "! warn", "fail": "✗ fail"}
VERDICTS = {
    "ok": "Everything is ready.",
    "warn": "Ready to run. Lines marked ! could be better.",
    "fail": "Not ready to run. Lines marked ✗ say what to fix.",
}
CHECKS = {
    "python": "Python {version}",
    "python_old": "Python {version}: Safelight needs 3.11 or newer",
    "sqlite": "SQLite {version}",
    "sqlite_old": "SQLite {version}: Safelight needs {oldest} or newer. It comes with Python, so"
    " install a newer Python",
    "torch": "torch {torch}",
    "torch_away": "torch can't be loaded: {reason}. Reinstall Safelight (see README.md)",
    "gpu": "{name}: {free} free, computing in {precision}",
    "gpu_away": "no GPU ({name}): the embedded base works, other bases would take hours",
    "gpu_unbuilt": "there is a GPU, but torch {torch} was built for CPUs only: install a CUDA build"
    " (https://pytorch.org/get-started/locally)",
    "gpu_driver": "there is a GPU, but its driver {driver} is too old for torch's CUDA {cuda}: update"
    " the driver, or install a torch for an older CUDA",
    "gpu_silent": "there is a GPU (driver {driver}), but torch doesn't see it: check nvidia-smi,"
    " CUDA_VISIBLE_DEVICES and the container's settings, or reboot",
    "reach": "{method} fits in memory on: {families}",
    "reach_none": "{method} doesn't fit in memory on any of the large bases",
    "machines": "other machines can join at {address}",
    "memory": "{free} of {total} memory free",
    "memory_low": "only {free} of {total} memory free: close other programs, or use a small base",
    "darkroom": "photos are opened in a process without access to {rights}",
    "darkroom_open": "photos are opened in a process with limits, but this system lets it reach"
    " {rights}; Linux 5.13 or newer closes that",
    "darkroom_broken": "photos can't be opened: the process for it doesn't start ({reason});"
    " reinstall Safelight (see README.md)",
    "faces": "crops of photos keep faces",
    "faces_extra": "crops of photos keep what stands out; to keep faces, uv sync --extra faces",
    "nets": "photos are examined for nudity and text in idle time",
    "nets_extra": "photos are not examined for nudity and text; for that, uv sync --extra photos",
    "disk": "{path}: {free} free, writes take {milliseconds} ms",
    "disk_slow": "{path}: writes take {milliseconds} ms, and every job waits for them; set"
    " SAFELIGHT_HOME to a faster disk",
    "disk_full": "{path}: the disk is full, and every job waits for room; free some",
    "disk_low": "{path}: only {free} free, and {kept} must stay free; make room, or lower"
    " SAFELIGHT_DISK_MB",
    "disk_closed": "{path}: not writable ({reason}); set SAFELIGHT_HOME to a folder that is",
    "database": "database: {path}, {jobs}",
    "database_new": "database: none yet; the first start makes {path}",
    "database_old": "database: {path}, {jobs}; it is of an earlier version, and the next start updates it",
    "database_away": "database: {path} is missing, but there are photos, styles or jobs. Put it back, or restore a"
    " backup: else the next start makes an empty one, and deletes what is there after {days} days",
    "database_broken": "database: {reason}; restore a backup, or move the whole folder {folder} away to start afresh",
    "quarantine": "{folder}: {what} that belong to no row of the database, there since {since}; each is deleted after"
    " {days} days. If the database is the wrong one, stop Safelight and put the right one back",
    "refused": "{sentence}",
    "token": "DISCORD_TOKEN looks like a token",
    "token_missing": "DISCORD_TOKEN is not set, so safelight run won't start; it explains how to get one. The demo and the other commands work without",
    "link": "PUBLIC_URL answers: members can upload in a browser, and get large files as links",
    "link_plain": "PUBLIC_URL answers, but not over HTTPS ({url}): large files go out as links, and browsers refuse the upload page",
    "link_unset": "PUBLIC_URL is not set: there is no upload page, and you hand over files above {limit} MiB yourself",
    "link_silent": "PUBLIC_URL does not answer at {url} ({reason}); while the bot runs, it should"
    " lead to {host}:{port}",
    "bases": "bases installed: {names}",
    "bases_away": "bases: they can't be listed ({reason}); see the lines above",
    "bases_missing": "bases not installed: {names}; get one with safelight bases fetch NAME, or put a"
    " .safetensors file into {folder}",
    "bases_wrong": "{sentence}",
    "captioner": "captions are written by {name}",
    "captioner_missing": "photos get no captions, because the captioner {name} is not installed: run safelight bases"
    " fetch {name}, or set SAFELIGHT_CAPTIONER=embedded",
    "captioner_unknown": "photos get no captions, because there is no captioner called {name}: set SAFELIGHT_CAPTIONER"
    " to one of {names}",
    "upload": "files up to {limit} MiB are posted on Discord (SAFELIGHT_UPLOAD_MIB)",
    "upload_high": "SAFELIGHT_UPLOAD_MIB={limit}, but servers without boosts accept at most 20 MiB",
    "photos": "photos: encrypted with the key {key} ({files})",
    "photos_plain": "photos: not encrypted. Keep the data folder on an encrypted disk, or set SAFELIGHT_PHOTO_KEYS",
    "photos_other": "photos: {files} not under the key {key} yet; run safelight encrypt",
    "photos_found": "photos: what was found in {photos} is not under the key {key} yet; run safelight encrypt",
    "photos_locked": "photos: {files} can't be read, as SAFELIGHT_PHOTO_KEYS lacks {keys}. Add these keys behind the others",
    "backup": "backups: {folder}, the last one {made} ago, verified {verified} ago",
    "backup_none": "no backups: set SAFELIGHT_BACKUP to a folder on another disk, or run safelight"
    " backup DIR",
    "backup_failed": "backups: the last one failed. {sentence}",
    "backup_old": "backups: the last one is {made} old; run safelight backup {folder}",
    "backup_unverified": "backups: none was verified in the last {days} days; run safelight backup"
    " --verify {folder}",
    "setting": "{problem}",
}
