"""The layout of each method's file: keys, shapes and numbers, as other programs require them."""

from __future__ import annotations

import io
import pickletools
import zipfile

import pytest
import torch
from accelerate import init_empty_weights
from diffusers import ZImageTransformer2DModel
from safetensors.torch import load_file

from training import methods
from training.families import zimage
from training.families._stable import ATTENTION_LAYERS, TEXT_ATTENTION_LAYERS, make_unet_part
from training.methods import _lycoris, hypernetwork
from training.modelfiles import configs, singlefile
from training.modelfiles import zimage as original
from training.networks import keys
from training.networks.networks import Part

pytestmark = pytest.mark.slow(30)

ENDS = {"lora_down.weight", "lora_up.weight", "alpha"}
WIDTHS = {
    "sd1": {"emb_params": 32},
    "sd2": {"emb_params": 32},
    "sdxl": {"clip_l": 32, "clip_g": 64},
}  # embedding widths of the tiny models


def split_keys(one):
    """Yield every key of a file split at its first dot, as A1111 does."""
    for key in load_file(one.file):
        name, _, end = key.partition(".")
        yield name, end


@pytest.mark.parametrize("method", ["lora", "locon"])
@pytest.mark.parametrize("family", sorted(WIDTHS))
def test_keys(train_method, family, method):
    """A LoRA's keys are those of UNet and text encoders, with A1111's and ComfyUI's endings."""
    texts = {"sd1": {"te"}, "sd2": {"te"}, "sdxl": {"te1", "te2"}}
    one = train_method(method, f"tiny-{family}")

    assert {end for _, end in split_keys(one)} == ENDS
    assert {name.split("_")[1] for name, _ in split_keys(one)} == {"unet"} | texts[family]


def list_attention_blocks(shape):
    """Yield a true UNet's attention blocks and their depths, from its configuration."""
    deep = shape.unet.get("transformer_layers_per_block", (1, 1, 1, 1))
    has_attention = [
        kind.startswith("Cross")
        for kind in shape.unet.get("down_block_types", ("Cross",) * 3 + ("Down",))
    ]
    last = len(has_attention) - 1
    for block, (does, depth) in enumerate(zip(has_attention, deep, strict=True)):
        if does:
            yield from ((f"down_blocks_{block}_attentions_{at}", depth) for at in range(2))
            yield from ((f"up_blocks_{last - block}_attentions_{at}", depth) for at in range(3))
    yield "mid_block_attentions_0", deep[-1]


@pytest.mark.parametrize(
    ("shape", "texts"),
    [
        (configs.SD15, {"te": 12}),
        (configs.SD2, {"te": 23}),
        (configs.SDXL, {"te1": 12, "te2": 32}),
    ],
)
def test_true_keys(shape, texts):
    """On the true models the keys are exactly the attention layers that other programs know."""
    networks = singlefile.make_empty_networks(shape)
    unet = networks.pop("unet")
    readers = [networks[name] for name in ("text_encoder", "text_encoder_2") if name in networks]
    parts = [Part("lora_unet", unet, ATTENTION_LAYERS)]
    for name, text in zip(texts, readers, strict=True):
        above = "" if hasattr(text, "text_model") else "text_model."
        parts.append(
            Part(
                f"lora_{name}",
                text,
                TEXT_ATTENTION_LAYERS,
                name_prefix=above,
                is_text_encoder=True,
            )
        )
    known = {
        f"lora_unet_{place}_transformer_blocks_{at}_attn{n}_to_{which}"
        for place, depth in list_attention_blocks(shape)
        for at in range(depth)
        for n in (1, 2)
        for which in ("q", "k", "v", "out_0")
    } | {
        f"lora_{name}_text_model_encoder_layers_{n}_self_attn_{which}_proj"
        for name, count in texts.items()
        for n in range(count)
        for which in ("q", "k", "v", "out")
    }

    assert {key for part in parts for key in part.layers()} == known


