"""Turn errors into messages, in one place.

UserError       the sentence of its code, only the person sees it; not a fault, not logged
JobError        the same, on the card of its job
discord's own   missing permissions, a message that is gone: a sentence
anything else   a bug: logged whole with a short reference; the person gets an apology with it
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

import discord
from discord import app_commands

from bot import wording
from storage.disk import is_full_disk_error
from storage.errors import SafelightError, UserError

log = logging.getLogger(__name__)

Answer = discord.InteractionResponseType
ANSWERED = {"private", "shown"}  #: in `extras`: the promise was private, or is kept
GONE_CODES = frozenset({10008, 10062, 10015, 40060})  #: message, interaction or webhook is no more


def known_error(error: BaseException) -> SafelightError | None:
    """Return the error to explain to the person, or None if it is a bug."""
    error = unwrap(error)
    if isinstance(error, OSError) and is_full_disk_error(error):
        error = UserError("disk_full")
    match error:
        case SafelightError():
            return error
        case app_commands.MissingPermissions():
            return UserError("permission_needed", permissions=error.missing_permissions)
        case app_commands.NoPrivateMessage():
            return UserError("server_only")
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return UserError("command_old")
        case discord.Forbidden():
            return UserError("forbidden")
    return None


def unwrap(error: BaseException) -> BaseException:
    """Return the error that discord.py has wrapped."""
    while isinstance(error, app_commands.CommandInvokeError | app_commands.TransformerError):
        cause: BaseException | None = getattr(error, "original", error.__cause__)
        if cause is None:
            break
        error = cause
    return error


async def answer_error(interaction: discord.Interaction, error: BaseException) -> None:
    """Explain an error to the person; log a bug and answer with a reference to it."""
    known = known_error(error)
    if known is not None:
        await send_privately(interaction, wording.explain(known))
        return
    if is_gone(error):
        log.info("An answer came too late: %s", error)
        return
    reference = secrets.token_hex(3).upper()
    log.error("Bug %s in %s", reference, name_source(interaction), exc_info=error)
    await send_privately(interaction, wording.explain(UserError("bug", reference=reference)))


async def send_privately(interaction: discord.Interaction, sentence: str) -> None:
    """Send a sentence that only the person sees, whatever was answered before."""
    response, extras = interaction.response, interaction.extras
    try:
        if not response.is_done():
            await response.send_message(sentence, ephemeral=True)
        elif response.type is not Answer.deferred_channel_message or ANSWERED & extras.keys():
            await interaction.followup.send(sentence, ephemeral=True)
        else:  # a public promise: whatever completes it is public, too
            await interaction.edit_original_response(content="…")
            await interaction.followup.send(sentence, ephemeral=True)
            await interaction.delete_original_response()
    except discord.HTTPException as late:
        log.info("A sentence could not be delivered: %s", late)


def is_gone(error: BaseException) -> bool:
    """Return whether the message or interaction to answer no longer exists."""
    error = getattr(error, "original", error)
    return isinstance(error, discord.HTTPException) and error.code in GONE_CODES


def name_source(interaction: discord.Interaction) -> str:
    """Return the command or control that was used, for the log; nothing a member wrote."""
    if interaction.command is not None:
        return f"/{interaction.command.qualified_name}"
    return custom_id_of(interaction) or interaction.type.name


def custom_id_of(interaction: discord.Interaction) -> str:
    """Return the custom id of the control or form that was used, if one was."""
    given: Any = interaction.data or {}
    return str(given.get("custom_id", ""))
