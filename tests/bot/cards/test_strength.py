"""The strength that a result's card recommends."""

from __future__ import annotations

import pytest

from bot import wording
from storage.events import StrengthScored
from tests.fakes.discord import draw_photo


@pytest.mark.parametrize("best", [0.7, 1.0])
async def test_strength(kit, scheduler, best):
    """The result shows the style at several strengths, and which one to use."""
    _, job = await scheduler.start_training()
    await scheduler.report_preview(job, 100)
    folder = kit.store.home.job_folder(job.folder)
    for strength in (0.4, 0.7, 1.4):
        folder.strength_picture(strength).write_bytes(draw_photo(int(strength * 10)))
    scores = (0.31, 0.62, 0.5, 0.2)
    tried = StrengthScored(best, (0.4, 0.7, 1.0, 1.4), scores, (0.02, 0.02, 0.02, 0.02))
    await scheduler.add_event(job, tried)
    await scheduler.finish_training(job)
    await scheduler.let_bot_poll()
    (message,) = kit.find_messages("is ready")

    if best == 1:
        assert kit.says(message, wording.result.STRENGTH_FULL, least="0.4", most="1.4")
    else:
        facts = {"strength": "0.7", "score": "62", "full_score": "50"}
        assert kit.says(message, wording.result.STRENGTH_BEST, **facts)
    assert "strengths.png" in [each.filename for each in message.attachments]
    shown = [
        part["items"][0]["description"] for part in kit.components(message) if part["type"] == 12
    ]
    assert "What it draws at the strengths 0.4, 0.7, 1.0, 1.4" in shown
