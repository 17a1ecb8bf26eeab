"""The sentences of trainings, jobs, results, pictures and styles: the other part of `wording.py`.

The same rules hold: numbers go in as they are, strings are escaped by `wording.say`.
"""

from __future__ import annotations

# --- commands, as Discord lists them (100 characters at most) -----------------------------------

TRAIN_COMMAND = "Train a style on your photos"
TRAIN_LORA = "Train a LoRA: learns most, works in most programs"
TRAIN_EMBEDDING = "Train an embedding: a new word for the base, a file of a few KB"
TRAIN_OPTIONS = {
    "dataset": "Which of your datasets; type to search",
    "dial": "How long to train; balanced unless you say so",
    "base": "What to start from; type to search",
    "word": "What it shows, in one word, for example: dog",
    "steps": "Advanced: how many steps, instead of the dial's",
    "rate": "Advanced: learning rate, instead of the dial's",
    "private": "Show card and samples in a private thread only",
}
TRAIN_RANK = "Advanced: rank, how much it can learn (1 to 128)"
TRAIN_VECTORS = "Advanced: how many vectors the word gets (1 to 8)"
JOBS_COMMAND = "What is waiting, running and done"
JOBS_OPTIONS = {"whose": "Yours, or the whole server's (moderators)"}
WHOSE = {"mine": "mine", "server": "this server's"}
SAMPLE_COMMAND = "Draw pictures, with a style or without"
SAMPLE_OPTIONS = {
    "prompt": "What to draw; say the style's word in it",
    "style": "A style of yours, or one shared here; type to search",
    "base": "What draws, without a style; type to search",
    "negative": "What not to draw",
    "strength": "How strongly the style is worn, 0 to 2; usually 1",
    "seed": "The same seed draws the same picture",
    "steps": "1 to 100; usually 20",
    "size": "Pixels of a side; the base's own unless you say so",
    "count": "How many pictures, 1 to 4",
}
STYLE_COMMAND = "Your styles, and those shared here"
STYLE_LIST = "Look at the styles you can use on this server"
STYLE_SHARE = "Let this server's members draw with a style of yours"
STYLE_UNSHARE = "Take a style of yours back from this server"
STYLE_DELETE = "Delete a style of yours with its file"
STYLE_OPTION = "Which style; type to search"

# --- training -----------------------------------------------------------------------------------

METHODS = {"lora": "LoRA", "embedding": "Embedding"}
DIALS = {"quick": "quick", "balanced": "balanced", "thorough": "thorough"}
REASONS = {
    "lora_subject": "one thing is taught with its word, so picture and text network both learn",
    "lora_look": "a manner of drawing is taught, so the picture network alone learns",
    "embedding_subject": "only a few numbers for its word are learnt; the base stays as it is",
    "embedding_look": "only a few numbers for its word are learnt; the base stays as it is",
    "quick": "quick stops as soon as it resembles",
    "balanced": "balanced stops where most look right",
    "thorough": "thorough goes on for the details",
    "more": "more photos get more steps",
    "chosen": "the numbers you gave take the place of mine",
}
PLAN_TITLE = "### Train {name}?\n{method} on {base} · {dial}"
PLAN_PHOTOS = "**Photos:** {photos} ready"
PLAN_WARNED = "-# Used in spite of a warning: {photos}. /dataset show names them."
PLAN_STEPS = "**Steps:** {steps} · about {time} on {device}"
PLAN_STEPS_FIRST = (
    "**Steps:** {steps} · the first run of this kind here, so I cannot say yet how long it takes"
)
PLAN_NOW = "**Queue:** starts at once"
PLAN_PLACE = "**Queue:** place {place}"
PLAN_FILE = "**File:** about {size}; this server takes {limit}"
PLAN_FILE_LINK = (
    "**File:** about {size}, more than the {limit} this server takes: you get a link that expires"
)
PLAN_FILE_HAND = (
    "**File:** about {size}, more than the {limit} this server takes: the operator hands it over"
)
PLAN_WHY = "-# Why: {reasons}."
PLAN_PRIVATE = "-# In a private thread that you and the moderators see."
PLAN_LEFT = "Nothing was started."
PLAN_STARTED = "Started: **{name}**, job {job}."
PLAN_WHERE = "Its card is in <#{channel}>."
BASE_SMALL = "-# {base} draws tiny emoji, {side} pixels wide. Real photos are honoured as well as it can; bases for photos need a GPU."

