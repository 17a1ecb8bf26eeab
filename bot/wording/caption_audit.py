"""The check of captions: what is wrong with them, and a button that puts each right."""

from __future__ import annotations

TITLE = "### Caption check of {name} · {photos}"
GOOD = "✅ Nothing to improve: no empty, repeated or contradicting captions, and no words that always come with {trigger}."
FEW = "-# With fewer than {least} captions, there's no telling which words they share."
EMPTY = "**No caption:** {photos}. They teach {trigger} everything that's in the picture."
SAME = "**Used more than once**, backgrounds aside: the captions of {photos}. What differs between them gets no words of its own."
FUSED = "**“{words}”** comes with {trigger} in {count} of {captions}. The style learns the two together, so {trigger} alone may draw less of it. Take it out of the captions, and {trigger} alone is enough."
CONTRADICTION = "**Contradiction:** {photos} say both “{one}” and “{other}”."
FIXED = "✅ Changed {captions}."
CAPTIONING = "⏳ The captioner is writing captions for {photos}. Check again in a moment."
PHOTO = "photo {numbers}"
PHOTOS = "photos {numbers}"

# labels: a verb first, 18 characters at most

CHECK = "Check captions"
CHECK_AGAIN = "Check again"
WRITE = "Caption them"
WRITE_ANEW = "Caption anew"
REMOVE = "Remove it"
REMOVE_BOTH = "Remove both"
