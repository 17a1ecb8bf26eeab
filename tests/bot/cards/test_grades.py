"""`/style report`: a style is graded for its owner, who alone sees photos beside what it draws."""

from __future__ import annotations

import json

import pytest

from bot.card import Card
from bot.cards.components import row
from bot.cards.grades import Json, Nearest, Show, ShowPair
from bot.wording import grades as said
from bot.wording.errors import ERRORS
from storage.events import Done, PictureDrawn, Progress
from storage.folders import write_json
from storage.records import Kind, Status

GRADES = {"likeness": 0.6, "obedience": None, "variety": 0.9, "copies": 0.5, "forgetting": 0.1}
SCORE = {"mean": 0.515, "spread": 0.04, "seeds": 3}


@pytest.fixture
async def taught(scheduler):
    """Return alice and a style that she has trained on three photos."""
    alice, job = await scheduler.start_training()
    style = await scheduler.finish_training(job)
    await scheduler.let_bot_poll(2)
    return alice, style


async def order(kit, who, style):
    """Ask for a report; return the answer."""
    return await who.slash(kit.channel, "style report", style=str(style.id))


async def draw(kit, scheduler, *, nearest=0):
    """Do the grade job that waits: two pictures, the second a copy of a photo."""
    job = await scheduler.claim(Kind.GRADE)
    photos = [each.id for each in await kit.store.photos.list_for(job.dataset, job.owner)]
    folder = kit.store.home.job_folder(job.folder)
    folder.result.mkdir(parents=True)
    pictures = []
    for at in range(2):
        (folder.result / f"{at:03}.png").write_bytes(kit.draw_photo(at, (64, 64)))
        pictures.append({
            "file": f"{at:03}.png", "prompt": "a mydog emoji", "photo": photos[nearest],
            "cosine": 0.9, "ssim": 0.5 + at / 3, "copied": bool(at),
        })  # fmt: skip
        await scheduler.add_event(job, PictureDrawn(f"{at:03}.png", 0, "a mydog emoji"))
    facts = {
        "style": "my dog", "base": "Safelight emoji", "photos": len(photos), "photo_ids": photos,
        "drawn": 12, "score": SCORE, "grades": GRADES, "leak": 0.3, "shift": None,
        "bindings": {"trigger": 0.8, "neither": 0.3, "base": 0.0}, "pictures": pictures,
        "sets": [
            {"name": "KID-EffLite2", "value": 0.04, "spread": 0.01, "refused": "", "facts": {}},
            {"name": "FID", "value": None, "spread": None, "refused": "inception_missing",
             "facts": {}},
        ],
        "computed_by": dict.fromkeys([*GRADES, "shift"], "EfficientNet-Lite2"),
    }  # fmt: skip
    write_json(folder.report_file, {"run_info": {}, "safelight": facts})
    await scheduler.add_event(job, Done(12))
    await kit.store.jobs.end_run(job.id, job.fence, Status.DONE)
    await scheduler.let_bot_poll(2)
    await scheduler.let_bot_poll(1)
    return job


async def test_a_report(kit, scheduler, taught):
    """It waits and is drawn in an answer for its owner alone, who gets it directly, once."""
    alice, style = taught
    cards = len(kit.channel.history())
    answer = await order(kit, alice, style)
    assert answer.ephemeral
    assert kit.says(answer, said.WAITING, name="my dog", place="1")
    assert kit.labels(answer.response) == [said.REFRESH, said.CANCEL]
    again = await order(kit, alice, style)  # the same one
    assert kit.says(again, said.WAITING, name="my dog", place="1")
    (job,) = [each for each in await kit.store.jobs.list_open() if each.kind is Kind.GRADE]
    assert (job.style, job.channel, job.request["name"]) == (style.id, 0, "my dog")

    await kit.restart()
    await draw(kit, scheduler)

    sent = alice.user.dm_channel.last_message
    assert kit.says(sent, said.SCORE, mean="52", spread="4", seeds=3)
    assert kit.says(sent, said.COPIES, copies="6", pictures="12")
    assert "more like the photos, by 30 of 100" in kit.text(sent)
    assert "KID-EffLite2 0.040 ± 0.010" in kit.text(sent)
    assert "FID: not computed" in kit.text(sent)
    assert kit.text(sent).count(said.OBEDIENCE_UNKNOWN) == 1
    assert [file.filename for file in sent.attachments] == ["report.png"]
    assert kit.labels(sent) == [said.NEAREST_BUTTON, said.JSON, said.AGAIN]
    refreshed = await alice.click(answer.response, label=said.REFRESH)
    assert kit.labels(refreshed.response)[0] == said.SHOW
    assert len(kit.channel.history()) == cards
    numbers = await alice.user.click(sent, label=said.JSON)
    (file,) = numbers.followups[-1].attachments
    assert json.loads(await file.read())["safelight"]["score"] == SCORE


