"""Adding a picture to the server's emoji."""

from __future__ import annotations

ADD = "Add to server emoji"
FORM = "Add to server emoji"
NAME_LABEL = "Name"
HINT = "2–32 letters, digits or _"
PICTURE_LABEL = "Picture"
ADDED = "Added {emoji} as :{name}:"
