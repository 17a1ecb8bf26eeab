"""Stage `blip`: train the captioner on all six styles.

A transformer memorizes the captions of a thousand pictures. So its vision tower is trained to
reproduce the features of two convolutional teachers, one for content and one for style (Romero et
al. 2015, FitNets, arXiv 1412.6550), also on blended pictures as in Beyer et al. 2022 (arXiv
2106.05237). The caption loss trains the text decoder only; it reaches the vision tower through
mosaics alone, which show no name that could be memorized. The names that the content teacher knows
("known" below) teach content but no style: some of them lack a style in the training pictures, and
the captioner would learn that they never have it. Style is learnt from all other names, in their
exact colours.
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
from training.pretraining.distributed import Batch, train_distributed
from training.pretraining.export import list_names
from training.pretraining.layout import WIDTH, make_captioner
from training.pretraining.mosaics import Mosaics
from training.pretraining.names import KNOWN_NAMES, STYLES
from training.pretraining.split import is_test_picture, mirror_half, shuffle_colours
from training.pretraining.style_teacher import COARSE, COLOUR_FEATURES
from training.pretraining.tokenizers import make_caption_tokenizer
from training.recipe.backgrounds import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import BlipForConditionalGeneration

MEAN = torch.tensor(BlipImageProcessorPil.image_mean)[:, None, None]
STD = torch.tensor(BlipImageProcessorPil.image_std)[:, None, None]


class CaptionerStudent(nn.Module):
    """The captioner, with linear layers that map its tokens to the teachers' features."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.blip: BlipForConditionalGeneration = make_captioner(vocabulary)
        self.look = nn.Linear(WIDTH, COARSE)  # to the style teacher's features,
        self.colours = nn.Linear(WIDTH, COLOUR_FEATURES)  # its colour features,
        self.near = nn.Linear(WIDTH, 96)  # the content teacher's fine features
        self.far = nn.Linear(WIDTH, 128)  # and its coarse ones
        self.name = nn.Linear(WIDTH, len(KNOWN_NAMES))
        self.style = nn.Linear(WIDTH, len(STYLES))
        self.sharpen_first_layers()

    @torch.no_grad()
    def sharpen_first_layers(self) -> None:
        """Scale up the MLPs of the first half of the vision layers, and spread their biases.

        Networks learn smooth functions long before fine ones (Rahaman et al. 2019, arXiv
        1806.08734), such as which of two reds a picture has. Steep activations at many offsets
        speed that up.
        """
        layers = self.blip.vision_model.encoder.layers
        for layer in layers[: len(layers) // 2]:
            layer.mlp.fc1.weight.mul_(8)
            layer.mlp.fc1.bias.uniform_(-2, 2)

    def encode(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tokens (B, 1 + places, width) of pixels (B, 3, 64, 64), half-way and last."""
        vision = self.blip.vision_model
        mean, std = MEAN.to(pixels.device), STD.to(pixels.device)
        tokens = vision.embeddings(((pixels + 1) / 2 - mean) / std)
        middle = len(vision.encoder.layers) // 2
        for layer in vision.encoder.layers[:middle]:
            tokens = layer(tokens)
        half = tokens
        for layer in vision.encoder.layers[middle:]:
            tokens = layer(tokens)
        return half, vision.post_layernorm(tokens)


class CaptionerTask:
    """The captioner with its training pictures and its loss."""

    name = "blip"
    steps = 7000
    batch_size = 16  # whole pictures; half as many blends, and mosaics
    learning_rate = 1.2e-3
    muon_learning_rate = 1.5e-3
    ema_decay = 0.998
    style_weight = 3.0  # weight of the style loss beside the others

    def __init__(self, work: Path) -> None:
        pictures = torch.load(work / "pictures.pt", weights_only=True)
        pairs = list(zip(pictures["names"], pictures["styles"], strict=True))
        kept = [i for i, (name, style) in enumerate(pairs) if not is_test_picture(name, style)]
        self.pairs = [pairs[i] for i in kept]
        self.mosaics = Mosaics(pictures["rgba"][kept], [style for _, style in self.pairs])
        more = torch.load(work / "more.pt", weights_only=True)
        self.rgba = torch.cat([pictures["rgba"][kept], more["rgba"]])
        # the styles in captions of known names are masked, so any will do for theirs
        self.pairs += [(name, STYLES[0]) for name in more["names"]]
        self.known = torch.tensor([name in KNOWN_NAMES for name, _ in self.pairs])
        self.weights = sampling_weights(self.known, [style for _, style in self.pairs])
        self.names = list_names(work)
        self.tokenizer = make_caption_tokenizer(self.names)
        self.style_ids = torch.tensor(self.tokenizer.convert_tokens_to_ids(list(STYLES)))
        self.content_teacher, self.style_teacher = (
            content_teacher.load_teacher(work),
            style_teacher.load_teacher(work),
        )
        self.networks = CaptionerStudent(len(self.tokenizer))

    def draw_batch(self, generator: torch.Generator, step: int) -> Batch:  # noqa: ARG002
        """Return pictures, mosaics and blends, a mask of those that teach style, and the labels.

        Only pictures and mosaics have captions. Parts of the pictures of other names are covered.
        """
        half = self.batch_size // 2
        pixels, texts, known = self.draw_pictures(generator)
        pixels[~known] = style_teacher.cover_parts(pixels[~known], generator)
        tiles, styled = self.draw_mosaics(half, generator)
        part = 0.3 + 0.4 * torch.rand(half, 1, 1, 1, generator=generator)
        blends = part * pixels[:half] + (1 - part) * pixels[half : 2 * half]
        either_known = known[:half] | known[half : 2 * half]
        learns_style = ~torch.cat([known, torch.zeros_like(either_known), either_known])
        images = torch.cat([pixels, tiles, blends])
        return images, learns_style, *self.make_labels(texts, styled, known)

    def loss(self, batch: Batch) -> torch.Tensor:
        """Return the sum of the distillation loss and the caption loss of pictures and mosaics."""
        images, learns_style, *captions = batch
        middle, tokens = self.networks.encode(images)
        distillation = self.distillation_loss(images, learns_style, middle, tokens)
        return distillation + self.caption_loss(tokens[: len(captions[0])], *captions)

    def make_labels(self, texts: list[str], styled: list[str], known: torch.Tensor) -> Batch:
        """Return the caption tokens of pictures, then of mosaics, their mask and the labels.

        The style is masked in captions of known names, and everything before it in those of
        mosaics.
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
        self,
        tokens: torch.Tensor,
        ids: torch.Tensor,
        attention_mask: torch.Tensor,
        labels: torch.Tensor,
    ) -> torch.Tensor:
        """Return the captions' cross-entropy, given vision tokens (B, 1 + places, width).

        Its gradient reaches the vision tower through mosaics only: pictures are detached.
        """
        count = min(self.batch_size, len(tokens))
        loss: torch.Tensor = self.networks.blip.text_decoder(
            input_ids=ids,
            attention_mask=attention_mask,
            encoder_hidden_states=torch.cat([tokens[:count].detach(), tokens[count:]]),
            labels=labels,
        ).loss
        return loss

    def draw_pictures(
        self, generator: torch.Generator
    ) -> tuple[torch.Tensor, list[str], torch.Tensor]:
        """Return pictures, their captions, and a mask of those with known names (about half).

        Known things may have other colours; among the other pictures all styles are equally
        frequent.
        """
        chosen = torch.multinomial(self.weights, self.batch_size, True, generator=generator)
        pairs = [self.pairs[i] for i in chosen.tolist()]
        backgrounds, colours = draw_backgrounds(self.batch_size, generator)
        rgba, known = self.rgba[chosen], self.known[chosen]
        things = [name for (name, _), kept in zip(pairs, known.tolist(), strict=True) if kept]
        rgba[known] = shuffle_colours(rgba[known], things, generator)
        pixels = distort_some(mirror_half(put_on(rgba, backgrounds), generator), generator)
        texts = [
            full_caption(name, style, colour)
            for (name, style), colour in zip(pairs, colours, strict=True)
        ]
        return pixels, texts, known

    def draw_mosaics(
        self, count: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, list[str]]:
        """Return mosaics of one style each, and captions in which the name is random."""
        styles = torch.randint(len(STYLES), (count,), generator=generator).tolist()
        backgrounds, colours = draw_backgrounds(count, generator)
        tiles = self.mosaics.draw(styles, backgrounds, generator)
        names = torch.randint(len(self.names), (count,), generator=generator).tolist()
        texts = [
            full_caption(self.names[name], STYLES[style], colour)
            for name, style, colour in zip(names, styles, colours, strict=True)
        ]
        return tiles, texts

    def distillation_loss(
        self,
        pixels: torch.Tensor,
        learns_style: torch.Tensor,
        half: torch.Tensor,
        tokens: torch.Tensor,
    ) -> torch.Tensor:
        """Compare with the teachers' features of each place, around it, and of the whole picture.

        `learns_style` (B,) masks the pictures whose style, as a whole, is learnt.
        """
        self.content_teacher.to(pixels.device)
        self.style_teacher.to(pixels.device)
        with torch.no_grad():
            teacher = self.content_teacher
            near = teacher.coarse[0](teacher.middle(teacher.fine(pixels)))  # (B, 96, 8, 8)
            far = teacher.coarse[1](near)  # (B, 128, 4, 4)
            names = teacher.score_names(teacher.thing(far.flatten(1)))
            look, colours, styles = self.style_teacher.encode(pixels)
        return (
            feature_loss(self.networks.look(pool_tokens(half, look)), look)
            + feature_loss(self.networks.colours(pool_tokens(half, colours)), colours)
            + feature_loss(self.networks.near(pool_tokens(half, near)), near)
            + feature_loss(self.networks.far(pool_tokens(tokens, far)), far)
            + soft_label_loss(self.networks.name(tokens[:, 0]), names)
            + self.style_weight
            * soft_label_loss(self.networks.style(tokens[learns_style, 0]), styles[learns_style])
        )


def sampling_weights(known: torch.Tensor, styles: list[str]) -> torch.Tensor:
    """Return sampling weights (N,): half for known names, the rest the same for every style."""
    groups = [
        "known" if kept else style for kept, style in zip(known.tolist(), styles, strict=True)
    ]
    sizes = Counter(groups)
    parts = max(1, len(sizes) - 1)
    return torch.tensor([(parts if g == "known" else 1) / sizes[g] for g in groups])


def pool_tokens(tokens: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Return the mean tokens (B, H * W, width) of the places of features (B, C, H, W)."""
    places = tokens[:, 1:].transpose(1, 2)
    side = math.isqrt(places.shape[-1])
    square = places.reshape(*places.shape[:2], side, side)
    pooled: torch.Tensor = functional.avg_pool2d(square, side // features.shape[-1])
    return pooled.flatten(2).transpose(1, 2)


def feature_loss(tokens: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Return the MSE of tokens (B, N, C) and layer-normalized features (B, C, H, W)."""
    wanted = features.flatten(2).transpose(1, 2).float()
    return functional.mse_loss(tokens.float(), functional.layer_norm(wanted, wanted.shape[-1:]))


def soft_label_loss(guess: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    """Return the KL divergence of a guess (B, N) from a teacher's softmax scores (B, N)."""
    target = scores.float().softmax(1)
    return functional.kl_div(guess.float().log_softmax(1), target, reduction="batchmean")


def draw_backgrounds(count: int, generator: torch.Generator) -> tuple[torch.Tensor, list[str]]:
    """Return plain backgrounds and their colours' names, at least one in five white."""
    chosen = torch.randint(len(COLOURS), (count,), generator=generator)
    chosen[torch.rand(count, generator=generator) < 0.2] = 0
    return plain_backgrounds(chosen), [tuple(COLOURS)[number] for number in chosen.tolist()]


def run(work: Path) -> None:
    """Train the captioner."""
    train_distributed(CaptionerTask, work)
