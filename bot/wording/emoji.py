"""Making a picture an emoji of the server."""

from __future__ import annotations

ADD = "Add to server emoji"
FORM = "Add to server emoji"
NAME = "Name"
HINT = "2–32 letters, digits or _"
WHICH = "Picture"
ADDED = "Added {emoji} as :{name}:"
