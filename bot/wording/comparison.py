"""Comparisons: the same photos trained with several recipes."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = (
    "Train the same photos on several bases, or with several methods, and see which is better"
)
OPTIONS = {
    "dataset": "Which dataset (type to search)",
    "base": "What to start from (default: the server's usual base)",
    "other_base": "Another base to compare it with",
    "third_base": "A third base",
    "method": "How to train (default: lora)",
    "other_method": "Another method to compare it with",
    "third_method": "A third method",
    "dial": "How long each of them trains (default: balanced)",
    "word": "What the photos show, in one word, e.g. dog",
    "steps": "Advanced: number of steps of each, instead of what the dial suggests",
    "private": "Post the card and the result in a private thread",
}

# before it starts

TITLE = "### Compare {labels} on {name}?\n{same} · {dial}"
ENTRY = "**{label}:** {steps} steps · {time} · about {size}"
ENTRY_TIME = "about {time}"
ENTRY_TIME_LIKE = "roughly {time}"
ENTRY_TIME_UNKNOWN = "no time estimate yet"
WHOLE = "**Altogether:** {time} on {device} with the pictures, {size} of files. They train one after the other, so others' trainings come in between."
WHOLE_UNKNOWN = "**Altogether:** no time estimate yet, {size} of files. They train one after the other, so others' trainings come in between."
QUOTA = "**Counts as:** {count} trainings"
MEASURED = "**Then:** all of them draw the same prompts from the same seeds, and are scored by likeness to your photos, obedience to the prompt and variety, minus copies of photos. One is called better only if more than chance says so."
CROSSED = "-# Each style is also drawn on the other base, where their kinds agree."
FACES = "-# **Faces:** {photos} show a face. The score compares pictures as a whole, not who it is: trust your own eyes for the likeness of a person."
MEDICAL = "-# **Medical pictures?** What a style draws only looks like your photos. It is **not diagnostic**: no finding in it is real, and none that is missing means anything."
BIAS = "-# **What a base brings:** each draws what it has seen most. I measure what it makes of “{word}” without your photos, and show it beside them in the result."
NO_CLASS_WORD = "thing"
NOT_STARTED = "Nothing was started."
STARTED = "Started comparing. The card is in <#{channel}>."

# while it runs

CARD_TITLE = "### Comparing {labels} on {name}\nfor <@{owner}>"
CARD_TITLE_SWEEP = "### Looking for the best settings for {name}\nfor <@{owner}>"
WAITING = "**{label}:** waits for its turn"
QUEUED = "**{label}:** in the queue, place {place}"
RUNNING = "**{label}:** training, step {step} of {steps}"
RUNNING_ETA = "**{label}:** training, step {step} of {steps}, done <t:{when}:R>"
PAUSED = "**{label}:** paused at step {step}. /jobs can resume it."
TRAINED = "**{label}:** trained in {time}"
FAILED = "**{label}:** failed: {why}"
CANCELLED = "**{label}:** cancelled"
OUT = "**{label}:** score {score} ± {spread}, ended after {steps} steps"
JUDGING = "All are trained. Now each draws the same pictures…"
ENDED = "This comparison has ended. What it shows is posted below."
ENDED_FAILED = "This comparison ended without a result: {why}"
ENDED_CANCELLED = "This comparison was cancelled. Styles that were finished stay: /style list."
PICTURE_ALT = "The newest picture of each: {labels}"

CANCEL_ASK = "### Cancel this comparison?\nThe training that runs ends, and the others aren't started. Styles that are finished stay."
CANCELLED_ALL = "The comparison is cancelled."

# the result

RESULT_TITLE = "### {labels} on {name}"
RESULT_SWEEP = "### The best settings for {name}"
BETTER = "**{best}** is better: {score} ± {spread} against {others}."
BETTER_EQUAL = "**{best}** is better than {others}. Between it and {equal} there is no difference to be seen{why}."
EQUAL = "No difference to be seen between {equal}: take **{best}**{why}."
EQUAL_ALL = "No difference to be seen between {equal}: take whichever you like better."
ALONE = "Only **{best}** was trained, so there is nothing to compare it with: {score} ± {spread}."
OTHER = "{label} with {score} ± {spread}"
WHY = {"faster": ", which trains faster", "smaller": ", whose file is smaller", "": ""}
ROW = "**{label}** · {figures}\n-# {seconds}, {size}{memory}"
SCORE = "score\u00a0{score}\u00a0±\u00a0{spread}"
#: of grades: each stays on one line
GRADES = {
    "likeness": "likeness\u00a0{figure}",
    "obedience": "obedience\u00a0{figure}",
    "variety": "variety\u00a0{figure}",
    "copies": "copies\u00a0{figure}",
}
MEMORY = ", {memory:.1f} GB of memory at most"
ROW_FAILED = "**{label}** · {why}"
EXPLAINED = "-# Scores and grades go from 0 to 100, over {seeds} seeds of the same prompts; 0 is what the bases draw without a style. “Better” means more than chance."
GRID_ALT = "A row for each: {labels}. Every column is the same prompt and seed."
SQUARE = "**On each other's base:** left a style on its own base, then on the others, with its score there."
SQUARE_ALT = "Each style on its own base and on the others"
BASE = "**{base}** by itself: what it draws of “{word}” is {likeness} % as close to your photos as they are to each other, and its variety is {variety} %."
NOT_DIAGNOSTIC = "-# Not diagnostic: these pictures only look like your photos."
PICK = "Show one of the styles…"
FAILED_RESULT = "Your comparison on **{name}** ended without a result: {why} Styles that were finished stay: /style list."
WHY_UNKNOWN = "nothing was trained."

# labels: a verb first, 18 characters at most

START = "Start"
NOT_NOW = "Not now"
CANCEL = "Cancel all"
CANCEL_GO = "Cancel for good"

# in a shell

SHELL_HEAD = f"{'':<18}{'score':>12}{'likeness':>10}{'obedience':>11}{'variety':>9}{'copies':>8}   time and file"
SHELL_ROW = "{label:<18}{score:>6} ±{spread:<4}{likeness:>10}{obedience:>11}{variety:>9}{copies:>8}   {seconds}, {size}"
SHELL_CROSSED = "{trained} drawn on the base of {drawn}: {score}"
SHELL_BETTER = "{best} is better than {others}."
SHELL_EQUAL = "There is no difference to be seen between {best} and {equal}: take {best}{why}."
SHELL_WRITTEN = "Written: {files}"

#: words by which medical pictures are known, in a dataset's name, captions or class word
MEDICAL_WORDS = frozenset({
    "angiogram", "biopsy", "carcinoma", "ct", "dental", "dermatology", "dermoscopy", "diagnosis",
    "endoscopy", "fracture", "fundus", "histology", "lesion", "mammogram", "medical", "melanoma",
    "microscopy", "mri", "oncology", "pathology", "patient", "radiograph", "radiology", "retina",
    "röntgen", "scan", "tumor", "tumour", "ultrasound", "xray", "x-ray",
})  # fmt: skip
