"""Styles: the list, the card of one, and its buttons."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import discord
from discord import ui

from bot import wording
from bot.actions import sampling
from bot.actions.permissions import check_not_blocked, is_moderator
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import (
    Button,
    Select,
    defer,
    defer_update,
    edit,
    follow_up,
    open_modal,
    row,
    text,
)
from bot.cards.grades import Grade
from bot.cards.keep import Keep
from bot.cards.likes import likes_line
from bot.cards.report import AddReport
from bot.cards.sample import TryForm, queue_and_show, recommend_prompts
from bot.cards.upscaled import PictureCard
from bot.wording import fill, flatten, format_size, say
from storage.errors import UserError
from storage.records import Base, Catalog, Style
from storage.requests import SampleRequest
from storage.store import Store

DAY = 24 * 3600  #: seconds
DRAWN = 4  #: pictures of a recommended prompt
MAX_LABEL_CHARS = 80  #: Discord's limit for a button
MAX_STYLES = 25  #: styles in one list; Discord's selects take no more


def styles_card(styles: list[Style], member: int, guild: int, catalog: Catalog) -> Card:
    """Return a list of the styles that a member can use on a server."""
    if not styles:
        return Card(text(wording.style.LIST_TITLE, wording.style.LIST_NONE))
    shown = styles[:MAX_STYLES]
    lines = [style_line(style, member, guild, catalog) for style in shown]
    card = Card(text(wording.style.LIST_TITLE, *lines))
    return card.add(row(Pick(options=[style_option(style, catalog) for style in shown])))


def style_line(style: Style, member: int, guild: int, catalog: Catalog) -> str:
    """Return a style's name, method and maker."""
    method = catalog.method_title(style.method)
    said = say(wording.style.LIST_LINE, name=style.name, method=method)
    return said + owner_note(style, member, guild)


def owner_note(style: Style, member: int, guild: int) -> str:
    """Return whose a style is if it is not the member's, or that it is shared here."""
    if style.owner is not None and style.owner != member:
        return say(wording.style.BY, owner=style.owner)
    return wording.style.SHARED_HERE if guild in style.shared else ""


def style_option(style: Style, catalog: Catalog) -> discord.SelectOption:
    """Return the option to select a style."""
    return discord.SelectOption(
        label=flatten(style.name, 100),
        value=str(style.id),
        description=flatten(catalog.method_title(style.method), 100),
    )


async def style_card(interaction: Interaction, style: Style) -> Card:
    """Return the card of one style, with what the member may do with it."""
    member, guild = interaction.user.id, interaction.guild_id or 0
    catalog = await interaction.client.store.catalog.read()
    facts = say(
        wording.style.FACTS,
        method=catalog.method_title(style.method),
        base=catalog.base_title(style.base),
        size=format_size(style.bytes),
        when=int(style.created),
        trigger=style.trigger,
    )
    title = say(wording.style.TITLE, name=style.name) + owner_note(style, member, guild)
    liked = likes_line(await interaction.client.store.likes.count(style.id))
    kept = retention_line(style, interaction.client.settings.full_model_days)
    card = Card(text(title, facts, liked, kept))
    if buttons := style_buttons(style, interaction):
        card.add(row(*buttons))
    return card


def retention_line(style: Style, days: int) -> str:
    """Return until when a whole model is kept, or since when its file is removed."""
    if style.removed:
        return fill(wording.style.MODEL_REMOVED, when=int(style.removed), days=days)
    if style.whole and days:
        return fill(wording.style.MODEL_KEPT_UNTIL, until=int(style.created) + days * DAY)
    return ""


def style_buttons(style: Style, interaction: Interaction) -> list[Button]:
    """Return the buttons for what a member may do with a style."""
    mine = style.owner == interaction.user.id
    if style.removed:
        return [Delete(style.id)] if mine else []
    use: list[Button] = [Try(style.id)]
    shared = interaction.guild_id in style.shared
    if not mine:
        return [*use, Unshare(style.id)] if shared and is_moderator(interaction) else use
    turn = Unshare(style.id) if shared else Share(style.id)
    return [*use, Grade(style.id), turn, Fetch(style.id), Delete(style.id)]


async def share_style(interaction: Interaction, style: str | int) -> Card:
    """Share the member's own style with this server, and return a card that confirms it."""
    if not interaction.guild_id:
        raise UserError("server_only")
    await check_not_blocked(interaction)
    found = await sampling.get_own_style(interaction, style)
    styles = interaction.client.store.styles
    await styles.share(found.id, interaction.user.id, interaction.guild_id)
    said = say(wording.style.SHARED, name=found.name)
    return Card(text(said), row(Show(found.id), Unshare(found.id)))


async def shared_card(store: Store, style: Style) -> Card:
    """Return the card that shows a shared style to a channel, with its newest preview."""
    catalog = await store.catalog.read()
    card = PictureCard()
    facts = say(
        wording.style.SHOWN,
        owner=style.owner or 0,
        method=catalog.method_title(style.method),
        base=catalog.base_title(style.base),
    )
    card.add(text(say(wording.style.TITLE, name=style.name), facts))
    with suppress(UserError):
        job = await store.jobs.get(style.job or 0)
        drawn = sorted(store.home.job_folder(job.folder).samples.glob("step-*-0.png"))
        card.add_gallery((path, wording.style.SHOWN_ALT) for path in drawn[-1:])
    report = [AddReport(style.job)] if style.job else []
    card.add(row(*draw_buttons(style, catalog.get_base(style.base))))
    return card.add(row(Try(style.id), *report))


