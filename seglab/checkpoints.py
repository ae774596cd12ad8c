"""Trained networks on disk."""

import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

import seglab
from seglab.deeplab import DeepLabV1, DeepLabV2, DeepLabV3, DeepLabV3Plus
from seglab.erfnet import ERFNet
from seglab.fcn import FCN
from seglab.files import FULL, written_whole
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


# What torch says when a file cannot grow; that the disk is full it keeps to itself.
CANNOT_GROW = re.compile(r"unexpected pos \d+ vs \d+|failed writing file")


class CheckpointError(ValueError):
    """A checkpoint is missing, cut off, not one of seglab's, or cannot be written."""


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
        CheckpointError: the model was not made by `build`, so that `load` could not rebuild it, or
            the disk is full; then an older file of that name is still whole.
    """
    if not hasattr(trained.model, "architecture"):
        raise CheckpointError(
            f"{path}: only networks made by seglab.checkpoints.build can be saved; found a "
            f"{type(trained.model).__name__}"
        )
    state = {k: v.cpu() for k, v in trained.model.state_dict().items()}
    if half:
        state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    content = {
        "seglab": 1,  # of this format
        "version": seglab.__version__,  # of the package that wrote it
        **trained.model.architecture,
        "classes": list(trained.classes),
        "palette": torch.from_numpy(trained.palette),
        "longest_side": trained.longest_side,
        "notes": trained.notes,
        "state": state,
        "training": training,
    }
    try:
        with written_whole(path) as temporary:
            torch.save(content, temporary)
    except (OSError, RuntimeError) as error:
        if is_disk_full(error):
            raise CheckpointError(disk_full(Path(path), content)) from error
        raise
    return Path(path)


def is_disk_full(error: OSError | RuntimeError) -> bool:
    """Did writing end with this error because there is no more room?"""
    if isinstance(error, OSError):
        return error.errno in FULL
    return bool(CANNOT_GROW.search(str(error)))


def disk_full(path: Path, content: dict) -> str:
    """What there is to say when a checkpoint does not fit on the disk."""
    counter = Counter()
    torch.save(content, counter)
    old = " beside the old one, which is still whole" if path.exists() else ""
    return (
        f"{path}: the disk, or your share of it, is full. The file needs {counter.size / 1e6:.1f} "
        f"MB{old}. Free some room; then a training goes on from its last checkpoint with "
        "resume=True (in a shell: --resume)"
    )


class Counter:
    """A file that only counts its bytes."""

    size = 0

    def write(self, data) -> int:
        """Count these bytes."""
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits to be written."""


def read(path: str | Path) -> dict:
    """The content of a file that `save` wrote, by name.

    Raises:
        CheckpointError: the file is missing, cut off, or something else.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: no such checkpoint; train one with `python -m seglab train`"
        ) from None
    except Exception as error:  # torch.load raises many kinds for a damaged file
        raise CheckpointError(
            f"{path}: cannot be read as a checkpoint ({type(error).__name__}); it may be cut off"
        ) from error
    if not isinstance(content, dict) or "seglab" not in content:
        raise CheckpointError(f"{path}: not a checkpoint of seglab's (bare weights, perhaps?)")
    return content


def load(path: str | Path) -> Trained:
    """Read a network that `save` wrote, on the CPU, in evaluation mode.

    Raises:
        CheckpointError: the file is missing, cut off, or something else.
    """
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


def load_embedded() -> Trained:
    """The FCN-8s that comes with the course, trained on the rendered rooms only.

    `python -m seglab train --half --output rooms_fcn8s.pt` made it.
    """
    return load(Path(__file__).parent / "weights" / "rooms_fcn8s.pt")
