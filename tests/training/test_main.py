"""`python -m training` from end to end: real scheduler, real worker, embedded base."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from PIL import Image

from storage.events import CheckpointSaved, JobServed, Progress, Started
from storage.photosets.reader import open_set
from storage.records import Status
from storage.settings import read_settings
from training.cli.commands import parse
from training.settings import TrainingSettings
from training.styles.header import read_header as header
from training.styles.header import read_metadata

pytestmark = pytest.mark.slow(1)

ALICE, BOB = 1001, 1002
SHORT = {
    "steps": 28,
    "batch_size": 1,
    "sample_prompts": ["a mydog"],
}  #: of a training whose only checkpoint before its end is at 25


def tensors(file: bytes) -> bytes:
    """Return a style's bytes without its header, which has the job's date."""
    return file[8 + int.from_bytes(file[:8], "little") :]


@pytest.fixture
def settings(monkeypatch):
    """Set an operator's environment, including a token."""
    known = {"DEVICE": "cpu", "CAPTIONER": "embedded", "THREADS_CPU": "1", "NICE": "0"}
    for name, value in known.items():
        monkeypatch.setenv(f"SAFELIGHT_{name}", value)
    monkeypatch.setenv("DISCORD_TOKEN", "canary.canary.canary")


@pytest.mark.slow(16)
@pytest.mark.usefixtures("settings")
async def test_a_killed_worker_resumes_to_the_same_tensors(queue):
    """Killed after a checkpoint and two samples, it ends in the same tensors, byte for byte."""
    dataset = await queue.add_dataset()
    with queue.running_process("-m", "training") as scheduler:
        whole = await queue.wait_for(
            await queue.add_training(dataset=dataset, **SHORT), Status.DONE
        )
        job = await queue.add_training(dataset=dataset, **SHORT)
        await queue.wait_for_event(job, Progress)
        for style in (None, whole.style):
            await queue.wait_for(
                await queue.add_sample(ALICE, "a mydog emoji", style=style), Status.DONE
            )
        memory = psutil.Process(scheduler.pid).memory_info().rss / 2**20
        libraries = queue.read_proc(scheduler.pid, "maps")
        environ = queue.read_environ()
        await queue.wait_for_event(job, CheckpointSaved)
        os.kill(queue.read_handle()["pid"], signal.SIGKILL)
        done = await queue.wait_for(job, Status.DONE)
        scheduler.terminate()
        code = scheduler.wait()

    assert tensors(queue.read_result(job)) == tensors(queue.read_result(whole))
    assert len(await queue.store.events.list_kind(job.id, JobServed)) == 2
    assert (await queue.wait_for_event(job, Started, 2)).step == 25
    assert (done.attempts, code) == (1, 0)
    assert memory <= 80
    assert b"torch" not in libraries
    assert b"canary" not in environ
    assert not psutil.pid_exists(queue.read_handle()["pid"])


def command(*arguments: str, home: Path) -> tuple[int, list[dict]]:
    """Run a command for the shell; return its exit code and its lines."""
    known = os.environ | {"SAFELIGHT_HOME": str(home)}
    ran = subprocess.run(
        [sys.executable, "-m", "training", *arguments],
        env=known,
        capture_output=True,
        check=False,
        text=True,
    )
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()]


@pytest.fixture
def run_in_process(monkeypatch, capsys):
    """Run a shell command in this process, where torch is imported already."""

    def run(*arguments: str, home: Path) -> tuple[int, list[dict]]:
        monkeypatch.setenv("SAFELIGHT_HOME", str(home))
        ran, given = parse(arguments)
        code = ran.run(given, read_settings(TrainingSettings))
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