async def unshare_style(interaction: Interaction, style: str | int) -> Card:
    """Stop sharing a style with this server: the member's own; anybody's for a moderator."""
    store, member, guild = interaction.client.store, interaction.user.id, interaction.guild_id or 0
    found = await sampling.find_style(store, style, member, guild)
    if found.owner == member:
        await store.styles.unshare(found.id, member, guild)
    elif is_moderator(interaction):
        await store.styles.withdraw(found.id, guild)
    else:
        raise UserError("style_not_own")
    return Card(text(say(wording.style.UNSHARED, name=found.name)))


def add_file(card: Card, path: Path) -> Card:
    """Add a style's file to a card."""
    return card.add(ui.File(card.attach(path)))


def delete_card(style: Style) -> Card:
    """Return a card that asks for confirmation."""
    return Card(text(say(wording.style.DELETE_ASK, name=style.name)), row(Erase(style.id), Keep()))


def draw_buttons(style: Style, base: Base | None) -> list[Button]:
    """Return a button for each prompt that is recommended for a style."""
    return [
        Draw(style.id, at, label=flatten(prompt, MAX_LABEL_CHARS))
        for at, prompt in enumerate(recommend_prompts(style, base))
    ]


class Draw(Button, verb="style:draw"):
    """Draw a recommended prompt, its label, four times."""

    style = discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer(interaction, private=False)
        store, guild = interaction.client.store, interaction.guild_id or 0
        style = await store.styles.get(self.number(0), interaction.user.id, guild)
        listed = recommend_prompts(style, (await store.catalog.read()).get_base(style.base))
        prompt = dict(enumerate(listed)).get(self.number(1))
        if prompt is None:
            raise UserError("card_old")
        request = SampleRequest("", prompt, seed=sampling.choose_seed(None), count=DRAWN)
        await queue_and_show(interaction, request, style.id)


class Try(Button, verb="style:try"):
    """Ask what to draw with the style."""

    label = wording.style.TRY

    async def press(self, interaction: Interaction) -> None:
        bot, guild = interaction.client, interaction.guild_id or 0
        style = await bot.store.styles.get(self.number(0), interaction.user.id, guild)
        catalog = await bot.store.catalog.read()
        await open_modal(interaction, TryForm(style, catalog.get_base(style.base)))


class Share(Button, verb="style:share"):
    """Share the style with this server, and confirm it."""

    label = wording.style.SHARE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await follow_up(interaction, await share_style(interaction, self.number(0)))


class Show(Button, verb="style:show"):
    """Show a shared style to the channel."""

    label, style = wording.style.SHOW, discord.ButtonStyle.primary

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        style = await sampling.get_own_style(interaction, self.number(0))
        if interaction.guild_id not in style.shared:
            raise UserError("style_unshared", name=style.name)
        card = await shared_card(interaction.client.store, style)
        await follow_up(interaction, card, private=False)


class Unshare(Button, verb="style:unshare"):
    """Stop sharing the style with this server, and confirm it."""

    label = wording.style.UNSHARE

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await follow_up(interaction, await unshare_style(interaction, self.number(0)))


class Fetch(Button, verb="style:link"):
    """Get the file again."""

    label = wording.style.GET_LINK

    async def press(self, interaction: Interaction) -> None:
        """Send the owner a new link; without a web server, the file or where it is."""
        await defer_update(interaction)
        style = await sampling.get_own_style(interaction, self.number(0))
        if style.removed:
            raise UserError("model_removed", days=interaction.client.settings.full_model_days)
        await follow_up(
            interaction, handover_card(interaction.client, style, interaction.filesize_limit)
        )


def handover_card(bot: Bot, style: Style, most: int) -> Card:
    """Return a card with a link, the file, or where the operator finds it."""
    link, path = bot.web.link(style), bot.store.styles.file(style)
    if link is not None:
        said = say(wording.result.LINK_AGAIN, name=style.name, until=link.until)
        return Card(text(said), row(ui.Button(label=wording.result.LINK_BUTTON, url=link.url)))
    if style.bytes <= most:
        return add_file(Card(text(say(wording.result.FILE_AGAIN, name=style.name))), path)
    where = f"styles/{style.id}/{path.name}"
    size = format_size(style.bytes)
    return Card(text(fill(wording.result.HAND, size=size, limit=format_size(most), file=where)))


class Delete(Button, verb="style:delete"):
    """Ask for confirmation before the style is deleted."""

    label, style = wording.style.DELETE, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await follow_up(
            interaction, delete_card(await sampling.get_own_style(interaction, self.number(0)))
        )


class Erase(Button, verb="style:erase"):
    """Delete the style for good."""

    label, style = wording.style.ERASE, discord.ButtonStyle.danger

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        style = await sampling.get_own_style(interaction, self.number(0))
        await interaction.client.store.styles.delete(style.id, interaction.user.id)
        await edit(interaction, Card(text(say(wording.style.DELETED, name=style.name))))


class Pick(Select, verb="style:pick"):
    """Select a style to look at."""

    placeholder = wording.style.LIST_PICK

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        bot, member, guild = interaction.client, interaction.user.id, interaction.guild_id or 0
        style = await bot.store.styles.get(self.chosen_number, member, guild)
        await edit(interaction, await style_card(interaction, style))
