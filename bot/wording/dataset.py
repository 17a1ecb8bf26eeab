"""Datasets, their photos and captions, and collecting from messages."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Your photos, in named sets"
COMMAND_NEW = "Start a set of photos that you can train on"
COMMAND_ADD = "Add photos: attach up to five here, or leave them out to pick ten at once"
COMMAND_SHOW = "Look at your photos, their captions and what is amiss"
COMMAND_DELETE = "Delete a dataset with its photos"
COMMAND_COLLECT = "Collect the photos you post in this channel (where the operator allows it)"
NEW_OPTIONS = {
    "name": "What to call it, for example: my dog",
    "kind": "What it teaches: one thing, or a manner of drawing",
    "trigger": "The word that will call it in prompts; made from the name if you leave it out",
}
ADD_OPTIONS = {
    "name": "Which dataset; type to search",
    "photo1": "A photo: JPEG, PNG, WebP or HEIC",
    "photo2": "One more photo",
    "photo3": "One more photo",
    "photo4": "One more photo",
    "photo5": "One more photo",
}
OPTION = "Which dataset; type to search"

# cards and forms

CONCEPTS = {"subject": "a subject (my dog)", "look": "a look (my watercolours)"}
TITLE = "### {name} · {photos}"
WORD = "Trigger word, for prompts:\n{trigger}"
EMPTY = "Add 5 to 20 photos of {concept}: different angles, light and backgrounds help most."
FEW = "Training works from {least} photos on; 10 to 20 teach it well."
READY = "Ready: press Train, and I say how and how long."
SAME = "{many} of them say nearly the same; different ones teach more."
WRITING = "Captions are being written. Press Refresh in a moment."
PAGE = "Page {page} of {pages}"
LINE = "{number}. {caption}"
UNCAPTIONED = "no caption yet"
WARNED = " ⚠️ {warnings}"
WARNINGS = {
    "tiny": "small: below 256 pixels it teaches little detail",
    "blurred": "blurred: a style learns the blur, too",
    "duplicate": "nearly the same as another photo",
}
PHOTO_TITLE = "### Photo {number} of {name}"
PHOTO_SIZE = "{width}×{height}"
PHOTO_ALT = "Photo {number} of {name}: {caption}"
CAPTION_FORM = "Caption"
CAPTION_LABEL = "What is in the picture"
CAPTION_HINT = "The trigger word is put in front by itself."
ADD_FORM = "Add photos to {name}"
ADD_LABEL = "Photos"
ADD_HINT = "Up to 10 at once: JPEG, PNG, WebP or HEIC, 25 MB each"
ADDED = "### {added} of {given} added to {name}"
ADDED_WARNED = "⚠️ {name}: added, but {warnings}"
REFUSED = "❌ {name}: {why}"
DELETE_ASK = "### Delete {name}?\nIts {photos} and their captions go for good. Styles already trained on it stay."
DELETED = "{name} is deleted, with {photos}."
KEPT = "Nothing was changed."
COLLECT_ON = "### Collecting for {name}\nPost your photos in this channel now, as many messages as you like. I take only yours and mark each one ✅ or ⚠️. Press Done when that was all."
COLLECT_DONE = "Collecting has ended; new messages are left alone."

# labels: a verb first, 18 characters at most

SHOW_PHOTOS = "Show photos"
REFRESH = "Refresh"
TRAIN = "Train"
ADD_PHOTOS = "Add photos"
ADD_MORE = "Add more"
CAPTION_AGAIN = "Caption again"
EDIT_CAPTION = "Edit caption"
PICK_PHOTO = "Change a photo…"
REMOVE = "Remove"
DELETE = "Delete for good"
KEEP = "Keep it"
EARLIER = "Earlier"
LATER = "Later"
BACK = "Back"
DONE = "Done"
