"""How job folders are written."""

from __future__ import annotations

from dataclasses import asdict, replace
from io import BytesIO

import pytest
from PIL import Image

from storage.crops import FramedBy, Framing
from storage.errors import SafelightError
from storage.planning.grid import lay_out_grid
from storage.records import Base, Catalog, CheckedPhoto, Concept, Kind
from storage.requests import GradeRequest, GridRequest, GridStyle
from storage.variations import Variation
from training.recipe.recipe import Recipe
from training.scheduler.layout import clear_folder, has_photos, write_job_folder

ALICE, BOB = 1001, 1002
HERE = Base("embedded", "Here", "sd1", "embedded:diffusion", 64, "none", "tests", present=True)
CATALOG = Catalog(bases=(HERE,))


async def test_a_training_has_its_recipe_and_photos(queue):
    """`job.json` holds the whole recipe; photos have numbers for names."""
    dataset = await queue.add_dataset(count=2)
    first, _ = await queue.store.photos.list_for(dataset.id, ALICE)
    await queue.store.photos.set_caption(first.id, ALICE, "on the beach")
    job = await queue.add_training(dataset=dataset)
    await write_job_folder(queue.store, job, CATALOG)

    folder = queue.home.job_folder(job.folder)
    request = folder.read_request()
    shots = request["recipe"]["photos"]
    assert (request["kind"], request["recipe"]["family"]) == ("train", "sd1")
    assert request["recipe"]["accepted"] == job.created
    assert [shot["file"] for shot in shots] == ["0001.png", "0002.png"]
    assert shots[0]["caption"] == "mydog, on the beach"
    assert sorted(path.name for path in folder.photos.iterdir()) == ["0001.png", "0002.png"]
    assert (folder.photos / "0001.png").read_bytes() == queue.home.photo_file(
        first.digest
    ).read_bytes()


async def test_transparent_photos_get_backgrounds(queue):
    """On a small base, a photo with transparent parts, but no mask, has several backgrounds."""
    dataset = await queue.add_dataset(count=1)
    file = BytesIO()
    Image.new("RGBA", (64, 64), (255, 255, 255, 0)).save(file, "PNG")
    checked = CheckedPhoto("a" * 64, 7, 64, 64, file.getvalue(), b"preview", ())
    masked = replace(checked, digest="b" * 64, plain_digest="c" * 64)
    for photo in (checked, masked):
        await queue.store.photos.add(dataset, photo)
    job = await queue.add_training(dataset=dataset)

    await write_job_folder(queue.store, job, Catalog(bases=(replace(HERE, small=True),)))

    recipe = queue.home.job_folder(job.folder).read_request()["recipe"]
    grounds = [(shot["file"], bool(shot["background"])) for shot in recipe["photos"]]
    assert grounds == [("0001.png", False), *[("0002.png", True)] * 4, ("0003.png", False)]


async def test_what_is_told_of_photos_is_carried(queue):
    """What is kept of each photo and how often it counts stand in the recipe."""
    dataset = await queue.add_dataset(count=2)
    first, second = await queue.store.photos.list_for(dataset.id, ALICE)
    await queue.store.photos.set_framing(first.id, ALICE, Framing(0.125, 0.5))
    await queue.store.photos.set_repeats(second.id, ALICE, 2)
    job = await queue.add_training(dataset=dataset)
    await write_job_folder(queue.store, job, CATALOG)

    content = queue.home.job_folder(job.folder).read_request()["recipe"]

    photos = Recipe.from_json(content).photos
    assert [photo.repeats for photo in photos] == [1, 2]
    assert [photo.framing for photo in photos] == [
        Framing(0.125, 0.5, by=FramedBy.MEMBER),
        second.framing,
    ]


async def test_faces_are_not_mirrored(queue):
    """Of photos that a training may mirror, those with a face are shown as they are alone."""
    dataset = await queue.add_dataset(count=1)
    face = CheckedPhoto("a" * 64, 7, 64, 64, b"png", b"webp", (), Framing(by=FramedBy.FACE))
    await queue.store.photos.add(dataset, face)
    job = await queue.add_training(dataset=dataset, options={"flip_aug": True})

    await write_job_folder(queue.store, job, CATALOG)

    recipe = Recipe.from_json(queue.home.job_folder(job.folder).read_request()["recipe"])
    mirrored = Variation(mirrored=True)
    shown = [(photo.file, photo.variation) for photo in recipe.photos]
    assert shown == [("0001.png", None), ("0001.png", mirrored), ("0002.png", None)]


