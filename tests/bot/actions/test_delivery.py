"""Finished files are delivered in the best way available."""

from __future__ import annotations

import pytest

from bot import wording
from bot.actions import delivery
from storage.events import SmallCopy


@pytest.mark.parametrize(
    ("size", "public", "said"),
    [
        (2 << 20, None, wording.result.HAND),
        (2 << 20, "https://photos.example.org", wording.result.LINK),
    ],
)
async def test_too_big(kit, scheduler, size, public, said):
    """A file over the limit becomes a link, or a sentence if links are off."""
    await kit.restart(upload_mib=1, public_url=public)
    _, job = await scheduler.start_training()
    await scheduler.finish_training(job, size)
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")

    [style] = await kit.store.styles.list_for(job.owner)
    file = f"styles/{style.folder}/my dog.safetensors"
    assert kit.says(result, said, size="2 MB", limit="1 MB", file=file)
    assert result.attachments == []
    buttons = [part for part in kit.components(result) if part.get("url")]
    assert len(buttons) == (1 if public else 0)
    if public:
        assert buttons[0]["url"].startswith(f"https://photos.example.org/get/{style.folder}.")


async def test_smaller(kit, scheduler):
    """Without links a smaller copy that fits is sent, with what it costs."""
    await kit.restart(upload_mib=1, public_url=None)
    _, job = await scheduler.start_training()
    assert job.request["max_file_bytes"] == 1 << 20
    copy = kit.store.home.job_folder(job.folder).result / "my dog.small.safetensors"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"small")
    small = SmallCopy(copy.name, bytes=5, rank=4, error=0.061)
    await scheduler.finish_training(
        job, 2 << 20, small_copy=small, readable_by=("kohya", "ComfyUI"),
        readable_with={"Forge": "a copy", "Forge Neo": "a copy"},
    )  # fmt: skip
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")

    said = kit.text(result)
    assert kit.says(said, wording.result.SMALL, rank=4, error=0.0612)
    [style] = await kit.store.styles.list_for(job.owner)
    assert f"styles/{style.folder}/my dog.safetensors" in said
    assert kit.says(said, wording.result.LOADS, programs="kohya, ComfyUI")
    assert kit.says(said, wording.result.LOADS_WITH, programs="Forge, Forge Neo", need="a copy")
    assert len(result.attachments) == 1


async def test_with_links_no_copy_is_asked_for(kit, scheduler):
    """With a public address the whole file is linked, however large."""
    await kit.restart(upload_mib=1, public_url="https://photos.example.org")
    _, job = await scheduler.start_training()

    assert job.request["max_file_bytes"] == 0


@pytest.mark.parametrize(("status", "code"), [(413, 40005), (400, 50045)])
async def test_refused(kit, scheduler, status, code):
    """A file that Discord refuses despite the limit is delivered in the next way."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    (thread,) = kit.channel.threads
    kit.env.inject_error("POST", f"/channels/{thread.id}/messages", status=status, code=code)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")

    assert kit.says(result, wording.result.HAND_REFUSED)


def test_limit():
    """The upload limit is the setting, or more in a boosted server."""
    assert delivery.max_file_bytes(None, 20) == 20 << 20
