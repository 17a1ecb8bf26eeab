"""The command line: its commands, and the events of its child processes."""

from __future__ import annotations

PROGRAM = "A Discord bot that turns members' photos into styles the whole server can use."
COMMANDS = {
    "demo": "try everything in a browser: no Discord account, GPU or download needed",
    "run": "run the bot and the scheduler, and restart them if they crash",
    "doctor": "check your setup and suggest fixes",
    "backup": "back up the data folder while everything runs, or verify a backup",
    "restore": "bring an empty data folder back from a backup",
    "node": "run trainings on other machines: token, join, leave, status",
    "encrypt": "encrypt the stored photos with the first of SAFELIGHT_PHOTO_KEYS",
    "train": "train a style on a folder of photos",
    "advise": "suggest a method, base and dial for a folder of photos, with reasons",
    "sample": "draw pictures, with or without a style",
    "grid": "draw one picture of many: styles by strengths, or prompts by styles",
    "caption": "write captions for a folder of photos",
    "evaluate": "grade a style beside its photos, and write a report card",
    "compare": "train the same photos on several bases or with several methods, and say which is better",
    "sweep": "try several learning rates and ranks on the same photos, and keep the best style",
    "check": "say what is wrong with each photo of a folder, and which are the same shot",
    "pack": "pack photos and captions into a zip for other programs",
    "bases": "list the bases to start from, or fetch one: safelight bases fetch NAME",
    "shrink": "make a smaller copy of a LoRA, and show what is lost",
    "export": "convert a hypernetwork, a LoRA's word or a whole model for other programs",
    "promote": "turn a whole model into a base on this machine",
    "inspect": "show what a style's file is, and which programs it works in",
}
PORT = "port of the page (default: any free one)"
NO_BROWSER = "print the page's address instead of opening a browser"
AUTOPLAY = "play the whole journey, check it, and write what came of it into this folder"
AUTOPLAY_DIAL = "with --autoplay: how long its trainings take (default: balanced)"
EPILOG = """what is there already:
  No command replaces a file unless you give --overwrite. A new file gets the next free
  name, such as panda-2.safetensors, and says so; pictures that have a caption are left out.

exit codes:
  0    it is done
  1    it failed, or left out a picture, and the sentence says why
  2    the command line or a setting is wrong; nothing was begun
  3    another process works on the data folder
  4    the database can't be used: it is damaged, empty or of a newer version
  130  it was stopped, by Ctrl+C or SIGTERM; safelight train and sweep go on
  141  nobody read its output to the end, as with | head"""
ENTRY_FAILED = "{entry} failed and is left out: {why}"
STOPPING = "Stopping … (Ctrl+C again stops at once)"
STOPPED = "Stopped."
CRASHED = (
    "The process that does the work died (exit code {code}). Its last lines, if any, are above."
)
GOES_ON = "The same command goes on from the last checkpoint, if there is one."

# notes of a command: what became of files, and what it waits for

TOLD = {
    "file_taken": "{taken} is there already, so this one becomes {file} (--overwrite replaces it).",
    "captions_kept": "Captions already in {out}: {kept} of {pictures}. They stay as they are (--overwrite writes them anew).",
    "copy_left_out": "{copy} shows the same as {file}, so it is left out.",
    "beside_shared": "{file} belongs to {owner}; for {other}, write {own}.",
    "copies_photo": "At step {step} a sample is nearly the same picture as one of the photos: the style repeats it instead of learning from it. Use fewer --steps, or photos that differ more.",
    "diverging": "This is going wrong: after {step} steps the style fits the photos worse than the base did before. Stop it and give a lower --learning-rate, or none for the dial's.",
    "not_learning": "After {step} steps the style has learnt next to nothing. Stop it and give a higher --learning-rate, or none for the dial's.",
    "stays_here": "Only another machine has this base, and the photos of this job stay on the main one. It waits until the base is fetched there.",
    "overfitting": "At step {step} the style starts to memorise the photos: it fits those held out worse than before. Use fewer --steps.",
    "copy_captioned": "{copy} shows the same as {file}, so both get the same caption.",
    "photos_examining": "Looking for text and nudity in {photos} photos, some seconds each …",
    "captions_some": "Photos with a caption: {captions} of {photos}.",
    "captions_named": "Captions taken from the names of files or folders: {count}, such as “{caption}”.",
    "captions_decoded": "Captions read as {encoding}, because they are not UTF-8: {count}.",
    "files_unused": "Not used: {files}.",
    "masks_orphaned": "Masks without their photos, not used: {files}.",
    "folders_left": "Not read: {folders}, with pictures of their own. To use one, name it: {example}",
    "photo_animated": "{file} is animated; only its first frame is used.",
    "class_photos_copied": "Photos of the class: {photos}.",
    "photos_cut": "Much of {cut} of {photos} photos is cut away on this base; safelight check shows what.",
    "photos_copied": "{photos} photos, copied to {folder} while it trains.",
    "run_waits": "Another command works in {folder}. Waiting for its end …",
    "captions_cut": "{cut} of {captions} captions are longer than the base can read; of the first one it ignores: {words}",
    "captions_unknown": "This captioner only knows emoji, and {unknown} of {photos} pictures look like something else, so their captions have just the trigger word. For photos: safelight bases fetch blip, then --captioner blip.",
    "sample_cut": "The sample prompt is longer than the base can read; it ignores: {words}",
    "prompt_cut": "The prompt is longer than the base can read; it ignores: {words}",
    "negative_cut": "The negative prompt is longer than the base can read; it ignores: {words}",
    "disk_full": "The disk is full. The training waits for room and keeps what it has learnt; Ctrl+C twice gives up.",
    "disk_waits": "The disk is full. Waiting for room; Ctrl+C twice gives up.",
}
LEFT_OUT = "Left out: {file}. {sentence}"
LEFT_OUT_MASKED = "Left out: {photo}, because of its mask {file}. {sentence}"
RESUMED = "Going on from step {step} of {steps} on {device}; --fresh begins anew."

