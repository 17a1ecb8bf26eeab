"""Every sentence that a person reads.

A template's numbers go in as they are; every string is a member's or a file's own text and is
escaped by `say`, so that it can neither ping nor format. Markup (`<@{owner}>`, `<t:{when}:R>`)
therefore stands in the template, with a number in it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from storage.errors import Fact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.errors import SafelightError

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
    return say(ERRORS.get(error.code, ERRORS["unknown"]), **{**error.facts, "code": error.code})


def plain(error: SafelightError) -> str:
    """Return an error's sentence for a terminal."""
    facts = _Facts({k: listed(v) if isinstance(v, list) else v for k, v in error.facts.items()})
    facts["code"] = error.code
    return ERRORS.get(error.code, ERRORS["unknown"]).format_map(facts).replace("**", "")


class _Facts(dict[str, Fact]):
    """The facts of a sentence; one that is missing leaves a gap, not a second error."""

    def __missing__(self, _: str) -> str:
        return "…"


def _safe(facts: Mapping[str, Fact]) -> _Facts:
    safe = _Facts()
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
    "base_broken": "The base **{base}** cannot be loaded: its files are damaged or of another kind. Ask the operator, or pick another base.",
    "base_changed": "The base **{base}** was replaced since this job began, so it cannot go on. Start it again.",
    "base_missing": "The base **{base}** is not on this machine. The operator can fetch it ({source}), or pick another base.",
    "base_pickle": "The base **{base}** is a pickle, a format that can run programs, so I do not open it. Ask the operator for a .safetensors file.",
    "base_unknown": "There is no base called **{base}** here. Pick one from the list that opens while you type.",
    "batch_range": "The batch is {value}; it can be {least} to {most}.",
    "bug": "Something broke on my side (error {reference}). The operator can find it in the log under that reference.",
    "caption_long": "The caption has {length} characters; I take at most {most}. Shorten it.",
    "captioner_broken": "The captioner {captioner} cannot be loaded: its files are damaged or of another kind. Ask the operator.",
    "captioner_missing": "The captioner {captioner} is not on this machine. Ask the operator to fetch it.",
    "card_old": "This card is from an older version. Run the command again for a new one.",
    "channel_closed": "I cannot write in <#{channel}>: I lack {permissions}. Ask an admin to give me that there.",
    "channel_kind": "That needs an ordinary text channel. Use the command in one, or ask a moderator to set a training channel with /server setup.",
    "collect_off": "Collecting photos from messages is switched off here. Discord's developer policy (rule 21) forbids training on message content without Discord's permission, so hand your photos over with /dataset add. An operator who has that permission switches it on with SAFELIGHT\\_COLLECT\\_MESSAGES=true.",
    "command_old": "This command has changed since your Discord loaded it. Press Ctrl+R (or reopen the app) and try again.",
    "consent_needed": "I need your consent before I keep photos. Run /dataset add again and agree first.",
    "count_range": "The number of pictures is {value}; it can be {least} to {most}.",
    "database_newer": "The data folder was written by a newer version (its tables have number {version}; this version knows {newest}). Update Safelight, or point SAFELIGHT_HOME at another folder.",
    "dataset_busy": "**{name}** is being used by job {job}. Wait until it ends, or cancel it with /jobs.",
    "dataset_unknown": "You have no such dataset. Pick one from the list that opens while you type, or start one with /dataset new.",
    "disk_full": "The disk is full, so I could not keep it. Ask the operator to free some space.",
    "disk_low": "The disk is nearly full ({free} MB left), so nothing new can be started. Ask the operator to free some space.",
    "emoji_forbidden": "I may not add emoji here. Ask an admin to give me *Create Expressions*.",
    "emoji_full": "This server has no room for another emoji. Remove one first.",
    "emoji_name": "An emoji's name has 2 to 32 letters, digits or \\_, for example *mydog*.",
    "few_photos": "**{name}** has {photos} photos; training needs at least {least}. Different angles and backgrounds help most: /dataset add.",
    "folder_missing": "There is no folder {folder}. Check the path.",
    "folder_refused": "The folder {folder} cannot be written to. Choose another one, or change its permissions.",
    "forbidden": "I lack a permission in this channel. Ask an admin to let me *View Channel*, *Send Messages*, *Attach Files* and *Create Public Threads* here.",
    "intent_refused": "Discord refused the message content intent. Either switch it on for your application (discord.com/developers, Bot, Privileged Gateway Intents) or set SAFELIGHT_COLLECT_MESSAGES=false.",
    "job_broken": "The job's folder cannot be read. Start it again.",
    "job_ended": "Job {job} has already ended.",
    "job_twice": "The same job is already waiting or running (number {job}). See /jobs.",
    "job_unknown": "You have no such job. /jobs shows the ones you have.",
    "job_unstarted": "Job {job} has not started yet; you can cancel it instead.",
    "lease_lost": "Another worker has taken over job {job}, so this result was not kept.",
    "loss_nan": "The training ran off at step {step}: its numbers became infinite. Try the quick dial or other photos.",
    "memory_full": "The worker ran out of memory. Try the quick dial, a smaller base, or ask the operator.",
    "method_unknown": "There is no method called **{method}** here. Pick one from the list that opens while you type.",
    "minutes_over": "That would take about {minutes} minutes; this server allows {most}. Turn the dial down, or give fewer steps.",
    "name_bad": "That name will not do. Use letters, digits and spaces, {most} at most, for example *my dog*.",
    "name_taken": "You already have a dataset called **{name}**. Add photos to it with /dataset add, or choose another name.",
    "no_photos": "There are no photos to train on yet. Add some with /dataset add first.",
    "not_yours": "Only the person it belongs to can do that.",
    "number_bad": "**{typed}** is not a number. Write one like 7 or 0.8.",
    "permission_needed": "Only members with the permission {permissions} can do that.",
    "photo_animated": "It moves, and I learn from still pictures. Send one frame as JPEG or PNG.",
    "photo_big": "It has {megapixels} megapixels; I take at most 40. Make it smaller and send it again.",
    "photo_broken": "A photo of the dataset cannot be read any more ({file}). Remove it with /dataset show and add it again.",
    "photo_empty": "The file is empty (0 bytes). Send it again from the original.",
    "photo_gone": "That photo is no longer in the dataset.",
    "photo_heavy": "The file is {megabytes} MB; I take at most 25 MB. Send a smaller copy.",
    "photo_lost": "Discord did not hand the file over. Send it again.",
    "photo_slow": "It could not be opened within the time and memory a picture gets. Save it as JPEG or PNG and send that.",
    "photo_small": "It is {width}×{height} pixels, which is too small to learn from. Send the original.",
    "photo_truncated": "The file ends too early. Send it again from the original.",
    "photo_twice": "This picture is already in the dataset.",
    "photo_unknown": "This is not a picture I can read. Send JPEG, PNG, WebP or HEIC.",
    "photos_full": "The dataset is full: {most} photos are the most it can hold. Remove some with /dataset show.",
    "photos_many": "{count} files are too many at once; I take up to {most}. Send the rest with a second /dataset add.",
    "picture_gone": "That picture is no longer here.",
    "prompt_empty": "The prompt is empty. Say what to draw.",
    "prompt_long": "The prompt has {length} characters; I take at most {most}. Shorten it.",
    "quota_used": "You have used your {jobs} trainings for today. The next one is possible <t:{when}:R>.",
    "rank_range": "The rank (or number of vectors) is {value}; it can be {least} to {most}.",
    "rate_range": "The learning rate is {value}; it can be {least} to {most}.",
    "recipe_broken": "The job's recipe cannot be read ({reason}). Start the training again.",
    "request_broken": "The job's request cannot be read ({reason}). Ask for it again.",
    "resolution_range": "The resolution is {value} pixels; it can be {least} to {most}.",
    "role_needed": "That is limited to {roles} on this server. Ask a moderator for the role.",
    "samples_many": "You have {most} pictures waiting already. Let some come first.",
    "seed_range": "The seed is {value}; it can be {least} to {most}.",
    "server_jobs": "Trainings a day and minutes a training are whole numbers from 0 to {most}; 0 means no limit.",
    "server_only": "That works on a server, not in direct messages.",
    "setting_wrong": "The setting {name} is wrong: {problem}. An example that works: {example}",
    "size_range": "The size is {value} pixels; it can be {least} to {most}.",
    "steps_range": "The number of steps is {value}; it can be {least} to {most}.",
    "still_busy": "I am still working on the same command of yours. Wait until it answers.",
    "strength_range": "The strength is {value}; it can be {least} to {most}.",
    "style_broken": "The style's file is damaged ({reason}). Train it again.",
    "style_missing": "The style's file is gone from the disk. Train it again.",
    "style_unknown": "There is no such style that you may use. /style list shows the ones you can.",
    "token_missing": """DISCORD_TOKEN is missing, so there is no bot to be. To get one:
  1. Open https://discord.com/developers/applications and press New Application.
  2. Under Bot, press Reset Token and copy it.
  3. Write DISCORD_TOKEN=<the token> into a file called .env beside README.md.
  4. Under Installation, open the install link and invite the bot to your server.
Without a token you can see everything with: safelight demo""",
    "token_refused": "Discord refused DISCORD_TOKEN. Copy it anew from https://discord.com/developers/applications (Bot, Reset Token).",
    "trainer_away": "The trainer has not started yet, so I do not know what it can do. Try again in a minute.",
    "trigger_bad": "A trigger is one word of at most {most} letters and digits, for example *mydog*.",
    "trigger_missing": "The dataset has no trigger word. Give it one and start again.",
    "unknown": "That did not work ({code}).",
    "worker_died": "The worker died three times on this job. The operator finds the reason in the job's log.txt; try a smaller base or fewer steps.",
}


