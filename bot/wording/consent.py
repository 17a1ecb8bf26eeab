"""What a member agrees to before any photo is kept."""

from __future__ import annotations

CONSENT = 1  #: grows whenever the meaning of the terms changes; members are then asked again
TITLE = "### Before I keep your photos"
TERMS = """\
- I use them for one thing: training the styles **you** start, on this bot's own machine.
- Nobody else sees them here. Pictures made with your styles appear wherever you train or sample.
- Only add photos you took or are allowed to use. Everyone in them is an adult and has agreed.
- You can take everything back at any time, with /dataset show or /me."""
MORE = "Full details: /privacy"
TICK = "I'm allowed to use these photos, and I agree"
TICK_MORE = "Only for training my own styles. I can take it back with /me."
LABEL = "Consent"
LATE = "Thank you, your consent is saved. Your photos weren't kept in the meantime, so please add them again with /dataset add."

# labels: a verb first, 18 characters at most

AGREE = "I agree"
DECLINE = "Not now"
