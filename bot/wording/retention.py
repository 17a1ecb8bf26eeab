"""What members are told about their datasets without having asked."""

from __future__ import annotations

UNUSED = "### Do you still need {name}?\nIt hasn't been used for {days}. I'll delete it with its {photos} on <t:{when}:D>, as you agreed, unless you train on it, add photos or press Keep it. Your styles stay."
UNUSED_OTHERS = "### Your photos in {name} will be deleted\n<@{owner}>'s dataset hasn't been used for {days}, so it goes on <t:{when}:D>, as you agreed. You don't need to do anything."
KEPT = "Kept. {name} counts as used today."
TAKEN_BACK = "A member took back the photos they had added to **{name}**. It has {photos} now. Trainings that used theirs were stopped, and styles may be gone, too: see /style list."

# labels: a verb first, 18 characters at most

KEEP = "Keep it"