JOB_TITLE = "### {name} · {method}"
JOB_BY = "by <@{owner}> on {base}"
JOB_PLACE = "Waiting · place {place}"
JOB_NEXT = "Waiting · next"
JOB_AGAIN = "Its worker stopped. It goes on from its last checkpoint, attempt {attempt} of 3."
JOB_STARTING = "Getting ready …"
JOB_STEP = "step {step}/{steps} · loss {loss} · done <t:{when}:R>"
JOB_DEVICE = "-# {speed} steps a second · {device}"
JOB_WISHES = {
    "pause": "Pausing after this step …",
    "cancel": "Stopping after this step …",
    "finish": "Finishing with what it has learnt so far …",
}
JOB_PAUSED = "Paused at step {step}/{steps}. Nothing is lost; Resume goes on from there."
JOB_DONE = "**Done** · {steps} steps in {time} · loss {loss}"
JOB_EARLY = "**Done**, stopped early · {steps} steps in {time} · loss {loss}"
JOB_RESULT = "The result: {url}"
JOB_FAILED = "**It failed.** {why}"
JOB_REFERENCE = "-# For the operator: {reference}"
JOB_CANCELLED = "Cancelled at step {step}."
JOB_CANCELLED_WAITING = "Cancelled before it began."
JOB_CANCELLED_BY = "Cancelled by <@{by}>."
JOB_THREAD = "-# Samples: <#{thread}>"
JOB_THREADLESS = "-# I cannot create threads here, so samples come into this channel. An admin can give me *Create Public Threads*."
JOB_TOLD = "I will tell you when it ends."
CURVE_ALT = "How the loss went, step by step"
CARD_LOST = (
    "I cannot post about **{name}** in <#{channel}>: {why} The job itself goes on; /jobs shows it."
)
NOTES = {
    "memory": "The GPU ran out of memory; I went on with smaller pieces.",
    "prompt_cut": "The prompt is longer than this base can read; {tokens} pieces of words at its end were left out.",
    "resumed": "Went on from its last checkpoint.",
}

ENDED_FAILED, ENDED_CANCELLED = "**{name}** has failed.", "**{name}** was cancelled."

THREAD_NAME = "{name} · {method} · {job}"
STEP_TITLE = "**step {step}/{steps}** · loss {loss}"
STEP_ZERO = "**Before training** · what the base draws for the same words"
RESULT_TITLE = "### {name} is ready"
RESULT_FACTS = "{method} on {base} · {steps} steps in {time}"
BEFORE, NOW = "**Before training**", "**Now**"
RESULT_PROMPT = "**How to prompt:** say its word, for example"
RESULT_LINK = "The file has {size} and this server takes {limit}. Download it with the button, until <t:{until}:f>."
RESULT_HAND = "The file has {size} and this server takes {limit}. The operator can hand it over: it lies in Safelight's data folder as {file}."
RESULT_HAND_REFUSED = "Discord did not take the file ({size}). The operator can hand it over: it lies in Safelight's data folder as {file}."
RESULT_LINK_REFUSED = (
    "Discord did not take the file ({size}). Download it with the button, until <t:{until}:f>."
)
FILE_AGAIN = "**{name}**, once more:"
LINK_AGAIN = "**{name}**, for you alone, until <t:{until}:f>:\n{url}"
LINK_BUTTON = "Download"
LINK_FORGED = (
    "This link is not one of mine. Copy it whole, or get a new one on Discord: Get link.\n"
)
LINK_EXPIRED = "This link has expired. Get a new one on Discord: Get link, on the style's card.\n"
LINK_GONE = "The file behind this link is gone: its style was deleted.\n"
BEFORE_ALT, NOW_ALT = "Before training: {prompt}", "Now: {prompt}"

