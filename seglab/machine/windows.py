"""Images that are too large to be shown to a network at once (notebook 08)."""

import math
from collections.abc import Callable

import torch
from tqdm.auto import tqdm


def window_positions(length: int, window: int, overlap: float) -> list[int]:
    """Where windows begin so that they cover a length from end to end, evenly spread.

    Args:
        length: of what is to be covered, at least `window`.
        window: length of a window.
        overlap: neighbours share at least this part of a window, from 0 to less than 1.

    Returns:
        The first pixel of each window, from 0 to `length - window`, ascending.
    """
    room = length - window
    steps = math.ceil(room / max(1, int(window * (1 - overlap))))
    return [index * room // max(1, steps) for index in range(steps + 1)]


def edge_distance(length: int) -> torch.Tensor:
    """How far each pixel of a window is from its nearer edge: 1, 2, 3, ..., 3, 2, 1.

    As a weight it is never zero, and where two windows overlap, one fades out as the other fades
    in.

    Returns:
        `float32 [length]`.
    """
    index = torch.arange(length)
    return torch.minimum(index + 1, length - index).float()


def blended_scores(
    scores_of: Callable[[torch.Tensor], torch.Tensor],
    image: torch.Tensor,
    window: int,
    overlap: float,
    progress: bool = False,
) -> torch.Tensor:
    """Scores of a large image, window by window; where windows overlap, their weighted mean.

    Each window counts less towards its own edge, where it sees little of what surrounds a pixel.
    All scores are in memory at once: 4 bytes for each class and pixel, so 2 GB for 21 classes and
    a photograph of 24 million pixels.

    Args:
        scores_of: part of the image `uint8 [3, h, w]` -> its scores `float [C, h, w]`.
        image: `uint8 [3, H, W]`.
        window: height and width of a window in pixels, at least 32, which networks need; less
            where the image is smaller.
        overlap: the share of a window that its neighbour sees, too, from 0 to less than 1.
            Windows are spread evenly, so it may be a little more.
        progress: show a bar that counts windows.

    Returns:
        `float32 [C, H, W]`.

    Raises:
        ValueError: a window or an overlap out of range.
    """
    if window < 32:
        raise ValueError(f"window is at least 32 pixels, which networks need; found {window}")
    if not 0 <= overlap < 1:
        raise ValueError(
            f"overlap is a share, from 0 to less than 1, such as 0.25; found {overlap}"
        )
    height, width = image.shape[-2:]
    tall, wide = min(window, height), min(window, width)
    corners = [
        (top, left)
        for top in window_positions(height, tall, overlap)
        for left in window_positions(width, wide, overlap)
    ]
    weight = edge_distance(tall)[:, None] * edge_distance(wide)  # [tall, wide]
    total, weights = 0, torch.zeros(height, width)
    for top, left in tqdm(corners, disable=not progress, leave=False):
        place = (..., slice(top, top + tall), slice(left, left + wide))
        scores = scores_of(image[place])
        if isinstance(total, int):
            total = scores.new_zeros(len(scores), height, width)
            weight, weights = weight.to(total), weights.to(total)
        total[place] += scores * weight
        weights[place] += weight
    return total.div_(weights)
