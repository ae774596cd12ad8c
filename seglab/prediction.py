"""Image in, label map out (notebook 01); mirror images, scales and windows (notebook 08)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

from seglab.machine.embedded import DEFAULT
from seglab.machine.files import write_csv, written_whole
from seglab.machine.runtime import Runtime, default_runtime
from seglab.machine.windows import blended_scores
from seglab.networks import Trained, load
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, colorize, palette_image
from seglab.transforms import normalize, resize_image
from seglab.voc import read_image


def logits_of(output) -> torch.Tensor:
    """The logits `float [N, C, H, W]` in a model's output.

    torchvision's segmentation models put them into a dict under "out".
    """
    return output["out"] if isinstance(output, dict) else output


def largest_class(logits: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Enlarge logits and take the class with the highest one at each pixel.

    One class is enlarged at a time, so a large photo needs a few pictures of numbers in memory
    and not one for each class.

    Args:
        logits: `float [N, C, h, w]`.
        size: `(height, width)` of the result, `uint8 [N, height, width]`.
    """
    if logits.shape[-2:] == tuple(size):
        return logits.max(1).indices.to(torch.uint8)
    best = torch.full((len(logits), 1, *size), -torch.inf, device=logits.device)
    winner = torch.zeros_like(best, dtype=torch.uint8)
    for index, plane in enumerate(logits.float().split(1, dim=1)):
        plane = resize_scores(plane, size)
        winner[plane > best] = index
        best = torch.maximum(best, plane)
    return winner[:, 0]


def seen_size(size: tuple[int, int], longest_side: int | None = None) -> tuple[int, int]:
    """The `(height, width)` at which a network sees a picture.

    No side is less than 32, because the networks halve five times.

    Args:
        size: of the picture.
        longest_side: of the copy that the network sees; default: the picture's own.

    Raises:
        ValueError: a longest_side below 1.
    """
    if longest_side is not None and longest_side < 1:
        raise ValueError(f"longest_side is at least 1 pixel; found {longest_side}")
    factor = 1 if longest_side is None else longest_side / max(size)
    return max(32, round(size[0] * factor)), max(32, round(size[1] * factor))


def logits_at(
    model: nn.Module, images: torch.Tensor, size: tuple[int, int], runtime: Runtime
) -> torch.Tensor:
    """Resize a batch, normalise it, and show it to the model.

    Args:
        model: normalised images -> logits, where `runtime` wants it.
        images: `uint8 [N, 3, H, W]`.
        size: `(height, width)` that the model sees.

    Returns:
        `float32 [N, C, h, w]` as the model gives them, on the runtime's device.

    Raises:
        TypeError: the images are not `uint8`.
    """
    shown = images if images.shape[-2:] == size else resize_image(images, size)
    with runtime.precision():
        return logits_of(model(runtime.batch(normalize(shown.to(runtime.device))))).float()


@torch.no_grad()
def class_scores(
    model: nn.Module,
    images: torch.Tensor,
    size: tuple[int, int],
    runtime: Runtime,
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
) -> torch.Tensor:
    """A score for each class and pixel: the logits of one view or the mean of several.

    Several views (mirrored, scaled) are averaged as probabilities, because logits of different
    views need not be on one scale.

    Args:
        model, images, runtime: see `logits_at`.
        size: `(height, width)` of the plain view.
        flip, scales: see `predict`.

    Returns:
        `float32`: of one plain view its logits as the model gives them, else the mean
        probabilities `[N, C, height, width]`.

    Raises:
        ValueError, TypeError: see `predict`.
    """
    scales = tuple(scales)
    if not scales or not all(0 < scale < math.inf for scale in scales):
        raise ValueError(
            f"scales are one or more factors above 0, such as (0.75, 1.0, 1.25); found {scales}"
        )
    if scales == (1.0,) and not flip:
        return logits_at(model, images, size, runtime)

    total = 0
    for scale in scales:
        seen = seen_size((round(size[0] * scale), round(size[1] * scale)))
        for mirrored in (False, True)[: 1 + flip]:
            view = images.flip(-1) if mirrored else images
            logits = resize_scores(logits_at(model, view, seen, runtime), size)
            probabilities = logits.softmax(1)
            total = total + (probabilities.flip(-1) if mirrored else probabilities)
    return total / (len(scales) * (1 + flip))


