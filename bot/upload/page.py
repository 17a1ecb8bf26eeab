"""The page itself: one HTML file filled with our sentences, one script, one style sheet."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from pathlib import Path

from bot import wording
from bot.actions.zips import MAX_ZIP_BYTES
from bot.wording import fill, to_plain
from storage.photos.sandbox import MAX_FILE_BYTES
from storage.photosets.pack import SetForm

FOLDER = Path(__file__).parent
FORM_BUTTON = '<button name="as" value="{form}" class="quiet">{label}</button>'
FILES = {name: FOLDER / name for name in ("page.js", "page.css")}
PAGE_HEADERS = {
    # pictures are fetched with the token in a header, so the page shows them as blobs
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' blob: data:; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
}


@cache
def read_page() -> str:
    """Return the page as HTML."""
    given = wording.upload.SCRIPT | {"bytes": {"photos": MAX_FILE_BYTES, "zips": MAX_ZIP_BYTES}}
    words = {name: text for name, text in vars(wording.upload).items() if isinstance(text, str)}
    page = {
        **{name.lower(): escape(text) for name, text in words.items()},
        "given": escape(json.dumps(given)),
        "consent": escape(to_plain(wording.consent.TITLE)),
        "more": escape(wording.consent.MORE),
        "tick": escape(wording.consent.TICK),
        "originals": escape(wording.consent.TICK_ORIGINALS),
        "agree": escape(wording.consent.AGREE),
        "uncaptioned": escape(wording.dataset.UNCAPTIONED),
        "remove": escape(wording.dataset.REMOVE),
        "accept": escape(wording.verdicts.ACCEPT),
        "also_in": escape(wording.dataset.ALSO_IN),
        "cut_bars": escape(wording.verdicts.CUT_BARS),
        "keep_best": escape(wording.verdicts.KEEP_BEST),
        "keep_all": escape(wording.verdicts.KEEP_ALL),
        "forms": "".join(
            FORM_BUTTON.format(form=form, label=escape(wording.dataset.FORMS[form]))
            for form in SetForm
        ),
    }
    return fill((FOLDER / "page.html").read_text("utf-8"), **page)
