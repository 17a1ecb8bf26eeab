"""What a member agrees to before any photo is kept."""

from __future__ import annotations

CONSENT = 1  #: grows whenever the terms below change; members are then asked again
TITLE = "### Before I keep your photos"
TERMS = """\
- They are used for one thing: training the styles **you** start, on this bot's own machine.
- Nobody else sees them here. Pictures drawn by your styles appear where you train or sample.
- Hand over only photos you took or may use. People in them are adults and have said yes.
- Take any of it back with /dataset show or /me, whenever you like."""
MORE = "The whole story: /privacy"
TICK = "I may use these photos, and I agree"
TICK_MORE = "Only to train my own styles; I can take it back with /me."
LABEL = "Consent"
LATE = "Thank you, that is recorded. Your photos did not wait for it: send them once more with /dataset add."

# labels: a verb first, 18 characters at most

AGREE = "I agree"
DECLINE = "Not now"
