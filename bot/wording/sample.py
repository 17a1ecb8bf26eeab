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

GRID = "Draw pictures beside each other in one grid"
GRID_STRENGTH = "A style's checkpoints at strengths from 0.4 to 1.4"
GRID_STRENGTH_OPTIONS = {
    "style": "Yours or one shared here (type to search)",
    "prompt": "What to draw; use the style's trigger word in it (default: one that shows it)",
    "seed": "The same seed draws the same pictures again",
}
GRID_STYLES = "The same prompts with several styles, or without"
GRID_STYLES_OPTIONS = {
    "prompts": "2 to 5 prompts, with semicolons between them",
    "style": "Yours or one shared here (type to search)",
    "second": "Another style (default: no style)",
    "third": "Another style",
    "fourth": "Another style",
    "seed": "The same seed draws the same pictures again",
}

NO_STYLE = "No style"  #: a choice

# cards and forms

TITLE = "### {prompt}"
BY = "for <@{owner}>"
CREDIT = "{name} by <@{maker}>, on {base}"
CREDIT_OWN = "{name}, on {base}"
CREDIT_GRID = "several styles, on {base}"
CREDIT_BASE = "{base}, no style"
CANCELLED = "Cancelled."
DRAWING = "Drawing …"
SEED = "Seed:\n{seed}"
SETTINGS = "-# {facts}"
STEPS = "{steps} steps"
GRID_ROWS = "rows: steps of its training; columns: strength"
GRID_ROWS_PROMPTS = "rows: the prompts; columns: the styles"
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
