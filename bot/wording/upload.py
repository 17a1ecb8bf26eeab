"""The page in a browser that takes photos, and the way to it."""

from __future__ import annotations

COMMAND = "Get a page for your browser that takes many photos at once"
LABEL = "Upload in browser"
CARD = "### Upload photos to {name}\nThis page takes as many photos as you like, from a phone or a computer. The link is yours alone, so don't pass it on. It works until <t:{until}:t>."
OPEN = "Open the page"

# the page

TITLE = "Upload photos"
CHOOSE = "Choose photos"
CHOOSE_MORE = "or drop them anywhere on this page, or paste one"
FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, or a zip of them"
DROP = "Drop them anywhere"
NEEDS_SCRIPT = "This page needs JavaScript."
TRIGGER = "Captions are shown as training reads them, with your trigger word in front. Change any you like. Dark parts are cut away: drag what is kept."
DOWNLOAD = "Download it all as a zip, for …"
CHANGE_ALL = "Change words in all captions"
FIND = "Find"
WORDS = "Replace with"
CHANGE = "Change all"
CHANGE_HINT = (
    "Leave “Replace with” empty to remove words, or “Find” empty to add words to every caption."
)
READY = "Ready to train: go back to Discord and press Train on the dataset's card."
SHARED = "This is another member's dataset, so you only see your own photos. Its owner looks after captions and crops."
OWNER = "the dataset's owner"
CAPTIONING = "Writing captions …"
BY_OWNER = "written by you"
BY_CAPTIONER = "written for you"
CAPTION = "Caption"
ALSO = "Also in…"
TWICE = "Count twice"
UNDO = "Undo the last caption change"
KEEP_WHOLE = "Keep it whole"
SURE = "Really remove?"
DISMISS = "Hide"
#: what the page's script puts together
SCRIPT = {
    "sending": "Uploading: {done} of {all} done",
    "offline": "The connection is gone. I'll go on as soon as it's back.",
    "consent": "Your photos wait for your consent.",
    "reading": "Reading {name} …",
    "sent": "Done: {new} new{known}{refused}.",
    "known": ", {count} you had already",
    "refused": ", {count} not added",
    "heavy": "It's {megabytes} MB, and the limit is {most} MB. Use a smaller copy.",
    "unreadable": "Your browser can't read the file any more. Choose it again.",
    "insecure": "This page only works over HTTPS. Please tell whoever runs this bot.",
}
