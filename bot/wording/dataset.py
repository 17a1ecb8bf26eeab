"""Datasets, their photos and captions, and collecting from messages."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Your photos, in named datasets"
COMMAND_NEW = "Start a new dataset for photos"
COMMAND_ADD = "Add photos: attach up to five here, or none to open a form for ten"
COMMAND_SHOW = "See your photos, captions and any problems"
COMMAND_EXPORT = "Get a zip of a dataset's photos and captions, for other programs"
COMMAND_DELETE = "Delete a dataset and its photos"
COMMAND_COLLECT = "Collect the photos you post in this channel (if the operator allows it)"
MENU_ADD = "Add my photos"  # of a message
NEW_OPTIONS = {
    "name": "Its name, e.g. my dog",
    "kind": "What to learn: a subject or a look",
    "trigger": "The word that calls it in prompts; made from the name if left out",
}
ADD_OPTIONS = {
    "name": "Which dataset (type to search)",
    "photo1": "A photo (JPEG, PNG, WebP, HEIC or AVIF), or a zip of photos with their captions",
    "photo2": "Another photo, or a zip",
    "photo3": "Another photo",
    "photo4": "Another photo",
    "photo5": "Another photo",
}
OPTION = "Which dataset (type to search)"

# cards and forms

CONCEPTS = {"subject": "a subject (my dog)", "look": "a look (my watercolours)"}
TITLE = "### {name} · {photos}"
TRIGGER = "Trigger word, for prompts:\n{trigger}"
EMPTY = {
    "subject": "Add 5 to 20 photos of it: different angles, light and backgrounds help most.",
    "look": "Add 5 to 20 pictures in that look: showing different things helps most.",
}
TOO_FEW_PHOTOS = "Training needs at least {least} photos; 10–20 varied ones work best."
READY = "Ready! Press Train and I'll suggest settings and a time."
SAME_SHOTS = "The same shot again, which teaches nothing new: {same}."
MASKED = "Photos with a mask: {count}. To ignore what's black in masks, choose “{option}” under More options when you train."
CROPPED = "Dark parts are cut away for {base}. Pick a photo below to change that."
CROP = "For {base}, {share} of this photo is cut away. {why}"
CROP_WHOLE = "{base} sees all of this photo. The bars beside it are not learned."
SHARES = (
    (0.18, "a little"),
    (0.29, "about a quarter"),
    (0.42, "about a third"),
    (0.54, "about half"),
    (0.62, "more than half"),
    (0.71, "about two thirds"),
    (1.0, "most"),
)
FRAMED_BY = {
    "face": "I kept the face.",
    "contrast": "I kept what stands out most.",
    "middle": "I kept the middle.",
    "member": "You chose what to keep.",
}
CAPTIONS_PENDING = "Captions are being written. Press Refresh in a moment."
CAPTIONS_FAILED = "Captions couldn't be written: {why}"
PAGE = "Page {page} of {pages}"
LINE = "**{number}** · {caption}"
REPEATED = " ×{repeats}"
UNCAPTIONED = "no caption yet"
PHOTO_WARNINGS = " ⚠️ {warnings}"
PHOTO_TITLE = "### Photo {number} of {name}"
PHOTO_SIZE = "{width}×{height} pixels"
PHOTO_ALT = "Photo {number} of {name}: {caption}"
ALSO_HERE = "It's also in {names}."
ALSO_ADDED = "This photo is in {name} now, too. When both are trained together, its caption has both trigger words: {trigger} and {other}."
CAPTION_FORM = "Caption"
CAPTION_LABEL = "What's in the picture"
CAPTION_HINT = "The trigger word is added in front automatically."
ADD_FORM = "Add photos to {name}"
ADD_LABEL = "Photos"
MENU_LABEL = "Add them to"
ADD_HINT = "Up to {count} at once: JPEG, PNG, WebP, HEIC or AVIF, {limit} each, or a zip of photos"
PHOTOS_ADDED = "### {new}{known}{refused}. {name} has {stored}."
PHOTOS_NONE = "No new photos"
PHOTOS_KNOWN = ", {count} you had already"
PHOTOS_REFUSED = ", {count} not added"
ZIP_READ = "{name}: {captions} of {photos} had a caption{unused}."
ZIP_UNUSED = "; not used: {files}"
ZIP_NOTES = {
    "beside_shared": "{file} belongs to {owner}. Name a caption for {other} {own}.",
    "captions_decoded": "Captions read as {encoding}: {count}.",
    "captions_named": "Captions taken from the names of files or folders: {count}, such as “{caption}”.",
    "captions_shortened": "Captions cut to {most} characters: {count}.",
    "masks_orphaned": "Not used: masks without their photos, {files}.",
    "folders_left": "Not taken: the photos in {folders}. Zip a folder alone to add it.",
}
PHOTO_ADDED_WITH_WARNINGS = "⚠️ {name}: {warnings}"
PHOTOS_MASKED = "{photos} came with a mask."
PHOTO_REFUSED = "❌ {name}: {why}"
EXPORT_TITLE = "### Export {name}"
FORMS = {
    "plain": "Plain files",
    "kohya": "kohya",
    "everydream": "EveryDream2",
    "hub": "Hugging Face",
}
FORMS_EXPLAINED = (
    "A zip of your photos and their captions, for:",
    "**Plain files** · most programs: each photo with a text file beside it",
    "**kohya** · sd-scripts and its GUIs: the same in a folder with your trigger word",
    "**EveryDream2** · captions as file names",
    "**Hugging Face** · diffusers and datasets: captions in metadata.jsonl",
)
EXPORTED = "Here's your dataset: {photos} with their captions. /dataset add takes it back."
DELETE_ASK = "### Delete {name}?\nThis permanently deletes it, with {photos} and their captions."
DELETE_STYLES_ASK = (
    "You trained {styles} on it. Delete those too, with what they drew, or keep them?"
)
DELETED = "Deleted {name}, with {photos}."
UNCHANGED = "Nothing was changed."
COLLECT_ON = "### Collecting for {name}\nPost your photos in this channel, in as many messages as you like. I only take yours, and mark each message ✅ or ⚠️. Press Done when you've finished."
COLLECT_DONE = "Done collecting. I'll leave new messages alone."

# labels: a verb first, 18 characters at most

SHOW_PHOTOS = "Show photos"
REFRESH = "Refresh"
TRAIN = "Train"
ADD_PHOTOS = "Add photos"
ADD_MORE = "Add more"
CAPTION_AGAIN = "Caption again"
EDIT_CAPTION = "Edit caption"
PICK_PHOTO = "Edit a photo…"
SIDES = ("Keep left", "Keep middle", "Keep right")
HEIGHTS = ("Keep top", "Keep middle", "Keep bottom")
KEEP_WHOLE = "Keep all"
KEEP_FOUND = "Choose for me"
REPEATS = ("Count it once", "Count it twice")
UNDO_CROP = "Undo crop"
ALSO_IN = "Also put it into…"
REMOVE = "Remove"
DELETE = "Delete for good"
DELETE_STYLES = "Delete styles too"
KEEP_STYLES = "Keep styles"
KEEP = "Cancel"
EARLIER = "Previous"
LATER = "Next"
BACK = "Back"
DONE = "Done"


def name_share(cut: float) -> str:
    """Return the share of a photo that is cut away, in words."""
    return next(words for most, words in SHARES if cut <= most)
