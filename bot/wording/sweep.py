"""Sweeps: several settings on the same photos, of which the best goes on."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND = "Try several learning rates and ranks on the same photos, and keep the best style"
OPTIONS = {
    "dataset": "Which dataset (type to search)",
    "method": "How to train (default: lora)",
    "dial": "How long the best one trains (default: thorough)",
    "base": "What to start from (type to search)",
    "word": "What it shows, in one word, e.g. dog",
    "steps": "Advanced: number of steps, instead of what the dial suggests",
    "rank": "Advanced: the usual rank, around which others are tried",
    "rate": "Advanced: the usual learning rate, around which others are tried",
    "private": "Post the card and the result in a private thread",
}

# cards

TITLE = "### Find the best settings for {name}?\n{method} on {base} · {dial}"
USUAL = "rate {rate}, rank {rank} (usual)"
RECIPE = "rate {rate}, rank {rank}"
ROUND = "{count} until step {steps}"
ROUNDS = "**Rounds:** {rounds}. In between, all draw the same prompts from the same seeds, and those with the better scores go on from where they are."
COST = "**Altogether:** {times} times the steps of one training, about {time} on {device}, with the pictures."
COST_UNKNOWN = (
    "**Altogether:** {times} times the steps of one training. There is no time estimate yet."
)
BEST_STAYS = "-# The best one becomes the style; the others' files are deleted. More settings mean shorter first rounds, which tell less."
ROUND_NOW = "-# Round {at} of {rounds}"
STARTED = "Started looking for the best settings. The card is in <#{channel}>."
CANCEL_ASK = "### Cancel this?\nThe training that runs ends, and the others aren't started. What was trained a part of the way is deleted."
WINNER = "**{best}** came out best and is the style now, with a score of {score} ± {spread} after {steps} steps."
SHORTER_BETTER = "By now its score is clearly lower than that of {others} after fewer steps: look at the pictures, and train shorter if these are better."
OTHERS = "-# Ended on the way: {others}. Their figures below are of those shorter trainings."
OTHER = "{label} at step {steps}"

# in a shell

SHELL_ROUND = "Round {round} of {rounds}, to step {step}: {recipes}"
SHELL_SHORTER_BETTER = "By now its score is clearly lower than that of {others} after fewer steps: look at the grid, and give fewer --steps if these are better."
SHELL_WINNER = "{best} came out best. Ended on the way: {others}."

# labels: a verb first, 18 characters at most

SWEEP = "Find best settings"
PICK = "Settings to try, two to six"
