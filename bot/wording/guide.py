"""First steps, and what happens with photos."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND_HELP = "First steps"
COMMAND_PRIVACY = "What happens with your photos"

# cards

HELP = """\
### Teach me something in four steps
1. **/dataset new** gives your photos a name.
2. **/dataset add** takes the photos, ten at a time.
3. **/train auto** says how to train and how long it takes, then trains; samples appear on the way. **/train lora** and the others let you choose.
4. **/sample** draws with your new style, also for friends after **/style share**."""
HELP_TIPS = """\
**Good photos:** 10 to 20, sharp, different angles and backgrounds, nothing else in focus.
**On a phone:** /dataset add without attachments opens a picker for ten photos at once.
**More:** /jobs what runs · /me your photos, export, delete · /privacy · /server setup for moderators"""
PRIVACY = """\
### What happens with your photos
- **Kept:** the pictures you hand over (pixels only; place, camera and date are thrown away), their captions, your datasets, jobs, styles and when you agreed.
- **Used:** only for trainings that you start. On the operator's own machine; nothing is sent to anybody.
- **Seen:** photos by you alone. Samples and results by those who see the channel; a style by a server only once you share it.
- **Not taken:** messages. Discord's developer policy (rule 21) forbids training on them without its permission, so photos come through commands.
- **Gone:** remove a photo with /dataset show, everything with /me. Deleting is at once; a running training on them is stopped.
- **Yours:** /me exports all of it."""
PRIVACY_COLLECT = "- **Here:** the operator has switched collecting on: after your /dataset collect, and until Done, photos *you* post in that channel are taken as well."
PRIVACY_LINK = "The operator's policy"
