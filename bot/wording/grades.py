"""/style report: how good a style is, for its owner."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "How good is one of your styles? Draws with it and compares with its photos"

# while it is drawn

WAITING = "### Report on {name}\nWaiting · number {place} in the queue. I'll send it to you directly; Refresh shows how far it is."
STARTING = "### Report on {name}\nGetting ready …"
DRAWING = (
    "### Report on {name}\nDrawing: {drawn} of {total} pictures. I'll send it to you directly."
)
FAILED = "### Report on {name}\n**It failed.** {why}"
CANCELLED = "### Report on {name}\nCancelled."
GONE = "### Report on {name}\nIts pictures were deleted. Grade it again to see them."

# the report

TITLE = "### Report on {name}\non {base}, beside {photos}"
SCORE = "**Score {mean} ± {spread}** of 100, the mean and spread of {seeds} seeds: likeness × {obedience}variety, minus copies and forgetting."
GRADE = "**{name}** {figure} · {meaning}"
OBEDIENCE_UNKNOWN = "not measured: no captioner here can judge pictures like these"
COPIES = "{copies} of {pictures} pictures nearly repeat a photo. *Nearest photo* shows the worst."
DETAIL = "-# {detail}"
PHOTOS_GONE = "-# {gone} of these photos are gone since; grade it again to leave them out."
ALT = "A report card: {style} scores {mean} of 100 on {base}"
SHOWN_BY = "A report on **{name}**, a style by <@{owner}>"
DIRECT = "-# /style report shows it on the server, where you can share it."

# the nearest photo

NEAREST = "### Nearest photo\nLeft: drawn for “{prompt}”. Right: the photo most like it. Only you see this.\nAlike by {cosine:.2f} (cosine, EfficientNet-Lite2) and {ssim:.2f} (SSIM, structure)."
NEAREST_COPY = "That is nearly the same picture: the style repeats this photo."
NEAREST_FINE = "That is no copy."
NEAREST_ALT = "Left a drawn picture, right the photo most like it"
NEAREST_GONE = (
    "### Nearest photo\nThat photo has been deleted since, so it is in no report any more."
)
PAIR_SHOWN = "<@{owner}> shows a picture drawn by **{name}** (left) and the photo of theirs most like it (right)."
NUMBERS = "Every number, what computed it, and the fields of peft's image-generation benchmark:"

# labels: a verb first, 18 characters at most

GRADE_STYLE = "Grade it"
REFRESH = "Refresh"
AGAIN = "Grade again"
CANCEL = "Cancel"
SHOW = "Show it here"
SHOW_PAIR = "Show both here"
NEAREST_BUTTON = "Nearest photo"
JSON = "Get JSON"
