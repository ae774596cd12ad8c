"""Image in, label map out (notebook 01)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from seglab.checkpoints import Trained, load, load_embedded
from seglab.files import written_whole
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, colorize, palette_image
from seglab.runtime import Runtime, default_runtime
from seglab.transforms import normalize, resize_image
from seglab.voc import read_image


def logits_of(output) -> torch.Tensor:
    """The logits `float [N, C, H, W]` in a model's output.

    torchvision's segmentation models put them into a dict under "out".
    """
    return output["out"] if isinstance(output, dict) else output


def largest_class(logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Enlarge logits to `size` and take the class with the highest one at each pixel.

    One class is enlarged at a time, so a large photo needs a few pictures of numbers in memory
    and not one for each class.

    Args:
        logits: `float [N, C, h, w]`.
        size: `(height, width)` of the result.

    Returns:
        `uint8 [N, height, width]`, indices of classes.
    """
    if logits.shape[-2:] == tuple(size):
        return logits.max(1).indices.to(torch.uint8)
    best = winner = None
    for index in range(logits.shape[1]):
        plane = F.interpolate(logits[:, index : index + 1].float(), size=size, mode="bilinear")[
            :, 0
        ]
        if best is None:
            best, winner = plane, torch.zeros_like(plane, dtype=torch.uint8)
        else:
            winner[plane > best] = index
            best = torch.maximum(best, plane)
    return winner


@torch.no_grad()  # not inference_mode: a model moved in there could not be trained afterwards
def predict(
    model: nn.Module,
    image: torch.Tensor,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
) -> torch.Tensor:
    """The label map of one image or of a batch.

    Args:
        model: normalised images -> logits. It is switched to evaluation mode.
        image: `uint8 [3, H, W]` or `[N, 3, H, W]`.
        longest_side: show the model a copy whose longer side has this many pixels (no side less
            than 32). A network knows objects at the size it was trained on. Default: the image
            as it is.
        runtime: where to run; default: a GPU if there is one.

    Returns:
        `uint8 [H, W]` or `[N, H, W]` on the CPU, at the image's own size.

    Raises:
        ValueError: a longest_side below 1.
        TypeError: the image is not `uint8`.
    """
    if longest_side is not None and longest_side < 1:
        raise ValueError(f"longest_side is at least 1 pixel; found {longest_side}")
    runtime = runtime or default_runtime()
    images = image if image.ndim == 4 else image[None]
    height, width = images.shape[-2:]
    size = (height, width)
    if longest_side is not None:
        factor = longest_side / max(height, width)
        size = tuple(max(32, round(n * factor)) for n in size)
    size = tuple(max(32, n) for n in size)  # the networks halve five times
    shown = images if size == (height, width) else resize_image(images, size)
    model = runtime.place(model).eval()
    with runtime.precision():
        logits = logits_of(model(runtime.batch(normalize(shown.to(runtime.device)))))
    masks = largest_class(logits.float(), (height, width)).cpu()
    return masks if image.ndim == 4 else masks[0]


@dataclass
class Segmentation:
    """A segmented picture.

    Attributes:
        image: `uint8 [3, H, W]`.
        mask: `uint8 [H, W]`, class indices.
        classes: names, index 0 first.
        palette: `uint8 [256, 3]`.
        name: of the file it came from, without folder and ending.
    """

    image: torch.Tensor
    mask: torch.Tensor
    classes: tuple[str, ...] = VOC_CLASSES
    palette: np.ndarray = field(default_factory=VOC_PALETTE.copy)
    name: str = "image"

    def shares(self) -> dict[str, float]:
        """For each class that occurs, its share of the pixels (0 to 1), largest first."""
        counts = torch.bincount(self.mask.flatten(), minlength=len(self.classes))
        shares = (counts / counts.sum()).tolist()
        order = sorted(range(len(self.classes)), key=lambda index: -shares[index])
        return {self.classes[index]: shares[index] for index in order if shares[index] > 0}

    def overlay(self, opacity: float = 0.6) -> np.ndarray:
        """The image under its colours, `uint8 [H, W, 3]`; background stays as it is."""
        return overlay(self.image, self.mask, self.palette, opacity)

    def save(self, folder: str | Path = ".") -> list[Path]:
        """Write `NAME_mask.png` (palette PNG of indices) and `NAME_overlay.png`."""
        folder = Path(folder)
        pictures = {
            folder / f"{self.name}_mask.png": palette_image(self.mask, self.palette),
            folder / f"{self.name}_overlay.png": Image.fromarray(self.overlay()),
        }
        for path, picture in pictures.items():
            with written_whole(path) as temporary:
                picture.save(temporary)
        return list(pictures)

    def to_csv(self, path: str | Path) -> Path:
        """Write the shares as a table `file,class,percent`."""
        return shares_to_csv({self.name: self.shares()}, path)


def overlay(image, mask, palette: np.ndarray = VOC_PALETTE, opacity: float = 0.6) -> np.ndarray:
    """An image `uint8 [3, H, W]` under the colours of a mask `[H, W]`: `uint8 [H, W, 3]`.

    Pixels of index 0 (background) stay as they are if the palette paints them black.

    Args:
        opacity: of the colours, from 0 (invisible) to 1 (hides the image).
    """
    picture = np.asarray(image).transpose(1, 2, 0).astype(np.float32)
    mask = np.asarray(mask)
    strength = np.full(mask.shape, opacity, dtype=np.float32)
    if not palette[0].any():
        strength[mask == 0] = 0
    # picture + strength * (colours - picture), in place: a photo of 24 million pixels is 288 MB.
    change = colorize(mask, palette).astype(np.float32)
    change -= picture
    change *= strength[..., None]
    picture += change
    return picture.round(out=picture).astype(np.uint8)


def shares_to_csv(shares: Mapping[str, Mapping[str, float]], path: str | Path) -> Path:
    """Write the class shares of several pictures as one table `file,class,percent`.

    Args:
        shares: name of a picture -> what `Segmentation.shares` returned.
    """
    with (
        written_whole(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8", errors="backslashreplace") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(["file", "class", "percent"])
        for name, of_picture in shares.items():
            for class_name, share in of_picture.items():
                writer.writerow([name, class_name, f"{100 * share:.2f}"])
    return Path(path)


def segment(
    image: torch.Tensor | str | Path,
    model: nn.Module | Trained | str | Path | None = None,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
) -> Segmentation:
    """Segment one picture.

    Args:
        image: `uint8 [3, H, W]` or the path of any picture file.
        model: a checkpoint's path, what `seglab.checkpoints.load` returned, or a bare network
            with VOC's 21 classes. Default: the FCN-8s that comes with the course, trained on
            rendered rooms only.
        longest_side: see `predict`. Default: the size the checkpoint was trained for; a bare
            network sees the image as it is.
        runtime: where to run; default: a GPU if there is one.

    Raises:
        DatasetError: the file cannot be read as a picture.
        CheckpointError: the checkpoint cannot be read.
    """
    name = "image"
    if not isinstance(image, torch.Tensor):
        name, image = Path(image).stem, read_image(image)
    if model is None:
        model = load_embedded()
    elif isinstance(model, str | Path):
        model = load(model)
    elif isinstance(model, nn.Module):
        model = Trained(model, VOC_CLASSES, VOC_PALETTE, None)
    side = model.longest_side if longest_side is None else longest_side
    mask = predict(model.model, image, side, runtime)
    return Segmentation(image, mask, model.classes, model.palette, name)
