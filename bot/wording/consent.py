"""What a member agrees to before any photo is kept."""

from __future__ import annotations

CONSENT = 2  #: grows whenever the meaning of the terms changes; members are then asked again
TITLE = "### Before I keep your photos"
TITLE_MACHINES = "### Before your photos may go to other machines"
TERMS = """\
- **What for:** training the styles **you** start, {where}. Nothing is sent anywhere else.
- **With:** the base models installed here{installed}. You pick one for each training.
- **Who can use the styles:** you, and the servers you share one with. Nobody else sees your photos here.
- **For how long:** until you delete them{limit}.
- Only add photos you took or are allowed to use. Everyone in them is an adult and has agreed.
- You can take this back at any time with /me. Your photos are then deleted at once, and your styles too if you like."""
SHARED_TERMS = """\
- **What for:** training the styles that <@{owner}> starts with **{name}**, {where}. Nothing is sent anywhere else.
- **With:** the base models installed here{installed}. <@{owner}> picks one for each training.
- **Who can use the styles:** <@{owner}>, and the servers they share one with.
- **Who sees your photos:** <@{owner}>, as small previews with their captions. They can only download your originals if you tick that below.
- **For how long:** until you or <@{owner}> delete them{limit}.
- Only add photos you took or are allowed to use. Everyone in them is an adult and has agreed.
- You can take your photos back at any time: these with /dataset show, all of yours with /me. They are then deleted at once, and so are the styles trained on them if you like."""
HERE = "on this bot's own machine"
OTHER_MACHINES = "on this bot's own machine and others that have joined it. Those delete your photos after each job, but whoever owns one could look at them until then; /me keeps them off those machines"
BASES = " (now {bases})"
KEPT_DAYS = (
    ", or the dataset hasn't been used for {days} days. I'll send you a message {notice} before"
)
MORE = "Full details: /privacy"
TICK = "I'm allowed to use these photos, and I agree"
TICK_MORE = "Only for training my own styles. I can take it back with /me."
TICK_MORE_SHARED = "Only for styles made with this dataset. I can take it back at any time."
TICK_ORIGINALS = "The owner may download my originals"
TICK_ORIGINALS_MORE = "Leave it empty, and they only see small previews."
LABEL = "Consent"
LATE = "Thank you, your consent is saved. Your photos weren't kept in the meantime, so please add them again with /dataset add."

# taking it back

WITHDRAW = "### Take back your consent?\nYour datasets, jobs and styles stay, without photos. You can agree again at any time."
WITHDRAW_SHARED = "### Take your photos back?\nOnly those you added to this dataset. You can join it again at any time."
WITHDRAW_PHOTOS = "This permanently deletes {photos} and their captions."
WITHDRAW_LEFT = "Without them, {left} of other members are left to train on."
WITHDRAW_JOBS = "It also ends {jobs} using them."
WITHDRAW_BACKUPS = "If there are backups, the next one removes them there, too."
WITHDRAW_STYLES = (
    "Trained on your photos: {styles}. Delete those too, with what they drew, or keep them?"
)
WITHDRAWN = "### Taken back\nDeleted {photos}, and kept a receipt of when you agreed and when you took it back. It's in your export (/me)."
WITHDRAWN_STYLES = "Deleted {styles}, too."

# labels: a verb first, 18 characters at most

AGREE = "I agree"
DECLINE = "Not now"
TAKE_BACK = "Take it back"
DELETE_STYLES = "Delete styles too"
KEEP_STYLES = "Keep styles"
