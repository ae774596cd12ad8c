"""One training loop (notebook 07; used from notebook 04 on)."""

import copy
import csv
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler
from tqdm.auto import tqdm

from seglab.backbones import FeaturePyramid
from seglab.files import written_whole
from seglab.inference import logits_of, predict
from seglab.metrics import ConfusionMatrix
from seglab.palettes import VOID
from seglab.runtime import Runtime, default_runtime
from seglab.transforms import normalize, training_transforms


class TrainingError(RuntimeError):
    """Training cannot go on. The message names the likely causes."""


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        images: how many training images are seen in all, repeats counted.
        batch_size: images per step.
        longest_side: images are brought to this size (pixels of the longer side), in training
            before they are scaled and cropped, and when the network is scored or used.
        scale: then scaled by a random factor from this range.
        crop: then a random window of this height and width in pixels is cut out.
        color: strength of random brightness, contrast and saturation, 0 to 1.
        learning_rate: its highest value.
        backbone_factor: the learning rate of a pretrained backbone is this many times as high.
        weight_decay: AdamW's; biases and normalisation layers are spared.
        schedule: `"one_cycle"` (short warm-up, then cosine to zero), `"poly"` (falls with power
            0.9, the DeepLab papers' choice) or `"constant"`.
        balanced: weigh rare classes higher in the loss.
        seed: of the order of the images and of their augmentation.
    """

    images: int = 3600
    batch_size: int = 4
    longest_side: int | None = 320
    scale: tuple[float, float] = (0.75, 1.5)
    crop: tuple[int, int] = (192, 256)
    color: float = 0.0
    learning_rate: float = 2e-3
    backbone_factor: float = 1.0
    weight_decay: float = 1e-2
    schedule: str = "one_cycle"
    balanced: bool = False
    seed: int = 0

    def __post_init__(self):
        if self.schedule not in ("one_cycle", "poly", "constant"):
            raise ValueError(
                f'schedule is "one_cycle", "poly" or "constant"; found {self.schedule!r}'
            )
        if self.longest_side is not None and self.longest_side < 1:
            raise ValueError(f"longest_side is at least 1 pixel; found {self.longest_side}")
        if self.images < self.batch_size or self.batch_size < 1:
            raise ValueError(
                f"images ({self.images}) must be at least batch_size ({self.batch_size}) >= 1"
            )

    @property
    def steps(self) -> int:
        """How many times the weights are changed."""
        return self.images // self.batch_size

    def factor(self, step: int) -> float:
        """The learning rate at a step as a share of its highest value."""
        if self.schedule == "constant":
            return 1.0
        done = step / self.steps
        if self.schedule == "poly":
            return (1 - done) ** 0.9
        warm_up = 0.1
        if done < warm_up:
            return 0.05 + 0.95 * done / warm_up
        return 0.5 * (1 + math.cos(math.pi * (done - warm_up) / (1 - warm_up)))


# A decoder or a head of several layers starts at random and wants larger steps than the pretrained
# backbone below it; the score layers of an FCN do not. Measured on the rooms data set.
_NEW_LAYERS = {"learning_rate": 4e-3, "backbone_factor": 0.3}

# Networks with a recipe of their own. All take two to three minutes on two cores. DeepLab v3's was
# found on CamVid.
RECIPES = {
    "unet": Recipe(images=2400, **_NEW_LAYERS),
    "deeplabv1": Recipe(images=2000, **_NEW_LAYERS),
    "deeplabv2": Recipe(images=2100, **_NEW_LAYERS),
    "deeplabv3": Recipe(images=2000, learning_rate=1e-2, backbone_factor=0.2),
    "deeplabv3plus": Recipe(images=1400, **_NEW_LAYERS),
    "unet_plain": Recipe(images=2000),
    "unetplusplus": Recipe(images=720),
    "erfnet": Recipe(images=1600),
}


def recipe_for(model: str) -> Recipe:
    """The recipe that goes with a network of `seglab.checkpoints.MODELS`."""
    return RECIPES.get(model, Recipe())


@dataclass
class History:
    """What happened while training.

    Attributes:
        steps: one `{"step", "loss", "learning_rate"}` for each step.
        scores: one `{"step", "mean_iou", "pixel_accuracy"}` for each evaluation.
        seconds: time spent training, reading of images included, evaluations not.
    """

    steps: list[dict] = field(default_factory=list)
    scores: list[dict] = field(default_factory=list)
    seconds: float = 0.0

    def to_csv(self, path: str | Path) -> Path:
        """Write the steps as a table."""
        with written_whole(path) as temporary, open(temporary, "w", newline="") as file:
            writer = csv.DictWriter(file, ["step", "loss", "learning_rate"])
            writer.writeheader()
            writer.writerows(self.steps)
        return Path(path)


def class_shares(dataset: Dataset, num_classes: int) -> torch.Tensor:
    """The share of each class among the labelled pixels of a data set, `float64 [C]`, sum 1.

    Args:
        dataset: a `VOCSegmentation`, of which only the masks are read, or any data set of pairs.
        num_classes: C; indices from C on, void among them, are left out.
    """
    counts = torch.zeros(256, dtype=torch.int64)
    for index in range(len(dataset)):
        mask = dataset.mask(index) if hasattr(dataset, "mask") else dataset[index][1]
        counts += torch.bincount(mask.flatten().to(torch.int64), minlength=256)
    counts = counts[:num_classes].double()
    return counts / counts.sum()


def balanced_weights(shares: torch.Tensor) -> torch.Tensor:
    """A weight for each class, larger for rare ones: `1 / log(1.02 + share)`, `float32 [C]`.

    Source: Paszke et al., ENet (2016), section 5.2.
    """
    return (1 / torch.log(1.02 + shares)).float()


def pixel_loss(
    logits: torch.Tensor, masks: torch.Tensor, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Cross-entropy, averaged over the labelled pixels; zero if there is none.

    Args:
        logits: `float [N, C, H, W]`.
        masks: `uint8` or `int64 [N, H, W]`; void (255) does not count.
        weights: `float [C]`, for each class; the average is weighted by them.
    """
    masks = masks.long()
    total = F.cross_entropy(
        logits.float(), masks, weight=weights, ignore_index=VOID, reduction="sum"
    )
    labelled = masks != VOID
    if weights is None:
        norm = labelled.sum()
    else:
        norm = weights[masks.where(labelled, 0)].where(labelled, 0).sum()
    return total / norm.clamp(min=1e-6)


def trained_logits(output) -> list[torch.Tensor]:
    """The logits that the loss is taken of: those under "aux" in deep supervision, else the output.

    torchvision's networks keep a single tensor under "aux", which is not trained here.
    """
    if isinstance(output, dict) and isinstance(output.get("aux"), list):
        return output["aux"]
    return [logits_of(output)]


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict]:
    """The trainable parameters in groups, each with its "weight_decay" and "factor".

    Kernels decay, biases and norms do not. The learning rate of a group is the recipe's times its
    factor: `backbone_factor` for a backbone, 1 for everything else.
    """
    backbone = {
        parameter
        for module in model.modules()
        if isinstance(module, FeaturePyramid)
        for parameter in module.parameters()
    }
    groups: dict[tuple, list] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            decay = recipe.weight_decay if parameter.ndim > 1 else 0.0
            factor = recipe.backbone_factor if parameter in backbone else 1.0
            groups.setdefault((decay, factor), []).append(parameter)
    return [
        {"params": members, "weight_decay": decay, "factor": factor}
        for (decay, factor), members in groups.items()
    ]