@pytest.fixture
def photos(tmp_path):
    """Return a folder of two pictures, a duplicate, and a caption."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in {"a.png": "red", "b.jpg": "blue", "c.png": "red"}.items():
        Image.new("RGB", (300, 280), colour).save(folder / name)
    (folder / "a.txt").write_text("my caption")
    return folder


@pytest.mark.slow(2)
@pytest.mark.usefixtures("settings")
def test_train_and_sample_for_a_shell(photos, tmp_path, run_in_process):
    """A style trained on a folder is in `--out` and can be sampled; no database is opened."""
    home, out = tmp_path / "home", tmp_path / "out"
    train = ("train", str(photos), "--name", "my dog", "--steps", "2", "--out", str(out))
    code, lines = run_in_process(*train, "--sample-prompt", "mydog", home=home)
    style = out / "my dog.safetensors"
    sample = ("sample", "--style", str(style), "--prompt", "mydog", "--steps", "1")
    drawn, pictures = run_in_process(*sample, "--out", str(out / "drawn"), home=home)
    refused, [other] = run_in_process(
        *sample, "--base", "sd9", "--out", str(out / "other"), home=home
    )

    kinds = [line["kind"] for line in lines]
    assert (code, kinds[3], kinds[-1]) == (0, "started", "done")
    notes = [line["code"] for line in lines[:3]]
    assert notes == ["copy_left_out", "captions_some", "photos_copied"]
    assert lines[-1]["file"] == str(style)
    assert "step" not in kinds
    (saved,) = (line["file"] for line in lines if line["kind"] == "checkpoint")
    assert Path(saved).exists()
    assert (out / "my dog.training" / "samples" / "loss.png").exists()
    assert (drawn, pictures[-1]["kind"]) == (0, "done")
    assert (refused, other["code"]) == (1, "base_unknown")
    assert (out / "drawn" / "0.png").exists()
    assert not home.exists()


@pytest.mark.slow(2)
@pytest.mark.usefixtures("settings")
def test_two_folders_for_a_shell(photos, tmp_path, run_in_process):
    """Two folders with their triggers become one style that knows both."""
    cat, out = tmp_path / "cat", tmp_path / "out"
    cat.mkdir()
    Image.new("RGB", (200, 200), "green").save(cat / "a.png")
    both = ("train", str(photos), "--photos", str(cat), "--name", "pets", "--out", str(out))
    triggers = ("--trigger", "mydog", "--trigger", "mycat")
    options = ("--steps", "1", "--shuffle", "--dropout", "0.1", "--optimizer", "adafactor")
    options += ("--sample-prompt", "mydog")

    uneven, refused = run_in_process(*both, "--trigger", "mydog", home=tmp_path / "home")
    code, lines = run_in_process(*both, *triggers, *options, home=tmp_path / "home")
    recipe = json.loads(read_metadata(header(out / "pets.safetensors"))["safelight.recipe"])

    assert (uneven, refused[-1]["code"]) == (1, "folders_uneven")
    assert (code, lines[-1]["kind"]) == (0, "done")
    assert (recipe["trigger"], recipe["photos"]) == ("mydog", 2)
    assert [(each["trigger"], each["photos"]) for each in recipe["other_concepts"]] == [
        ("mycat", 1)
    ]
    assert (recipe["shuffle_caption"], recipe["dropout"], recipe["optimizer"]) == (
        True,
        0.1,
        "adafactor",
    )


@pytest.mark.usefixtures("settings")
def test_captions_for_a_shell(photos, tmp_path, run_in_process):
    """Each picture gets a text file, the trigger first; one with a caption anywhere keeps it."""
    caption = ("caption", str(photos), "--trigger", "mydog", "--out", str(photos))
    (photos / "b.jpg.caption").write_text("by hand")
    Image.new("RGB", (300, 280), "teal").save(photos / "b.png")
    code, lines = run_in_process(*caption, home=tmp_path)
    kept, unchanged = run_in_process(*caption, home=tmp_path)
    _, again = run_in_process(*caption, "--again", home=tmp_path)

    assert (code, kept) == (0, 0)
    assert list_captions(lines) == [str(photos / "b.txt"), str(photos / "c.txt")]
    assert list_captions(unchanged) == []
    both = f"{photos / 'a.txt'}, {photos / 'c.txt'}"
    assert list_captions(again) == [both, str(photos / "b.jpg.txt"), str(photos / "b.txt")]
    copies = [line for line in again if line.get("code") == "copy_captioned"]
    assert [(each["copy"], each["file"]) for each in copies] == [("c.png", "a.png")]
    assert (photos / "b.txt").read_text().startswith("mydog")
    assert (photos / "b.jpg.caption").read_text() == "by hand"


@pytest.mark.usefixtures("settings")
def test_a_bad_picture_stops_no_other(photos, tmp_path, run_in_process):
    """It is named and left out, the exit code says so, and the others get captions or advice."""
    (photos / "b.jpg").write_text("not a picture")
    out = tmp_path / "out"
    code, lines = run_in_process("caption", str(photos), "--out", str(out), home=tmp_path)
    advised, answer = run_in_process("advise", str(photos), home=tmp_path)

    for told in (lines, answer):
        notes = [line for line in told if line.get("code", "copy_captioned") != "copy_captioned"]
        assert [(note["code"], note["file"]) for note in notes] == [("photo_unknown", "b.jpg")]
    assert (code, lines[-1]["kind"]) == (1, "done")
    assert list_captions(lines) == [f"{out / 'a.txt'}, {out / 'c.txt'}"]
    assert (advised, answer[-1]["kind"], answer[-1]["handed"]) == (1, "advised", 1)


def list_captions(lines: list[dict]) -> list[str]:
    """Return the caption files that a command tells of."""
    return [line["file"] for line in lines if line["kind"] == "caption"]


@pytest.mark.usefixtures("settings")
def test_a_pack_for_a_shell(photos, tmp_path, run_in_process):
    """Photos and captions are in the zip, which can be packed again; none replaces another."""
    pack = ("pack", str(photos), "--as", "kohya", "--trigger", "sks dog", "--out")
    code, lines = run_in_process(*pack, str(tmp_path / "a"), home=tmp_path)
    packed = lines[-1]["file"]
    again = ("pack", packed, "--as", "plain", "--out", packed)
    _, others = run_in_process(*again, home=tmp_path)

    assert (code, packed) == (0, str(tmp_path / "a.zip"))
    assert (lines[-1]["photos"], lines[-1]["captioned"]) == (2, 1)
    assert others[-1]["file"] == str(tmp_path / "a-2.zip")
    with open_set(tmp_path / "a-2.zip") as found:
        captions = {photo.name: photo.caption for photo in found.photos}
    assert captions == {"a.png": "my caption", "b.png": "sks dog"}


@pytest.mark.usefixtures("settings")
def test_samples_stay(tmp_path, run_in_process):
    """Further pictures get the next numbers, unless they may replace those that are there."""
    sample = ("sample", "--prompt", "a dog", "--steps", "1", "--out", str(tmp_path / "out"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "0.png").write_text("precious")
    _, lines = run_in_process(*sample, home=tmp_path)
    kept = (tmp_path / "out" / "0.png").read_bytes()
    run_in_process(*sample, "--overwrite", home=tmp_path)

    (drawn,) = (line["file"] for line in lines if line["kind"] == "picture")
    assert drawn == str(tmp_path / "out" / "1.png")
    assert kept == b"precious"
    assert (tmp_path / "out" / "0.png").read_bytes() == Path(drawn).read_bytes()


#: commands, with the code of what keeps each from beginning
HOPELESS = (
    (["train", "none", "--name", "a"], "folder_missing"),
    (["train", "home", "--name", "a"], "no_photos"),
    (["train", ".", "--name", "a"], "folders_many"),
    (["train", "bad", "--name", "a"], "photo_unknown"),
    (["train", "bad", "--name", "../a"], "name_bad"),
    (["train", "good", "--name", "a", "--base", "sd9"], "base_unknown"),
    (["sample", "--prompt", "a", "--base", "sd9"], "base_unknown"),
    (["caption", "good", "--captioner", "blib"], "captioner_unknown"),
    (["sample", "--prompt", "a", "--style", "none"], "style_missing"),
    (["sample", "--prompt", "a", "--style", "bad/not.png"], "style_foreign"),
)
#: runs commands one after the other, as if each were typed
RUN_ALL = """
import json, sys
from training.__main__ import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = [*arguments, "--out", "out"]
    assert main() == 1, arguments
