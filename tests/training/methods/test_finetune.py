"""Fine-tuning: what is trained, the dial's settings, and which checkpoints are kept."""

from __future__ import annotations

from dataclasses import replace

from storage.records import Concept, Dial
from training.methods import finetune
from training.methods._full import FullNetworks
from training.run import defaults
from training.run.loop import train


def test_it_is_the_whole_network(bases, make_recipe):
    """It never has a rank, and uses EMA unless that is switched off."""
    with bases.borrow("embedded") as family:
        attached = finetune.attach(family.networks, make_recipe("finetune", rank=8))
        attached.detach()

    assert isinstance(attached, FullNetworks)
    assert make_recipe("finetune", rank=8).rank == 0
    assert make_recipe("finetune", concept=Concept.SUBJECT).ema_decay == finetune.FULL_EMA_DECAY
    assert make_recipe("finetune", ema_decay=0.0).ema_decay == 0


def test_rules(bases):
    """Every concept and dial has a rule without a rank; larger bases get lower learning rates."""
    small = list(defaults.rules("finetune", bases.find("embedded")))
    sd1, sdxl = (
        next(iter(defaults.rules("finetune", replace(bases.find("sd15"), family=family))))
        for family in ("sd1", "sdxl")
    )

    assert {(rule.concept, rule.dial) for rule in small} == {(c, d) for c in Concept for d in Dial}
    assert {rule.rank for rule in small} == {0}
    assert small[0].learning_rate > sd1.learning_rate > sdxl.learning_rate
    assert small[0].file_bytes < sd1.file_bytes < sdxl.file_bytes


def test_only_the_newest_checkpoint(bases, make_recipe, make_job_folder, run_task):
    """Only the newest checkpoint of a whole network is kept, since each is large."""
    folder = make_job_folder(make_recipe("finetune", steps=3, save_every=1))

    events = run_task(train(folder, bases))

    saved = [event.file for event in events if event.kind == "checkpoint"]
    assert len(saved) == 3
    assert [path.name for path in folder.checkpoints.iterdir()] == saved[-1:]
    assert events[-1].full_model is True
