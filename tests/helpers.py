"""Small data sets and pictures made on the spot."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"  # data that is not part of the repository; tests may skip

# Colour of each class in the *images* of the tiny data set: easy to learn, hard to confuse.
PAINT = np.array([(120, 120, 120), (220, 40, 40), (40, 60, 220)], dtype=np.uint8)
TINY_CLASSES = ("background", "red thing", "blue thing")


def voc_color_by_hand(index: int) -> tuple[int, int, int]:
    """The devkit's rule, written from its description: three bits of the index at a time."""
    r = g = b = 0
    place = 7
    while index:
        r += (index % 2) * 2**place
        g += (index // 2 % 2) * 2**place
        b += (index // 4 % 2) * 2**place
        index //= 8
        place -= 1
    return r, g, b


def palette_by_hand() -> np.ndarray:
    return np.array([voc_color_by_hand(i) for i in range(256)], dtype=np.uint8)


def save_palette_png(path: Path, mask: np.ndarray, bits: int = 8, palette=None) -> None:
    """Write a palette PNG with so many bits for a pixel, using Pillow only."""
    palette = palette_by_hand() if palette is None else palette
    picture = Image.fromarray(mask.astype(np.uint8))
    picture.putpalette(np.asarray(palette)[: 2**bits].astype(np.uint8).tobytes())
    picture.save(path, bits=bits)


def voc_folder(root: Path, splits: dict[str, list[str]], classes=None) -> Path:
    """The folders and split lists of a data set, without pictures."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for split, names in splits.items():
        text = "".join(f"{name}\n" for name in names)
        (root / "ImageSets" / "Segmentation" / f"{split}.txt").write_text(text)
    if classes is not None:
        (root / "classes.txt").write_text("".join(f"{name}\n" for name in classes))
    return root


def add_pair(root: Path, name: str, image: np.ndarray, mask: np.ndarray, quality: int = 92) -> None:
    Image.fromarray(image).save(root / "JPEGImages" / f"{name}.jpg", quality=quality)
    save_palette_png(root / "SegmentationClass" / f"{name}.png", mask)


def block_mask(rng: np.random.Generator, height: int = 48, width: int = 64) -> np.ndarray:
    """Background with one block of class 1, one of class 2, and a void frame around both."""
    mask = np.zeros((height, width), dtype=np.uint8)
    for index, left in ((1, 2), (2, width // 2 + 2)):
        y = int(rng.integers(2, height // 2 - 2))
        x = left + int(rng.integers(0, width // 6))
        h, w = height // 2 - 4, width // 4
        mask[y - 1 : y + h + 1, x - 1 : x + w + 1] = 255
        mask[y : y + h, x : x + w] = index
    return mask


def painted(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A noisy picture of a block mask in the colours of PAINT."""
    colors = PAINT[np.where(mask == 255, 0, mask)].astype(int)
    return np.clip(colors + rng.integers(-15, 16, colors.shape), 0, 255).astype(np.uint8)


def make_tiny_voc(root: Path, train: int = 6, val: int = 3) -> Path:
    rng = np.random.default_rng(0)
    names = [f"blocks_{i}" for i in range(train + val)]
    voc_folder(root, {"train": names[:train], "val": names[train:]}, TINY_CLASSES)
    for name in names:
        mask = block_mask(rng)
        add_pair(root, name, painted(mask, rng), mask)
    return root


def small_network(classes: int = 3, width: int = 12):
    """A network that trains in a second: two convolutions at half resolution."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, width, 3, stride=2, padding=1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, classes, 3, padding=1),
        nn.Upsample(scale_factor=2, mode="bilinear"),
    )


def lively(model, seed: int = 0, size: tuple[int, int] = (64, 64), channels: int = 3):
    """The model in evaluation mode, with norms that have seen pictures and scores that are not 0.

    A fresh network is no good to compare with: in evaluation its norms divide by one, so that a
    signal fades from layer to layer, and what is close to zero equals anything.
    """
    import torch
    from torch import nn

    torch.manual_seed(seed)
    norms = [m for m in model.eval().modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        norm.train().momentum = 1.0  # keep what the last batch had
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d) and not layer.weight.any():
            layer.reset_parameters()
    with torch.no_grad():
        model(torch.randn(2, channels, *size))
    for norm in norms:
        norm.momentum = 0.1
    return model.eval()


def built_wheel(folder):
    """Build with the tools that are here; a network may be absent."""
    tries = []
    if shutil.which("uv"):
        tries.append(["uv", "build", "--wheel", "--out-dir", str(folder), str(REPOSITORY)])
    try:
        import hatchling  # noqa: F401

        tries.append([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)])
    except ImportError:
        pass
    tries.append([sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "-w", str(folder)])
    said = ""
    for command in tries:
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
        if done.returncode == 0:
            return next(folder.glob("*.whl"))
        said += f"{' '.join(command[:3])}: {done.stderr[-600:]}\n"
    if "data/rooms" in said or "Forced include" in said:
        pytest.fail(said)
    pytest.skip(f"no tool here can build a wheel:\n{said}")
