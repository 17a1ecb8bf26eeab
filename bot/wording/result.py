"""The result card: before and after, how to prompt, and the file."""

from __future__ import annotations

STEP_TITLE = "**step {step}/{steps}**"
RATE_FOUND = "**Learning rate:** {rate} instead of {usual}. I tried small to large ones on your photos, and this one learns them best."
RATE_USUAL = "**Learning rate:** {usual}, as usual. I tried small to large ones on your photos, and none stood out."
RATE_ALT = "The loss on your photos by learning rate"
STEP_ZERO = "**Before training:** {prompts}"
TITLE = "### {name} is ready"
FACTS = "{method} on {base} · {steps} steps in {time}"
BEFORE = "**Before training**, the base drew this for the same prompt:\n{prompt}"
BEST = "-# Each is the best of {candidates}, chosen by the captioner."
STRIP = "**How it learnt:** the same prompt and seed after so many steps."
STRIP_ALT = "What it drew after {steps} steps"
IN_USE = (
    "In use: **step {step}**, the last one. I didn't compare them, so pick the one you like best."
)
IN_USE_WHOLE = (
    "-# In use: **step {step}**, the last one. Whole models are large, so only that is kept."
)
IN_USE_SAME = (
    "In use: **step {step}**, the last one: no other checkpoint's pictures are clearly better."
)
IN_USE_BEST = "In use: **step {step}**, Safelight's choice. Its pictures score {score} of 100, those of step {last} only {last_score}.\n-# The score counts likeness to your photos and variety, minus copies of photos."
STOPPED = (
    "**It stopped early**, at step {last}: its pictures had become no better since step {best}."
)
BEST_EARLIER = "**It was best at step {best}**: by the last step, {last}, its pictures were worse."
FOLDS = "**On photos it had not seen**, short runs without a part of yours reached a likeness of {held_out} of 100, and of {trained} on the others."
FOLDS_ENDED = "Later they became less like those, so the training ended at step {last}."
PAIR_BEST = "step {step}: best"
PAIR_STOPPED = "step {step}: stopped"
PAIR_LAST = "step {step}: last"
PAIR_OWN = "step {step}: yours"
PAIR_ALT = "The same prompt and seed at {labels}"
IN_USE_CHOSEN = "In use: **step {step}**, your choice. Safelight chose step {best}."
CHECKPOINTS_UNTIL = "-# You can use another one until <t:{until}:D>."
STRENGTH_BEST = "**Strength:** use it at **{strength}**. Its pictures score {score} of 100 there, and {full_score} at 1.0."
STRENGTH_FULL = "**Strength:** 1.0 is right. From {least} to {most}, no other is clearly better."
STRENGTH_ALT = "What it draws at the strengths {strengths}"
TRAIN_MORE = "Train 30 % more"
CHECKPOINT_PICK = "Use another checkpoint…"
CHECKPOINT_LABEL = "Step {step}"
CHECKPOINT_BEST = "Safelight's choice"
EMOJI = "**As an emoji**"
EMOJI_ALT = "Two lines of a chat with the pictures as emoji"
CHAT = (("you", "good morning"), ("a friend", "I want one, too"))  #: who says what in it
BEFORE_ALT = "Before training: {prompt}"
NOW_ALT = "After training: {prompt}"
PROMPT = "**How to prompt:** use the trigger word {trigger}. Press a prompt to draw it:"
LOADS = "-# Works in {programs}."
LOADS_WITH = "-# Works in {programs} with {need}."
LINK = "The file is {size}, and this server's limit is {limit}. Download it with the button, until <t:{until}:f>."
HAND = "The file is {size}, and this server's limit is {limit}. Ask the operator for it: it's in Safelight's data folder, as {file}."
SMALL = "The file is {size}, and this server's limit is {limit}, so this is a smaller copy: a LoRA of rank {rank}, with {error:.1%} of its effect lost. Ask the operator for the full one: it's in Safelight's data folder, as {file}."
LINK_REFUSED = (
    "Discord didn't accept the file ({size}). Download it with the button, until <t:{until}:f>."
)
HAND_REFUSED = "Discord didn't accept the file ({size}). Ask the operator for it: it's in Safelight's data folder, as {file}."
FILE_AGAIN = "Here's **{name}** again:"
LINK_AGAIN = (
    "Download **{name}** with this button, which is just for you and works until <t:{until}:f>."
)
LINK_BUTTON = "Download"

# what the web server answers

LINK_FORGED = (
    "This link is not valid. Copy all of it, or get a new one on Discord: press Get link again on"
    " the style's card.\n"
)
LINK_EXPIRED = (
    "This link has expired. Get a new one on Discord: press Get link again on the style's card.\n"
)
LINK_GONE = "The file behind this link is gone: its style was deleted.\n"
