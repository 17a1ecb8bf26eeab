"""Finished files are handed over by the best way that is open."""

from __future__ import annotations

import pytest

from bot.actions import delivery
from storage.events import SmallCopy


@pytest.mark.parametrize(
    ("size", "public", "said"),
    [
        (2 << 20, None, "lies in Safelight's data folder as styles/1/my dog.safetensors"),
        (2 << 20, "https://photos.example.org", "Download it with the button, until <t:"),
    ],
)
async def test_too_big(kit, scheduler, size, public, said):
    """A file over the limit becomes a link, or without one a sentence."""
    await kit.restart(upload=1, public=public)
    _, job = await scheduler.start_training()
    await scheduler.finish_training(job, size)
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")

    assert "2 MB and this server takes 1 MB" in kit.text(result)
    assert said in kit.text(result)
    assert result.attachments == []
    buttons = [part for part in kit.components(result) if part.get("url")]
    assert len(buttons) == (1 if public else 0)
    if public:
        assert buttons[0]["url"].startswith("https://photos.example.org/get/1.")


async def test_smaller(kit, scheduler):
    """Where no link is to be had, the copy that fits is handed over, and what it costs is said."""
    await kit.restart(upload=1, public=None)
    _, job = await scheduler.start_training()
    assert job.request["max_file_bytes"] == 1 << 20
    copy = kit.store.home.job_folder(job.id).result / "my dog.small.safetensors"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(b"small")
    small = SmallCopy(copy.name, bytes=5, rank=4, error=0.061)
    await scheduler.finish_training(
        job, 2 << 20, small_copy=small, readable_by=("kohya", "ComfyUI")
    )
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")

    said = kit.text(result)
    assert "a smaller copy: rank 4, 6.1% of what it does is lost" in said
    assert "styles/1/my dog.safetensors" in said
    assert "Loads in kohya, ComfyUI." in said
    assert len(result.attachments) == 1


async def test_with_links_no_copy_is_asked_for(kit, scheduler):
    """A public address hands the whole file over, however large."""
    await kit.restart(upload=1, public="https://photos.example.org")
    _, job = await scheduler.start_training()

    assert job.request["max_file_bytes"] == 0


@pytest.mark.parametrize(("status", "code"), [(413, 40005), (400, 50045)])
async def test_refused(kit, scheduler, status, code):
    """A file that Discord refuses in spite of the limit goes the next way."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 0)
    await scheduler.let_bot_poll()
    (thread,) = kit.channel.threads
    kit.env.inject_error("POST", f"/channels/{thread.id}/messages", status=status, code=code)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()

    (result,) = kit.find_messages("is ready")

    assert "Discord did not take the file" in kit.text(result)


def test_limit():
    """The upload limit is the setting, or more where a server is boosted."""
    assert delivery.max_file_bytes(None, 20) == 20 << 20
