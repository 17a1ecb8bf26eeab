"""The sentences for who runs Safelight: the terminal, the doctor, the demo's page.

The other half of `wording.py`, which has those that members read on Discord.
"""

from __future__ import annotations

# --- the command line -------------------------------------------------------------------------

PROGRAM = "A Discord bot that turns a member's photos into a style the whole server can use."
COMMANDS = {
    "demo": "try everything in a browser: no Discord account, no GPU, no download",
    "run": "run the bot and the trainer, and start them again when they die",
    "doctor": "look whether everything is in place, and say what to do where it is not",
    "train": "train a style on a folder of photos",
    "sample": "draw pictures with a style, or with a bare base",
    "caption": "describe a folder of photos",
    "bases": "list the models one can start from",
}
PORT = "port of the page; without it a free one is taken"
NO_BROWSER = "do not open a browser, only print the page's address"
AUTOPLAY = "play the whole journey by itself, check it, and write what came of it into this folder"
STOPPED = "Stopped."

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
LOSS = " · loss {smooth:.4f}"
SPEED = " · {speed:.1f} steps/s"
ETA = " · {eta} left"
DONE = "Done in {seconds}."
DONE_FILE = "Done in {seconds}: {file} ({size})"
FAILED = "That did not work: {sentence}"
BASE = "{mark} {name:<14} {title:<26} {family:<6} {note}"
BASE_HERE = "{good} · {licence}"
BASE_MISSING = "not on this machine: {source}"
SILENT = (
    "The training process ended without a word (exit code {code}). Its last lines stand above."
)

# --- the doctor -------------------------------------------------------------------------------

MARKS = {"ok": "✓ ok  ", "warn": "! warn", "fail": "✗ fail"}
VERDICTS = {
    "ok": "Everything is in place.",
    "warn": "It will run; the lines marked ! tell what could be better.",
    "fail": "It will not run like this; the lines marked ✗ tell what to do.",
}
CHECKS = {
    "python": "Python {version}",
    "python_old": "Python {version}: Safelight needs 3.11 or newer",
    "torch": "torch {torch}",
    "torch_away": "torch cannot be loaded: {reason}. Install the project anew (see README.md)",
    "gpu": "{name}: {free} free, computing in {precision}",
    "gpu_away": "no GPU: the embedded base works, others would take hours ({name})",
    "memory": "{free} of {total} memory free",
    "memory_low": "only {free} of {total} memory free: close other programs, or use a small base",
    "disk": "{path}: {free} free, a file is safe on it in {milliseconds:.1f} ms",
    "disk_slow": "{path}: a file is safe on it only in {milliseconds:.1f} ms, and every job waits"
    " for that; set SAFELIGHT_HOME to a faster disk",
    "disk_low": "{path}: {free} free, below the {kept} to be kept free; make room, or lower"
    " SAFELIGHT_DISK_MB",
    "disk_closed": "{path}: cannot be written ({reason}); set SAFELIGHT_HOME to a folder that can",
    "database": "database: {path}, {jobs}",
    "database_broken": "database: {reason}; put {path} aside and start anew, or restore it",
    "token": "DISCORD_TOKEN has the shape of a token",
    "token_missing": "DISCORD_TOKEN is missing; safelight run tells how to get one",
    "link": "PUBLIC_URL answers: files too large for Discord go out as links",
    "link_unset": "PUBLIC_URL is not set: files over {limit} MiB have to be handed over by hand",
    "link_silent": "PUBLIC_URL does not answer at {url} ({reason}); it should lead to"
    " {host}:{port} while the bot runs",
    "bases": "bases here: {names}",
    "bases_away": "bases: the training cannot list them ({reason}); see the lines above",
    "bases_missing": "bases not on this machine: {names}; put a file or folder into {folder}",
    "captioner": "captions are written by {name}",
    "captioner_missing": "the captioner {name} is not on this machine; load it once with the hub's"
    " tools, or set SAFELIGHT_CAPTIONER=embedded",
    "upload": "files up to {limit} MiB are posted on Discord (SAFELIGHT_UPLOAD_MIB)",
    "upload_high": "SAFELIGHT_UPLOAD_MIB={limit}, but servers without boosts take 20 MiB at most",
    "setting": "{problem}",
}

# --- the demo ---------------------------------------------------------------------------------

STARTING = "Starting the trainer; it loads torch, which takes some seconds …"
SHOWN = """
  Safelight's demo is here:   {url}
  Pictures to upload:         {pictures}

Everything runs on this computer and is thrown away at the end. Ctrl+C ends it."""
BANNER = (
    "<b>Everything here runs on your computer.</b> The base of this demo was trained from scratch"
    " on emoji and draws tiny pictures, 64 pixels wide: right for server emoji, not for"
    " photographs. Real bases need a GPU."
)
SIDEBAR = """
<p class="server"><img src="/glim.png" alt="">The darkroom</p>
<p class="channel"># darkroom</p>
<h2>Try</h2>
<ol>
<li>Press <b>Train the mascot</b> and watch noise become Glim.</li>
<li>Type <code>/sample</code>, pick the style, and ask: <code>a glim emoji, on a green background</code></li>
<li>Share it with <code>/style share</code>, then view as <b>Robin</b> above and sample it, too.</li>
<li>Your own: <code>/dataset new</code>, <code>/dataset add</code>, <code>/train lora</code></li>
</ol>
<h2>Pictures to upload</h2>
<p>Twelve of the mascot lie in</p>
<p><code>{pictures}</code></p>
<h2>What this is</h2>
<p>The real bot, trainer and worker; only Discord is played, by simcord. Commands go into the message box: type <code>/</code> to see them.</p>
"""
WELCOME = """\
### Hello, I am Safelight
I turn photos into a style that draws more of the same. This is Glim; ten pictures are enough for me to learn what it looks like.
Press the button: I make a dataset of them, train on it, and show you on the way what I can draw."""
WELCOME_ALT = "Ten pictures of Glim, a little red darkroom lamp with a green shade"
NO_PICTURE = "There is no Chromium here, so there is no picture of the page."
TRAIN_MASCOT = "Train the mascot"
MASCOT_CAPTION = "a {word} emoji, on a {ground} background"