#: the attention blocks of SDXL's UNet and their depths in kohya-ss/sd-scripts 48d368fa,
#: library/sdxl_original_unet.py
SGM_BLOCKS = {
    **{f"input_blocks_{at}_1": 2 if at < 6 else 10 for at in (4, 5, 7, 8)},
    "middle_block_1": 10,
    **{f"output_blocks_{at}_1": 10 if at < 3 else 2 for at in range(6)},
}


def test_sdxl_has_the_names_of_sd_scripts():
    """In files the attention layers of SDXL have the names that kohya's sd-scripts gives them."""
    part = make_unet_part(singlefile.make_empty_networks(configs.SDXL)["unet"], sgm=True)
    written = {own for own in part.file_keys().values() if "_to_" in own}

    assert written == {
        f"lora_unet_{place}_transformer_blocks_{at}_attn{n}_to_{which}"
        for place, depth in SGM_BLOCKS.items()
        for at in range(depth)
        for n in (1, 2)
        for which in ("q", "k", "v", "out_0")
    }


@pytest.mark.parametrize("family", sorted(WIDTHS))
def test_alpha(train_method, family):
    """Every layer has an alpha equal to the rank, so that no program scales it otherwise."""
    one = train_method("lora", f"tiny-{family}")
    content = load_file(one.file)
    for key, tensor in content.items():
        name, _, end = key.partition(".")
        if end == "lora_down.weight":
            assert content[f"{name}.alpha"].item() == len(tensor) == one.recipe.rank
            assert content[f"{name}.alpha"].ndim == 0
            assert content[f"{name}.lora_up.weight"].shape[1] == len(tensor)


@pytest.mark.parametrize("family", sorted(WIDTHS))
def test_embedding(train_method, family):
    """An embedding has one tensor per text encoder, (vectors, width), and nothing else."""
    one = train_method("embedding", f"tiny-{family}")
    content = load_file(one.file)

    assert {name: tuple(t.shape) for name, t in content.items()} == {
        name: (one.recipe.rank, width) for name, width in WIDTHS[one.family].items()
    }


@pytest.mark.parametrize("family", sorted(WIDTHS))
def test_bundle(train_method, family):
    """A word bundled with a LoRA has the names that A1111 and ComfyUI read it by."""
    one = train_method("pivotal", f"tiny-{family}")
    bundled = {name for name in load_file(one.file) if name.startswith("bundle_emb.")}
    ends = {"sdxl": ("clip_l", "clip_g")}.get(one.family, ("string_to_param.*",))

    assert bundled == {f"bundle_emb.zorp.{end}" for end in ends}


def list_zimage_layers(depth, width):
    """Yield Z-Image's layers with ComfyUI's own weight and first row for each.

    Comfy-Org/ComfyUI 09708eae, comfy/utils.py, z_image_to_diffusers.
    """
    blocks = [f"layers.{n}" for n in range(depth[0])]
    blocks += [f"{kind}_refiner.{n}" for kind in ("noise", "context") for n in range(depth[1])]
    for block in blocks:
        for at, which in enumerate("qkv"):
            yield f"{block}.attention.to_{which}", (f"{block}.attention.qkv", at * width)
        yield f"{block}.attention.to_out.0", (f"{block}.attention.out", 0)
        for each in ("w1", "w2", "w3"):
            yield f"{block}.feed_forward.{each}", (f"{block}.feed_forward.{each}", 0)


def test_true_flow_keys():
    """On the true Z-Image the keys are exactly the layers that ComfyUI knows."""
    with init_empty_weights():
        network = ZImageTransformer2DModel()
    part = Part(
        "diffusion_model", network, zimage.ATTENTION_LAYERS, zimage.OTHER_LAYERS, dotted_keys=True
    )

    assert set(part.layers()) == {
        f"diffusion_model.{name}" for name, _ in list_zimage_layers((30, 2), 3840)
    }


def test_flow_ends(train_method):
    """A LoRA for Z-Image has the endings of ComfyUI's generic form, with alpha."""
    content = load_file(train_method("lora", "tiny-zimage").file)

    assert {keys.split_key(name)[1] for name in content} == {
        "lora_A.weight",
        "lora_B.weight",
        "alpha",
    }
    for name, tensor in content.items():
        layer, end = keys.split_key(name)
        if end == "lora_A.weight":
            assert content[f"{layer}.alpha"].item() == len(tensor) == 3


