"""Trained networks on disk."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchvision.models import get_model

import seglab
from seglab.deeplab import DeepLabV1, DeepLabV2, DeepLabV3, DeepLabV3Plus
from seglab.erfnet import ERFNet
from seglab.fcn import FCN
from seglab.machine import hub
from seglab.machine.checkpoints import (
    CheckpointError,
    plain_names,
    read,
    stored,
    unwrapped,
    write,
)
from seglab.machine.embedded import DEFAULT, EMBEDDED
from seglab.palettes import VOC_CLASSES, VOC_PALETTE
from seglab.unet import UNet, UNetPlusPlus

# Networks by name, in sizes that train in minutes on a laptop: DeepLab at output stride 16 and with
# half or a quarter of the papers' channels, the networks without pretrained weights with a quarter.
# DeepLab's rates, made for crops of 321 to 513 pixels, are in proportion to ours: 12 x 16 features.
# Those on a classifier get `backbone` and `weights`.
ON_A_BACKBONE = {
    "fcn32s": lambda classes, **options: FCN(classes, 32, **options),
    "fcn16s": lambda classes, **options: FCN(classes, 16, **options),
    "fcn8s": lambda classes, **options: FCN(classes, 8, **options),
    "unet": UNet.with_backbone,
    "deeplabv1": partial(DeepLabV1, output_stride=16, rate=3, width=256),
    "deeplabv2": partial(DeepLabV2, output_stride=16, rates=(2, 4, 6, 8)),
    "deeplabv3": partial(DeepLabV3, rates=(2, 4, 6), width=128, dropout=0.0),
    "deeplabv3plus": partial(DeepLabV3Plus, rates=(2, 4, 6), width=128, dropout=0.0),
}
FROM_SCRATCH = {
    "unet_plain": lambda classes: UNet(classes, width=16),
    "unetplusplus": lambda classes: UNetPlusPlus(classes, width=16, deep_supervision=True),
    "erfnet": ERFNet,
}
MODELS = (*ON_A_BACKBONE, *FROM_SCRATCH)


@dataclass
class Trained:
    """A network together with what its numbers mean.

    Attributes:
        model: normalised images -> logits.
        classes: names, index 0 first.
        palette: `uint8 [256, 3]`.
        longest_side: pixels of the longer side of the pictures it was trained on, or None.
        notes: how it was trained, for people.
    """

    model: nn.Module
    classes: tuple[str, ...]
    palette: np.ndarray
    longest_side: int | None
    notes: str = ""


def build(
    name: str,
    num_classes: int,
    backbone: str = "efficientnet_lite0",
    weights: str | None = "imagenet",
) -> nn.Module:
    """A network by name. It keeps name and backbone as `model.architecture`, for `save`.

    Args:
        name: one of `MODELS`.
        num_classes: channels of its logits.
        backbone, weights: see `seglab.backbones.feature_pyramid`; the networks that have an
            encoder of their own and no pretrained weights (`FROM_SCRATCH`) leave them unused.

    Raises:
        ValueError: an unknown name.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; choose one of {', '.join(MODELS)}")
    if name in FROM_SCRATCH:
        model = FROM_SCRATCH[name](num_classes)
    else:
        model = ON_A_BACKBONE[name](num_classes, backbone=backbone, weights=weights)
    model.architecture = {"name": name, "backbone": backbone}
    return model


def save(
    path: str | Path, trained: Trained, half: bool = False, training: dict | None = None
) -> Path:
    """Write a network and all that is needed to use it, whole or not at all.

    Args:
        path: of the file to write; its folder is made if it is missing.
        trained: its model was made by `build`.
        half: store 16-bit numbers: half the size, and predictions that hardly differ.
        training: what `seglab.training.fit` needs to go on from here.

    Raises:
        CheckpointError: the model was not made by `build`, so `load` could not rebuild it; or the
            disk is full, and an older file of that name is still whole.
    """
    model = unwrapped(trained.model)
    if not hasattr(model, "architecture"):
        raise CheckpointError(
            f"{path}: only networks made by seglab.networks.build can be saved; found a "
            f"{type(model).__name__}"
        )
    state = {name: value.cpu() for name, value in plain_names(model.state_dict()).items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    content = {
        "seglab": 1,  # of this format
        "version": seglab.__version__,  # of the package that wrote it
        **model.architecture,
        "classes": list(trained.classes),
        "palette": torch.from_numpy(trained.palette),
        "longest_side": trained.longest_side,
        "notes": trained.notes,
        "state": state,
        "training": training,
    }
    write(Path(path), content)
    return Path(path)


def load(path: str | Path = DEFAULT) -> Trained:
    """Read a network, on the CPU, in evaluation mode.

    Args:
        path: "photos", "rooms" or "streets", which come with the course (`python -m seglab
            networks` describes them); a file that `save` wrote; "torchvision/fcn_resnet50" and the
            like, downloaded once, or the file with such weights, known by its name.

    Raises:
        CheckpointError: the file is missing, cut off, or something else.
    """
    path = EMBEDDED.get(str(path), path)
    if str(path).startswith(hub.PREFIX) and not Path(path).is_file():
        path = hub.weights_file(str(path))
    if name := next((n for n in hub.NETWORKS if Path(path).name.startswith(n)), None):
        content = stored(path)
        if "seglab" not in content:
            return of_torchvision(path, name, plain_names(content))
    content = read(path)
    try:
        model = build(content["name"], len(content["classes"]), content["backbone"], weights=None)
        model.load_state_dict(content["state"])
        return Trained(
            model.eval(),
            tuple(content["classes"]),
            content["palette"].numpy(),
            content["longest_side"],
            content["notes"],
        )
    except (KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint that this version of seglab understands ({error}); was it "
            f"written by another version ({content.get('version', 'an early one')})?"
        ) from error


def of_torchvision(path: str | Path, name: str, state: dict[str, torch.Tensor]) -> Trained:
    """A network of torchvision's, with weights for VOC's 21 classes from a file."""
    options = {"aux_loss": True} if any(w.startswith("aux_classifier.") for w in state) else {}
    try:
        model = get_model(name, weights=None, weights_backbone=None, **options)
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: by its name weights of torchvision's {name}, but they do not fit: {error}"
        ) from error
    return Trained(model.eval(), VOC_CLASSES, VOC_PALETTE, 520, f"torchvision's {name}")
