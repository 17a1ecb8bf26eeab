"""The advice card: which method, base and dial are suggested, and why."""

from __future__ import annotations

from collections.abc import Sequence

from bot.wording.template import fill

COMMAND = "Get advice on how to train, with reasons, then press Start"
OPTIONS = {
    "dataset": "Which dataset (type to search)",
    "word": "What it shows, in one word, e.g. dog",
    "commercial": "Only suggest bases whose licence allows commercial use",
    "private": "Post the card and samples in a private thread",
}

# the card

TITLE = "### My advice for {name}\n**{method}** on **{base}** · {dial}"
SUGGESTION = "-# I'd suggest {method} on {base}. Press Advise me to see why."
METHODS = {
    "method_face": "a LoRA picks up the fine details of a face and works in most programs",
    "method_face_few": "with only {photos}, training the whole network captures a face best; class pictures keep other faces unchanged",
    "method_face_whole": "training the whole network gives the closest likeness, in a file of several gigabytes",
    "method_face_word": "a LoRA with its own word comes a little closer, but works in fewer programs",
    "method_few": "a LoRA captures a likeness even from {photos}; an embedding doesn't",
    "method_hundreds": "{photos} are enough to train the whole network",
    "method_look": "a LoRA learns strokes and colours, and works in most programs",
    "method_look_few": "from {photos}, a LoRA would also learn what they show; an embedding learns only the look",
    "method_measured": "on this base, a LoRA captures the likeness; an embedding doesn't",
    "method_several": "one LoRA can learn several things, each with its own trigger word",
    "method_several_layers": "it trains every layer: more room for several things, in a larger file",
    "method_smaller": "its file is a tenth of the size, but the likeness is weaker",
    "method_subject": "a LoRA captures a likeness well, trains quickly and works in most programs",
    "method_subject_word": "a LoRA with its own word comes closer, but works in fewer programs",
    "method_texture": "it also learns the texture of brush and paper, in a larger file",
    "method_whole": "this base only knows emoji; learning anything else takes the whole network",
    "method_word": "the file is only a few KB and the base stays unchanged, but the likeness is weaker",
}
BASES = {
    "base_domain_anime": "it's best at anime",
    "base_domain_drawing": "it's best at paintings and drawings, and adds a look of its own",
    "base_domain_emoji": "it only knows emoji",
    "base_domain_general": "it's neutral: it adds no look of its own, and what it learns works on every base derived from it",
    "base_domain_photo": "it's made for photos, so results look real",
    "base_faces": "it's made for photos, and good at skin, light and faces",
    "base_free": "its licence allows commercial use, and it suits your photos",
    "base_nearest": "it's the closest match among the bases here",
    "base_no_gpu": "there's no GPU on this machine; this base trains in minutes without one, photo bases need one",
    "base_only": "it's the only base here that suits this",
    "base_tight": "no base here fits in memory; this one comes closest",
}
DIALS = {
    "dial_few": "with only {photos}, a long run just memorises them; 10–20 varied photos work much better",
    "dial_many": "{photos} need more steps than balanced takes",
    "dial_several": "several things need more steps than one",
    "dial_time": "a longer run would exceed this server's time limit",
    "dial_whole": "with fewer steps the likeness isn't there yet",
    "dial_usual": "balanced is long enough for {photos}",
}
PHOTOS_COUNTED = "-# Only {photos} of {handed} count: the others are too dark, almost one colour, or the same shot again."
LINE = "- **{what}:** {why}."
TERMS = "-# Licence terms: {terms}."
SECOND_CHOICE = "-# Or: **{method}** on {base} · {dial}: {why}."

# what is asked

MOTIF_HINT = "What do the photos show?"
MOTIFS = {
    "animal": "A pet or an animal",
    "person": "A person",
    "thing": "A thing",
    "figure": "A drawn character",
    "drawing": "A drawing or painting style",
    "anime": "Anime",
    "photography": "A photographic look",
    "emoji": "Emoji",
}
PURPOSE_HINT = "What is it for?"
PURPOSES = {"fun": "Just for fun", "money": "Commercial use"}

# labels: a verb first, 18 characters at most

ADVISE = "Advise me"
SWITCH_TO = "Switch to {name}"


def format_reasons(codes: Sequence[str], photos: str) -> list[str]:
    """Return a line for each reason: method, base and time; `photos` is their count with noun."""
    known = (("Method", METHODS), ("Base", BASES), ("Time", DIALS))
    return [
        fill(LINE, what=what, why=fill(sentences[code], photos=photos))
        for code, (what, sentences) in zip(codes, known, strict=True)
    ]


def format_second_reason(second: Sequence[str], first: Sequence[str], photos: str) -> str:
    """Return why the second choice, by what sets it apart from the first: method, else base."""
    if first[0] != second[0]:
        return fill(METHODS[second[0]], photos=photos)
    return BASES[second[1]]
