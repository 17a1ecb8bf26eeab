"""Whether a training teaches: held-out styles and subjects, judged against real pictures."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import exam, machine, table
from benchmarks.exam import Look, Pictures, Subject, Trained
from benchmarks.lesson import Lesson
from benchmarks.sheet import Sheet
from storage.records import Concept
from training.bases import Bases
from training.device import Device
from training.embedded import judge

CLOSER, SECONDS = 0.8, 60.0  #: of the base's distance; seconds of the training
QUARTER, NEAR, AMONG = 0.25, 30, 500  #: of the untrained word's rank; rank; pictures
LOOKS = ("firefox", "ink")
SUBJECTS = {"panda": "octopus", "octopus": "guitar", "guitar": "panda"}  #: and whose turn is next


@dataclass
class School:
    """Everything lessons need, and the rows and pictures that came of them."""

    bases: Bases
    critic: judge.Judge
    place: Path
    seeds: int
    sheet: Sheet = field(default_factory=Sheet)
    rows: list[table.Row] = field(default_factory=list)
    count: int = 0

    def train(self, method: str, of: Look | Subject, seed: int) -> Trained:
        """Give one lesson."""
        self.count += 1
        concept = Concept.LOOK if isinstance(of, Look) else Concept.SUBJECT
        asked = Lesson(method, concept, of.name, of.photos, seed)
        return exam.teach(self.place / str(self.count), self.bases, asked)

    def graded(
        self, method: str, of: Look | Subject, grade: Callable[[Pictures], tuple[float, float]]
    ) -> tuple[list[tuple[float, float]], list[Trained]]:
        """Train with every seed, draw, and grade: against the truth, and against another."""
        grades, lessons = [], []
        for seed in range(self.seeds):
            lessons.append(self.train(method, of, seed))
            pictures = exam.drawn(self.bases, of.prompts, lessons[-1].worn)
            self.sheet.add(f"{of.name}, {method}, seed {seed}", pictures)
            grades.append(grade(pictures))
        return grades, lessons

    def known(self, of: Look | Subject) -> tuple[Pictures, Pictures]:
        """Show the real pictures, those through the autoencoder and the base's; give the last."""
        through = exam.through(self.bases, of.real)
        base = exam.drawn(self.bases, of.prompts, None)
        self.sheet.add(f"{of.name}, real", of.real)
        self.sheet.add(f"{of.name}, through the autoencoder", through)
        self.sheet.add(f"{of.name}, the base without training", base)
        return through, base


def look(school: School, name: str) -> None:
    """Teach a held-out style and measure the distance to real pictures of it."""
    of = Look(school.critic, name)
    through, base = school.known(of)
    start, astray = of.distance(base), of.distance(base, of.other)

    def grade(pictures: Pictures) -> tuple[float, float]:
        return of.distance(pictures) / start, of.distance(pictures, of.other) / astray

    grades, lessons = school.graded("lora", of, grade)
    own, other = (statistics.median(column) for column in zip(*grades, strict=True))
    each = seeds([grade for grade, _ in grades])
    title, steps = f"style {name}", f" ({lessons[0].steps} steps)"
    school.rows += [
        table.told(f"{title}: distance of the base", start),
        table.told(
            f"{title}: through the autoencoder, of the base's", of.distance(through) / start
        ),
        table.most(f"{title}: with LoRA, of the base's", own, CLOSER, more=each),
        table.told(f"{title}: control, judged as {of.other}", other),
        table.most(
            f"{title}: seconds", max(each.seconds for each in lessons), SECONDS, "s", steps
        ),
    ]


def subject(school: School, name: str, other: str) -> None:
    """Teach a held-out subject and measure where its true picture ranks."""
    of = Subject(school.critic, name, other)
    through, base = school.known(of)
    untrained = of.rank(base)

    def grade(pictures: Pictures) -> tuple[float, float]:
        return of.rank(pictures), of.rank(pictures, other)

    title = f"subject {name}"
    school.rows += [
        table.least(f"{title}: pictures to rank among", of.among, AMONG),
        table.told(f"{title}: rank of real pictures", of.rank(of.real)),
        table.told(f"{title}: rank through the autoencoder", of.rank(through)),
        table.told(f"{title}: rank of the untrained word", untrained),
    ]
    for method, bar in (("lora", untrained * QUARTER), ("embedding", NEAR)):
        grades, lessons = school.graded(method, of, grade)
        own, control = (statistics.median(column) for column in zip(*grades, strict=True))
        each = seeds([grade for grade, _ in grades])
        took = f" ({lessons[0].steps} steps)"
        longest = max(lesson.seconds for lesson in lessons)
        school.rows += [
            table.most(f"{title}: rank with {method}", own, bar, more=each),
            table.told(f"{title}: control, {method} judged as {other}", control),
            table.told(f"{title}: seconds with {method}", longest, "s", took),
        ]


def seeds(values: Sequence[float]) -> str:
    """Write what each seed gave."""
    return f" (seeds: {', '.join(f'{value:.3g}' for value in values)})"


def main() -> int:
    """Print the table; with `--out`, leave the pictures there."""
    arguments = machine.chosen(__doc__ or "", "--out")
    quick = arguments.quick
    with TemporaryDirectory() as place:
        bases = Bases(None, Device.open(cpu=True))
        school = School(bases, exam.critic(), Path(place), 1 if quick else 3)
        for name in LOOKS[: 1 if quick else None]:
            look(school, name)
        for name, other in list(SUBJECTS.items())[: 1 if quick else None]:
            subject(school, name, other)
    if arguments.out:
        school.sheet.save(arguments.out / "teaching.png")
    return table.show(school.rows)


if __name__ == "__main__":
    sys.exit(main())
