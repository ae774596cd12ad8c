"""A dense conditional random field: pixels of like colour agree on a class (notebook 06).

Source: Krähenbühl and Koltun, Efficient Inference in Fully Connected CRFs (2011), algorithm 1.
"""

import torch


def dense_crf(
    image: torch.Tensor,
    logits: torch.Tensor,
    steps: int = 5,
    appearance: tuple[float, float, float] = (4.0, 40.0, 13.0),
    smoothness: tuple[float, float] = (2.0, 3.0),
    radius: int | None = None,
    stride: int = 1,
) -> torch.Tensor:
    """Refine a network's logits by mean-field inference in a dense CRF.

    `steps` times, every pixel hears the probabilities of the others and adds them to its own
    logits. A pair of pixels counts more the nearer they are and the more alike their colours:

        w1 exp(-d² / 2 r1² - c² / 2 s²) + w2 exp(-d² / 2 r2²)

    with d their distance and c their difference in colour. Each of the two kernels is divided by
    the square roots of its sums at both pixels (each counts itself, too), so that w1 and w2 mean
    the same for images of any size: not the paper's formula, but its authors' later library.

    Args:
        image: `uint8 [3, H, W]`.
        logits: `float [C, H, W]`.
        appearance: (w1, r1, s): weight, reach in pixels, reach in grey levels (0 to 255).
        smoothness: (w2, r2): weight, reach in pixels.
        radius: leave out pairs further apart in height or width. Default: none, which is exact
            and takes time with the square of the number of pixels.
        stride: with a radius, of the appearance kernel look at every stride-th row and column
            only; a radius of 40 and a stride of 4 take seconds instead of hours.

    Returns:
        Probabilities `float [C, H, W]`.

    Raises:
        ValueError: image and logits of different height or width.
    """
    height, width = logits.shape[-2:]
    if image.shape[-2:] != (height, width):
        raise ValueError(f"image {list(image.shape)} and logits {list(logits.shape)} differ")
    (w1, r1, s), (w2, r2) = appearance, smoothness
    far = max(height, width) - 1
    windows = (far, 1), (far, 1)
    if radius is not None:
        windows = (radius, stride), (min(radius, round(3 * r2)), 1)

    def look(dy: int, dx: int) -> torch.Tensor:
        """The appearance kernel for all pairs of pixels (y, x) and (y + dy, x + dx)."""
        here, there = overlap(dy, dx)
        c = image[here].float() - image[there].float()
        return torch.exp(-(dy * dy + dx * dx) / (2 * r1 * r1) - c.square().sum(0) / (2 * s * s))

    def near(dy: int, dx: int) -> torch.Tensor:
        """The smoothness kernel for the same pairs: one number."""
        return torch.tensor(-(dy * dy + dx * dx) / (2 * r2 * r2)).exp().to(logits)

    def gather(values, kernel, window):
        """At each pixel the sum of `values [C, H, W]` at the others, weighted by the kernel."""
        total = torch.zeros_like(values)
        reach, step = window
        shifts = sorted({*range(0, reach + 1, step), *range(0, -reach - 1, -step)})
        for dy in (n for n in shifts if abs(n) < height):
            for dx in (n for n in shifts if abs(n) < width):
                if (dy, dx) != (0, 0):
                    here, there = overlap(dy, dx)
                    total[here] += kernel(dy, dx) * values[there]
        return total

    kernels = [(w1, look, windows[0]), (w2, near, windows[1])]
    one = torch.ones_like(logits[:1])
    norms = [(1 + gather(one, kernel, window)).rsqrt() for _, kernel, window in kernels]
    probabilities = logits.softmax(0)
    for _ in range(steps):
        message = torch.zeros_like(logits)
        for (weight, kernel, window), norm in zip(kernels, norms, strict=True):
            message += weight * norm * gather(norm * probabilities, kernel, window)
        probabilities = (logits + message).softmax(0)
    return probabilities


def overlap(dy: int, dx: int) -> tuple[tuple, tuple]:
    """Two windows of a picture: all (y, x) for which (y + dy, x + dx) exists, and those."""

    def start_to_end(shift: int) -> slice:
        return slice(max(0, shift), min(0, shift) or None)

    here = (..., start_to_end(-dy), start_to_end(-dx))
    return here, (..., start_to_end(dy), start_to_end(dx))
