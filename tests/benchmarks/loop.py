"""Our training loop against torchvision's: `uv run python tests/benchmarks/loop.py` (needs a GPU).

Both train the same network, torchvision's DeepLabV3 on ResNet-50 with random weights, on crops of
512 pixels in batches of 16, from the embedded pictures, with half precision and eight worker
processes. They take turns in one run. What is measured: images per second, reading and
augmentation included, and the peak of the GPU's memory. Without a GPU everything runs once at toy
size, which only shows that it would run.

Torchvision's loop is written from its `references/segmentation/train.py`: images become floats
and are normalised in the workers, tensors are channels first, autocast is float16 with a gradient
scaler, SGD with momentum 0.9, and the loss is cross-entropy that ignores 255.
"""

import copy
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, RandomSampler
from torchvision import tv_tensors
from torchvision.models.segmentation import deeplabv3_resnet50
from torchvision.transforms import v2

from seglab.draws import Draws, batches
from seglab.machine.runtime import default_runtime
from seglab.recipes import PRESETS, Recipe
from seglab.training import SegmentationLoss, Trainer
from seglab.transforms import IMAGENET_MEAN, IMAGENET_STD
from seglab.voc import rooms

GPU = torch.cuda.is_available()
TURNS, STEPS, WARM_UP = (3, 40, 10) if GPU else (1, 2, 1)
BATCH, CROP, WORKERS = (16, 512, 8) if GPU else (2, 64, 0)


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return deeplabv3_resnet50(weights=None, weights_backbone=None, num_classes=21)


def our_steps(train: Dataset) -> Iterator[int]:
    """Our loop; yields the number of images after each step."""
    steps = STEPS + WARM_UP
    recipe: Recipe = replace(
        PRESETS["voc2012"], images=steps * BATCH, batch_size=BATCH, crop=(CROP, CROP)
    )
    runtime = replace(default_runtime(), workers=WORKERS)
    loss = SegmentationLoss(train, recipe, runtime)
    trainer = Trainer(network(), recipe, runtime, loss)
    for images, masks in batches(Draws(train, recipe), 0, WORKERS):
        trainer.train_on(images, masks)
        yield len(images)


def their_steps(train: Dataset) -> Iterator[int]:
    """Torchvision's loop; yields the number of images after each step."""
    device = torch.device("cuda" if GPU else "cpu")
    augmented, fill = copy.copy(train), {tv_tensors.Image: 0, tv_tensors.Mask: 255}
    augmented.transforms = v2.Compose(
        [
            v2.RandomResize(min_size=CROP // 2, max_size=CROP * 2),
            v2.RandomHorizontalFlip(0.5),
            v2.RandomCrop(CROP, pad_if_needed=True, fill=fill),
            v2.ToDtype(torch.float, scale=True),
            v2.Normalize(mean=IMAGENET_MEAN, std=IMAGENET_STD),
        ]
    )
    count = (STEPS + WARM_UP) * BATCH
    sampler = RandomSampler(augmented, replacement=True, num_samples=count)
    loader = DataLoader(augmented, BATCH, sampler=sampler, num_workers=WORKERS, drop_last=True)
    model = network().to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    scaler = torch.amp.GradScaler(device.type, enabled=GPU)
    for images, masks in loader:
        images, masks = images.to(device), masks.to(device)
        with torch.autocast(device.type, torch.float16, enabled=GPU):
            output = model(images)
            loss = F.cross_entropy(output["out"], masks.long(), ignore_index=255)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        loss.item()  # it is logged
        yield len(images)


def measured(steps: Iterator[int]) -> tuple[float, float]:
    """Images per second after warming up, and the peak of the GPU's memory in GB."""
    if GPU:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    for _ in range(WARM_UP):
        next(steps)
    if GPU:
        torch.cuda.synchronize()
    began = time.perf_counter()
    seen = sum(steps)
    if GPU:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - began
    return seen / seconds, torch.cuda.max_memory_allocated() / 1e9 if GPU else 0.0


def main() -> None:
    place = torch.cuda.get_device_name() if GPU else "no GPU: toy sizes, the figures mean nothing"
    print(f"torch {torch.__version__}, {place}; batch {BATCH}, crop {CROP}, {WORKERS} workers")
    train = rooms("train")
    results: dict[str, list] = {"seglab": [], "torchvision's reference": []}
    for _ in range(TURNS):
        for name, loop in zip(results, (our_steps, their_steps), strict=True):
            results[name].append(measured(loop(train)))
    for name, turns in results.items():
        speeds, memories = zip(*turns, strict=True)
        print(
            f"  {name:<24} {statistics.median(speeds):8.1f} images/s   {max(memories):5.1f} GB peak"
        )


if __name__ == "__main__":
    main()
