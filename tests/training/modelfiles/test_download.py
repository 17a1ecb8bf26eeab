"""Downloads fetch only what is needed and safe, resume, and are checked, with the real client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from storage.errors import JobError
from tests.fakes.hub import COMMIT, FakeHub
from training.modelfiles import hub
from training.modelfiles.download import Fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "maker/model"
BIG = bytes(range(256)) * 40
LONG = 32 << 20  #: bytes; the client tells of ten million at a time
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "unet": ["diffusers", "UNet2DConditionModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    "image_encoder": [None, None],
    "force_zeros": True,
}
WHOLE = {
    "model_index.json": json.dumps(INDEX).encode(),
    "README.md": b"words",
    "all-in-one.safetensors": BIG,
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": BIG + b"full",
    "unet/diffusion_pytorch_model.fp16.safetensors": BIG,
    "unet/diffusion_pytorch_model.bin": BIG + b"pickle",
    "unet/diffusion_pytorch_model.non_ema.safetensors": BIG + b"other",
    "tokenizer/vocab.json": b"[]",
    "tokenizer/merges.txt": b"a b",
    "safety_checker/model.safetensors": BIG + b"watch",
}
NEEDED = {
    "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
    "tokenizer/vocab.json", "tokenizer/merges.txt",
}  # fmt: skip


@pytest.fixture
def fake_hub() -> Iterator[FakeHub]:
    """Return a running hub with one repository."""
    with FakeHub({NAME: dict(WHOLE)}) as opened:
        yield opened


def download(fake_hub: FakeHub, cache: Path, **more: Any) -> tuple[hub.Note, list[dict[str, Any]]]:
    """Download a model and return its events."""
    told: list[dict[str, Any]] = []
    noted = Fetch(NAME, told.append, endpoint=fake_hub.url, cache=cache, **more).run()
    return noted, told


def test_needed(fake_hub: FakeHub, tmp_path: Path) -> None:
    """Only the pipeline's safetensors, JSON and text are fetched, in fp16, and checked."""
    noted, told = download(fake_hub, tmp_path)
    place = hub.find_cached(NAME, tmp_path)

    assert place is not None
    assert {str(p.relative_to(place)) for p in place.rglob("*") if p.is_file()} == NEEDED
    assert (place / "unet/diffusion_pytorch_model.fp16.safetensors").read_bytes() == BIG
    assert set(noted.files) == NEEDED
    assert noted.checked
    assert (noted.commit, noted.whole) == (COMMIT, True)
    assert hub.read_note(NAME, tmp_path) == noted
    assert told[-1]["done"] == told[-1]["bytes"] == sum(len(WHOLE[name]) for name in NEEDED)


def test_halves(fake_hub: FakeHub, tmp_path: Path) -> None:
    """If one network has no half precision, all are fetched in full: a mixture does not load."""
    fake_hub.files[NAME] |= {
        "model_index.json": json.dumps(INDEX | {"vae": ["diffusers", "AutoencoderKL"]}).encode(),
        "vae/diffusion_pytorch_model.safetensors": BIG + b"vae",
    }

    noted, _ = download(fake_hub, tmp_path)

    assert {name for name in noted.files if name.endswith("safetensors")} == {
        "unet/diffusion_pytorch_model.safetensors", "vae/diffusion_pytorch_model.safetensors",
    }  # fmt: skip


def test_captioner(fake_hub: FakeHub, tmp_path: Path) -> None:
    """A captioner's top folder is fetched, shards with their index."""
    fake_hub.files[NAME] = {
        "config.json": b"{}", "vocab.txt": b"a", "model.safetensors.index.json": b"{}",
        "model-00001-of-00002.safetensors": BIG, "model-00002-of-00002.safetensors": BIG[1:],
        "pytorch_model.bin": BIG, "onnx/model.safetensors": BIG,
    }  # fmt: skip

    noted, _ = download(fake_hub, tmp_path)

    assert set(noted.files) == set(fake_hub.files[NAME]) - {
        "pytorch_model.bin",
        "onnx/model.safetensors",
    }


def test_kept(fake_hub: FakeHub, tmp_path: Path) -> None:
    """Present files are not requested again; damaged ones are fetched again."""
    download(fake_hub, tmp_path)
    blobs = tmp_path / "models--maker--model" / "blobs"
    damaged = next(path for path in blobs.iterdir() if path.stat().st_size == len(BIG))
    damaged.write_bytes(b"?" * len(BIG))
    fake_hub.requests.clear()

    download(fake_hub, tmp_path)

    assert damaged.read_bytes() == BIG
    assert {name for name in fake_hub.list_downloads() if not name.startswith("/")} == {
        "unet/diffusion_pytorch_model.fp16.safetensors"
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"gated": {NAME}}, "hub_gated"),
        ({"files": {}}, "hub_unknown"),
        ({"files": {NAME: {"README.md": b"words"}}}, "hub_layout"),
        ({"files": {NAME: {"config.json": b"{}", "pytorch_model.bin": BIG}}}, "hub_pickles"),
        ({"files": {NAME: WHOLE | {"model_index.json": b"["}}}, "hub_layout"),
        ({"corrupt": {"unet/config.json"}}, "hub_damaged"),
        ({"corrupt": {"unet/diffusion_pytorch_model.fp16.safetensors"}}, "hub_damaged"),
    ],
)
def test_refused(fake_hub: FakeHub, tmp_path: Path, change: dict[str, Any], code: str) -> None:
    """Missing, forbidden and wrong files end with a code, and the model is not installed."""
    for name, value in change.items():
        setattr(fake_hub, name, value)

    with pytest.raises(JobError) as refused:
        download(fake_hub, tmp_path)

    assert refused.value.code == code
    assert hub.find_cached(NAME, tmp_path) is None
    assert not list(tmp_path.rglob("*.part"))


