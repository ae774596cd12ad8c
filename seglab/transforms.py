"""Joint transforms: what happens to the image happens to its mask.

A transform takes `(image, mask)` and returns both, so it goes into
`torchvision.transforms.v2.Compose` beside torchvision's own. The image is resized smoothly, the
mask by nearest neighbour, because the average of two class indices is a third class.
Randomness comes from torch's global generator: seed it with `torch.manual_seed`.
"""

import torch
import torch.nn.functional as F
from torchvision import tv_tensors
from torchvision.transforms import v2

from seglab.palettes import VOID

# Mean and standard deviation of ImageNet's red, green and blue, from 0 to 1 (torchvision's).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def normalize(images: torch.Tensor) -> torch.Tensor:
    """Bytes to the numbers that pretrained networks expect: `/255`, minus mean, over deviation.

    Args:
        images: `uint8 [..., 3, H, W]`, on any device.

    Returns:
        `float32` of the same shape on the same device, roughly from -2.1 to 2.6.

    Raises:
        TypeError: the images are not bytes; normalising twice is a common mistake.
    """
    if images.dtype != torch.uint8:
        raise TypeError(
            f"normalize wants uint8 images from 0 to 255; found {images.dtype}. "
            "Are they normalised already?"
        )
    mean = torch.tensor(IMAGENET_MEAN, device=images.device).view(3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=images.device).view(3, 1, 1)
    return (images / 255 - mean) / std


def resize_image(image: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize images `uint8 [..., 3, H, W]` to `(height, width)`, smoothly.

    Bilinear, and averaged over all that falls into a pixel where the image shrinks (antialiased).
    """
    return v2.functional.resize(image, list(size), antialias=True)


def resize_mask(mask: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Resize a mask `uint8 [H, W]` to `(height, width)` without inventing a class.

    `nearest-exact` picks the pixel whose centre is nearest, as Pillow does. Plain `nearest` picks
    the upper left one and so shifts the mask against its image by up to half a pixel.
    """
    return F.interpolate(mask[None, None], size=size, mode="nearest-exact")[0, 0]


class RandomScaleCrop:
    """Scale image and mask by one random factor and cut one random window out of both.

    What a window covers beyond the image is black in the image and void in the mask.

    Args:
        size: `(height, width)` of the window in pixels.
        scale: lowest and highest factor; 0.5 halves the image. The factor is drawn uniformly.
        longest_side: what factor 1 means: the longer side of the image gets this many pixels.
            Default: factor 1 leaves the image at its size.
    """

    def __init__(
        self,
        size: tuple[int, int],
        scale: tuple[float, float] = (0.5, 2.0),
        longest_side: int | None = None,
    ):
        if min(size) < 1 or not 0 < scale[0] <= scale[1]:
            raise ValueError(
                f"expected size >= 1 and 0 < scale[0] <= scale[1]; got {size}, {scale}"
            )
        self.size, self.scale, self.longest_side = size, scale, longest_side

    def __call__(self, image, mask):
        low, high = self.scale
        factor = low + (high - low) * torch.rand(()).item()
        if self.longest_side is not None:
            factor *= self.longest_side / max(mask.shape)
        scaled = tuple(max(1, round(n * factor)) for n in mask.shape)
        image = _pad(resize_image(image, scaled), self.size, fill=0)
        mask = _pad(resize_mask(mask, scaled), self.size, fill=VOID)
        (height, width), (full_height, full_width) = self.size, mask.shape
        top = int(torch.randint(full_height - height + 1, ()))
        left = int(torch.randint(full_width - width + 1, ()))
        window = (..., slice(top, top + height), slice(left, left + width))
        return tv_tensors.Image(image[window]), tv_tensors.Mask(mask[window])


class RandomFlip:
    """Mirror image and mask left to right, together, half of the time."""

    def __call__(self, image, mask):
        if torch.rand(()) < 0.5:
            image, mask = image.flip(-1), mask.flip(-1)
        return tv_tensors.Image(image), tv_tensors.Mask(mask)


def training_transforms(
    size: tuple[int, int],
    scale: tuple[float, float] = (0.5, 2.0),
    longest_side: int | None = None,
    color: float = 0.0,
) -> v2.Compose:
    """The usual augmentation: `RandomScaleCrop`, `RandomFlip`, optionally random colour.

    `color` is the strength of random brightness, contrast and saturation from 0 (off) to 1.
    """
    steps = [RandomScaleCrop(size, scale, longest_side), RandomFlip()]
    if color:
        steps.append(v2.ColorJitter(brightness=color, contrast=color, saturation=color))
    return v2.Compose(steps)


def _pad(picture: torch.Tensor, size: tuple[int, int], fill: int) -> torch.Tensor:
    """Add to the right and below until the picture is at least `size`."""
    below = max(0, size[0] - picture.shape[-2])
    right = max(0, size[1] - picture.shape[-1])
    return F.pad(picture, (0, right, 0, below), value=fill)
