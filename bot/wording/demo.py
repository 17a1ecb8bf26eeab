"""The demo: its page, its welcome and what stands in the terminal."""

from __future__ import annotations

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
<li>Your own: <code>/dataset new</code>, <code>/dataset add</code>, <code>/train auto</code></li>
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