def resize_scores(scores: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Scores `float [N, C, h, w]` at `(height, width)`, bilinear; as they are if that is theirs."""
    if scores.shape[-2:] == size:
        return scores
    return F.interpolate(scores, size=size, mode="bilinear")


def predict(
    model: nn.Module,
    image: torch.Tensor,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
    flip: bool = False,
    scales: Sequence[float] = (1.0,),
) -> torch.Tensor:
    """The label map of one image or of a batch.

    Args:
        model: normalised images -> logits. It is switched to evaluation mode.
        image: `uint8 [3, H, W]` or `[N, 3, H, W]`.
        longest_side: show the model a copy whose longer side has this many pixels (no side less
            than 32). A network knows objects at the size it was trained on. Default: the image
            as it is.
        runtime: where to run; default: a GPU if there is one.
        flip: show the mirror image, too, and average the probabilities; twice the work.
        scales: show the image at several sizes, as factors of the size without this option, and
            average the probabilities.

    Returns:
        `uint8 [H, W]` or `[N, H, W]` on the CPU, at the image's own size.

    Raises:
        ValueError: a longest_side below 1; no scale, or one that is not above 0.
        TypeError: the image is not `uint8`.
    """
    runtime = runtime or default_runtime()
    images = image if image.ndim == 4 else image[None]
    height, width = images.shape[-2:]
    size = seen_size((height, width), longest_side)
    model = runtime.place(model).eval()
    scores = class_scores(model, images, size, runtime, flip, scales)
    masks = largest_class(scores, (height, width)).cpu()
    return masks if image.ndim == 4 else masks[0]


def sliding_window(
    model: nn.Module,
    image: torch.Tensor,
    window: int = 512,
    overlap: float = 0.25,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
    progress: bool = False,
    **views,
) -> torch.Tensor:
    """The label map of an image that is too large to be shown to the model at once.

    The model sees one window after the other; `seglab.machine.windows` averages their scores.

    Args:
        model, longest_side, runtime: see `predict`; windows slide over the copy.
        image: `uint8 [3, H, W]`.
        window, overlap, progress: see `seglab.machine.windows.blended_scores`.
        views: flip and scales of each window, see `predict`.

    Returns:
        `uint8 [H, W]` on the CPU, at the image's own size.

    Raises:
        ValueError: a batch of images; a window, overlap, longest_side or scales out of range.
        TypeError: the image is not `uint8`.
    """
    if image.ndim != 3:
        raise ValueError(f"expected one image [3, H, W]; found shape {tuple(image.shape)}")
    runtime = runtime or default_runtime()
    height, width = image.shape[-2:]
    size = seen_size((height, width), longest_side)
    shown = image if size == (height, width) else resize_image(image, size)
    model = runtime.place(model).eval()

    def scores_of(part: torch.Tensor) -> torch.Tensor:
        seen = part.shape[-2:]
        return resize_scores(class_scores(model, part[None], seen, runtime, **views), seen)[0]

    scores = blended_scores(scores_of, shown, window, overlap, progress)
    return largest_class(scores[None], (height, width))[0].cpu()


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

    def save(self, folder: str | Path = ".", overlay: Image.Image | None = None) -> list[Path]:
        """Write `NAME_mask.png` (palette PNG of indices) and `NAME_overlay.png`.

        Args:
            overlay: a picture to write instead of that of the method.
        """
        folder = Path(folder)
        pictures = {
            folder / f"{self.name}_mask.png": palette_image(self.mask, self.palette),
            folder / f"{self.name}_overlay.png": overlay or Image.fromarray(self.overlay()),
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
    change = colorize(mask, palette).astype(np.float32) - picture
    change *= strength[..., None]  # in place: of a photo of 24 million pixels, each is 288 MB
    picture += change
    return picture.round(out=picture).astype(np.uint8)


def shares_to_csv(shares: Mapping[str, Mapping[str, float]], path: str | Path) -> Path:
    """Write the class shares of several pictures as one table `file,class,percent`.

    Args:
        shares: name of a picture -> what `Segmentation.shares` returned.
    """
    rows = [
        (name, class_name, f"{100 * share:.2f}")
        for name, of_picture in shares.items()
        for class_name, share in of_picture.items()
    ]
    return write_csv(path, [("file", "class", "percent"), *rows])


def segment(
    image: torch.Tensor | str | Path,
    model: nn.Module | Trained | str | Path = DEFAULT,
    longest_side: int | None = None,
    runtime: Runtime | None = None,
    window: int | None = None,
    progress: bool = False,
    **views,
) -> Segmentation:
    """Segment one picture.

    Args:
        image: `uint8 [3, H, W]` or the path of any picture file.
        model: a name or path for `seglab.networks.load`, what that returned, or a bare network
            with VOC's 21 classes. Default: the network for photographs that comes with the course.
        longest_side: see `predict`. Default: the size the checkpoint was trained for; a bare
            network sees the image as it is, and so does every network with a `window`.
        window: show the network windows of so many pixels, one after the other: fine detail in a
            large photo, in little memory (see `sliding_window`). At the photo's own resolution
            objects may be far larger than those the network was trained on; then give a
            longest_side, too. Default: the whole image at once.
        progress: show a bar that counts windows.
        runtime, views: see `predict`; views are flip and scales.

    Raises:
        DatasetError: the file cannot be read as a picture.
        CheckpointError: the checkpoint cannot be read.
        ValueError: a longest_side, scales or window out of range.
    """
    name = "image"
    if not isinstance(image, torch.Tensor):
        name, image = Path(image).stem, read_image(image)
    if isinstance(model, str | Path):
        model = load(model)
    elif isinstance(model, nn.Module):
        model = Trained(model, VOC_CLASSES, VOC_PALETTE, None)
    if window is None:
        side = model.longest_side if longest_side is None else longest_side
        mask = predict(model.model, image, side, runtime, **views)
    else:
        options = {"longest_side": longest_side, "runtime": runtime, **views}
        mask = sliding_window(model.model, image, window, progress=progress, **options)
    return Segmentation(image, mask, model.classes, model.palette, name)
