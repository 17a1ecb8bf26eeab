"""Consent is asked for once, before any photo is kept."""

from __future__ import annotations

from bot import wording
from bot.cards.agreement import make_terms
from storage.tables.consents import Audience, Purpose, Terms


async def test_consent_card(kit):
    """Attachments wait until the member consents, and are then added."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")

    asked = await alice.slash(
        kit.channel, "dataset add", name="my dog", photo1=("a.png", kit.draw_photo(1))
    )
    before, terms = await kit.store.consents.list_for(alice.id), kit.text(asked)
    answer = await alice.click(asked.response, label="I agree")

    assert before == []
    assert "Before I keep your photos" in terms
    assert "1 new photo. My dog has 1." in kit.text(asked.response)
    assert answer.acknowledged
    (receipt,) = await kit.store.consents.list_for(alice.id)
    assert (receipt.version, receipt.via, receipt.dataset) == (wording.CONSENT, "button", None)
    assert (receipt.purpose, receipt.audience) == (Purpose.OWN_STYLES, Audience.SELF_AND_SHARES)
    assert receipt.terms in terms


async def test_no_consent(kit):
    """Without consent nothing is kept."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")
    photo = ("a.png", kit.draw_photo(1))

    asked = await alice.slash(kit.channel, "dataset add", name="my dog", photo1=photo)
    waited = dict(kit.bot.awaiting_consent)
    await alice.click(asked.response, label="Not now")

    assert len(waited) == 1
    assert kit.bot.awaiting_consent == {}
    assert wording.dataset.UNCHANGED in kit.text(asked.response)
    assert not await kit.store.consents.list_for(alice.id)


async def test_consent_after_restart(kit):
    """Consent given after a restart is recorded; the photos must be sent again."""
    alice = kit.add_member("alice")
    await alice.slash(kit.channel, "dataset new", name="my dog")
    asked = await alice.slash(
        kit.channel, "dataset add", name="my dog", photo1=("a.png", kit.draw_photo(1))
    )

    await kit.restart()
    await alice.click(asked.response, label="I agree")

    assert wording.consent.LATE in kit.text(asked.response)
    assert await kit.store.consents.has(alice.id, Terms(wording.CONSENT))


async def test_other_machines(kit):
    """Terms name other machines once one has joined, unless the member keeps photos off them."""
    alice = kit.add_member("alice")
    await kit.add_dataset(alice, photos=1)
    dataset = (await kit.store.datasets.list_for(alice.id))[0]
    alone = await make_terms(kit.bot, alice.id, dataset)
    await kit.store.nodes.note("lab/cuda0", remote=True, here=True)
    joined = await make_terms(kit.bot, alice.id, dataset)
    asked_again = not await kit.store.consents.has(alice.id, joined)
    await kit.store.staying.set(alice.id, stays=True)
    kept = await make_terms(kit.bot, alice.id, dataset)

    assert wording.consent.HERE in alone.text
    assert wording.consent.OTHER_MACHINES in joined.text
    assert (alone.other_machines, joined.other_machines) == (False, True)
    assert asked_again
    assert kept == alone
    assert await kit.store.consents.has(alice.id, kept)
