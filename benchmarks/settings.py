"""Write the table of what the dial comes to, with sources: `--write docs/settings.md`.

The numbers stand with each method (`training/methods`), so that a method stays one file; this
prints the rules that the catalog is made of, those of all methods, families and concepts.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

from storage.records import Base, Concept, Dial, Rule
from training import families, methods
from training.run import defaults

PAGE = """# What the dial comes to

Every number that Safelight chooses where you choose none, and who measured or published it.
"110 + 3 (120 to 150)" are 110 steps for one photo and 3 for each further one, at least 120, at
most 150. Pictures of one shot count once; only on the embedded base every picture counts.

- The learning rate warms up over a tenth of the steps, at most 10, then falls to a tenth by a
  cosine, as in kohya's documents, without restarts (konstmish/prodigy). Schedule-free AdamW keeps
  it.
- AdamW, weight decay 0.01, gradients clipped to a norm of 1, min-SNR gamma 5 (Hang et al. 2023);
  no gamma for flows, nor for embeddings, which learn most from the noisiest steps.
- Subjects on the embedded base are the exception: LoRAs and LoKr learn them at a constant rate and
  without gamma, average the weights (0.97) and drop a twentieth of the captions, as ai-toolkit's
  example does. They are drawn clearly better; looks are not, and LoHa and OFT forget by it what
  the base knew (benchmarks/RESULTS.md).
- A text encoder is trained, too, for subjects on bases of true size, and for looks on the embedded
  base. What reads prompts for a flow never is.
- A LoRA's own word (pivotal) learns at ten times the rate: 1e-3, as in edenartlab's trainer.
- `--find-learning-rate`, or *Find learning rate* on a thorough training's card, looks for a rate
  around these in a short sweep on the photos; what that gains is in RESULTS.md, too.
- `--folds 3`, or *Hold photos out* on such a card, first makes three runs of a third of the steps,
  each without a third of the photos, if there are fewer than 20. It takes twice as long.
- With several datasets in one style, each adds the steps that it would get alone.

Written by `python -m benchmarks.settings --write docs/settings.md`; the numbers stand in
`training/methods`. What was tried on the embedded base is in
[RESULTS.md](../benchmarks/RESULTS.md).

"""
EMBEDDED = "embedded base"


Rules = tuple[Rule, ...]  #: by the dial, without what differs between bases and concepts alone


def group_rules() -> dict[Rules, list[tuple[str, str, Concept]]]:
    """Return for which methods, places and concepts the same rules hold."""
    groups: defaultdict[Rules, list[tuple[str, str, Concept]]] = defaultdict(list)
    for method, (place, base) in product(sorted(methods.walk()), list_places()):
        rules = list(defaults.rules(method, base))
        for concept in Concept:
            if found := tuple(strip(rule) for rule in rules if rule.concept is concept):
                groups[found].append((method, place, concept))
    return groups


def list_places() -> Iterator[tuple[str, Base]]:
    """Yield the embedded base, and a base of true size for each family."""
    base = Base("any", "Any", "sd1", "any", 64, "", "", present=True, small=True)
    yield EMBEDDED, base
    for family in families.names():
        yield family, replace(base, family=family, small=False)


def strip(rule: Rule) -> Rule:
    """Return a rule without what differs between bases and concepts alone."""
    return replace(rule, method="", base="", concept=Concept.SUBJECT, file_bytes=0, memory_mib=0)


def describe(rule: Rule) -> str:
    """Return a rule as a cell."""
    steps = f"{rule.steps:,}"
    if rule.steps_per_photo:
        steps += f" + {rule.steps_per_photo} ({rule.min_steps:,} to {rule.max_steps:,})"
    rank = f", rank {rule.rank}" if rule.rank else ""
    images = f", {rule.num_class_images} class pictures" if rule.num_class_images else ""
    return f"{steps}{rank}, rate {rule.learning_rate:g}, batch {rule.batch_size}{images}"


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    dials = [dial.value for dial in Dial]
    yield f"| method | where | what | {' | '.join(dials)} | sources |"
    yield "| --- " * (len(dials) + 4) + "|"
    for rules, held in group_rules().items():
        said = [", ".join(dict.fromkeys(each)) for each in zip(*held, strict=True)]
        yield f"| {' | '.join([*said, *map(describe, rules), list_sources(rules)])} |"


def list_sources(rules: Rules) -> str:
    """Return the sources of rules as a cell, each named once with its positions of the dial."""
    dials: defaultdict[str, list[str]] = defaultdict(list)
    for rule in rules:
        dials[rule.source].append(rule.dial)
    if len(dials) == 1:
        return rules[0].source
    return "<br>".join(f"*{', '.join(names)}:* {source}" for source, names in dials.items())


def page() -> str:
    """Return the whole page."""
    return PAGE + "\n".join(table()) + "\n"


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser("benchmarks.settings", description=__doc__)
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    parser.parse_args().write.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
