"""What a training will be, before it is started."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Train a style on your photos"
METHOD = "{title}: {help}"
OPTIONS = {
    "dataset": "Which of your datasets; type to search",
    "dial": "How long to train; balanced unless you say so",
    "base": "What to start from; type to search",
    "word": "What it shows, in one word, for example: dog",
    "steps": "Advanced: how many steps, instead of the dial's",
    "rate": "Advanced: learning rate, instead of the dial's",
    "private": "Show card and samples in a private thread only",
}
RANK = "Advanced: {help} ({least} to {most})"

# the pre-flight card

METHODS = {
    "lora": "LoRA",
    "embedding": "Embedding",
    "locon": "LoCon",
    "loha": "LoHa",
    "lokr": "LoKr",
    "dora": "DoRA",
    "oft": "OFT",
    "pivotal": "LoRA with a word",
    "hypernetwork": "Hypernetwork",
    "dreambooth": "DreamBooth",
    "finetune": "Fine-tuned model",
}
DIALS = {"quick": "quick", "balanced": "balanced", "thorough": "thorough"}
_SUBJECT = "one thing is taught with its word, so picture and text network both learn"
_LOOK = "a manner of drawing is taught, so the picture network alone learns"
_WORD = "only a few numbers for its word are learnt; the base stays as it is"
_CLASS = "a rare word is taught beside pictures of its class, so that the class stays as it is"
_ALL = "every weight of the base learns, and what comes out is a model of its own"
_READ = "two small networks change how words are read; the base stays as it is"
REASONS = {
    **{f"{method}_subject": _SUBJECT for method in METHODS},
    **{f"{method}_look": _LOOK for method in METHODS},
    "dreambooth_subject": _CLASS,
    "dreambooth_look": _CLASS,
    "finetune_subject": _ALL,
    "finetune_look": _ALL,
    "hypernetwork_subject": _READ,
    "hypernetwork_look": _READ,
    "embedding_subject": _WORD,
    "embedding_look": _WORD,
    "quick": "quick stops as soon as it resembles",
    "balanced": "balanced stops where most look right",
    "thorough": "thorough goes on for the details",
    "more": "more photos get more steps",
    "chosen": "the numbers you gave take the place of mine",
}
TITLE = "### Train {name}?\n{method} on {base} · {dial}"
PHOTOS = "**Photos:** {photos} ready"
WARNED = "-# Used in spite of a warning: {photos}. /dataset show names them."
STEPS = "**Steps:** {steps} · about {time} on {device}"
STEPS_LIKE = "**Steps:** {steps} · perhaps {time} on {device}: the first run of this kind here, judged by {like} on this base; it may take half or three times that"
STEPS_FIRST = (
    "**Steps:** {steps} · the first run of this kind here, so I cannot say yet how long it takes"
)
MEMORY = "**Memory:** about {need:.1f} of the GPU's {whole:.0f} GB"
MEMORY_TIGHT = "**Memory:** about {need:.1f} GB, more than the GPU's {whole:.0f}: I try, but a smaller base would fit"
CLASS = "**Class pictures:** {pictures} of a {word}, drawn by the base before it learns"
KEPT = "-# A whole model is large: it is kept here for {days} days."
NOW = "**Queue:** starts at once"
PLACE = "**Queue:** place {place}"
FILE = "**File:** about {size}; this server takes {limit}"
FILE_LINK = (
    "**File:** about {size}, more than the {limit} this server takes: you get a link that expires"
)
FILE_HAND = (
    "**File:** about {size}, more than the {limit} this server takes: the operator hands it over"
)
WHY = "-# Why: {reasons}."
PRIVATE = "-# In a private thread that you and the moderators see."
LEFT = "Nothing was started."
STARTED = "Started: **{name}**, job {job}."
WHERE = "Its card is in <#{channel}>."
SMALL = "-# {base} draws tiny emoji, {side} pixels wide. Real photos are honoured as well as it can; bases for photos need a GPU."

# labels: a verb first, 18 characters at most

START = "Start"
NOT_NOW = "Not now"
MORE = "More options"

# the form for more

OPTIONS_FORM = "More options"
FIELDS = {
    "also": ("Teach these, too", "Up to two more of your datasets, each with its own trigger"),
    "optimizer": ("Optimizer", "What moves the numbers that are trained"),
    "switches": ("Also", "Leave empty for none of them"),
    "prior": (
        "Class pictures",
        "How many the base draws of its word's kind, learnt beside; 0 is none",
    ),
    "dropout": ("Dropout", "Part of what is learnt that is left out in each step: 0 to 0.9"),
}
OPTIMIZERS = {
    "adamw": "AdamW, the usual one",
    "adamw8bit": "AdamW in 8 bits: less memory",
    "adafactor": "Adafactor: less memory",
    "prodigy": "Prodigy: finds the rate itself; long runs only",
    "schedulefree": "Schedule-free AdamW: a steady rate",
}
DROPPED = "dropout {part:g}"
USED = "-# With: {options}."
