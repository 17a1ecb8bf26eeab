"""The result card: before and after, how to prompt, and the file."""

from __future__ import annotations

STEP_TITLE = "**step {step}/{steps}** · loss {loss}"
STEP_ZERO = "**Before training:** {prompts}"
TITLE = "### {name} is ready"
FACTS = "{method} on {base} · {steps} steps in {time}"
BEFORE = "**Before training**"
NOW = "**After training**"
BEFORE_ALT = "Before training: {prompt}"
NOW_ALT = "After training: {prompt}"
PROMPT = "**How to prompt:** use its trigger word, e.g."
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
LINK_AGAIN = "A link to **{name}**, just for you, until <t:{until}:f>:\n{url}"
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


def make_example_prompt(trigger: str, concept: str, *, small: bool) -> str:
    """Return a prompt that shows what a style has learnt."""
    if concept == "look":
        return f"a cat emoji, {trigger} style" if small else f"a cat, {trigger} style"
    return f"a {trigger} emoji, on a blue background" if small else f"a photo of {trigger}"
