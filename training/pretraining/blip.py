"""Stage `blip`: train the captioner on all six styles.

From a thousand pictures a transformer learns captions by heart. So it sees things as the tutor,
looks as the stylist, whose features it is taught (Romero et al. 2015, FitNets, arXiv 1412.6550; on
blended pictures, too, as in Beyer et al. 2022, arXiv 2106.05237). Reading is learnt from what is
seen: only mosaics, of which no name can be remembered, change it. Known names, of which it learns
things, teach no looks: who is never told of a blob pig learns that no pig is one. Looks are learnt
from all other names, whose colours are exact.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional
from transformers import BlipImageProcessorPil

from training.pretraining import content_teacher, style_teacher
from training.pretraining.backgrounds import lay, plain, seldom
from training.pretraining.captions import full
from training.pretraining.content_teacher import KNOWN
from training.pretraining.distributed import Drawn, drill
from training.pretraining.export import vocabulary
from training.pretraining.layout import WIDTH, captioner
from training.pretraining.mosaics import Mosaics
from training.pretraining.names import COLOURS, STYLES
from training.pretraining.split import examined, mirrored, recoloured
from training.pretraining.style_teacher import NEAR, PAINTS
from training.pretraining.tokenizers import captions

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import BlipForConditionalGeneration

MEAN = torch.tensor(BlipImageProcessorPil.image_mean)[:, None, None]
SPREAD = torch.tensor(BlipImageProcessorPil.image_std)[:, None, None]


class Pupil(nn.Module):
    """The captioner, and what turns its tokens into the tutor's features."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.blip: BlipForConditionalGeneration = captioner(vocabulary)
        self.look = nn.Linear(WIDTH, NEAR)  # what a place looks like,
        self.colours = nn.Linear(WIDTH, PAINTS)  # its colours,
        self.near = nn.Linear(WIDTH, 96)  # what is seen in it,
        self.far = nn.Linear(WIDTH, 128)  # and around it
        self.name = nn.Linear(WIDTH, len(KNOWN))
        self.style = nn.Linear(WIDTH, len(STYLES))
        self.steepen()

    @torch.no_grad()
    def steepen(self) -> None:
        """Let the first layers begin with steep answers, each at another place.

        What is smooth is learnt long before what is fine (Rahaman et al. 2019, arXiv 1806.08734),
        such as which of two reds a picture has.
        """
        layers = self.blip.vision_model.encoder.layers
        for layer in layers[: len(layers) // 2]:
            layer.mlp.fc1.weight.mul_(8)
            layer.mlp.fc1.bias.uniform_(-2, 2)

    def sight(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Look at pixels (B, 3, 64, 64): tokens (B, 1 + places, width), half-way and last."""
        eye = self.blip.vision_model
        mean, spread = MEAN.to(pixels.device), SPREAD.to(pixels.device)
        tokens = eye.embeddings(((pixels + 1) / 2 - mean) / spread)
        middle = len(eye.encoder.layers) // 2
        for layer in eye.encoder.layers[:middle]:
            tokens = layer(tokens)
        half = tokens
        for layer in eye.encoder.layers[middle:]:
            tokens = layer(tokens)
        return half, eye.post_layernorm(tokens)


class Lesson:
    """The captioner with its pictures and its loss."""

    name = "blip"
    steps = 7000
    batch = 16  # whole pictures; half as many blends, and mosaics
    rate = 1.2e-3
    matrix_rate = 1.5e-3
    decay = 0.998
    looks = 3.0  # what telling styles counts beside the rest

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, (name, style) in enumerate(pairs) if not examined(name, style)]
        self.rgba = pictures["rgba"][kept]
        self.pairs = [pairs[i] for i in kept]
        self.known = torch.tensor([name in KNOWN for name, _ in self.pairs])
        self.weights = frequencies(self.known, [style for _, style in self.pairs])
        self.laid = Mosaics(self.rgba, [style for _, style in self.pairs])
        self.names = vocabulary(work)
        self.tokenizer = captions(self.names)
        self.styled = torch.tensor(self.tokenizer.convert_tokens_to_ids(list(STYLES)))
        self.tutor, self.stylist = content_teacher.trained(work), style_teacher.trained(work)
        self.networks = Pupil(len(self.tokenizer))

    def draw(self, generator: torch.Generator, step: int) -> Drawn:  # noqa: ARG002
        """Draw pictures, mosaics and blends, whose looks count, and what the first two say.

        Of other names' pictures parts are covered.
        """
        half = self.batch // 2
        pixels, texts, known = self.whole(generator)
        pixels[~known] = style_teacher.covered(pixels[~known], generator)
        tiles, styled = self.mosaics(half, generator)
        part = 0.3 + 0.4 * torch.rand(half, 1, 1, 1, generator=generator)
        blends = part * pixels[:half] + (1 - part) * pixels[half : 2 * half]
        either = known[:half] | known[half : 2 * half]
        looks = ~torch.cat([known, torch.zeros_like(either), either])
        shown = torch.cat([pixels, tiles, blends])
        return shown, looks, *self.asked(texts, styled, known)

    def loss(self, drawn: Drawn) -> torch.Tensor:
        """Add up seeing as the tutor does, and reading pictures and mosaics."""
        shown, looks, *asked = drawn
        middle, seen = self.networks.sight(shown)
        likeness = self.likeness(shown, looks, middle, seen)
        return likeness + self.reading(seen[: len(asked[0])], *asked)

    def asked(self, texts: list[str], styled: list[str], known: torch.Tensor) -> Drawn:
        """Give the tokens of captions of pictures, then of mosaics, their mask and the labels.

        Pictures of known names are not asked for their styles, mosaics for nothing before it.
        """
        count = len(texts)
        tokens = self.tokenizer([*texts, *styled], padding=True, return_tensors="pt")
        ids = tokens.input_ids
        style = torch.isin(ids, self.styled)
        ids[:, 0] = self.networks.blip.config.text_config.bos_token_id  # as generate does
        labels = ids.masked_fill(tokens.attention_mask == 0, -100)
        labels[:count][known[:, None] & style[:count]] = -100
        named = style.int().cumsum(1) == 0  # what comes before the style
        labels[count:][named[count:]] = -100
        return ids, tokens.attention_mask, labels

    def reading(
        self, seen: torch.Tensor, ids: torch.Tensor, there: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Tell captions from tokens (B, 1 + places, width).

        Mosaics change what is seen, by their styles and grounds; pictures only how it is read.
        """
        count = min(self.batch, len(seen))
        loss: torch.Tensor = self.networks.blip.text_decoder(
            input_ids=ids,
            attention_mask=there,
            encoder_hidden_states=torch.cat([seen[:count].detach(), seen[count:]]),
            labels=labels,
        ).loss
        return loss

    def whole(self, generator: torch.Generator) -> tuple[torch.Tensor, list[str], torch.Tensor]:
        """Draw pictures with their captions, half of them of known names, and which those are.

        Known things may have other colours; of the other pictures every style is as frequent.
        """
        chosen = torch.multinomial(self.weights, self.batch, True, generator=generator)
        pairs = [self.pairs[i] for i in chosen.tolist()]
        grounds, colours = drawn(self.batch, generator)
        rgba, known = self.rgba[chosen], self.known[chosen]
        things = [name for (name, _), kept in zip(pairs, known.tolist(), strict=True) if kept]
        rgba[known] = recoloured(rgba[known], things, generator)
        pixels = seldom(mirrored(lay(rgba, grounds), generator), generator)
        texts = [
            full(name, style, colour) for (name, style), colour in zip(pairs, colours, strict=True)
        ]
        return pixels, texts, known

    def mosaics(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, list[str]]:
        """Lay tiles of four pictures of one style; in the captions only names are made up."""
        styles = torch.randint(len(STYLES), (count,), generator=generator).tolist()
        grounds, colours = drawn(count, generator)
        tiles = self.laid.laid(styles, grounds, generator)
        names = torch.randint(len(self.names), (count,), generator=generator).tolist()
        texts = [
            full(self.names[name], STYLES[style], colour)
            for name, style, colour in zip(names, styles, colours, strict=True)
        ]
        return tiles, texts

    def likeness(
        self, pixels: torch.Tensor, looks: torch.Tensor, half: torch.Tensor, seen: torch.Tensor
    ) -> torch.Tensor:
        """Compare with what the teachers see in each place, around it, and in the whole.

        `looks` (B,) says of which pictures the style, as a whole, is learnt.
        """
        self.tutor.to(pixels.device)
        self.stylist.to(pixels.device)
        with torch.no_grad():
            coarse = self.tutor.coarse
            near = coarse[0](self.tutor.middle(self.tutor.fine(pixels)))  # (B, 96, 8, 8)
            far = coarse[1](near)  # (B, 128, 4, 4)
            names = self.tutor.names(self.tutor.thing(far.flatten(1)))
            look, colours, styles = self.stylist.sight(pixels)
        return (
            apart(self.networks.look(pooled(half, look)), look)
            + apart(self.networks.colours(pooled(half, colours)), colours)
            + apart(self.networks.near(pooled(half, near)), near)
            + apart(self.networks.far(pooled(seen, far)), far)
            + unlike(self.networks.name(seen[:, 0]), names)
            + self.looks * unlike(self.networks.style(seen[looks, 0]), styles[looks])
        )


def frequencies(known: torch.Tensor, styles: list[str]) -> torch.Tensor:
    """Say how often to draw pictures: half known ones, else all styles alike."""
    groups = [
        "known" if kept else style for kept, style in zip(known.tolist(), styles, strict=True)
    ]
    sizes = Counter(groups)
    parts = max(1, len(sizes) - 1)
    return torch.tensor([(parts if g == "known" else 1) / sizes[g] for g in groups])


def pooled(tokens: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Give the mean tokens of the places of features (B, C, H, W): (B, H * W, width)."""
    places = tokens[:, 1:].transpose(1, 2)
    side = math.isqrt(places.shape[-1])
    square = places.reshape(*places.shape[:2], side, side)
    wanted: torch.Tensor = functional.avg_pool2d(square, side // features.shape[-1])
    return wanted.flatten(2).transpose(1, 2)


def apart(tokens: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Compare tokens (B, N, C) with features (B, C, H, W), these made comparable by place."""
    wanted = features.flatten(2).transpose(1, 2).float()
    return functional.mse_loss(tokens.float(), functional.layer_norm(wanted, wanted.shape[-1:]))


def unlike(guess: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Compare a guess with a teacher's scores (B, N), as far as it is sure of them."""
    sure = scores.float().softmax(1)
    return functional.kl_div(guess.float().log_softmax(1), sure, reduction="batchmean")


def drawn(count: int, generator: torch.Generator) -> tuple[torch.Tensor, list[str]]:
    """Draw plain grounds and their colours, one in five surely white."""
    chosen = torch.randint(len(COLOURS), (count,), generator=generator)
    chosen[torch.rand(count, generator=generator) < 0.2] = 0
    return plain(chosen), [tuple(COLOURS)[number] for number in chosen.tolist()]


def run(work: Path) -> None:
    """Train the captioner."""
    drill(Lesson, work)
