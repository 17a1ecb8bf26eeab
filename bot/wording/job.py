"""How far a job is, and the list of jobs."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "What is waiting, running and done"
OPTIONS = {"whose": "Yours, or the whole server's (moderators)"}
WHOSE = {"mine": "mine", "server": "this server's"}

# one job

TITLE = "### {name} · {method}"
BY = "by <@{owner}> on {base}"
PLACE = "Waiting · place {place}"
NEXT = "Waiting · next"
AGAIN = "Its worker stopped. It goes on from its last checkpoint, attempt {attempt} of 3."
STARTING = "Getting ready …"
STEP = "step {step}/{steps} · loss {loss} · done <t:{when}:R>"
DEVICE = "-# {speed} steps a second · {device}"
WISHES = {
    "pause": "Pausing after this step …",
    "cancel": "Stopping after this step …",
    "finish": "Finishing with what it has learnt so far …",
}
PAUSED = "Paused at step {step}/{steps}. Nothing is lost; Resume goes on from there."
DONE = "**Done** · {steps} steps in {time} · loss {loss}"
EARLY = "**Done**, stopped early · {steps} steps in {time} · loss {loss}"
RESULT = "The result: {url}"
FAILED = "**It failed.** {why}"
REFERENCE = "-# For the operator: {reference}"
CANCELLED = "Cancelled at step {step}."
CANCELLED_WAITING = "Cancelled before it began."
CANCELLED_BY = "Cancelled by <@{by}>."
THREAD = "-# Samples: <#{thread}>"
THREADLESS = "-# I cannot create threads here, so samples come into this channel. An admin can give me *Create Public Threads*."
TOLD = "I will tell you when it ends."
THREAD_NAME = "{name} · {method} · {job}"
CURVE_ALT = "How the loss went, step by step"
CARD_LOST = "I can't post about **{name}** in <#{channel}>: {why} The job itself continues; see it with /jobs."
CARD_LOST_GONE = "the channel or thread is gone."
CARD_LOST_FORBIDDEN = "I'm missing a permission there. Ask an admin to let me View Channel, Send Messages and Attach Files."
NOTES = {
    "checkpoint_lost": "I could not write down how far it is at step {step}, perhaps because the disk is full; it goes on, and what was written before is still there.",
    "memory": "The GPU ran out of memory; I went on in a way that takes less of it.",
    "prompt_cut": "The prompt is longer than this base can read; {tokens} pieces of words at its end were left out.",
    "prior_drawn": "The base draws {pictures} pictures of the class first; they are learnt beside the photos.",
    "resumed": "Went on from its last checkpoint.",
    "start": "The new word begins as “{word}”: of the words that the base knows, that one tells most of the photos.",
}
ENDED_FAILED = "**{name}** has failed."
ENDED_CANCELLED = "**{name}** was cancelled."

# the list

LIST_MINE = "### Your jobs"
LIST_SERVER = "### Jobs on this server"
LIST_NONE = "Nothing yet. /train auto starts one."
LIST_LINE = "**{number}** {name} · {state}"
LIST_PLACE = "waiting, place {place}"
LIST_PICK = "Show a job…"
STATES = {
    "queued": "waiting",
    "running": "running",
    "paused": "paused",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}

# labels: a verb first, 18 characters at most

PAUSE = "Pause"
RESUME = "Resume"
CANCEL = "Cancel"
FINISH = "Finish now"
TELL = "Tell me"
RETRY = "Try again"
