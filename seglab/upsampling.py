"""From a small feature map back to the size of the image (notebook 03)."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0) -> int:
    """Height (or width) that a transposed convolution makes of `size` rows (or columns).

    Each of the `size` inputs stamps a kernel, `stride` apart; `padding` is cut off at both ends:
    `stride * (size - 1) + kernel_size - 2 * padding`.

    Raises:
        ValueError: nothing would be left, or an argument is too small to make sense.
    """
    if size < 1 or kernel_size < 1 or stride < 1 or padding < 0:
        raise ValueError(
            "size, kernel_size and stride are at least 1 and padding at least 0; found "
            f"{size}, {kernel_size}, {stride}, {padding}"
        )
    result = stride * (size - 1) + kernel_size - 2 * padding
    if result < 1:
        raise ValueError(f"padding {padding} cuts everything off: the output would be {result}")
    return result


def transposed_conv2d(
    x: torch.Tensor, kernel: torch.Tensor, stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """Transposed convolution by two loops: every input stamps the kernel, scaled by its value.

    The same numbers as `F.conv_transpose2d`, only slower.
    Source: Dumoulin and Visin, A guide to convolution arithmetic (2016), chapter 4.

    Args:
        x: `float [in_channels, H, W]`, or `[H, W]` together with a kernel of two dimensions.
        kernel: `float [in_channels, out_channels, h, w]` (torch's order), or `[h, w]`.
        stride: rows and columns from one stamp to the next.
        padding: rows and columns cut off at each side of the output.

    Returns:
        `float [out_channels, H', W']`, or `[H', W']`; H' is `output_size(H, h, stride, padding)`.

    Raises:
        ValueError: shapes that do not fit together, or nothing would be left.
    """
    if x.ndim == 2 and kernel.ndim == 2:
        return transposed_conv2d(x[None], kernel[None, None], stride, padding)[0]
    if x.ndim != 3 or kernel.ndim != 4 or len(x) != len(kernel):
        raise ValueError(
            "expected x [in_channels, H, W] and kernel [in_channels, out_channels, h, w] with "
            f"equal in_channels, or both [H, W]; found {list(x.shape)} and {list(kernel.shape)}"
        )
    (_, rows, columns), (_, channels, h, w) = x.shape, kernel.shape
    height = output_size(rows, h, stride, padding)
    width = output_size(columns, w, stride, padding)
    y = x.new_zeros(channels, height + 2 * padding, width + 2 * padding)
    for i in range(rows):
        for j in range(columns):
            stamp = torch.einsum("c,cohw->ohw", x[:, i, j], kernel)
            y[:, i * stride : i * stride + h, j * stride : j * stride + w] += stamp
    return y[:, padding : padding + height, padding : padding + width]


def conv_matrix(
    kernel: torch.Tensor, input_size: tuple[int, int], stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """The matrix V of an ordinary convolution: `V @ x.flatten()` is `F.conv2d`'s result, in a row.

    Each row of V is one position of the kernel, written into a picture of zeros.

    Args:
        kernel: `float [h, w]`.
        input_size: height and width of x.
        stride, padding: as in `F.conv2d`.

    Returns:
        `float [H' * W', H * W]`: one row per output, one column per input.

    Raises:
        ValueError: a kernel with channels, or one larger than the padded input.
    """
    if kernel.ndim != 2:
        raise ValueError(f"expected a kernel [h, w]; found {list(kernel.shape)}")
    (h, w), (height, width) = kernel.shape, input_size
    down, across = height + 2 * padding - h, width + 2 * padding - w  # room to move
    if down < 0 or across < 0:
        raise ValueError(f"a kernel of {h} x {w} does not fit into the padded {height} x {width}")
    rows = []
    for i in range(0, down + 1, stride):
        for j in range(0, across + 1, stride):
            picture = kernel.new_zeros(height + 2 * padding, width + 2 * padding)
            picture[i : i + h, j : j + w] = kernel
            rows.append(picture[padding : padding + height, padding : padding + width].flatten())
    return torch.stack(rows)


def transposed_conv_matrix(
    kernel: torch.Tensor, input_size: tuple[int, int], stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """The matrix of a transposed convolution: that of the convolution the other way, transposed.

    Args:
        kernel: `float [h, w]`.
        input_size: height and width of what goes into the *transposed* convolution.
        stride, padding: as in `transposed_conv2d`.

    Returns:
        `float [H' * W', H * W]` with H', W' from `output_size`. Multiplied by a flattened input it
        gives the flattened output.

    Raises:
        ValueError: a kernel with channels, or nothing would be left.
    """
    if kernel.ndim != 2:
        raise ValueError(f"expected a kernel [h, w]; found {list(kernel.shape)}")
    larger = tuple(
        output_size(size, k, stride, padding)
        for size, k in zip(input_size, kernel.shape, strict=True)
    )
    return conv_matrix(kernel, larger, stride, padding).T


def bilinear_kernel(channels: int, kernel_size: int) -> torch.Tensor:
    """Weights that make a transposed convolution interpolate bilinearly.

    One tent per channel, for a *depthwise* transposed convolution (`groups=channels`): a dense
    one would hold the same tents on its diagonal and zeros everywhere else. With stride s,
    `kernel_size = 2s` and `padding = s / 2` it equals `F.interpolate(align_corners=False)`
    except within s / 2 pixels of the border, where it fades towards zero.
    Source: Long, Shelhamer and Darrell, Fully Convolutional Networks (2015), section 3.3.

    Args:
        channels: how many equal kernels, one for each channel.
        kernel_size: height and width of a kernel.

    Returns:
        `float32 [channels, 1, kernel_size, kernel_size]`.

    Raises:
        ValueError: an argument below 1.
    """
    if channels < 1 or kernel_size < 1:
        raise ValueError(f"expected at least 1 channel and pixel; found {channels}, {kernel_size}")
    reach = (kernel_size + 1) // 2  # distance from the tent's top to where it is zero
    center = (kernel_size - 1) / 2
    tent = 1 - (torch.arange(kernel_size) - center).abs() / reach
    return (tent[:, None] * tent[None, :]).repeat(channels, 1, 1, 1)


class BilinearUpsampling(nn.ConvTranspose2d):
    """A depthwise transposed convolution that starts as bilinear upsampling by `factor`.

    `float [N, channels, H, W] -> [N, channels, factor * H, factor * W]`. The kernel's top says
    where a value is drawn: with 2 * factor taps between two pixels, with 2 * factor - 1 on one.

    Args:
        channels: of input and output.
        factor: an even whole number.
        learned: may training change the kernel? The FCN paper learns it between the skips.
        offset: value i is drawn at factor * i + offset, which is either the first pixel of its
            square, 0, or the middle, (factor - 1) / 2. Default: the middle.

    Raises:
        ValueError: an odd factor, one below 2, or another offset.
    """

    def __init__(
        self, channels: int, factor: int, learned: bool = True, offset: float | None = None
    ):
        if factor < 2 or factor % 2:
            raise ValueError(f"expected an even factor of at least 2; found {factor}")
        middle = (factor - 1) / 2
        if offset not in (None, 0, middle):
            raise ValueError(
                f"expected an offset of 0 or (factor - 1) / 2 = {middle}; found {offset}"
            )
        if offset == 0:
            size, padding, extra = 2 * factor - 1, factor - 1, factor - 1
        else:
            size, padding, extra = 2 * factor, factor // 2, 0
        super().__init__(
            channels, channels, size, factor, padding, extra, groups=channels, bias=False
        )
        with torch.no_grad():
            self.weight.copy_(bilinear_kernel(channels, size))
        self.weight.requires_grad_(learned)


def enlarge(
    x: torch.Tensor, size: tuple[int, int], stride: int, offset: float | None = None
) -> torch.Tensor:
    """Bilinear interpolation of `[N, C, h, w]` to `size`: value i is drawn at stride * i + offset.

    Before the first value and after the last one, these go on.

    Args:
        x: values on a coarse grid.
        size: height and width to make, at most stride times as large.
        stride: steps of the fine grid for one of the coarse.
        offset: a whole number (then a value lies on a pixel) or, for an even stride, one and a half
            (then between two). Default: (stride - 1) / 2, pixels are squares on each other.
    """
    middle = (stride - 1) / 2
    offset = middle if offset is None else offset
    on_a_pixel = float(offset).is_integer()
    late = int(offset if on_a_pixel else offset - middle)  # than `F.interpolate` draws it
    before, after = max(0, math.ceil(late / stride)), int(on_a_pixel or late < 0)
    if before or after:
        x = F.pad(x, (before, after, before, after), mode="replicate")
    lost = stride - 1 if on_a_pixel else 0
    grown = [stride * n - lost for n in x.shape[-2:]]
    x = F.interpolate(x, size=grown, mode="bilinear", align_corners=on_a_pixel)
    top = stride * before - late
    return x[..., top : top + size[0], top : top + size[1]]


def crop(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The upper left part of `x` that has the height and width of `like`.

    Halving rounds up, so doubling can give one row or column too many.
    """
    return x[..., : like.shape[-2], : like.shape[-1]]


def check_size(images: torch.Tensor) -> None:
    """Refuse images that five halvings would leave nothing of.

    Raises:
        ValueError: height or width below 32 pixels.
    """
    height, width = images.shape[-2:]
    if min(height, width) < 32:
        raise ValueError(f"images of at least 32 x 32 pixels, please; found {height} x {width}")