# events

EVENTS = {
    "started": "On {device}:",
    "rate": "Learning rate {learning_rate:.2g} (usually {usual:.2g}), from the sweep in {curve}",
    "folds": "Likeness after {steps} steps, to photos held out {held_out}, to the others {trained}",
    "sample": "Step {step}: {names}",
    "result": "At the end: {names}",
    "checkpoint": "Step {step}: {file}",
    "caption": "{file}: {caption}",
    "picture": "{file} (seed {seed})",
    "paused": "Stopped at step {step}. The same command goes on from there.",
    "cancelled": "Stopped.",
}
PROGRESS = "{step}/{steps}{loss}{speed}{eta}"
LOSS = " · loss {loss:.4f}"
SPEED = " · {speed:.1f} steps/s"
ETA = " · {eta} left"
DONE = "Done in {seconds}."
DONE_FILE = "Done in {seconds}: {file} ({size})"
NEAREST = "Did you mean {nearest}? "
CHOICES = "Choose from: {choices}."
FAILED = "Error: {sentence}"
FAILED_FILE = "Error: {file}: {sentence}"
BASE = "{mark} {name:<12} {title:<22} {family:<5} {resolution:>5} px  {note}"
BASE_GOOD = "    {good}"
BASE_WEAK = "    {good}; weak: {weak}"
BASE_LICENCE = "    {licence}{money}"
CAPTIONERS = "Captioners:"
NOTES = {
    "": "{size}, {checked}",
    "base_missing": "not installed: safelight bases fetch {name}",
    "base_bring": "not installed: put {source} into the data folder's bases/",
    "base_family": "not supported by this version: family {family}",
}
CHECKED = {True: "verified", False: "added by hand, not verified"}
LICENCE_NOT_VERIFIED = "licence not verified"
COMMERCIAL_USE = {
    "yes": ": commercial use OK",
    "conditions": ": commercial use OK, {terms}",
    "no": ": no commercial use",
    "unseen": "",
}
FETCH = "Fetching {title} from {source}: {licence}{money}"
VERIFIED_AT = " (verified at {url})"
FETCHING = "{done} of {bytes} · {speed}/s"
FETCHED = (
    "{title} is installed: {size} in {seconds}, every file verified by the hub's hash ({place})."
)
FETCHED_NOT_VERIFIED = "{title} is installed: {size} in {seconds}. The hub has no hash for {names}, so those are not verified ({place})."
FETCHED_ALREADY = "{title} is already installed ({place})."
INSPECTED = {
    "file": "{file}: {method}, {size}, {tensors} tensors",
    "trigger": "Trigger: {trigger}",
    "made_for": "For: {made_for}",
    "architecture": "Architecture: {architecture}",
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
ADVICE_PHOTOS = "Only {photos} of {handed} count: the others are too dark, almost one colour, or the same shot again."
ADVICE_TERMS = "Licence terms: {terms}."
CHECKED_PHOTO = "{file}: {said}"
CHECKED_CROP = "  For a base of {resolution} pixels, {share} of it is cut away."
CHECKED_ALL = "{photos}, {different}. With a problem: {wrong}."
CHECKED_CAPTIONS_GOOD = "Captions: nothing to improve."
CAPTION_FINDINGS = {
    "empty": "No caption: {photos}. The trigger learns everything in the picture.",
    "same": "The same caption: {photos}. What differs between them gets no words of its own.",
    "fused": "“{words}” is in {count} of {written} captions. The style learns it as part of the trigger: take it out, or give it as --trigger if it is that.",
    "contradiction": "Contradiction: {photos} say both “{one}” and “{other}”.",
}
CHECKED_CUT = "Longer than the base can read: {count} of {written} captions. Of the first it ignores: {ignored}"
PACKED = "{file}: {photos}, {captioned} with a caption ({size})"
FILE_ANSWERS = {
    "exported": "{file}: {size}",
    "promoted": "{base} is now a base ({size}); safelight bases lists it",
    "shrunk": "{file}: {size}, rank {rank}; {error:.1%} of its effect is lost",
}
READERS_UNKNOWN = "Works in: unknown, as Safelight doesn't know this kind of model"
READABLE = "Works in: {programs}"
READABLE_WITH = "Works in {program} with {need}"
UNREADABLE = "Not in {program}: it {reason}"