# --- consent ----------------------------------------------------------------------------------

CONSENT = 1  #: grows whenever the terms below change; members are then asked again
CONSENT_TITLE = "### Before I keep your photos"
CONSENT_TERMS = """\
- They are used for one thing: training the styles **you** start, on this bot's own machine.
- Nobody else sees them here. Pictures drawn by your styles appear where you train or sample.
- Hand over only photos you took or may use. People in them are adults and have said yes.
- Take any of it back with /dataset show or /me, whenever you like."""
CONSENT_MORE = "The whole story: /privacy"
CONSENT_TICK = "I may use these photos, and I agree"
CONSENT_TICK_MORE = "Only to train my own styles; I can take it back with /me."
CONSENT_LABEL = "Consent"
AGREE = "I agree"
DECLINE = "Not now"
AGREED_LATE = "Thank you, that is recorded. Your photos did not wait for it: send them once more with /dataset add."

# --- commands, as Discord lists them (100 characters at most) -----------------------------------

DATASET_COMMAND = "Your photos, in named sets"
DATASET_NEW = "Start a set of photos that you can train on"
DATASET_NEW_OPTIONS = {
    "name": "What to call it, for example: my dog",
    "kind": "What it teaches: one thing, or a manner of drawing",
    "trigger": "The word that will call it in prompts; made from the name if you leave it out",
}
DATASET_ADD = "Add photos: attach up to five here, or leave them out to pick ten at once"
DATASET_ADD_OPTIONS = {
    "name": "Which dataset; type to search",
    "photo1": "A photo: JPEG, PNG, WebP or HEIC",
    "photo2": "One more photo",
    "photo3": "One more photo",
    "photo4": "One more photo",
    "photo5": "One more photo",
}
DATASET_NAME = "Which dataset; type to search"
DATASET_SHOW = "Look at your photos, their captions and what is amiss"
DATASET_DELETE = "Delete a dataset with its photos"
DATASET_COLLECT = "Collect the photos you post in this channel (where the operator allows it)"
PRIVACY_COMMAND = "What happens with your photos"
HELP_COMMAND = "First steps"
ME_COMMAND = "What is kept of you: look, export, delete"
SERVER_COMMAND = "Settings for moderators"
SERVER_SETUP = "Who may train and sample, where, and how much"

