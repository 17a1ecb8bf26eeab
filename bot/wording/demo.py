"""The demo: its page, its welcome card and its lines in the terminal."""

from __future__ import annotations

STARTING = "Starting Safelight; this takes a few seconds …"
READY = """
  Safelight's demo is open at:   {url}

Everything runs on this computer and is deleted at the end. Press Ctrl+C to stop."""
BANNER = "<b>All of this runs on your computer.</b>"
BANNER_MORE = (
    " The demo's base was trained from scratch on emoji and draws tiny pictures, 64 pixels wide:"
    " good for server emoji, not for photos. Bases for photos need a GPU."
)
DISMISS = "Hide this line"
SIDEBAR = """
<p class="server"><img src="/glim.png" alt="">The darkroom</p>
<p class="channel"># darkroom</p>
<h2>Try</h2>
<ol>
<li>Press <b>Train the mascot</b> and watch noise become Glim.</li>
<li>Then press one to draw it: {prompts} Or type <code>/sample</code> and ask for anything with <code>glim</code> in it.</li>
<li>Below its result, three chapters wait: your own photos, sharing it with <b>Robin</b>, and a pair to guess.</li>
</ol>
<h2>Pictures to upload</h2>
<p class="pictures">{pictures}</p>
<p>Drag them into a form or onto the message box, or <a href="/pictures.zip" download>download all twelve</a>. On a phone, <code>/dataset add</code> offers them.</p>
<h2>What this is</h2>
<p>The real bot, scheduler and worker; only Discord itself is simulated, by simcord. Type commands into the message box: <code>/</code> lists them.</p>
"""
WELCOME = """\
### Hi, I'm Safelight
I turn photos into a style that draws more of the same. This is Glim; ten pictures are enough for me to learn what it looks like.
Press the button: I'll make a dataset of them, train on it, and show you samples along the way."""
WELCOME_ALT = "Ten pictures of Glim, a little red darkroom lamp with a green shade"
NO_CHROMIUM = "No Chromium was found, so there is no screenshot of the page."
TRAIN_MASCOT = "Train the mascot"
CHAPTERS = """\
### Three short chapters, two presses each
**Your own photos:** add five or more of one thing, and see how I would train on them.
**Share it with Robin:** a friend who draws with {name}, too.
**Guess which one is trained:** two pictures of one prompt and seed, one drawn with {name}."""
ADD_OWN_PHOTOS = "Add my photos"
SHARE_WITH_ROBIN = "Share with Robin"
DRAW_PAIR = "Guess which one"
PAIR_WAITS = "### Which one is trained?\nDrawing “{prompt}” twice …"
PAIR_ASKS = "### Which one is trained?\nBoth are “{prompt}”, from the same seed."
PLACES = ("The first", "The second")
GUESSED = (
    "### Right!\n{trained} was drawn with the style. {other} is what the base draws without it."
)
MISSED = "### Not this time\n{trained} was drawn with the style. {other} is what the base draws without it."
PAIR_AGAIN = "Guess again"
