"""The pre-flight card and the form of options."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Train a style on your photos"
METHOD = "{title}: {help}"
OPTIONS = {
    "dataset": "Which dataset (type to search)",
    "dial": "How long to train (default: balanced)",
    "base": "What to start from (type to search)",
    "word": "What it shows, in one word, e.g. dog",
    "steps": "Advanced: number of steps, instead of what the dial suggests",
    "rate": "Advanced: learning rate, instead of what the dial suggests",
    "class_photos": "Advanced: a dataset of others of its kind, so that it learns what's special",
    "private": "Post the card and samples in a private thread",
}
RANK = "Advanced: {help} ({least}–{most})"

# the pre-flight card

DIALS = {"quick": "quick", "balanced": "balanced", "thorough": "thorough"}
DIAL_CHOICES = {
    "quick": "quick: stops as soon as it looks right",
    "balanced": "balanced: right for most",
    "thorough": "thorough: more steps, for the details",
}
TITLE = "### Train {name}?\n{method} on {base} · {dial}"
PHOTOS = "**Photos:** {photos} ready"
PHOTOS_WITH_WARNINGS = "-# {photos} used despite a warning: see /dataset show."
PHOTOS_CUT = "-# Much of {photos} is cut away on this base: see /dataset show."
STEPS = "**Steps:** {steps} · about {time} on {device}"
STEPS_LIKE = "**Steps:** {steps} · roughly {time} on {device}. Nothing like it has run here yet, so this is estimated from {like}; it may take half or three times as long."
STEPS_FIRST = "**Steps:** {steps} · no time estimate yet, as nothing like it has run here"
MEMORY = "**Memory:** about {need:.1f} of the GPU's {whole:.0f} GB"
MEMORY_TIGHT = "**Memory:** about {need:.1f} GB, more than the GPU's {whole:.0f} GB. I'll try, but a smaller base would fit."
CLASS = (
    "**Class pictures:** {pictures} of a {word}, drawn by the base first unless it still has some"
)
CLASS_PHOTOS = "**Class photos:** {photos} of a {word}, from {name}"
MODEL_DAYS = "-# Whole models are large, so this one is kept here for {days} days."
STARTS_NOW = "**Queue:** starts right away"
PLACE = "**Queue:** place {place}"
FILE = "**File:** about {size}; this server's limit is {limit}"
FILE_LINK = (
    "**File:** about {size}; this server's limit is {limit}, so you'll get a link that expires"
)
FILE_SMALL = (
    "**File:** about {size}; this server's limit is {limit}, so I'll post a LoRA made from it"
)
FILE_HAND = "**File:** about {size}; this server's limit is {limit}, so ask the operator for it"
#: why so many steps, by the codes of a plan
REASONS = {
    "steps_fixed": "-# Why {steps} steps: this method takes the same number for any photos.",
    "steps_least": "-# Why {steps} steps: it takes that many to learn anything; {photos} need no more.",
    "steps_most": "-# Why {steps} steps: it's the most that {dial} takes, even for {photos}.",
    "steps_photos": "-# Why {steps} steps: you have {photos}; each one adds some.",
    "steps_several": "-# Why {steps} steps: each dataset adds its own.",
}
SOURCE = "-# Where these numbers come from: {source}."
OWN_PROMPTS = "-# Samples show: {prompts}."
OWN_NUMBERS = "-# With your own numbers instead of the suggested ones."
PRIVATE = "-# In a private thread only you and the moderators can see."
ATTEST_ASK = "### Real people in {names}?\nBefore a training on photos of people, please confirm: **every real person in them is an adult, knows about this style and agrees to it.** The operator of this bot asks for it; what you confirm is stored with the dataset."
NOT_STARTED = "Nothing was started."
STARTED = "Started **{name}**, job {job}."
WHERE = "Its card is in <#{channel}>."
SMALL = "-# {base} draws emoji, {side} pixels wide: on the left is all it sees of a photo. Bases for photos see what's on the right, and need a GPU."
VARIED = "-# Each photo is also shown in small variations, like these."
SEEN_SMALL = "One of the photos as {base} sees it: {side} pixels wide"
SEEN_WHOLE = "The same photo as a base for photos sees it"

# labels: a verb first, 18 characters at most

START = "Start"
ATTEST = "Confirm and start"
NOT_NOW = "Not now"
MORE = "More options"
ADJUST = "Steps and samples"
CHANGE = "Change settings"
FIND_RATE = "Find learning rate"
USUAL_RATE = "Usual rate"
FOLDS = "Hold photos out"
NO_FOLDS = "Use all photos"

# what can be changed on the card

DIAL_HINT = "How long to train"
BASE_HINT = "What to start from"
ADJUST_FORM = "Steps and samples"
STEPS_LABEL = "Steps"
STEPS_FIELD = "From {least} to {most}; leave empty for what the dial suggests"
PROMPTS_LABEL = "Sample prompts"
PROMPTS_FIELD = "Up to {count}, one per line, {most} characters each; leave empty for mine"

# the form for more

OPTIONS_FORM = "More options"
FIELDS = {
    "other_datasets": (
        "Also teach",
        "Up to four more of your datasets, each with its own trigger word",
    ),
    "switches": ("Extras (optional)", "Leave empty for none"),
    "num_class_images": (
        "Class pictures",
        "How many pictures of its kind the base draws to learn alongside; 0 for none",
    ),
}
#: choices of options, by their values
CHOICES = {
    "adamw": "AdamW (default)",
    "adamw8bit": "8-bit AdamW: less memory",
    "adafactor": "Adafactor: less memory",
    "prodigy": "Prodigy: finds the learning rate itself; long runs only",
    "schedulefree": "Schedule-free AdamW: constant learning rate",
}
WITH_OPTIONS = "-# With: {options}."
SWITCHED_OFF = "“{label}” switched off"
