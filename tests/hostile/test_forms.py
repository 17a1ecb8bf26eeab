"""Forms as no app fills them in: fields missing, doubled, of wrong types, with hostile values."""

from __future__ import annotations

import random

import pytest

from benchmarks.hostile.words import NUMBERS, list_texts, make_number, make_text
from bot import wording
from bot.actions.order import TrainingOrder
from storage.records import Kind
from tests.fakes.forger import SILENT, Forger, Tracebacks

LABEL, TEXT_INPUT, SELECT = 18, 4, 3
BATCH = 20  #: forms open at once
WRONG_VALUES = (None, 7, -0.0, float("inf"), True, [], ["1"], {}, {"value": "1"})


@pytest.fixture
async def forger(kit, scheduler):
    """A moderator with a dataset, a photo, a style, an order and pictures: all forms open."""
    alice = kit.add_moderator("alice")
    style = await scheduler.add_style(alice, "mine")
    dataset = await scheduler.add_dataset(alice)
    await kit.add_dataset(alice, "second", photos=1)
    order = TrainingOrder(dataset.id, "lora", "embedded").to_json()
    draft = await kit.store.drafts.add(alice.id, order)
    await alice.slash(kit.channel, "sample", prompt="a fox", style=str(style.id), count=2)
    job = await scheduler.claim(Kind.SAMPLE)
    await scheduler.finish_sample(job)
    (photo,) = await kit.store.photos.list_for(dataset.id + 1, alice.id)
    forger = Forger(kit, alice)
    forger.controls = [
        f"dataset:add:{dataset.id}",
        f"photo:edit:{photo.id}",
        f"captions:edit:{photo.dataset}:0",
        f"captions:replace:{photo.dataset}:0",
        f"captions:rename:{photo.dataset}:0",
        f"sample:vary:{job.id}",
        f"style:try:{style.id}",
        f"plan:more:{draft}",
        f"report:add:{job.id}",
        "server:limits",
    ]
    with Tracebacks() as logged:
        yield forger
    assert logged.found == []


async def submit(forger, forms):
    """Open a form for each filling, submit it, and return what was answered wrongly.

    `forms` are (custom id of the button, function from the form's fields to filled ones).
    """
    answers = {}
    for start in range(0, len(forms), BATCH):
        part = dict(enumerate(forms[start : start + BATCH]))
        for name, (control, _) in part.items():
            forger.press(control, name)
        opened = await forger.open_forms()
        for name, (control, fill_in) in part.items():
            form = opened[name]
            fields = [one["component"] for one in form["components"] if one["type"] == LABEL]
            filled = fill_in([with_defaults(field) for field in fields])
            labels = [{"type": LABEL, "id": 50, "component": field} for field in filled]
            forger.submit(form["custom_id"], labels, (control, start + name, repr(filled)[:200]))
        answers |= await forger.answers()
        forger.close_forms()
    bug = wording.errors.ERRORS["bug"].partition("{")[0]
    return {name: said for name, said in answers.items() if said == SILENT or said.startswith(bug)}


def with_defaults(field):
    """Return a field as the app sends it when nothing was changed."""
    sent = {key: field[key] for key in ("type", "id", "custom_id") if key in field}
    if field["type"] == TEXT_INPUT:
        return sent | {"value": field.get("value", "")}
    chosen = [option["value"] for option in field.get("options", ()) if option.get("default")]
    return sent | {"values": chosen}


def fill(fields, value):
    """Give every field the same value."""
    return [
        f | ({"value": value} if f["type"] == TEXT_INPUT else {"values": [value]}) for f in fields
    ]


def type_in(fields, rng, value):
    """Type something into one of the text fields."""
    typed = rng.choice([field["custom_id"] for field in fields if field["type"] == TEXT_INPUT])
    return [f | {"value": value} if f["custom_id"] == typed else f for f in fields]


async def test_shapes(forger):
    """Missing, doubled, unknown and mistyped fields are answered, and no bug."""
    shapes = [
        lambda _: [],
        lambda fields: fields,
        lambda fields: fields[1:],
        lambda fields: fill(fields * 2, "1"),
        lambda fields: [f | {"custom_id": "other"} for f in fields],
        lambda fields: [f | {"type": SELECT} for f in fields],
        lambda fields: [f | {"type": 99} for f in fields],
        lambda fields: [{key: f[key] for key in ("type", "custom_id")} for f in fields],
        *(lambda f, v=value: fill(f, v) for value in WRONG_VALUES),
        *(
            lambda fs, v=value: [f | {"value": v, "values": v} for f in fs]
            for value in WRONG_VALUES
        ),
    ]
    assert await submit(forger, [(c, shape) for c in forger.controls for shape in shapes]) == {}


async def test_numbers(forger):
    """Whatever is typed for a number is taken or refused with a sentence."""
    rng = random.Random(19)
    numeric = [c for c in forger.controls if c.startswith(("sample", "plan", "server"))]
    typed = [*NUMBERS, *(make_number(rng) for _ in range(30))]
    forms = [(c, lambda f, n=n: type_in(f, rng, n[:4000])) for c in numeric for n in typed]

    assert await submit(forger, forms) == {}


async def test_texts(forger):
    """Hostile texts in every field are taken or refused with a sentence."""
    rng = random.Random(19)
    worded = [c for c in forger.controls if not c.startswith(("dataset", "server"))]
    typed = [*list(list_texts())[::4], *(make_text(rng) for _ in range(20))]
    forms = [(rng.choice(worded), lambda f, t=t: type_in(f, rng, t[:4000])) for t in typed]

    assert await submit(forger, forms) == {}