async def test_further_datasets_are_concepts(queue):
    """All datasets' photos are in the folder; another member's dataset is refused."""
    dog, cat = await queue.add_dataset(count=2), await queue.add_dataset(count=1, name="mycat")
    theirs = await queue.add_dataset(BOB, name="theirs")
    further = [{"dataset": cat.id, "trigger": "mycat", "concept": "subject"}]
    job = await queue.add_training(dataset=dog, further=further)
    forged = await queue.add_training(dataset=dog, further=[{**further[0], "dataset": theirs.id}])
    await write_job_folder(queue.store, job, CATALOG)

    folder = queue.home.job_folder(job.folder)
    recipe = folder.read_request()["recipe"]
    [other] = recipe["other_concepts"]
    assert [shot["file"] for shot in recipe["photos"]] == ["0001.png", "0002.png"]
    assert (other["trigger"], [shot["file"] for shot in other["photos"]]) == (
        "mycat",
        ["0003.png"],
    )
    assert len(list(folder.photos.iterdir())) == 3
    with pytest.raises(SafelightError) as refused:
        await write_job_folder(queue.store, forged, CATALOG)
    assert refused.value.code == "no_photos"


async def test_a_photo_with_a_mask_is_still_the_same(queue):
    """In two datasets, with a mask in one of them, it has the triggers of both."""
    dog, cat = await queue.add_dataset(count=1), await queue.add_dataset(count=1, name="mycat")
    (photo,) = await queue.store.photos.list_for(dog.id, ALICE)
    await queue.store.photos.set_caption(photo.id, ALICE, "asleep")
    (other,) = await queue.store.photos.list_for(cat.id, ALICE)
    assert other.digest == photo.digest
    masked = CheckedPhoto("b" * 64, 0, 64, 64, b"x", b"y", (), plain_digest=photo.digest)
    await queue.store.photos.set_mask(other, masked)
    further = [{"dataset": cat.id, "trigger": "mycat", "concept": "subject"}]
    job = await queue.add_training(dataset=dog, further=further)

    await write_job_folder(queue.store, job, CATALOG)

    recipe = Recipe.from_json(queue.home.job_folder(job.folder).read_request()["recipe"])
    assert recipe.photos[0].caption == "mycat, mydog, asleep"


async def test_class_photos(queue):
    """A dataset of class photos is no concept: they are captioned without its trigger."""
    dog, kind = await queue.add_dataset(count=2), await queue.add_dataset(count=2, name="dogs")
    first, _ = await queue.store.photos.list_for(kind.id, ALICE)
    await queue.store.photos.set_caption(first.id, ALICE, "dogs, asleep")
    others = [{"dataset": kind.id, "trigger": "dogs", "concept": "look", "class_photos": True}]
    job = await queue.add_training(dataset=dog, further=others, class_word="dog")
    await write_job_folder(queue.store, job, CATALOG)

    folder = queue.home.job_folder(job.folder)
    recipe = Recipe.from_json(folder.read_request()["recipe"])
    assert [photo.file for photo in recipe.photos] == ["0001.png", "0002.png"]
    assert not recipe.other_concepts
    assert [(photo.file, photo.caption) for photo in recipe.class_photos] == [
        ("0003.png", "asleep"),
        ("0004.png", "a photo of a dog"),
    ]
    assert recipe.public_json()["class_photos"] == 2
    (folder.photos / "0004.png").unlink()
    assert not has_photos(folder, folder.read_request()["recipe"])


async def test_a_recipe_is_frozen(queue):
    """A later attempt trains the same recipe, whatever became of the dataset."""
    dataset = await queue.add_dataset(count=2)
    job = await queue.add_training(dataset=dataset)
    await write_job_folder(queue.store, job, CATALOG)
    before = queue.home.job_folder(job.folder).read_request()["recipe"]
    for photo in await queue.store.photos.list_for(dataset.id, ALICE):
        await queue.store.photos.set_caption(photo.id, ALICE, "changed")
    await write_job_folder(queue.store, replace(job, fence=2), CATALOG)

    assert queue.home.job_folder(job.folder).read_request()["recipe"] == before


async def test_a_broken_job_file_is_written_again(queue):
    """`job.json` can always be rebuilt from the store."""
    job = await queue.add_training()
    await write_job_folder(queue.store, job, CATALOG)
    folder = queue.home.job_folder(job.folder)
    before = folder.read_request()
    folder.request_file.write_text("{")
    await write_job_folder(queue.store, job, CATALOG)

    assert folder.read_request() == before


