"""Which method, base and dial are advised, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.wording.template import fill

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = "Let me choose how to train: I say why, and you press Start"
OPTIONS = {
    "dataset": "Which of your datasets; type to search",
    "word": "What it shows, in one word, for example: dog",
    "commercial": "Whether you want to earn money with it: then its base must allow that",
    "private": "Show card and samples in a private thread only",
}

# the card

TITLE = "### My advice for {name}\n**{method}** on **{base}** · {dial}"
OTHER = "-# My advice would be {method} on {base}: press Advise me to see why."
METHODS = {
    "method_face": "a face is known by fine traits, and a LoRA learns them and fits most programs",
    "method_face_few": "from {photos}, all of the network learns a face best, and class pictures keep other faces as they are",
    "method_face_whole": "all of the network learns: the nearest likeness, in a file of gigabytes",
    "method_face_word": "a LoRA with a word of its own, for the last bit of likeness, in fewer programs",
    "method_few": "a LoRA learns a likeness even from {photos}, which a word alone does not",
    "method_hundreds": "with {photos} all of the network has enough to learn from",
    "method_look": "a LoRA learns strokes and colours, and fits most programs",
    "method_look_few": "from {photos} a LoRA would learn what they show, too; a new word learns the look alone",
    "method_measured": "measured on this base: a LoRA draws the likeness where a word alone does not",
    "method_several": "one LoRA learns several things at once, each with its word",
    "method_several_layers": "it adapts every layer: more room for several things, in a larger file",
    "method_subject": "a LoRA learns a likeness well, is quick, and fits most programs",
    "method_subject_word": "a LoRA with a word of its own: nearer, in fewer programs",
    "method_texture": "it learns textures of brush and paper, too, in a larger file",
    "method_word": "a file of a few KB, and the base stays as it is; less likeness",
}
BASES = {
    "base_domain_anime": "it knows anime best",
    "base_domain_drawing": "it knows paintings and drawings, and adds a look of its own",
    "base_domain_emoji": "it knows emoji, and nothing else",
    "base_domain_general": "the plain one: it adds no look of its own, and what it learns fits all bases that come from it",
    "base_domain_photo": "made for photographs, so it looks real",
    "base_faces": "made for photographs: it knows skin, light and faces",
    "base_free": "its licence lets you earn money with it, and it knows what you show",
    "base_nearest": "of the bases here that fit, it comes nearest",
    "base_no_gpu": "there is no GPU here, and on this base training takes a minute; bases for photos need one",
    "base_only": "the only base here that fits what you want",
    "base_tight": "no base here fits the memory, and this one is the nearest to it",
}
DIALS = {
    "dial_few": "{photos} are learnt by heart when a training goes on; 10 to 20 that differ teach it well",
    "dial_many": "{photos} take more steps than balanced has",
    "dial_several": "several things take more steps and more time than one",
    "dial_time": "a longer one would take more minutes than this server allows",
    "dial_usual": "{photos} are a good number",
}
SOME = "-# {photos} of {handed} count: the others are blurred or nearly the same."
LINE = "- **{what}:** {why}."
TERMS = "-# Its licence asks: {terms}."
SECOND = "-# Or: **{method}** on {base} · {dial}: {why}."

# what is asked

MOTIF_HINT = "What do the photos show?"
MOTIFS = {
    "animal": "A pet or an animal",
    "person": "A person",
    "thing": "A thing",
    "figure": "Somebody drawn",
    "drawing": "A manner of drawing or painting",
    "anime": "Anime",
    "photography": "A look of photographs",
    "emoji": "Emoji",
}
PURPOSE_HINT = "What is it for?"
PURPOSES = {"fun": "For fun", "money": "To earn money with it"}

# labels: a verb first, 18 characters at most

ADVISE = "Advise me"
TAKE_OTHER = "Take the other"


def reasons(codes: Sequence[str], photos: str) -> list[str]:
    """Say why this method, base and dial, a line each; `photos` is their number in words."""
    known = (("Method", METHODS), ("Base", BASES), ("Time", DIALS))
    return [
        fill(LINE, what=what, why=fill(sentences[code], photos=photos))
        for code, (what, sentences) in zip(codes, known, strict=True)
    ]


def reason_apart(second: Sequence[str], first: Sequence[str], photos: str) -> str:
    """Return why the second choice, by what sets it apart from the first: method, else base."""
    if first[0] != second[0]:
        return fill(METHODS[second[0]], photos=photos)
    return BASES[second[1]]