SAMPLE_TITLE = "### {prompt}"
SAMPLE_BY = "for <@{owner}>"
SAMPLE_CREDIT = "{name} by <@{maker}>"
SAMPLE_NAMELESS = "{name}"
SAMPLE_BARE = "{base}, no style"
SAMPLE_CANCELLED = "Cancelled."
SAMPLE_DRAWING = "Drawing …"
SAMPLE_SEED = "Seed:\n{seed}"
SAMPLE_SETTINGS = "-# {facts}"
SAMPLE_STEPS, SAMPLE_STRENGTH, SAMPLE_NOT = (
    "{steps} steps",
    "strength {strength}",
    "not: {negative}",
)
TRY_FORM = "Draw with {name}"
SAMPLE_FORM, PROMPT_LABEL, NEGATIVE_LABEL = "Draw something", "Prompt", "What not to draw"
STRENGTH_LABEL, SEED_LABEL, STEPS_LABEL = "Strength, 0 to 2", "Seed", "Steps, 1 to 100"
PICTURE_GONE = "The picture is deleted."
EMOJI_FORM, EMOJI_NAME, EMOJI_WHICH = "Add to server emoji", "Name", "Picture"
EMOJI_HINT = "2 to 32 letters, digits and _"
EMOJI_ADDED = "Added: {emoji} as :{name}:"
REPORT_FORM, REPORT_WHY = "Report to the moderators", "What is wrong with it"
REPORT_THANKS = "Thank you. The moderators of this server have it."
REPORT_TITLE = "### Report {number}"
REPORT_FACTS = "<@{reporter}> reports {url}"
REPORT_REASON = "> {reason}"
REPORT_OF = "It belongs to <@{owner}>."
REPORT_REMOVED = "Deleted by <@{by}>."
REPORT_LEFT = "Left as it is by <@{by}>."

JOBS_TITLE, JOBS_SERVER = "### Your jobs", "### Jobs on this server"
JOBS_NONE = "Nothing yet. /train lora starts one."
JOBS_LINE = "**{number}** {name} · {state}"
JOBS_PLACE = "waiting, place {place}"
JOBS_PICK = "Show a job…"
STATES = {
    "queued": "waiting",
    "running": "running",
    "paused": "paused",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
STYLES_TITLE = "### Styles you can use here"
STYLES_NONE = "None yet. Train one with /train lora; others share theirs with /style share."
STYLES_LINE = "{name} · {method}"
STYLES_PICK = "Show a style…"
STYLE_TITLE = "### {name}"
STYLE_CHOICE = " · shared here"
STYLE_SHARED, STYLE_BY = " · shared here", " · by <@{owner}>"
STYLE_FACTS = "{method} on {base} · {size} · made <t:{when}:D>\nIts word:\n{trigger}"
SHARED = "### {name} is shared\nMembers of this server can now draw with it: /sample. You are named as its maker. The photos stay yours alone, and /style unshare takes it back."
UNSHARED = "{name} is no longer shared with this server. Pictures already drawn stay."
STYLE_ASK = "### Delete {name}?\nThe style and its file go for good, also where it is shared. The photos stay."
STYLE_GONE = "{name} is deleted."

# labels: a verb first, 18 characters at most
START, NOT_NOW = "Start", "Not now"
PAUSE, RESUME, CANCEL, FINISH, TELL = "Pause", "Resume", "Cancel", "Finish now", "Tell me"
RETRY = "Try again"
TRY, SHARE, UNSHARE, GET_LINK = "Try it", "Share", "Take back", "Get link again"
DELETE, ERASE = "Delete", "Delete for good"
AGAIN, VARY, REMOVE, REPORT = "Again", "Vary", "Delete", "Report"
EMOJI = "Add to server emoji"
TAKE_DOWN, LEAVE_IT = "Delete picture", "Leave it"


def example(trigger: str, concept: str, *, small: bool) -> str:
    """Write a prompt that a style understands."""
    if concept == "look":
        return f"a cat emoji, {trigger} style" if small else f"a cat, {trigger} style"
    return f"a {trigger} emoji, on a blue background" if small else f"a photo of {trigger}"


def duration(seconds: float) -> str:
    """Write a time as people say it."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if minutes < 90:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