async def test_captions_are_of_what_is_left(queue):
    """Photos removed between two attempts are skipped and counted, even all of them."""
    dataset = await queue.add_dataset(count=3)
    job = await queue.add_captions(dataset)
    folder, found = queue.home.job_folder(job.folder), []
    for fence, photo in enumerate(await queue.store.photos.list_for(dataset.id, ALICE), 1):
        await write_job_folder(queue.store, replace(job, fence=fence), CATALOG)
        request = folder.read_request()["request"]
        found.append((len(request["photos"]), request["gone"], len(list(folder.photos.iterdir()))))
        await queue.store.photos.remove(photo.id, ALICE)
    await write_job_folder(queue.store, replace(job, fence=9), CATALOG)

    assert found == [(3, 0, 3), (2, 1, 2), (1, 2, 1)]
    assert folder.read_request()["request"]["photos"] == list(folder.photos.iterdir()) == []


async def test_a_photo_without_its_file_is_gone(queue):
    """A photo whose file goes while the folder is written is left out of captions and recipe."""
    dataset = await queue.add_dataset(count=3)
    first, *_ = await queue.store.photos.list_for(dataset.id, ALICE)
    queue.home.photo_file(first.digest).unlink()
    captions, training = (
        await queue.add_captions(dataset),
        await queue.add_training(dataset=dataset),
    )
    for job in (captions, training):
        await write_job_folder(queue.store, replace(job, fence=1), CATALOG)

    request = queue.home.job_folder(captions.folder).read_request()["request"]
    recipe = queue.home.job_folder(training.folder).read_request()["recipe"]
    assert (len(request["photos"]), request["gone"]) == (2, 1)
    assert [photo["file"] for photo in recipe["photos"]] == ["0001.png", "0002.png"]


async def test_a_claim_writes_its_folder_once(queue):
    """A scheduler that adopts a job leaves the folder alone that its worker may be reading."""
    job = await queue.add_captions(await queue.add_dataset())
    folder = queue.home.job_folder(job.folder)
    await write_job_folder(queue.store, replace(job, fence=1), CATALOG)
    before = folder.photos.stat().st_ino
    await write_job_folder(queue.store, replace(job, fence=1), CATALOG)

    assert folder.photos.stat().st_ino == before


async def add_style(queue):
    """Add a training's style; return both."""
    job = await queue.add_training()
    file = queue.home.path / "file"
    file.write_bytes(b"weights")
    claimed = await queue.store.jobs.claim("cpu", [job.kind])
    made = await queue.store.styles.add(
        claimed, file, method="lora", family="sd1", trigger="mydog", concept="look"
    )
    return job, made


async def test_a_strangers_style_is_unknown(queue):
    """A sample of a style that the member may not use is refused before anything is copied."""
    _, made = await add_style(queue)
    mine = await queue.add_sample(ALICE, style=made.id)
    theirs = await queue.add_sample(BOB, style=made.id)
    await write_job_folder(queue.store, mine, CATALOG)

    folder = queue.home.job_folder(mine.folder)
    request = folder.read_request()["request"]
    assert (request["method"], request["trigger"]) == ("lora", "mydog")
    assert folder.style_file.read_bytes() == b"weights"
    with pytest.raises(SafelightError) as refused:
        await write_job_folder(queue.store, theirs, CATALOG)
    assert refused.value.code == "style_unknown"


async def test_a_checkpoint_is_drawn_with(queue):
    """A sample of a checkpoint gets its file; of one that is no longer kept, it fails."""
    job = await queue.add_training()
    folder = queue.home.job_folder(job.folder)
    folder.kept.mkdir(parents=True)
    folder.kept_style(50).write_bytes(b"then")
    file = queue.home.path / "file"
    file.write_bytes(b"weights")
    claimed = await queue.store.jobs.claim("cpu", [job.kind])
    made = await queue.store.styles.add(
        claimed, file, method="lora", family="sd1", trigger="mydog", concept="look"
    )
    kept, gone = [await queue.add_sample(ALICE, style=made.id) for _ in range(2)]
    kept.request["checkpoint"], gone.request["checkpoint"] = 50, 60
    await write_job_folder(queue.store, kept, CATALOG)

    assert queue.home.job_folder(kept.folder).style_file.read_bytes() == b"then"
    with pytest.raises(SafelightError, match="checkpoint_gone"):
        await write_job_folder(queue.store, gone, CATALOG)


