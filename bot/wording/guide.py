"""First steps, and what happens with photos."""

from __future__ import annotations

# commands, as Discord lists them (100 characters at most)

COMMAND_HELP = "First steps"
COMMAND_PRIVACY = "What happens to your photos"

# cards

HELP = """\
### Teach me something in four steps
1. **/dataset new** names a set of photos.
2. **/dataset add** adds the photos: up to ten at a time, or a zip with captions.
3. **/train auto** suggests settings and a time, then trains and shows samples along the way. **/train lora** and the others let you choose the method.
4. **/sample** draws with your new style. **/style share** lets everyone here draw with it."""
HELP_TIPS = """\
**Good photos:** 10–20, sharp, with different angles and backgrounds, and nothing else in focus.
**On a phone:** /dataset add without attachments opens a form for ten photos; /dataset upload opens a page for as many as you like.
**More:** /jobs your jobs · /train compare bases or methods, /train sweep settings on your photos · /study let people compare blind · /me view, export or delete your data · /privacy · /server setup for moderators"""
PRIVACY = """\
### What happens to your photos
- **Stored:** the pictures you add (at most {side:,} pixels a side; location, camera and date are stripped), their captions (with your last changes of a dataset's, for Undo), your datasets, jobs, comparisons and styles, orders you have not started (for a week), your thumbs and, until a study closes, your votes in it, digests of files you uploaded (so that none is sent twice), and receipts of what you agreed to.
- **Used:** only for trainings that you start and reports that you ask for, on the operator's main machine, or on others that have joined it and delete them afterwards; where there are any, /me keeps yours on the main one. Nothing is sent anywhere else.
- **Seen:** your photos, by you alone, and for six hours by whoever has a link of yours to the upload page; those you add to another member's dataset (/dataset invite), by its owner too, as previews, also beside the picture that is most like one (/style report). Samples and results, by everyone who can see the channel. A style, by a server only once you share it.
- **Not read:** messages. Discord's developer policy (rule 21) forbids training on them without its permission, so you add photos with commands.
- **Deleted:** one photo with /dataset show, everything with /me. *Take it back*, there, deletes your photos and keeps the rest. Deletion is immediate, and stops trainings that use them. Only a block by a server's moderators stays.
- **Kept aside:** an update leaves a copy of the database, with captions but no photos, for {days} days; *Delete everything* deletes it at once. If the operator exchanges the database, what then belongs to nobody is kept for {days} days where only the operator can see it, and deleted.
- **Backed up:** the operator may keep backups. After *Delete everything* or *Take it back*, the next one also removes you or your photos from all earlier ones. A single photo or style that you delete leaves them with the last backup that has it.
- **Yours:** /me exports all of it; /dataset export packs one dataset for other programs."""
PRIVACY_ENCRYPTED = (
    "- **Encrypted:** your photos, on the disk and in backups. The operator has the key."
)
PRIVACY_UNUSED = "- **Unused:** a dataset that nobody has used for {days} days is deleted with its photos. I send its members a message {notice} before."
PRIVACY_COLLECT = "- **On this bot:** the operator has switched collecting on: after your /dataset collect, and until you press Done, photos *you* post in that channel are added too. *Add my photos*, in the menu of one of your own messages, adds those of that message."
PRIVACY_LINK = "Operator's policy"