# --- datasets ---------------------------------------------------------------------------------

CONCEPTS = {"subject": "a subject (my dog)", "look": "a look (my watercolours)"}
DATASET_TITLE = "### {name} · {photos}"
DATASET_WORD = "Trigger word, for prompts:\n{trigger}"
DATASET_EMPTY = (
    "Add 5 to 20 photos of {concept}: different angles, light and backgrounds help most."
)
DATASET_FEW = "Training works from {least} photos on; 10 to 20 teach it well."
DATASET_READY = "Ready: /train lora"
DATASET_SAME = "{many} of them say nearly the same; different ones teach more."
DATASET_WRITING = "Captions are being written. Press Refresh in a moment."
DATASET_PAGE = "Page {page} of {pages}"
DATASET_LINE = "{number}. {caption}"
UNCAPTIONED = "no caption yet"
WARNED = " ⚠️ {warnings}"
WARNINGS = {
    "tiny": "small: below 256 pixels it teaches little detail",
    "blurred": "blurred: a style learns the blur, too",
    "duplicate": "nearly the same as another photo",
}
PHOTO_TITLE = "### Photo {number} of {name}"
PHOTO_SIZE = "{width}×{height}"
PHOTO_ALT = "Photo {number} of {name}: {caption}"
PICK_PHOTO = "Change a photo…"
CAPTION_FORM = "Caption"
CAPTION_LABEL = "What is in the picture"
CAPTION_HINT = "The trigger word is put in front by itself."
ADD_FORM = "Add photos to {name}"
ADD_LABEL = "Photos"
ADD_HINT = "Up to 10 at once: JPEG, PNG, WebP or HEIC, 25 MB each"
ADDED = "### {added} of {given} added to {name}"
ADDED_LINE = "✅ {name}"
ADDED_WARNED = "⚠️ {name}: added, but {warnings}"
REFUSED_LINE = "❌ {name}: {why}"
DELETE_ASK = "### Delete {name}?\nIts {photos} and their captions go for good. Styles already trained on it stay."
DELETED = "{name} is deleted, with {photos}."
COLLECT_ON = "### Collecting for {name}\nPost your photos in this channel now, as many messages as you like. I take only yours and mark each one ✅ or ⚠️. Press Done when that was all."
COLLECT_DONE = "Collecting has ended; new messages are left alone."
COLLECT_REFUSED = "Not taken:"

