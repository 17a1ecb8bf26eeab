"""Every sentence that a person reads.

A template's numbers go in as they are; every string is a member's or a file's own text and is
escaped by `say`, so that it can neither ping nor format. Markup (`<@{owner}>`, `<t:{when}:R>`)
therefore stands in the template, with a number in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.errors import Fact, SafelightError

SPECIAL = re.compile(r"([\\*_~|`>#\[\]()<:\-])")
LONGEST = 300  #: characters of any one foreign text on a card


def flat(text: str, most: int = LONGEST) -> str:
    """Return a text on one line and not too long, for labels and alt texts."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def escape(text: str, most: int = LONGEST) -> str:
    """Make foreign text harmless: no mention, no markdown, no line breaks."""
    return SPECIAL.sub(r"\\\1", flat(text, most)).replace("@", "@\u200b")


def listed(texts: list[str]) -> str:
    """Join texts as a sentence does."""
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def say(template: str, /, **facts: Fact) -> str:
    """Fill a template in for Discord."""
    return template.format_map(_safe(facts))


def sentence(error: SafelightError) -> str:
    """Return an error's sentence for Discord."""
    return say(ERRORS.get(error.code, ERRORS["unknown"]), **(error.facts | {"code": error.code}))


def plain(error: SafelightError) -> str:
    """Return an error's sentence for a terminal."""
    facts = {k: listed(v) if isinstance(v, list) else v for k, v in error.facts.items()}
    template = ERRORS.get(error.code, ERRORS["unknown"])
    return template.format_map(facts | {"code": error.code}).replace("**", "")


def _safe(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    safe: dict[str, Fact] = {}
    for key, fact in facts.items():
        if isinstance(fact, list):
            safe[key] = listed([escape(str(one)) for one in fact])
        else:
            safe[key] = escape(fact) if isinstance(fact, str) else fact
    return safe


def megabytes(size: float) -> str:
    """Write a size as people say it."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))} KB"
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0") + " MB"


def number(count: int, one: str, many: str = "") -> str:
    """Write a count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


# --- errors: what happened · what to do -------------------------------------------------------

#: The sentence of every code, alphabetically. Raised in storage, training and bot.
ERRORS = {
    "base_unknown": "There is no base called **{base}** here. Pick one from the list that opens while you type.",
    "bug": "Something broke on my side (error {reference}). The operator can find it in the log under that reference.",
    "card_old": "This card is from an older version. Run the command again for a new one.",
    "collect_off": "Collecting photos from messages is switched off here. Discord's developer policy (rule 21) forbids training on message content without Discord's permission, so hand your photos over with /dataset add. An operator who has that permission switches it on with SAFELIGHT\\_COLLECT\\_MESSAGES=true.",
    "command_old": "This command has changed since your Discord loaded it. Press Ctrl+R (or reopen the app) and try again.",
    "consent_needed": "I need your consent before I keep photos. Run /dataset add again and agree first.",
    "dataset_busy": "**{name}** is being used by a training. Wait until it ends, or cancel it with /jobs.",
    "dataset_unknown": "You have no such dataset. Pick one from the list that opens while you type, or start one with /dataset new.",
    "disk_low": "The disk is nearly full, so nothing new can be started. Ask the operator to free some space.",
    "few_photos": "**{name}** has {photos} photos; training needs at least {least}. Different angles and backgrounds help most: /dataset add.",
    "forbidden": "I lack a permission in this channel. Ask an admin to let me *View Channel*, *Send Messages*, *Attach Files* and *Create Public Threads* here.",
    "intent_refused": "Discord refused the message content intent. Either switch it on for your application (discord.com/developers, Bot, Privileged Gateway Intents) or set SAFELIGHT_COLLECT_MESSAGES=false.",
    "job_twice": "The same job is already waiting or running (number {job}). See /jobs.",
    "job_unknown": "You have no such job. /jobs shows the ones you have.",
    "method_unknown": "There is no method called **{method}** here. Pick one from the list that opens while you type.",
    "name_bad": "That name will not do. Use 1 to 32 letters, digits, spaces, - or \\_, for example *my dog*.",
    "name_taken": "You already have a dataset called **{name}**. Add photos to it with /dataset add, or choose another name.",
    "no_photos": "**{name}** has no photos yet. Add some with /dataset add first.",
    "not_yours": "Only the person it belongs to can do that.",
    "permission_needed": "Only members with the permission {permissions} can do that.",
    "photo_animated": "It moves, and I learn from still pictures. Send one frame as JPEG or PNG.",
    "photo_big": "It has {megapixels} megapixels; I take at most 40. Make it smaller and send it again.",
    "photo_empty": "The file is empty (0 bytes). Send it again from the original.",
    "photo_heavy": "The file is {megabytes} MB; I take at most 25 MB. Send a smaller copy.",
    "photo_lost": "Discord did not hand the file over. Send it again.",
    "photo_slow": "It could not be opened within the time and memory a picture gets. Save it as JPEG or PNG and send that.",
    "photo_small": "It is {width}×{height} pixels, which is too small to learn from. Send the original.",
    "photo_truncated": "The file ends too early. Send it again from the original.",
    "photo_twice": "This picture is already in the dataset.",
    "photo_unknown": "This is not a picture I can read. Send JPEG, PNG, WebP or HEIC.",
    "photos_full": "The dataset is full: {most} photos are the most it can hold. Remove some with /dataset show.",
    "photos_many": "{count} files are too many at once; I take up to {most}. Send the rest with a second /dataset add.",
    "prompt_long": "The prompt has {length} characters; I take at most {most}. Shorten it.",
    "quota_used": "You have used your {jobs} trainings for today. The next one is possible <t:{when}:R>.",
    "role_needed": "That is limited to {roles} on this server. Ask a moderator for the role.",
    "server_only": "That works on a server, not in direct messages.",
    "setting_wrong": "The setting {name} is wrong: {problem}. An example that works: {example}",
    "still_busy": "I am still working on the same command of yours. Wait until it answers.",
    "style_unknown": "There is no such style that you may use. /style list shows the ones you can.",
    "token_missing": """DISCORD_TOKEN is missing, so there is no bot to be. To get one:
  1. Open https://discord.com/developers/applications and press New Application.
  2. Under Bot, press Reset Token and copy it.
  3. Write DISCORD_TOKEN=<the token> into a file called .env beside README.md.
  4. Under Installation, open the install link and invite the bot to your server.
Without a token you can see everything with: safelight demo""",
    "token_refused": "Discord refused DISCORD_TOKEN. Copy it anew from https://discord.com/developers/applications (Bot, Reset Token).",
    "unknown": "That did not work ({code}).",
    "worker_died": "The worker died three times on this job. The operator finds the reason in the job's log.txt; try a smaller base or fewer steps.",
}