def test_away(tmp_path: Path) -> None:
    """Without a network the download ends with a code and the reason."""
    with FakeHub() as gone:
        pass

    with pytest.raises(JobError) as refused:
        download(gone, tmp_path)

    assert refused.value.code == "hub_away"
    assert refused.value.facts["reason"]


def test_space(fake_hub: FakeHub, tmp_path: Path) -> None:
    """A download that does not fit on the disk is not started."""
    with pytest.raises(JobError) as refused:
        download(fake_hub, tmp_path, keep=1 << 40)

    assert refused.value.code == "fetch_space"
    assert fake_hub.list_downloads()[-1].endswith("model_index.json")


@pytest.mark.parametrize("noted", [True, False])
def test_here_meanwhile(fake_hub: FakeHub, tmp_path: Path, noted: bool) -> None:
    """An installed model stays installed if another fetch fails."""
    download(fake_hub, tmp_path)
    if not noted:  # the hub's own client brought it
        (tmp_path / "models--maker--model" / hub.NOTE).unlink()
        refs = tmp_path / "models--maker--model" / "refs"
        refs.mkdir(exist_ok=True)
        (refs / "main").write_text(COMMIT)

    with pytest.raises(JobError, match="fetch_space"):
        download(fake_hub, tmp_path, keep=1 << 40)
    fake_hub.files[NAME] = WHOLE | {"tokenizer/added.json": b"[1]"}
    fake_hub.corrupt = {"tokenizer/added.json"}
    with pytest.raises(JobError, match="hub_damaged"):
        download(fake_hub, tmp_path)
    fake_hub.files[NAME] = {"config.json": b"{}", "pytorch_model.bin": BIG}
    with pytest.raises(JobError, match="hub_pickles"):
        download(fake_hub, tmp_path)

    assert hub.find_cached(NAME, tmp_path) is not None


def test_unseen(fake_hub: FakeHub, tmp_path: Path) -> None:
    """For files without a hash the note says that they are unchecked."""
    fake_hub.hashless = True

    noted, _ = download(fake_hub, tmp_path)

    assert noted.whole
    assert not noted.checked
    assert all("sha256" in file and not file["checked"] for file in noted.files.values())


def running(fake_hub: FakeHub, home: Path, *names: str) -> subprocess.Popen[str]:
    """Start the command."""
    known = {
        "SAFELIGHT_HOME": str(home),
        "HF_HOME": str(home / "hub"),
        "HF_ENDPOINT": fake_hub.url,
    }
    known |= {"SAFELIGHT_DISK_MB": "0", "SAFELIGHT_BASES": str(home / "own.toml")}
    command = [sys.executable, "-m", "training", "bases", *names]
    return subprocess.Popen(command, env=os.environ | known, stdout=subprocess.PIPE, text=True)


@pytest.mark.slow(3)
def test_interrupted(fake_hub: FakeHub, tmp_path: Path) -> None:
    """A download stopped in the middle of a file resumes at that byte."""
    (tmp_path / "own.toml").write_text(
        f'[bases.mine]\ntitle = "Mine"\nfamily = "sd1"\nsource = "{NAME}"\n'
        'resolution = 64\ngood = "tests"\nsmall = true\n'
    )
    fake_hub.files[NAME] |= {"unet/diffusion_pytorch_model.fp16.safetensors": bytes(LONG)}
    fake_hub.stall_after = 24 << 20
    with running(fake_hub, tmp_path, "fetch", "mine") as first:
        for line in first.stdout:
            if json.loads(line).get("done", 0) > 15 << 20:
                break
        first.send_signal(signal.SIGINT)
        first.communicate()
    (part,) = (tmp_path / "hub").rglob("*.part")
    come = part.stat().st_size
    fake_hub.stall_after = 0
    fake_hub.stalled.set()
    with running(fake_hub, tmp_path, "fetch", "mine") as second:
        lines = [json.loads(line) for line in second.stdout]
    with running(fake_hub, tmp_path) as third:
        listed = json.loads(third.stdout.readline())

    assert (first.returncode, second.returncode) == (130, 0)
    assert come
    assert f"bytes={come}-" in {wanted for _, _, wanted in fake_hub.requests}
    assert (lines[0]["kind"], lines[-1]["kind"], lines[-1]["unseen"]) == ("fetch", "fetched", [])
    mine = next(base for base in listed["bases"] if base["name"] == "mine")
    assert (mine["present"], mine["checked"], mine["lack"]) == (True, True, "")
    assert mine["bytes"] > LONG