@pytest.mark.parametrize("method", ["locon", "loha", "lokr", "dora", "oft"])
def test_comfyui_changes_the_same_weights(bases, train_method, method):
    """ComfyUI's changes to its own fused weights equal our changes to q, k, v and the others."""
    content = keys.to_kohya_keys(load_file(train_method(method, "tiny-zimage").file))
    places = dict(list_zimage_layers((2, 1), 48))
    with bases.borrow("tiny-zimage") as family:
        weights = family.denoiser.state_dict()
    comfy_weights = {
        name: tensor.clone() for name, tensor in original.to_original(weights).items()
    }
    for key, parts in _lycoris.group_by_layer(content).items():
        layer = key.removeprefix("diffusion_model.")
        weight = weights[f"{layer}.weight"]
        if method == "locon":
            delta = parts["lora_up.weight"].float() @ parts["lora_down.weight"].float()
        else:
            delta = methods.walk()[method].ALGORITHM.compute_delta(key, parts, weight)
        name, first = places[layer]
        comfy_weights[f"{name}.weight"][first : first + len(weight)] += (
            delta  # a slice, as in ComfyUI
        )
        weights[f"{layer}.weight"] = weight + delta

    our_weights = original.to_original(weights)
    assert all(
        torch.allclose(our_weights[name], comfy_weights[name], atol=1e-6) for name in our_weights
    )


def test_dora(bases, train_method):
    """A DoRA has a length for each input of a layer, as A1111 reads them.

    AUTOMATIC1111 1.9, network.py, apply_weight_decompose: lengths of columns, over all outputs.
    """
    own: _lycoris.Algorithm = methods.walk()["dora"].ALGORITHM
    with bases.borrow("tiny-sd1") as family:
        layers = {k: layer for part in family.networks.parts for k, layer in part.layers().items()}
        for key, parts in _lycoris.group_by_layer(load_file(train_method("dora").file)).items():
            weight = layers[key].weight
            whole = weight + own.compute_delta("", parts, weight)
            lengths = whole.transpose(0, 1).flatten(1).norm(dim=1)

            assert parts["dora_scale"].shape == (1, weight.shape[1], *[1] * (weight.ndim - 2))
            assert torch.allclose(lengths, parts["dora_scale"].float().flatten(), rtol=1e-3)


def test_export(train_method):
    """A hypernetwork's `.pt` holds A1111's fields and our tensors, and no code.

    It is taken apart as a zip with pickletools, and never unpickled.
    """
    content = load_file(train_method("hypernetwork").file)
    (exported,) = hypernetwork.export(content, {"ss_steps": "3"}, "zorp").values()
    with zipfile.ZipFile(io.BytesIO(exported)) as archive:
        (inside,) = (name for name in archive.namelist() if name.endswith("data.pkl"))
        ops = list(pickletools.genops(archive.read(inside)))
        stored = {archive.read(name) for name in archive.namelist() if "/data/" in name}
    called = {arg for op, arg, _ in ops if op.name in {"GLOBAL", "STACK_GLOBAL"}}
    words = {arg for op, arg, _ in ops if isinstance(arg, (str, int))}

    assert called <= {
        "torch._utils _rebuild_tensor_v2", "torch FloatStorage", "collections OrderedDict",
    }  # fmt: skip
    assert {32, "linear.0.weight", "linear.2.bias", "layer_structure", "activation_func"} <= words
    assert {"relu", "is_layer_norm", "use_dropout", "activate_output", "zorp", 3} <= words
    assert stored == {tensor.float().numpy().tobytes() for tensor in content.values()}


def test_other_words_keep_their_vectors(bases, train_method):
    """Training a word leaves the vectors of every other word alone."""
    assert train_method("embedding").recipe.steps
    place = bases.folder / "tiny-sd1" / "text_encoder" / "model.safetensors"
    (before,) = (t for k, t in load_file(place).items() if k.endswith("token_embedding.weight"))

    with bases.borrow("tiny-sd1") as family:
        (table,) = (each.embedding for each in family.networks.vocabularies)
        assert torch.equal(table.weight, before)
