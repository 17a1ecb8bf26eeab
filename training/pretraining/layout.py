"""The embedded models' architectures: diffusers' and transformers' own classes, only small."""

from __future__ import annotations

from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
from transformers import BlipConfig, BlipForConditionalGeneration, CLIPTextConfig, CLIPTextModel

WIDTH = 192
LATENT_CHANNELS = 8
TOKENS = 77


def make_autoencoder() -> AutoencoderKL:
    """Build the autoencoder: 64 pixels to 16, eight latent channels."""
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(24, 48, 96),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=64,
        mid_block_add_attention=False,
    )


def make_unet() -> UNet2DConditionModel:
    """Build the UNet for 16 x 16 latents."""
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(96, WIDTH),
        layers_per_block=1,
        attention_head_dim=4,
        cross_attention_dim=WIDTH,
        norm_num_groups=16,
    )


def make_text_encoder(vocabulary: int, begin: int, end: int) -> CLIPTextModel:
    """Build the text encoder; `begin` and `end` are the tokens around every prompt."""
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=WIDTH,
            intermediate_size=4 * WIDTH,
            projection_dim=WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=TOKENS,
            bos_token_id=begin,
            eos_token_id=end,
            pad_token_id=end,
        )
    )


def make_scheduler() -> DDIMScheduler:
    """Build the scheduler the UNet is trained for: v-prediction, trailing steps."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
    )


def make_captioner(vocabulary: int) -> BlipForConditionalGeneration:
    """Build the captioner; its tokenizer starts with [PAD] [UNK] [CLS] [SEP] [MASK] [DEC]."""
    text = {
        "vocab_size": vocabulary,
        "hidden_size": WIDTH,
        "encoder_hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "projection_dim": WIDTH,
        "num_hidden_layers": 1,  # all captions have one form
        "num_attention_heads": 4,
        "max_position_embeddings": 64,
        "bos_token_id": 5,
        "eos_token_id": 3,
        "sep_token_id": 3,
        "pad_token_id": 0,
    }
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "image_size": 64,
        "patch_size": 8,
        "initializer_range": 0.02,  # the default, 1e-10, is for loading only
    }
    config = BlipConfig(text_config=text, vision_config=vision, projection_dim=WIDTH)
    return BlipForConditionalGeneration(config)
