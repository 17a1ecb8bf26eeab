"""What came of a training: before and after, how to prompt, and the file."""

from __future__ import annotations

STEP_TITLE = "**step {step}/{steps}** · loss {loss}"
STEP_ZERO = "**Before training** · what the base draws for the same words"
TITLE = "### {name} is ready"
FACTS = "{method} on {base} · {steps} steps in {time}"
BEFORE = "**Before training**"
NOW = "**Now**"
BEFORE_ALT = "Before training: {prompt}"
NOW_ALT = "Now: {prompt}"
PROMPT = "**How to prompt:** say its word, for example"
LOADS = "-# Loads in {programs}."
LINK = "The file has {size} and this server takes {limit}. Download it with the button, until <t:{until}:f>."
HAND = "The file has {size} and this server takes {limit}. The operator can hand it over: it lies in Safelight's data folder as {file}."
SMALL = "The file has {size} and this server takes {limit}, so this is a smaller copy: rank {rank}, {error:.1%} of what it does is lost. The operator can hand the whole one over: it lies in Safelight's data folder as {file}."
LINK_REFUSED = (
    "Discord did not take the file ({size}). Download it with the button, until <t:{until}:f>."
)
HAND_REFUSED = "Discord did not take the file ({size}). The operator can hand it over: it lies in Safelight's data folder as {file}."
FILE_AGAIN = "**{name}**, once more:"
LINK_AGAIN = "**{name}**, for you alone, until <t:{until}:f>:\n{url}"
LINK_BUTTON = "Download"

# what the web server answers

LINK_FORGED = (
    "This link is not one of mine. Copy it whole, or get a new one on Discord: Get link.\n"
)
LINK_EXPIRED = "This link has expired. Get a new one on Discord: Get link, on the style's card.\n"
LINK_GONE = "The file behind this link is gone: its style was deleted.\n"


def example(trigger: str, concept: str, *, small: bool) -> str:
    """Write a prompt that a style understands."""
    if concept == "look":
        return f"a cat emoji, {trigger} style" if small else f"a cat, {trigger} style"
    return f"a {trigger} emoji, on a blue background" if small else f"a photo of {trigger}"