# labels: a verb first, 18 characters at most
SHOW_PHOTOS = "Show photos"
REFRESH = "Refresh"
ADD_PHOTOS = "Add photos"
CAPTION_AGAIN = "Caption again"
DELETE = "Delete for good"
KEEP = "Keep it"
EDIT_CAPTION = "Edit caption"
REMOVE = "Remove"
EARLIER = "Earlier"
LATER = "Later"
BACK = "Back"
EXPORT = "Export"
ERASE = "Delete everything"
ERASE_REMOVE = "Delete all"
ERASE_LEAVE = "Leave them"
CHANGE_LIMITS = "Change limits"
ADD_MORE = "Add more"
DONE = "Done"

# --- privacy, help, me ------------------------------------------------------------------------

PRIVACY = """\
### What happens with your photos
- **Kept:** the pictures you hand over (pixels only; place, camera and date are thrown away), their captions, your datasets, jobs, styles and when you agreed.
- **Used:** only for trainings that you start. On the operator's own machine; nothing is sent to anybody.
- **Seen:** photos by you alone. Samples and results by those who see the channel; a style by a server only once you share it.
- **Not taken:** messages. Discord's developer policy (rule 21) forbids training on them without its permission, so photos come through commands.
- **Gone:** remove a photo with /dataset show, everything with /me. Deleting is at once; a running training on them is stopped.
- **Yours:** /me exports all of it."""
PRIVACY_COLLECT = "- **Here:** the operator has switched collecting on: after your /dataset collect, and until Done, photos *you* post in that channel are taken as well."
PRIVACY_LINK = "The operator's policy"
HELP = """\
### Teach me something in four steps
1. **/dataset new** gives your photos a name.
2. **/dataset add** takes the photos, ten at a time.
3. **/train lora** shows how long it takes, then trains; samples appear on the way.
4. **/sample** draws with your new style, also for friends after **/style share**."""
HELP_TIPS = """\
**Good photos:** 10 to 20, sharp, different angles and backgrounds, nothing else in focus.
**On a phone:** /dataset add without attachments opens a picker for ten photos at once.
**More:** /jobs what runs · /me your photos, export, delete · /privacy · /server setup for moderators"""
ME_TITLE = "### Your things"
ME_COUNTS = "{datasets} · {photos} · {styles}"
ME_TODAY = "Trainings asked for in the last day: {used} of {limit}"
ME_TODAY_FREE = "Trainings asked for in the last day: {used}"
ME_CONSENT = "Agreed to version {version} of the terms <t:{when}:D>"
ME_NO_CONSENT = "You have not agreed to the terms yet, so I keep no photos of yours."
EXPORTED = "Here is all I keep of yours: a list of everything, and your photos."
EXPORTED_PART = "Part {part} of {parts}"
ERASE_ASK = "### Delete everything?\n{photos}, your datasets, captions, jobs and consents go for good; running trainings stop. Messages already posted in channels are Discord's: delete those there."
ERASE_SHARED = "{styles} of yours are shared with servers. Remove them too, or leave them there without your name?"
ERASED = "### All gone\n{photos} and everything about you are deleted."
CANCELLED = "Nothing was changed."

# --- server -----------------------------------------------------------------------------------

SERVER_TITLE = "### Safelight on this server"
SERVER_TRAINERS = "**Who may train** (nobody picked: everybody)"
SERVER_SAMPLERS = "**Who may sample** (nobody picked: everybody)"
SERVER_CHANNEL = "**Training channel** (none: where the command was used)"
SERVER_LOG = "**Log channel** for reports (none: reports are only kept)"
SERVER_LIMITS = "**Limits per member:** {jobs} a day, {minutes} each"
NO_LIMIT = "no limit"
SERVER_FORM = "Limits per member"
SERVER_JOBS = "Trainings a day"
SERVER_MINUTES = "Minutes a training"
SERVER_ZERO = "0 means no limit"
PICK_ROLES = "Roles…"
PICK_CHANNEL = "Channel…"
PERMISSIONS_MISSING = (
    "⚠️ In <#{channel}> I lack: {permissions}. An admin can give them to me there."
)