def fit(
    model: nn.Module,
    train: Dataset,
    val: Dataset | None = None,
    recipe: Recipe | None = None,
    evaluations: int = 1,
    runtime: Runtime | None = None,
    progress: bool = True,
) -> History:
    """Train a model in place.

    Args:
        model: normalised images `float [N, 3, H, W]` -> logits `float [N, C, H, W]`, one channel
            for each class of the data set.
        train: a `VOCSegmentation` without transforms; the recipe's augmentation is applied.
        val: scored `evaluations` times, evenly spread, the last time at the end.
        recipe: default `Recipe()`.
        runtime: where to run; default: a GPU if there is one.
        progress: show a bar with the loss.

    Raises:
        TrainingError: the model has too few channels for the classes, or the loss is not a
            number any more.
    """
    recipe, runtime = recipe or Recipe(), runtime or default_runtime()
    history = History()
    weights = None
    if recipe.balanced:
        weights = balanced_weights(class_shares(train, train.num_classes)).to(runtime.device)
    # Seeded apart from the notebook around it: what ran before does not change the numbers.
    gpus = [runtime.device] if runtime.device.type == "cuda" else []
    with torch.random.fork_rng(gpus):
        torch.manual_seed(recipe.seed)
        model = runtime.place(model)
        optimizer = torch.optim.AdamW(parameter_groups(model, recipe), lr=recipe.learning_rate)
        scaler = torch.amp.GradScaler(
            runtime.device.type, enabled=runtime.autocast == torch.float16
        )
        due = {round(recipe.steps * (i + 1) / evaluations) for i in range(evaluations)}
        batches = tqdm(
            _loader(train, recipe), total=recipe.steps, disable=not progress, leave=False
        )
        began = time.perf_counter()
        for step, (images, masks) in enumerate(batches, start=1):
            rate = recipe.learning_rate * recipe.factor(step - 1)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]
            model.train()
            with runtime.precision():
                output = model(runtime.batch(normalize(images.to(runtime.device))))
            logits = logits_of(output)
            if logits.shape[1] < train.num_classes:
                raise TrainingError(
                    f"the model scores {logits.shape[1]} classes but the data set has "
                    f"{train.num_classes}; build it with num_classes={train.num_classes}"
                )
            masks = masks.to(runtime.device)
            losses = [pixel_loss(scored, masks, weights) for scored in trained_logits(output)]
            loss = sum(losses) / len(losses)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
            value = loss.item()
            if not math.isfinite(value):
                raise TrainingError(
                    f"the loss is {value} at step {step}. Likely causes: a learning rate that is "
                    f"too high (now {rate:.2g}; try a tenth), or images that are not normalised."
                )
            history.steps.append({"step": step, "loss": value, "learning_rate": rate})
            batches.set_postfix(loss=f"{value:.3f}", refresh=False)
            history.seconds += time.perf_counter() - began
            if val is not None and step in due:
                matrix = evaluate(model, val, recipe.longest_side, runtime, progress=False)
                history.scores.append(
                    {
                        "step": step,
                        "mean_iou": matrix.mean_iou,
                        "pixel_accuracy": matrix.pixel_accuracy,
                    }
                )
            began = time.perf_counter()
    model.eval()
    return history


