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
from training.pretraining.backgrounds import distort_some, plain_backgrounds, put_on
from training.pretraining.captions import full_caption
from training.pretraining.content_teacher import TAUGHT_NAMES
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.export import list_names
from training.pretraining.layout import WIDTH, make_captioner
from training.pretraining.mosaics import Mosaics
from training.pretraining.names import COLOURS, STYLES
from training.pretraining.split import is_test_picture, mirror_half, shuffle_colours
from training.pretraining.style_teacher import COARSE, COLOUR_FEATURES
from training.pretraining.tokenizers import make_caption_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import BlipForConditionalGeneration

MEAN = torch.tensor(BlipImageProcessorPil.image_mean)[:, None, None]
SPREAD = torch.tensor(BlipImageProcessorPil.image_std)[:, None, None]


class CaptionerStudent(nn.Module):
    """The captioner, and what turns its tokens into the tutor's features."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.blip: BlipForConditionalGeneration = make_captioner(vocabulary)
        self.look = nn.Linear(WIDTH, COARSE)  # what a place looks like,
        self.colours = nn.Linear(WIDTH, COLOUR_FEATURES)  # its colours,
        self.near = nn.Linear(WIDTH, 96)  # what is seen in it,
        self.far = nn.Linear(WIDTH, 128)  # and around it
        self.name = nn.Linear(WIDTH, len(TAUGHT_NAMES))
        self.style = nn.Linear(WIDTH, len(STYLES))
        self.sharpen_first_layers()

    @torch.no_grad()
    def sharpen_first_layers(self) -> None:
        """Let the first layers begin with steep answers, each at another place.

        What is smooth is learnt long before what is fine (Rahaman et al. 2019, arXiv 1806.08734),
        such as which of two reds a picture has.
        """
        layers = self.blip.vision_model.encoder.layers
        for layer in layers[: len(layers) // 2]:
            layer.mlp.fc1.weight.mul_(8)
            layer.mlp.fc1.bias.uniform_(-2, 2)

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
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


class CaptionerTask:
    """The captioner with its pictures and its loss."""

    name = "blip"
    steps = 7000
    batch_size = 16  # whole pictures; half as many blends, and mosaics
    learning_rate = 1.2e-3
    muon_learning_rate = 1.5e-3
    ema_decay = 0.998
    style_weight = 3.0  # what telling styles counts beside the rest

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, (name, style) in enumerate(pairs) if not is_test_picture(name, style)]
        self.rgba = pictures["rgba"][kept]
        self.pairs = [pairs[i] for i in kept]
        self.known = torch.tensor([name in TAUGHT_NAMES for name, _ in self.pairs])
        self.weights = sampling_weights(self.known, [style for _, style in self.pairs])
        self.mosaics = Mosaics(self.rgba, [style for _, style in self.pairs])
        self.names = list_names(work)
        self.tokenizer = make_caption_tokenizer(self.names)
        self.style_ids = torch.tensor(self.tokenizer.convert_tokens_to_ids(list(STYLES)))
        self.content_teacher, self.style_teacher = (
            content_teacher.load_teacher(work),
            style_teacher.load_teacher(work),
        )
        self.networks = CaptionerStudent(len(self.tokenizer))

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Draw pictures, mosaics and blends, whose looks count, and what the first two say.

        Of other names' pictures parts are covered.
        """
        half = self.batch_size // 2
        pixels, texts, known = self.draw_pictures(generator)
        pixels[~known] = style_teacher.cover_parts(pixels[~known], generator)
        tiles, styled = self.draw_mosaics(half, generator)
        part = 0.3 + 0.4 * torch.rand(half, 1, 1, 1, generator=generator)
        blends = part * pixels[:half] + (1 - part) * pixels[half : 2 * half]
        either = known[:half] | known[half : 2 * half]
        looks = ~torch.cat([known, torch.zeros_like(either), either])
        shown = torch.cat([pixels, tiles, blends])
        return shown, looks, *self.make_labels(texts, styled, known)

    def loss(self, drawn: Batch) -> torch.Tensor:
        """Add up seeing as the tutor does, and reading pictures and mosaics."""
        shown, looks, *asked = drawn
        middle, seen = self.networks.encode(shown)
        likeness = self.distillation_loss(shown, looks, middle, seen)
        return likeness + self.caption_loss(seen[: len(asked[0])], *asked)

    def make_labels(self, texts: list[str], styled: list[str], known: torch.Tensor) -> Batch:
        """Give the tokens of captions of pictures, then of mosaics, their mask and the labels.

        Pictures of known names are not asked for their styles, mosaics for nothing before it.
        """
        count = len(texts)
        tokens = self.tokenizer([*texts, *styled], padding=True, return_tensors="pt")
        ids = tokens.input_ids
        style = torch.isin(ids, self.style_ids)
        ids[:, 0] = self.networks.blip.config.text_config.bos_token_id  # as generate does
        labels = ids.masked_fill(tokens.attention_mask == 0, -100)
        labels[:count][known[:, None] & style[:count]] = -100
        named = style.int().cumsum(1) == 0  # what comes before the style
        labels[count:][named[count:]] = -100
        return ids, tokens.attention_mask, labels

    def caption_loss(
        self, seen: torch.Tensor, ids: torch.Tensor, there: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """Tell captions from tokens (B, 1 + places, width).

        Mosaics change what is seen, by their styles and grounds; pictures only how it is read.
        """
        count = min(self.batch_size, len(seen))
        loss: torch.Tensor = self.networks.blip.text_decoder(
            input_ids=ids,
            attention_mask=there,
            encoder_hidden_states=torch.cat([seen[:count].detach(), seen[count:]]),
            labels=labels,
        ).loss
        return loss

    def draw_pictures(
        self, generator: torch.Generator
    ) -> tuple[torch.Tensor, list[str], torch.Tensor]:
        """Draw pictures with their captions, half of them of known names, and which those are.

        Known things may have other colours; of the other pictures every style is as frequent.
        """
        chosen = torch.multinomial(self.weights, self.batch_size, True, generator=generator)
        pairs = [self.pairs[i] for i in chosen.tolist()]
        grounds, colours = draw_backgrounds(self.batch_size, generator)
        rgba, known = self.rgba[chosen], self.known[chosen]
        things = [name for (name, _), kept in zip(pairs, known.tolist(), strict=True) if kept]
        rgba[known] = shuffle_colours(rgba[known], things, generator)
        pixels = distort_some(mirror_half(put_on(rgba, grounds), generator), generator)
        texts = [
            full_caption(name, style, colour)
            for (name, style), colour in zip(pairs, colours, strict=True)
        ]
        return pixels, texts, known

    def draw_mosaics(
        self, count: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, list[str]]:
        """Lay tiles of four pictures of one style; in the captions only names are made up."""
        styles = torch.randint(len(STYLES), (count,), generator=generator).tolist()
        grounds, colours = draw_backgrounds(count, generator)
        tiles = self.mosaics.draw(styles, grounds, generator)
        names = torch.randint(len(self.names), (count,), generator=generator).tolist()
        texts = [
            full_caption(self.names[name], STYLES[style], colour)
            for name, style, colour in zip(names, styles, colours, strict=True)
        ]
        return tiles, texts

    def distillation_loss(
        self, pixels: torch.Tensor, looks: torch.Tensor, half: torch.Tensor, seen: torch.Tensor
    ) -> torch.Tensor:
        """Compare with what the teachers see in each place, around it, and in the whole.

        `looks` (B,) says of which pictures the style, as a whole, is learnt.
        """
        self.content_teacher.to(pixels.device)
        self.style_teacher.to(pixels.device)
        with torch.no_grad():
            coarse = self.content_teacher.coarse
            near = coarse[0](
                self.content_teacher.middle(self.content_teacher.fine(pixels))
            )  # (B, 96, 8, 8)
            far = coarse[1](near)  # (B, 128, 4, 4)
            names = self.content_teacher.score_names(self.content_teacher.thing(far.flatten(1)))
            look, colours, styles = self.style_teacher.encode(pixels)
        return (
            feature_loss(self.networks.look(pool_tokens(half, look)), look)
            + feature_loss(self.networks.colours(pool_tokens(half, colours)), colours)
            + feature_loss(self.networks.near(pool_tokens(half, near)), near)
            + feature_loss(self.networks.far(pool_tokens(seen, far)), far)
            + soft_label_loss(self.networks.name(seen[:, 0]), names)
            + self.style_weight
            * soft_label_loss(self.networks.style(seen[looks, 0]), styles[looks])
        )


def sampling_weights(known: torch.Tensor, styles: list[str]) -> torch.Tensor:
    """Say how often to draw pictures: half known ones, else all styles alike."""
    groups = [
        "known" if kept else style for kept, style in zip(known.tolist(), styles, strict=True)
    ]
    sizes = Counter(groups)
    parts = max(1, len(sizes) - 1)
    return torch.tensor([(parts if g == "known" else 1) / sizes[g] for g in groups])


def pool_tokens(tokens: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Give the mean tokens of the places of features (B, C, H, W): (B, H * W, width)."""
    places = tokens[:, 1:].transpose(1, 2)
    side = math.isqrt(places.shape[-1])
    square = places.reshape(*places.shape[:2], side, side)
    wanted: torch.Tensor = functional.avg_pool2d(square, side // features.shape[-1])
    return wanted.flatten(2).transpose(1, 2)


def feature_loss(tokens: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Compare tokens (B, N, C) with features (B, C, H, W), these made comparable by place."""
    wanted = features.flatten(2).transpose(1, 2).float()
    return functional.mse_loss(tokens.float(), functional.layer_norm(wanted, wanted.shape[-1:]))


def soft_label_loss(guess: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Compare a guess with a teacher's scores (B, N), as far as it is sure of them."""
    sure = scores.float().softmax(1)
    return functional.kl_div(guess.float().log_softmax(1), sure, reduction="batchmean")


def draw_backgrounds(count: int, generator: torch.Generator) -> tuple[torch.Tensor, list[str]]:
    """Draw plain grounds and their colours, one in five surely white."""
    chosen = torch.randint(len(COLOURS), (count,), generator=generator)
    chosen[torch.rand(count, generator=generator) < 0.2] = 0
    return plain_backgrounds(chosen), [tuple(COLOURS)[number] for number in chosen.tolist()]


def run(work: Path) -> None:
    """Train the captioner."""
    train_distributed(CaptionerTask, work)