async def test_it_is_shared_without_photos(kit, scheduler, taught):
    """What the channel sees has the card alone; nobody else may press for more."""
    alice, style = taught
    eve = kit.add_member("eve")
    await order(kit, alice, style)
    job = await draw(kit, scheduler)
    mine = await order(kit, alice, style)

    await alice.click(mine.response, label=said.SHOW)

    shown = kit.channel.last_message
    assert kit.says(shown, said.SHOWN_BY, name="my dog", owner=alice.id)
    assert [file.filename for file in shown.attachments] == ["report.png"]
    assert kit.labels(shown) == ["Report"]
    form = await eve.click(shown, label="Report")
    assert form.modal
    forged = Card(row(Nearest(job.id), Json(job.id), Show(job.id), ShowPair(job.id)))
    await kit.bot.get_channel(kit.channel.id).send(view=forged)
    for label in (said.NEAREST_BUTTON, said.JSON, said.SHOW, said.SHOW_PAIR):
        refused = await eve.click(kit.channel.last_message, label=label)
        assert kit.says(refused, ERRORS["job_unknown"])
    foreign = await order(kit, eve, style)
    assert kit.says(foreign, ERRORS["styles_none"])


async def test_the_nearest_photo(kit, scheduler, taught):
    """Its owner sees it until it is deleted, and may show it to others."""
    alice, style = taught
    await order(kit, alice, style)
    job = await draw(kit, scheduler)
    mine = await order(kit, alice, style)
    photo, *_ = await kit.store.photos.list_for(job.dataset, alice.id)
    kit.store.home.preview_file(photo.digest).write_bytes(kit.draw_photo(3))

    near = (await alice.click(mine.response, label=said.NEAREST_BUTTON)).followups[-1]
    assert [file.filename for file in near.attachments] == ["nearest.png"]
    assert said.NEAREST_COPY in kit.text(near)
    await alice.click(near, label=said.SHOW_PAIR)
    assert kit.says(kit.channel.last_message, said.PAIR_SHOWN, owner=alice.id, name="my dog")

    await kit.store.photos.remove(photo.id, alice.id)
    gone = (await alice.click(mine.response, label=said.NEAREST_BUTTON)).followups[-1]
    assert kit.text(gone) == said.NEAREST_GONE
    late = await alice.click(near, label=said.SHOW_PAIR)
    assert kit.says(late, ERRORS["report_gone"])
    assert kit.says(await order(kit, alice, style), said.PHOTOS_GONE, gone="1")


async def test_a_photo_of_somebody_else(kit, scheduler, taught):
    """It is never offered to be shown, and a report goes with what its contributor takes back."""
    alice, style = taught
    bob = kit.add_member("bob")
    dataset = (await kit.store.jobs.get(style.job)).dataset
    photo, *_ = await kit.store.photos.list_for(dataset, alice.id)
    sql = "UPDATE photos SET contributor = :bob WHERE id = :photo"
    await kit.store._database.execute(sql, bob=bob.id, photo=photo.id)
    kit.store.home.preview_file(photo.digest).write_bytes(kit.draw_photo(3))
    await order(kit, alice, style)
    job = await draw(kit, scheduler)
    mine = await order(kit, alice, style)

    near = (await alice.click(mine.response, label=said.NEAREST_BUTTON)).followups[-1]
    assert kit.labels(near) == []
    await kit.store.withdrawals.withdraw(bob.id, delete_styles=False)

    assert not kit.store.home.job_folder(job.folder).path.exists()
    late = await alice.click(mine.response, label=said.JSON)
    assert kit.says(late, ERRORS["job_unknown"])


async def test_what_cannot_be_graded(kit, scheduler, taught):
    """Without its photos, or with two reports waiting, it says so; a failed one says why."""
    alice, style = taught
    bare = await scheduler.add_style(alice, "my cat")
    refused = await order(kit, alice, bare)
    assert kit.says(refused, ERRORS["photos_few"], photos=0, least=2)
    answer = await order(kit, alice, style)
    job = await scheduler.claim(Kind.GRADE)
    await scheduler.add_event(job, Progress(5, 40))
    drawing = await alice.click(answer.response, label=said.REFRESH)
    assert kit.says(drawing.response, said.DRAWING, name="my dog", drawn="5", total="40")

    await scheduler.fail(job, "memory_full")
    await scheduler.let_bot_poll(2)
    await scheduler.let_bot_poll(1)

    told = alice.user.dm_channel.last_message
    assert "It failed." in kit.text(told)
    assert kit.labels(told) == [said.AGAIN]
    again = await alice.user.click(told, label=said.AGAIN)
    cancelled = await alice.user.click(again.response, label=said.CANCEL)
    assert kit.says(cancelled.response, said.CANCELLED, name="my dog")
    assert [each for each in await kit.store.jobs.list_open() if each.kind is Kind.GRADE] == []
