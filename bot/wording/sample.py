"""Drawing pictures."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Draw pictures, with or without a style"
OPTIONS = {
    "prompt": "What to draw; use the style's trigger word in it",
    "style": "Yours or one shared here (default: the one whose trigger word is in the prompt)",
    "count": "How many pictures, 1–4",
    "seed": "The same seed draws the same picture again",
    "strength": "How strongly to apply the style, 0–2 (default: 1)",
    "negative": "What not to draw",
    "steps": "1–100 (default: 20)",
    "size": "Side length in pixels (default: the base's own)",
    "base": "Which base draws, of the style's family (default: the style's own)",
}

NO_STYLE = "No style"  #: a choice

# cards and forms

TITLE = "### {prompt}"
BY = "for <@{owner}>"
CREDIT = "{name} by <@{maker}>, on {base}"
CREDIT_OWN = "{name}, on {base}"
CREDIT_BASE = "{base}, no style"
CANCELLED = "Cancelled."
DRAWING = "Drawing …"
SEED = "Seed:\n{seed}"
SETTINGS = "-# {facts}"
STEPS = "{steps} steps"
STRENGTH = "strength {strength}"
NEGATIVE = "without: {negative}"
TRY_FORM = "Draw with {name}"
VARY_FORM = "Edit and draw again"
PROMPT_LABEL = "Prompt"
NEGATIVE_LABEL = "What not to draw"
STRENGTH_LABEL = "Strength, 0–2"
SEED_LABEL = "Seed"
STEPS_LABEL = "Steps, 1–100"
PICTURE_DELETED = "The picture was deleted."
LIKED = "👍 Noted. Only you see this; press 👎 to change your mind."
DISLIKED = "👎 Noted. Only you see this; press 👍 to change your mind."

# labels: a verb first, 18 characters at most

AGAIN = "Again"
WITH = "Draw with {name}"
VARY = "Vary"
REMOVE = "Delete"
LIKE = "👍"
DISLIKE = "👎"
