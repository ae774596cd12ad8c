"""How to train, in numbers (notebook 07)."""

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any

SCHEDULES = ("one_cycle", "poly", "constant")
OPTIMIZERS = ("adamw", "sgd")
LOSSES = ("cross_entropy", "dice", "cross_entropy_dice")
CLASS_WEIGHTS = ("none", "log", "median")


def setting(default: Any, meaning: str, **details) -> Any:
    """A field of `Recipe` with its meaning, which `python -m seglab train --help` says, too.

    Args:
        details: `choices`, the words that it may be, or `parts`, names for the numbers of a pair.
    """
    return field(default=default, metadata={"meaning": meaning, **details})


@dataclass(frozen=True)
class Recipe:
    """How to train. `print(recipe)` shows one setting a line. None: of that nothing is done.

    Sources: frozen norms, He et al., ResNet (2015), appendix A; frozen stages, Girshick, Fast R-CNN
    (2015), section 4.5; sgd and poly, the DeepLab papers.
    """

    images: int = setting(3600, "training images seen in all, repeats counted")
    batch_size: int = setting(4, "images per step, those of all processes together")
    longest_side: int | None = setting(
        320,
        "pixels of the longer side that images are brought to: in training before they are scaled "
        "and cropped, and when the network is scored or used",
    )
    scale: tuple[float, float] = setting(
        (0.75, 1.5), "then scaled by a random factor from this range", parts=("LOW", "HIGH")
    )
    crop: tuple[int, int] = setting(
        (192, 256), "then cut to a random window, in pixels", parts=("HEIGHT", "WIDTH")
    )
    color: float = setting(0.0, "strength of random brightness, contrast and saturation, 0 to 1")
    optimizer: str = setting("adamw", "adamw, or sgd with momentum 0.9", choices=OPTIMIZERS)
    learning_rate: float = setting(2e-3, "its highest value")
    backbone_factor: float = setting(1.0, "times the learning rate, for a pretrained backbone")
    frozen_norms: bool = setting(
        False,
        "a pretrained backbone's batch norms keep the mean and variance that they brought along, "
        "instead of those of each batch, a small sample; their scale and shift still learn",
    )
    frozen_stages: int = setting(
        0,
        "first stages of a pretrained backbone, 0 to 5, that do not learn; a step takes less time",
    )
    frozen_depthwise: bool = setting(
        False,
        "a pretrained backbone's depthwise kernels, small filters for one channel each, do not "
        "learn either, only how channels are mixed; this saves a little more time",
    )
    weight_decay: float = setting(1e-2, "of kernels; biases and normalisation layers are spared")
    schedule: str = setting(
        "one_cycle",
        "of the learning rate: one_cycle (short warm-up, then cosine to zero), poly (falls with "
        "power 0.9) or constant",
        choices=SCHEDULES,
    )
    loss: str = setting("cross_entropy", "what is made small", choices=LOSSES)
    class_weights: str = setting(
        "none", "in the loss, higher for rare classes; see seglab.losses", choices=CLASS_WEIGHTS
    )
    max_gradient_norm: float | None = setting(None, "longer gradients are shortened to this length")
    seed: int = setting(0, "of the order of the images and of their augmentation")

    def __post_init__(self):
        for one in fields(self):
            known, found = one.metadata.get("choices"), getattr(self, one.name)
            if known and found not in known:
                raise ValueError(f"{one.name} is one of {known}; found {found!r}")
        if self.longest_side is not None and self.longest_side < 1:
            raise ValueError(f"longest_side is at least 1 pixel; found {self.longest_side}")
        if self.images < self.batch_size or self.batch_size < 1:
            raise ValueError(
                f"images ({self.images}) must be at least batch_size ({self.batch_size}) >= 1"
            )
        if not 0 <= self.frozen_stages <= 5:
            raise ValueError(f"frozen_stages is 0 to 5; found {self.frozen_stages}")
        if self.max_gradient_norm is not None and not self.max_gradient_norm > 0:
            raise ValueError(f"max_gradient_norm is above 0; found {self.max_gradient_norm}")

    def __str__(self) -> str:
        width = max(len(f.name) for f in fields(self))
        return "\n".join(f"{f.name:<{width}}  {getattr(self, f.name)}" for f in fields(self))

    def from_scratch(self) -> "Recipe":
        """The same for a backbone that starts at random: all of it learns, at the full rate."""
        nothing = {"frozen_norms": False, "frozen_stages": 0, "frozen_depthwise": False}
        return replace(self, backbone_factor=1.0, **nothing)

    @property
    def steps(self) -> int:
        """How many times the weights are changed."""
        return self.images // self.batch_size

    def factor(self, step: int) -> float:
        """The learning rate at a step (0 is the first) as a share of its highest value."""
        if self.schedule == "constant":
            return 1.0
        done = step / self.steps
        if self.schedule == "poly":
            return (1 - done) ** 0.9
        warm_up = 0.1
        if done < warm_up:
            return 0.05 + 0.95 * done / warm_up
        return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


