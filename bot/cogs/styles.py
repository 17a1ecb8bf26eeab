"""/style: what members have trained, and sharing it."""

from __future__ import annotations

from discord import app_commands
from discord.ext import commands

from bot import wording
from bot.actions import sampling
from bot.bot import Bot, Interaction
from bot.cards import style as cards
from bot.cards.components import defer, edit
from bot.cards.grades import show_report
from bot.cogs import _autocomplete


@app_commands.guild_only()
class Styles(commands.GroupCog, name="style", description=wording.style.COMMAND):
    """The commands for styles."""

    @app_commands.command(name="list", description=wording.style.COMMAND_LIST)
    async def all(self, interaction: Interaction) -> None:
        """List the styles that can be used here."""
        await defer(interaction)
        member, guild = interaction.user.id, interaction.guild_id or 0
        usable = await interaction.client.store.styles.list_usable(member, guild)
        catalog = await interaction.client.store.catalog.read()
        await edit(interaction, cards.styles_card(usable, member, guild, catalog))

    @app_commands.command(description=wording.grades.COMMAND)
    @app_commands.describe(style=wording.style.OPTION)
    @app_commands.autocomplete(style=_autocomplete.suggest_own_styles)
    async def report(self, interaction: Interaction, style: str) -> None:
        """Show how good one of the member's styles is, or have it graded."""
        await defer(interaction)
        found = await sampling.get_own_style(interaction, style)
        await edit(interaction, await show_report(interaction, found))

    @app_commands.command(description=wording.style.COMMAND_SHARE)
    @app_commands.describe(style=wording.style.OPTION)
    @app_commands.autocomplete(style=_autocomplete.suggest_own_styles)
    async def share(self, interaction: Interaction, style: str) -> None:
        """Share a style with this server."""
        await defer(interaction)
        await edit(interaction, await cards.share_style(interaction, style))

    @app_commands.command(description=wording.style.COMMAND_UNSHARE)
    @app_commands.describe(style=wording.style.OPTION)
    @app_commands.autocomplete(style=_autocomplete.suggest_shared_styles)
    async def unshare(self, interaction: Interaction, style: str) -> None:
        """Stop sharing a style with this server."""
        await defer(interaction)
        await edit(interaction, await cards.unshare_style(interaction, style))

    @app_commands.command(description=wording.style.COMMAND_DELETE)
    @app_commands.describe(style=wording.style.OPTION)
    @app_commands.autocomplete(style=_autocomplete.suggest_own_styles)
    async def delete(self, interaction: Interaction, style: str) -> None:
        """Ask for confirmation before a style is deleted."""
        await defer(interaction)
        await edit(
            interaction, cards.delete_card(await sampling.get_own_style(interaction, style))
        )


async def setup(bot: Bot) -> None:
    """Add the commands."""
    await bot.add_cog(Styles(bot))
