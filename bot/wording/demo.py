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
<li>Then press a prompt to draw it: {prompts} Or type <code>/sample</code> and a prompt of your own, with <code>glim</code> in it.</li>
<li>Below the result are four more things to try: your own photos, sharing Glim with <b>Robin</b>, a guessing game, and a blind vote.</li>
</ol>
<h2>Pictures to upload</h2>
<p class="pictures">{pictures}</p>
<p>Drag them into a form or onto the message box, or <a href="/pictures.zip" download>download all twelve</a>. On a phone, tap them in the form of <code>/dataset add</code>.</p>
<h2>What this is</h2>
<p>The real bot, scheduler and worker; only Discord itself is simulated, by simcord. Commands go into the message box; type <code>/</code> to list them.</p>
"""
WELCOME = """\
### Hi, I'm Safelight
I turn photos into a style that draws more of the same. This is Glim; ten pictures are enough for me to learn what it looks like.
Press the button: I'll make a dataset of them, train on it, and show you samples along the way."""
WELCOME_ALT = "Ten pictures of Glim, a little red darkroom lamp with a green shade"
NO_CHROMIUM = "No Chromium was found, so there is no screenshot of the page."
TRAIN_MASCOT = "Train the mascot"
CHAPTERS = """\
### Four more things to try
**Your own photos:** add five or more photos of one thing, and see how I'd train on them.
**Share it with Robin:** then your friend can draw with {name}, too.
**Guess which one is trained:** two pictures from the same prompt and seed, only one of them drawn with {name}.
**Ask Robin blind:** is {name} better than no style? Once it's posted, vote as Robin (top right), then close it with /study list."""
ADD_OWN_PHOTOS = "Add my photos"
SHARE_WITH_ROBIN = "Share with Robin"
DRAW_PAIR = "Guess which one"
ASK_BLIND = "Ask Robin blind"
PAIR_WAITS = "### Which one is trained?\nDrawing “{prompt}” twice …"
PAIR_ASKS = "### Which one is trained?\nBoth were drawn from “{prompt}” and the same seed."
PLACES = ("The first", "The second")
GUESSED = (
    "### Right!\n{trained} was drawn with the style. {other} is what the base draws without it."
)
MISSED = "### Not this time\n{trained} was drawn with the style. {other} is what the base draws without it."
PAIR_AGAIN = "Draw another pair"