PRESETS = {
    # Minutes on a laptop with two cores, on the embedded data set.
    "quick": Recipe(loss="cross_entropy_dice"),
    # Real streets, 480 x 360 pixels, with classes that are rare and small.
    "camvid": Recipe(loss="cross_entropy_dice", class_weights="log"),
    # Hours on a GPU, on PASCAL VOC 2012: DeepLab v3's published recipe (Chen et al. 2017, section
    # 4.1: batches of 16, crops of 513, 30,000 steps, poly, scale 0.5 to 2, rate 0.007), with a
    # pretrained backbone at a tenth of the rate. Not measured by this course.
    "voc2012": Recipe(
        images=480_000,
        batch_size=16,
        longest_side=None,
        scale=(0.5, 2.0),
        crop=(513, 513),
        optimizer="sgd",
        learning_rate=7e-3,
        backbone_factor=0.1,
        weight_decay=1e-4,
        schedule="poly",
    ),
}

# Small batches say little about mean and variance, fine features and the small kernels serve any
# picture: frozen, a step costs little more than half, and more images fit into the same minutes.
_FROZEN = {"frozen_norms": True, "frozen_stages": 3, "frozen_depthwise": True}
# The scores of an FCN are one layer and start at zero; the backbone may move at once.
_SCORES = {"backbone_factor": 0.25, **_FROZEN}
# A decoder or a head of several layers starts at random and wants larger steps than the pretrained
# backbone below it, in a DeepLab most of all.
_DECODER = {"learning_rate": 4e-3, "backbone_factor": 0.1, **_FROZEN}
_ATROUS = {**_DECODER, "backbone_factor": 0.05}

# Every network by name, and where its recipe differs from a preset. The images are as many as fit
# into about eight minutes of one core, the same for all that stand on a pretrained backbone.
_OWN = {
    "fcn32s": {"images": 7000, **_SCORES},
    "fcn16s": {"images": 7000, **_SCORES},
    "fcn8s": {"images": 7000, **_SCORES},
    "unet": {"images": 4600, **_DECODER},
    "deeplabv1": {"images": 3000, **_ATROUS},
    "deeplabv2": {"images": 3400, **_ATROUS},
    "deeplabv3": {"images": 2600, **_ATROUS},
    "deeplabv3plus": {"images": 2700, **_ATROUS},
    "unet_plain": {"images": 2000},
    "unetplusplus": {"images": 720},
    "erfnet": {"images": 1600},
}
NETWORKS = tuple(_OWN)


def recipe_for(model: str = "fcn8s", preset: str = "quick") -> Recipe:
    """The recipe that goes with a network.

    Args:
        model: one of `NETWORKS`; any other name gets the preset as it is.
        preset: one of `PRESETS`.

    Raises:
        ValueError: an unknown preset.
    """
    if preset not in PRESETS:
        raise ValueError(f"unknown recipe {preset!r}; choose one of {', '.join(PRESETS)}")
    own = {} if preset == "voc2012" else _OWN.get(model, {})
    return replace(PRESETS[preset], **own)
