"""Pictures on demand."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Draw pictures, with a style or without"
OPTIONS = {
    "prompt": "What to draw; say the style's word in it",
    "style": "A style of yours, or one shared here; type to search",
    "base": "What draws: of a style's family; its own unless you say so",
    "negative": "What not to draw",
    "strength": "How strongly the style is worn, 0 to 2; usually 1",
    "seed": "The same seed draws the same picture",
    "steps": "1 to 100; usually 20",
    "size": "Pixels of a side; the base's own unless you say so",
    "count": "How many pictures, 1 to 4",
}

# cards and forms

TITLE = "### {prompt}"
BY = "for <@{owner}>"
CREDIT = "{name} by <@{maker}>, on {base}"
NAMELESS = "{name}, on {base}"
BARE = "{base}, no style"
CANCELLED = "Cancelled."
DRAWING = "Drawing …"
SEED = "Seed:\n{seed}"
SETTINGS = "-# {facts}"
STEPS = "{steps} steps"
STRENGTH = "strength {strength}"
NOT = "not: {negative}"
TRY_FORM = "Draw with {name}"
FORM = "Draw something"
PROMPT_LABEL = "Prompt"
NEGATIVE_LABEL = "What not to draw"
STRENGTH_LABEL = "Strength, 0 to 2"
SEED_LABEL = "Seed"
STEPS_LABEL = "Steps, 1 to 100"
GONE = "The picture is deleted."

# labels: a verb first, 18 characters at most

AGAIN = "Again"
VARY = "Vary"
REMOVE = "Delete"