async def test_a_grid(queue):
    """Each style of a grid is linked, of the checkpoint that was asked for; a gone one fails."""
    job, made = await add_style(queue)
    kept = queue.home.job_folder(job.folder).kept_style(25)
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"earlier")

    async def lay_out(*styles, who=ALICE):
        columns, cells = lay_out_grid(["a"] * len(styles), ["a dog"])
        request = GridRequest("embedded", "a dog", styles=styles, cells=cells, columns=columns)
        mine = await queue.add_job(Kind.SAMPLE, who, asdict(request), "embedded")
        await write_job_folder(queue.store, mine, CATALOG)
        return queue.home.job_folder(mine.folder)

    folder = await lay_out(GridStyle(0), GridStyle(made.id, 25), GridStyle(made.id))
    told = folder.read_request()["request"]["styles"]
    assert [path.read_bytes() for path in folder.grid_styles] == [b"earlier", b"weights"]
    assert [(each["method"], each["trigger"]) for each in told] == [
        ("", ""),
        *[("lora", "mydog")] * 2,
    ]
    clear_folder(folder)
    assert folder.grid_styles == []
    for wrong, code in (
        (lay_out(GridStyle(made.id, 50)), "checkpoint_gone"),
        (lay_out(GridStyle(made.id), who=BOB), "style_unknown"),
    ):
        with pytest.raises(SafelightError) as refused:
            await wrong
        assert refused.value.code == code


async def test_a_removed_model(queue):
    """A sample of a model whose file is gone fails with a code."""
    job = await queue.add_training()
    claimed = await queue.store.jobs.claim("w", ["train"], lease=60)
    file = queue.home.job_folder(job.folder).result / "mydog.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    made = await queue.store.styles.add(
        claimed, file, method="finetune", family="sd1", trigger="my", concept="look", whole=True
    )
    picture = await queue.add_sample(ALICE, style=made.id)
    await queue.store.styles.remove_full_models(made.created + 1)

    with pytest.raises(SafelightError) as refused:
        await write_job_folder(queue.store, picture, CATALOG)

    assert refused.value.code == "model_removed"
    assert "days" in refused.value.facts


@pytest.mark.parametrize(("method", "left"), [("finetune", []), ("lora", ["mydog.safetensors"])])
async def test_a_whole_model_is_kept_once(queue, method, left):
    """A cleared job's result loses a whole model, which the style has; a LoRA stays."""
    job = await queue.add_training(method=method)
    await write_job_folder(queue.store, job, CATALOG)
    folder = queue.home.job_folder(job.folder)
    folder.result.mkdir()
    (folder.result / "mydog.safetensors").write_bytes(b"weights")
    clear_folder(folder)

    assert [path.name for path in folder.result.iterdir()] == left


async def test_what_is_kept(queue):
    """Photos, checkpoints and the style are removed; samples and results stay."""
    job = await queue.add_training()
    await write_job_folder(queue.store, job, CATALOG)
    folder = queue.home.job_folder(job.folder)
    for path in (folder.checkpoints, folder.samples, folder.result):
        path.mkdir()
    clear_folder(folder)
    clear_folder(folder)

    assert sorted(path.name for path in folder.path.iterdir()) == ["result", "samples"]


async def test_a_report_has_the_photos_of_its_style(queue):
    """Those that were there when it was trained and still are; too few of them end the job."""
    dataset = await queue.add_dataset(count=3)
    trained = await queue.add_training(dataset=dataset)
    file = queue.home.path / "made.safetensors"
    file.write_bytes(b"weights")
    known = {"method": "lora", "family": "sd1", "trigger": "mydog", "concept": Concept.LOOK}
    style = await queue.store.styles.add(trained, file, **known)
    late = CheckedPhoto("d" * 64, 9 << 40, 64, 64, b"late", b"preview", ())
    await queue.store.photos.add(dataset, late)
    gone, *left = await queue.store.photos.list_for(dataset.id, ALICE)
    await queue.store.photos.remove(gone.id, ALICE)
    request = asdict(GradeRequest("mydog", "embedded", Concept.LOOK))
    more = {"dataset": dataset.id, "style": style.id}
    job = await queue.add_job(Kind.GRADE, ALICE, request, "embedded", **more)

    await write_job_folder(queue.store, job, replace(CATALOG, captioner="blip"))

    folder = queue.home.job_folder(job.folder)
    told = GradeRequest.from_json(folder.read_request()["request"])
    assert told.photos == tuple(photo.id for photo in left[:2])
    assert told.captions == tuple(photo.caption for photo in left[:2])
    assert (told.method, told.trigger, told.captioner) == ("lora", "mydog", "blip")
    assert len([*folder.photos.iterdir()]) == 2
    assert folder.style_file.read_bytes() == b"weights"
    await queue.store.photos.remove(left[0].id, ALICE)
    again = await queue.add_job(Kind.GRADE, ALICE, request | {"strength": 0.5}, "embedded", **more)
    with pytest.raises(SafelightError) as refused:
        await write_job_folder(queue.store, again, CATALOG)
    assert refused.value.code == "photos_few"
