"""The job card and the list of jobs."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "See what is waiting, running and done"
OPTIONS = {"whose": "Yours, or the whole server's (moderators only)"}
WHOSE = {"mine": "mine", "server": "this server's"}

# one job

TITLE = "### {name} · {method}"
BY = "by <@{owner}> on {base}"
PLACE = "Waiting · number {place} in the queue"
PLACE_NEXT = "Waiting · next in the queue"
RESUMING_PLACE = "Resuming · number {place} in the queue"
RESUMING_NEXT = "Resuming next"
INTERRUPTED = "It was interrupted, and continues by itself from its last save."
INTERRUPTED_EARLY = "It was interrupted before its first save, and starts again by itself."
STARTING = "Getting ready …"
END_AT = "Done <t:{when}:R>"
STEP = "-# step {step}/{steps} · {device}"
SPEED = "{speed} steps per second on {device}"
STEPS = "-# {steps} steps"
STEPS_ON = "-# {steps} steps · {device}"
WISHES = {
    "pause": "Pausing after this step …",
    "cancel": "Stopping after this step …",
    "finish": "Finishing with what it has learnt so far …",
}
PAUSED = "Paused at step {step}/{steps}. Nothing is lost; press Resume to continue."
DONE = "**Done** · {steps} steps in {time}"
DONE_EARLY = "**Done early** · {steps} steps in {time}"
RESULT = "Result: {url}"
FAILED = "**It failed.** {why}"
REFERENCE = "-# Error reference for the operator: {reference}"
CANCELLED = "Cancelled at step {step}."
CANCELLED_WAITING = "Cancelled before it started."
CANCELLED_BY = "Cancelled by <@{by}>."
THREAD = " · samples in <#{thread}>"
WILL_NOTIFY = "I'll tell you when it ends."
THREAD_NAME = "{name} · {method} · {job}"
CURVE_ALT = "The loss, step by step"
NO_PICTURE_ALT = "No picture yet"
SAMPLE = "-# “{prompt}”"
NO_SAMPLE = "-# No picture yet"
FRAME = "{step} steps"
FRAME_BEFORE = "before"
STRIP_ALT = "The same prompt, drawn along the way: {steps}"
ANIMATION = "How the style learned, from before the training to its end"
NUMBERS = "**Step {step} of {steps}** · loss {loss} · learning rate {rate} · {time} so far"
NO_NUMBERS = "Nothing has been measured yet."
TABLE = "Every step, with its loss, gradient norm and learning rate:"
NOTES = {
    "captions_cut": "{cut} of {captions} captions are longer than this base can read. Of the first one it ignores “{words}”.",
    "captions_unknown": "This captioner only knows emoji, and {unknown} of {photos} photos look like something else. They got just the trigger word. Describe them yourself, or ask the operator for a captioner for photos, such as BLIP.",
    "checkpoint_lost": "Progress couldn't be saved at step {step}, perhaps because the disk is full. Training continues, and earlier saves, if any, are still there.",
    "copies_photo": "At step {step} a sample is nearly the same picture as one of your photos: the style repeats it instead of learning from it. If the samples ignore their prompts, finish early; next time, add photos that differ more.",
    "disk_full": "The disk is full, so nothing can be saved for now. Jobs go on by themselves once there is room again.",
    "disk_low": "The disk is nearly full ({free} MB left, {needed} MB needed). The job waits, and goes on by itself once there is room again.",
    "diverging": "This is going wrong: after {step} steps the style fits your photos worse than the base did before. Train again with a lower learning rate, or without one, so that I choose it.",
    "folds": "Trying first on a part of your photos, in short runs that don't count: {fold} of {folds}.",
    "memory": "The GPU ran out of memory, so training continues in a way that needs less.",
    "negative_cut": "The negative prompt is longer than this base can read. Its end was ignored: “{words}”.",
    "not_learning": "After {step} steps the style has learnt next to nothing. Train again with a higher learning rate, or without one, so that I choose it.",
    "overfitting": "At step {step} the style starts to memorise your photos: it fits those it has not seen worse than before. Finish early, or train with fewer steps next time.",
    "prompt_cut": "The prompt is longer than this base can read. Its end was ignored: “{words}”.",
    "photos_gone": "Photos removed before they could be captioned: {photos}.",
    "prior_drawn": "The base first draws {pictures} class pictures, to learn alongside your photos.",
    "rate_search": "Looking for the best learning rate first, in a few steps that don't count.",
    "resumed": "Continued from its last save.",
    "sample_cut": "The sample prompt is longer than this base can read. Its end is ignored: “{words}”.",
    "stays_here": "Only another machine has this base, and the photos of this job stay on the main one. The job waits until the operator fetches the base there. You can also cancel it, allow other machines with /me, and start it again.",
    "worker_away": "The machine that can run this is away ({workers}). The job waits, and starts by itself once the machine is back.",
    "start": "The new word starts out as “{word}”, the closest word the base knows.",
}
NOTIFY_FAILED = "**{name}** failed."
NOTIFY_CANCELLED = "**{name}** was cancelled."

# the list

LIST_MINE = "### Your jobs"
LIST_SERVER = "### Jobs on this server"
LIST_NONE = "Nothing yet. Start one with /train auto."
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
DETAILS = "Details"
ANIMATE = "Watch it learn"
RETRY = "Try again"
TRAIN_AGAIN = "Train again"
