"""Set scores: how far a set of pictures is from a set of photos, by torchmetrics.

KID (Binkowski et al. 2018, arXiv 1801.01401) and MiFID (Bai et al. 2021, arXiv 2106.03062) are
computed on EfficientNet-Lite2, and named after it: they compare with no KID of Inception. FID
(Heusel et al. 2017) and the Inception Score (Salimans et al. 2016) are computed if the operator
has Inception's weights and the sets are large enough; else it is said why not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from training.judge.inception import InceptionNet
from training.lazy import Tensor, torch

MIN_SET = 10  #: photos and pictures; the spread of smaller sets is as large as what they tell
SUBSETS, SUBSET_SIZE = 100, 1000  #: of KID, as its paper has them; at most half of a set
#: photos and pictures: fewer than Inception's 2,048 features have no covariance of full rank (the
#: authors' own code, bioinf-jku/TTUR, asks for more than that, and advises 10,000)
MIN_FID_SET = 2049
MIN_INCEPTION_SET = 50_000  #: pictures, as Salimans et al. say in section 4
SEED = 7  #: of the subsets
OURS = ("KID-EffLite2", "MiFID-EffLite2")


@dataclass(frozen=True, slots=True)
class SetScore:
    """One score, or why there is none."""

    name: str
    value: float | None = None
    spread: float | None = None  #: standard deviation over subsets
    refused: str = ""  #: a code, with its facts
    facts: dict[str, int] = field(default_factory=dict)


def score_sets(
    features: tuple[Tensor, Tensor],
    drawn: tuple[Sequence[Image.Image], Sequence[Image.Image]],
    inception: InceptionNet | None,
) -> list[SetScore]:
    """Return the set scores of photos and pictures, given both as features and as they are."""
    photos, pictures = features
    counts = {"photos": len(photos), "pictures": len(pictures)}
    if min(counts.values()) < MIN_SET:
        facts = {"least": MIN_SET, **counts}
        found = [SetScore(name, refused="set_small", facts=facts) for name in OURS]
    else:
        found = [measure_kid(photos, pictures), measure_mifid(photos, pictures)]
    return [*found, *score_by_inception(drawn, inception)]


def measure_kid(photos: Tensor, pictures: Tensor) -> SetScore:
    """Return KID over random subsets; features have length 1, so its kernel is not scaled."""
    size = min(SUBSET_SIZE, min(len(photos), len(pictures)) // 2)
    metric = make_metric(
        "kid.KernelInceptionDistance", subsets=SUBSETS, subset_size=size, gamma=1.0
    )
    mean, spread = compare(metric, photos, pictures)
    return SetScore("KID-EffLite2", float(mean), float(spread))


def measure_mifid(photos: Tensor, pictures: Tensor) -> SetScore:
    """Return MiFID, in the space that the features span: there it is the same, and quick."""
    basis, _ = torch.linalg.qr(torch.cat([photos, pictures]).double().T)
    metric = make_metric("mifid.MemorizationInformedFrechetInceptionDistance")
    value = compare(metric, photos.double() @ basis, pictures.double() @ basis)
    return SetScore("MiFID-EffLite2", float(value))


def score_by_inception(
    drawn: tuple[Sequence[Image.Image], Sequence[Image.Image]], inception: InceptionNet | None
) -> list[SetScore]:
    """Return FID and the Inception Score, or why they are refused."""
    counts = {"photos": len(drawn[0]), "pictures": len(drawn[1])}
    wanted: dict[str, tuple[int, int, Callable[[InceptionNet], SetScore]]] = {
        "FID": (MIN_FID_SET, min(counts.values()), lambda net: measure_fid(net, *drawn)),
        "IS": (MIN_INCEPTION_SET, counts["pictures"], lambda net: measure_score(net, drawn[1])),
    }
    found = []
    for name, (least, there, measure) in wanted.items():
        if inception is None:
            found.append(SetScore(name, refused="inception_missing"))
        elif there < least:
            facts = {"least": least, **counts}
            found.append(SetScore(name, refused="set_small", facts=facts))
        else:
            found.append(measure(inception))
    return found


def measure_fid(
    net: InceptionNet, photos: Sequence[Image.Image], pictures: Sequence[Image.Image]
) -> SetScore:
    """Return FID on Inception's last pooled features."""
    seen = [net.extract(each)[0] for each in (photos, pictures)]
    metric = make_metric("fid.FrechetInceptionDistance", width=seen[0].shape[1])
    return SetScore("FID", float(compare(metric, *seen)))


def measure_score(net: InceptionNet, pictures: Sequence[Image.Image]) -> SetScore:
    """Return the Inception Score: how sure classes are, and how varied."""
    metric = make_metric("inception.InceptionScore")
    metric.update(net.extract(pictures)[1])
    mean, spread = computed(metric)
    return SetScore("IS", float(mean), float(spread))


def make_metric(name: str, width: int = 1, **settings: Any) -> Any:
    """Return a metric of torchmetrics that is given features, not pictures."""
    from importlib import import_module  # noqa: PLC0415 - torchmetrics takes seconds, for this alone

    module, _, kind = name.partition(".")
    known: Any = torch.nn.Identity()
    known.num_features = width
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of memory for large sets
        return getattr(import_module(f"torchmetrics.image.{module}"), kind)(known, **settings)


def compare(metric: Any, photos: Tensor, pictures: Tensor) -> Any:
    """Return a metric of features of photos and pictures."""
    metric.update(photos, real=True)
    metric.update(pictures, real=False)
    return computed(metric)


def computed(metric: Any) -> Any:
    """Compute a metric with subsets that are the same every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return metric.compute()
