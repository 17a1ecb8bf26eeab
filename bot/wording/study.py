"""Studies: blind comparisons that a server's members vote on."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Ask people, blind, which of two ways to draw is better"
COMMAND_NEW = "Set up a blind comparison of two styles, checkpoints or strengths, or with the base"
COMMAND_LIST = "See your studies: close them, export them, or show them again"
OPTIONS = {
    "style": "The style to compare (type to search)",
    "against": "Another style, or the same one at another strength (default: its base, without a style)",
    "strength": "How strongly to apply the style, 0–2 (default: 1)",
    "against_strength": "How strongly to apply the other one, 0–2 (default: 1)",
    "checkpoint": "The step of a checkpoint of it to compare (default: the style as it is)",
    "against_checkpoint": "The step of a checkpoint of the other one (default: the style as it is)",
    "prompts": "What to draw; up to 6 prompts with ; between them (default: suggested ones)",
    "seeds": "Pictures of each prompt, 1–4 (default: 2)",
    "hours": "How long voting takes, 1–168 (default: 24)",
    "voters": "How many voters you expect (default: 12)",
    "question": "What voters are asked (default: which one is better)",
}
BASE_ALONE = "{base} without a style"
AT_STEP = "{name}, step {step}"
AT_STRENGTH = "{name} at {strength}"
QUESTION = "Which one is better?"

# before it starts

TITLE = "### Study: {first} against {second}"
FACTS = "**Drawn first:** {prompts}, {pairs} of pictures with the same seeds. Then I post the study here, and voting is open for {hours}."
SHOWS = "**What it can show:** of {voters} voters with a preference, at least {needed} ({share} %) must prefer the same side. Anything closer may be chance."
SHOWS_MORE = "Of {voters} voters, {needed} ({share} %) are enough."
SHOWS_NOTHING = "**What it can show:** nothing with {voters} voters: even if all of them agree, that may be chance. It takes at least {least}."
PROMPTS = "**Prompts:** {prompts}"
ASKED = "**Question:** {question}"
RULES = "-# Each voter sees the pairs in another order and doesn't learn which is which. Nobody sees votes before the study closes, not even you, and you can't vote in it. One pair has noise in it, to set aside whoever doesn't look."
STARTED = "Drawing {pictures} pictures. I'll post the study here once they're ready. Until then, /study list can cancel it."

# its post

POST = "### Blind study: {question}\n<@{owner}> asks you to compare {pairs} of pictures. What drew them stays secret until voting closes <t:{closes}:R>, and so do all votes.\n-# It takes about {duration}. Only you see your votes; you can change them until then."
POST_CLOSED = "### Blind study: {question}\nVoting has closed."
POST_ENDED = "### Blind study: {question}\nThis study ended without a result: it was cancelled, or a style in it was taken back. Its votes were deleted."
NOT_POSTED = "Your study **{question}** is open, but its post isn't there. /study list can post it in another channel."
FAILED = "Your study **{question}** couldn't start, because a picture wasn't drawn: {why}"
FAILED_UNKNOWN = "the job was cancelled."

# voting

BALLOT = "### Pair {place} of {pairs}\n{question}"
BALLOT_PROMPT = "-# Prompt: {prompt}"
HIDDEN_WORD = "…"
PAIR_ALT = "Two pictures of the same prompt: A on the left, B on the right"
SIDES = ("A", "B")
TIE = "No difference"
VOTED = "### Thank you\nYou have voted on all {pairs} of pictures. The result is posted in <#{channel}> <t:{closes}:R>."

# the result

RESULT_TITLE = "### Result: {first} against {second}\n{question}"
RESULT = "Of {voters}, {leaders} preferred **{leader}**, {others} **{other}** and {neither} neither: {share} % of those with a preference (95 % interval {low}–{high} %), {verdict}"
NOBODY = "Nobody's votes count, so there is no result."
NO_PREFERENCE = "None of {voters} preferred either side"
VERDICTS = {True: "which is more than chance", False: "which may be chance"}
AGREED = "{said}; any two of them said the same of a pair {agreement} % of the time."
ONE_VOTER = "{said}."
SET_ASIDE = "-# Not counted: {voters}."
MISSED = "{missed} who missed the attention pair"
UNFINISHED = "{unfinished} who stopped early"
VOTES = "-# Votes on pairs: {first} for {first_name}, {second} for {second_name}, {neither} for no difference."
RESULT_ALT = "Pictures of both sides, and how many voters preferred which"
HALF = "50 %"

# the list, and one's own study

LIST_TITLE = "### Studies here"
LIST_NONE = "None yet. Set one up with /study new."
LIST_LINE = "**{number}** {first} against {second} · {state}"
LIST_PICK = "Show a study…"
STATES = {
    "drawing": "pictures are being drawn",
    "open": "voting is open",
    "closed": "closed",
    "failed": "failed",
    "withdrawn": "ended without a result",
}
OPEN_FACTS = (
    "Voting closes <t:{closes}:f>. So far {voters} voted. How they did stays secret until then."
)
CLOSE_ASK = "### Close this study now?\n{voters} voted. It can't be opened again, and the result is posted at once."
CANCEL_ASK = "### Cancel this study?\nIts pictures and votes are deleted, and there is no result."
CLOSED = "The study is closed. Its result follows."
CANCELLED = "The study is cancelled."
EXPORTED = "Every ballot, without names. In the CSV, one line is one vote."

# labels: a verb first, 18 characters at most

START = "Draw and post it"
VOTE = "Vote"
CHANGE = "Change my votes"
REPORT = "Report {side}"
CLOSE = "Close now"
CLOSE_GO = "Close for good"
CANCEL = "Cancel study"
CANCEL_GO = "Delete for good"
POST_AGAIN = "Post it here"
EXPORT = "Export"
