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
<li>Share it with <code>/style share</code>, then switch to <b>Robin</b> above and sample it too.</li>
<li>Your own photos: <code>/dataset new</code>, <code>/dataset add</code>, <code>/train auto</code></li>
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
