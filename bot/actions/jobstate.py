"""What a job's card shows of its history: the latest of each kind of event."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from storage.events import (
    CheckpointChosen,
    CheckpointSaved,
    Done,
    Ending,
    Event,
    FoldsTried,
    LogEntry,
    Note,
    PictureDrawn,
    PreviewsDrawn,
    Progress,
    RateFound,
    ResultDrawn,
    Started,
    StrengthScored,
)

#: which notes are no longer so after an event
ENDED_NOTES: Mapping[type[Event], tuple[str, ...]] = {
    PreviewsDrawn: ("disk_full",),
    ResultDrawn: ("disk_full",),
    CheckpointSaved: ("disk_full", "checkpoint_lost"),
    RateFound: ("rate_search",),
    FoldsTried: ("folds",),
}


@dataclass(slots=True)
class JobState:
    """The latest of each kind of event; adding the same one twice changes nothing."""

    started: Started | None = None
    progress: Progress | None = None
    progress_at: float = 0.0  #: unix seconds
    note: Note | None = None
    notes: dict[str, Note] = field(default_factory=dict)  #: the last of each code
    before: PreviewsDrawn | ResultDrawn | None = None  #: the previews of step 0
    previews: PreviewsDrawn | ResultDrawn | None = None  #: the newest, at last the result's
    #: by step: a picture of the same prompt and seed, at last the best of several seeds
    strip: dict[int, str] = field(default_factory=dict)
    curve: str = ""  #: file of the loss curve
    choice: CheckpointChosen | None = None  #: between the checkpoints
    strength: StrengthScored | None = None  #: of the finished style
    folds: FoldsTried | None = None  #: what short runs without a part of the photos said
    saved_step: int = 0  #: of the newest checkpoint
    pictures: dict[str, PictureDrawn] = field(default_factory=dict)  #: of a sample job, by file
    end: Ending | None = None

    @classmethod
    def from_events(cls, entries: Iterable[LogEntry[Event]]) -> JobState:
        """Return the state after these events, oldest first."""
        state = cls()
        for entry in entries:
            state.apply(entry)
        return state

    def apply(self, entry: LogEntry[Event]) -> None:
        """Add the next event."""
        self._drop_note(*ENDED_NOTES.get(type(entry.event), ()))
        match entry.event:
            case Started() as event:
                self.started, self.note = event, None
                self.progress = self.end = None  # it may go on from before what they tell
            case Progress() as event:
                self.progress, self.progress_at = event, entry.at
            case Note() as event:
                self.note = self.notes[event.code] = event
            case PreviewsDrawn() | ResultDrawn() as event:
                self._add_previews(event)
            case CheckpointSaved() as event:
                self.curve = event.curve or self.curve
                self.saved_step = event.step
            case event:
                self._apply_outcome(event)

    def _apply_outcome(self, event: Event) -> None:
        """Add what came of the job."""
        match event:
            case CheckpointChosen():
                self.choice = event
            case StrengthScored():
                self.strength = event
            case FoldsTried():
                self.folds = event
            case PictureDrawn():
                self.pictures[event.file] = event
            case _ if isinstance(event, Ending):
                self.end = event

    def _add_previews(self, event: PreviewsDrawn | ResultDrawn) -> None:
        self.before = self.before if event.step else event
        self.previews = event
        if event.files:
            self.strip.setdefault(event.step, event.files[0])

    def _drop_note(self, *codes: str) -> None:
        """Drop the newest note if it is one of these, as it is no longer so."""
        if self.note is not None and self.note.code in codes:
            self.note = None

    @property
    def done(self) -> Done:
        """The job's end, if it ended well; else one without facts."""
        return self.end if isinstance(self.end, Done) else Done()

    @property
    def best_step(self) -> int:
        """The step whose weights the style's file got."""
        return self.choice.step if self.choice else self.done.steps

    @property
    def step(self) -> int:
        """The step that the job has reached."""
        known = (self.progress, self.started, self.end)
        return max(self.done.steps, *(getattr(each, "step", 0) for each in known))

    @property
    def loss(self) -> str:
        """The smoothed loss as a person reads it."""
        return f"{self.progress.smoothed_loss:.3f}" if self.progress else "…"


def file_name(name: str) -> str:
    """Return the last part of a file's name: a job's files never lie elsewhere."""
    return PurePath(name).name