assert "torch" not in sys.modules
"""


def test_what_cannot_begin(tmp_path):
    """A foreseen failure is the last line, with its code, before torch is imported."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "not.png").write_text("not a picture")
    (tmp_path / "good").mkdir()
    (tmp_path / "home").mkdir()
    Image.new("RGB", (80, 80), "red").save(tmp_path / "good" / "a.png")
    typed = json.dumps([arguments for arguments, _ in HOPELESS])
    known = {"SAFELIGHT_HOME": str(tmp_path / "home"), "PYTHONPATH": str(Path.cwd())}
    ran = subprocess.run(
        [sys.executable, "-c", RUN_ALL, typed], cwd=tmp_path, env=os.environ | known,
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in ran.stdout.splitlines()]

    assert (ran.returncode, ran.stderr) == (0, "")
    assert [line["code"] for line in lines if line["kind"] == "failed"] == [
        code for _, code in HOPELESS
    ]


def test_bases_are_listed(tmp_path):
    """Bases, missing ones included, and captioners are listed."""
    code, [line] = command("bases", home=tmp_path)

    present = {base["name"]: base["present"] for base in line["bases"]}
    assert (code, line["kind"], present["embedded"]) == (0, "bases", True)
    assert "captioner" in line


def test_a_wrong_setting_is_named(tmp_path, monkeypatch):
    """The start fails with a sentence that names the setting and shows an example."""
    monkeypatch.setenv("SAFELIGHT_DEVICE", "gpu")
    ran = subprocess.run(
        [sys.executable, "-m", "training"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert ran.returncode == 2
    assert "SAFELIGHT_DEVICE" in ran.stderr
    assert "SAFELIGHT_DEVICE=cuda:0" in ran.stderr


async def test_one_scheduler_a_home(queue):
    """A second scheduler does not start beside the first."""
    with queue.running_process("-m", "training") as first:
        while not (queue.home.path / "trainer.lock").exists():
            assert first.poll() is None
        with queue.running_process("-m", "training") as second:
            assert second.wait() == 3


@pytest.mark.skipif(sys.platform == "win32", reason="there is no flock")
async def test_a_scheduler_of_before_is_excluded(queue):
    """The lock is the same file and flock as before 0.2."""
    import fcntl  # noqa: PLC0415 - not on Windows

    with (queue.home.path / "trainer.lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with queue.running_process("-m", "training") as late:
            assert late.wait() == 3


def test_a_start_on_a_full_disk(small_disk):
    """A scheduler that waits for room before it starts says so, and ends when it is told to."""
    small_disk.fill()
    environment = os.environ | {"SAFELIGHT_HOME": str(small_disk.path / "home")}
    command = [sys.executable, "-m", "training"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as child:
        assert child.stderr is not None
        said = child.stderr.readline()
        child.terminate()
        child.wait(60)

    assert b"disk is full" in said
    assert child.returncode == -signal.SIGTERM
