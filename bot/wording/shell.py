"""The command line: what the commands are, and what a child's events read like."""

from __future__ import annotations

PROGRAM = "A Discord bot that turns a member's photos into a style the whole server can use."
COMMANDS = {
    "demo": "try everything in a browser: no Discord account, no GPU, no download",
    "run": "run the bot and the trainer, and start them again when they die",
    "doctor": "look whether everything is in place, and say what to do where it is not",
    "train": "train a style on a folder of photos",
    "advise": "say which method, base and dial suit a folder of photos, and why",
    "sample": "draw pictures with a style, or with a bare base",
    "caption": "describe a folder of photos",
    "bases": "list the models one can start from, and fetch them: safelight bases fetch NAME",
    "shrink": "make a smaller copy of a LoRA, and say what it costs",
    "export": "write a hypernetwork as AUTOMATIC1111 reads it, a whole model as diffusers keeps them",
    "promote": "make a whole model a base of this machine",
    "inspect": "say what a style's file is, and which programs load it",
}
PORT = "port of the page; without it a free one is taken"
NO_BROWSER = "do not open a browser, only print the page's address"
AUTOPLAY = "play the whole journey by itself, check it, and write what came of it into this folder"
STOPPED = "Stopped."

# events

EVENTS = {
    "started": "On {device}:",
    "sample": "Step {step}: {names}",
    "checkpoint": "Step {step}: {file}",
    "caption": "{file}: {caption}",
    "picture": "{file} (seed {seed})",
    "paused": "Paused at step {step}.",
    "cancelled": "Cancelled at step {step}.",
}
PROGRESS = "{step}/{steps}{loss}{speed}{eta}"
LOSS = " · loss {loss:.4f}"
SPEED = " · {speed:.1f} steps/s"
ETA = " · {eta} left"
DONE = "Done in {seconds}."
DONE_FILE = "Done in {seconds}: {file} ({size})"
FAILED = "That did not work: {sentence}"
FAILED_FILE = "That did not work, because of {file}: {sentence}"
BASE = "{mark} {name:<12} {title:<22} {family:<5} {resolution:>5} px  {note}"
BASE_GOOD = "    {good}"
BASE_WEAK = "    {good}; weak: {weak}"
BASE_LICENCE = "    {licence}{money}"
CAPTIONERS = "Who describes photos:"
NOTES = {
    "": "{size}, {checked}",
    "base_missing": "not here: safelight bases fetch {name}",
    "base_bring": "not here: put {source} into bases/ of the data folder",
    "base_family": "this version has no family {family}",
}
CHECKED = {True: "checked", False: "put there by hand, not checked"}
UNSEEN = "licence not seen"
MONEY = {
    "yes": ": one may earn money with it",
    "conditions": ": one may earn money with it, if: {terms}",
    "no": ": no money may be earned with it",
    "unseen": "",
}
FETCH = "{title} from {source}: {licence}{money}"
SEEN = " (read at {licence_url})"
FETCHING = "{done} of {bytes} · {speed}/s"
FETCHED = "{title} is here: {size} in {seconds}, every file with the hub's own hash ({place})."
FETCHED_UNSEEN = "{title} is here: {size} in {seconds}. The hub gave no hash of {names}, so nobody checked those ({place})."
FETCHED_ALREADY = "{title} is already here ({place})."
INSPECTED = {
    "file": "{file}: {method}, {size}, {tensors} tensors",
    "trigger": "Trigger: {trigger}",
    "architecture": "For: {architecture}",
    "base": "Trained on: {base}",
    "steps": "Steps: {steps}",
    "learning_rate": "Learning rate: {learning_rate}",
    "batch_size": "Batch size: {batch_size}",
    "photos": "Photos: {photos}",
    "rank": "Rank: {rank}",
    "alpha": "Alpha: {alpha}",
    "seed": "Seed: {seed}",
    "resolution": "Resolution: {resolution}",
    "date": "Date: {date}",
    "fingerprint": "Fingerprint of the base: {fingerprint}…",
    "versions": "Made with: {versions}",
    "thumbnail": "Thumbnail: a picture of {thumbnail}",
}
ADVICE = "{method} on {base}, {dial}"
ADVICE_SECOND = "Or: {method} on {base}, {dial}: {why}."
ADVICE_SOME = "{photos} of {handed} count: the others are blurred or nearly the same."
ADVICE_TERMS = "Its licence asks: {terms}."
EXPORTED = "{file}: {size}"
PROMOTED = "{base} is a base now ({size}): safelight bases lists it"
SHRUNK = "{file}: {size}, rank {rank}; {error:.1%} of what it does is lost"
LOADS = "Loads in: {programs}"
AMISS = "Not in {program}: it {amiss}"
SILENT = (
    "The training process ended without a word (exit code {code}). Its last lines stand above."
)