def _loader(train: Dataset, recipe: Recipe) -> DataLoader:
    """Shuffled, augmented batches: `uint8 [N, 3, h, w]` and `uint8 [N, h, w]`."""
    augmented = copy.copy(train)
    augmented.transforms = training_transforms(
        recipe.crop, recipe.scale, recipe.longest_side, recipe.color
    )
    order = RandomSampler(augmented, num_samples=recipe.steps * recipe.batch_size)
    return DataLoader(augmented, recipe.batch_size, sampler=order)


def evaluate(
    model: nn.Module,
    dataset: Dataset,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
    progress: bool = True,
) -> ConfusionMatrix:
    """Predict every image of a data set, whole, and compare at the size of its label.

    Args:
        model: normalised images -> logits. It is switched to evaluation mode.
        dataset: items of image `uint8 [3, H, W]` and mask `uint8 [H, W]`, without augmentation;
            `dataset.num_classes` says how many classes there are.
        longest_side, runtime: see `seglab.inference.predict`.
        progress: show a bar.
    """
    runtime = runtime or default_runtime()
    matrix = ConfusionMatrix(dataset.num_classes)
    for index in tqdm(range(len(dataset)), disable=not progress, leave=False):
        image, mask = dataset[index]
        matrix.update(predict(model, image, longest_side, runtime), mask)
    return matrix
