"""Terms, and the forms that take photos: they ask for consent only until it is given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bot import wording
from bot.bot import Bot, Interaction
from bot.cards.components import Form
from bot.cards.staying import may_leave
from bot.wording import fill, format_count, join_some, say
from storage.errors import UserError
from storage.records import Dataset
from storage.tables.consents import Audience, Purpose, Terms
from storage.tables.retention import notice_days

AGREED, ORIGINALS = "yes", "originals"  #: what a member ticks


async def make_terms(bot: Bot, member: int, dataset: Dataset | None = None) -> Terms:
    """Return what a member agrees to before they add photos: to their own dataset or another's."""
    catalog = await bot.store.catalog.read()
    bases, days = [base.title for base in catalog.bases if base.present], bot.settings.unused_days
    words = wording.consent
    template = wording.consent.KEPT_DAYS if days else ""
    notice = format_count(notice_days(days), "day")
    installed = say(words.BASES, bases=join_some(bases, len(bases))) if bases else ""
    others = await may_leave(bot.store, member)
    facts = {
        "installed": installed,
        "limit": say(template, days=days, notice=notice),
        "where": words.OTHER_MACHINES if others else words.HERE,
    }
    terms = Terms(
        wording.CONSENT, bases=tuple(bases), retention_days=days, other_machines=others,
        text=fill(words.TERMS, **facts),
    )  # fmt: skip
    if dataset is None or dataset.owner == member:
        return terms
    name = wording.escape(dataset.name)
    return replace(
        terms, purpose=Purpose.SHARED_DATASET, audience=Audience.OWNER_AND_SHARES,
        dataset=dataset.id, text=fill(words.SHARED_TERMS, owner=dataset.owner, name=name, **facts),
    )  # fmt: skip


async def has_agreed(interaction: Interaction, dataset: Dataset | None = None) -> bool:
    """Return whether the member agreed to the present terms, and still does."""
    bot, member = interaction.client, interaction.user.id
    return await bot.store.consents.has(member, await make_terms(bot, member, dataset))


async def record_consent(
    interaction: Interaction, via: str, dataset: Dataset | None = None, *, originals: bool = False
) -> None:
    """Record that the member agreed to the present terms, unless that is known.

    With another's dataset, they join it; raises UserError("invite_unknown") without an invitation.
    """
    bot, member = interaction.client, interaction.user.id
    terms = await make_terms(bot, member, dataset)
    if not await bot.store.consents.has(member, terms):
        await bot.store.consents.add(member, terms, via, originals=originals)
    if terms.dataset is not None:
        await bot.store.contributors.join(terms.dataset, member)


class PhotosForm(Form):
    """A form that takes photos; to members who have yet to agree, it shows the terms."""

    consent: ui.CheckboxGroup[Any] | None = None  #: none if the member agreed before

    def ask_consent(self, terms: Terms) -> None:
        """Add the terms, with a box to tick; for another's dataset, with one for originals."""
        words, shared = wording.consent, terms.dataset is not None
        more = words.TICK_MORE_SHARED if shared else words.TICK_MORE
        ticks = [discord.CheckboxGroupOption(label=words.TICK, value=AGREED, description=more)]
        if shared:
            label, more = words.TICK_ORIGINALS, words.TICK_ORIGINALS_MORE
            ticks.append(
                discord.CheckboxGroupOption(label=label, value=ORIGINALS, description=more)
            )
        self.consent = ui.CheckboxGroup(
            custom_id="consent", options=ticks, min_values=1, max_values=len(ticks)
        )
        self.add_field(words.LABEL, self.consent)
        self.add_item(ui.TextDisplay(f"{terms.text}\n{words.MORE}"))

    async def require_consent(
        self, interaction: Interaction, dataset: Dataset | None = None
    ) -> None:
        """Record the consent; raise UserError if none was given, here or before."""
        if self.consent is not None and AGREED in self.consent.values:
            originals = ORIGINALS in self.consent.values
            await record_consent(interaction, "form", dataset, originals=originals)
        elif self.consent is not None or not await has_agreed(interaction, dataset):
            raise UserError("consent_needed")
