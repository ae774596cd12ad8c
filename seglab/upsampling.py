"""From a small feature map back to the size of the image (notebook 03)."""

import torch
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

    `float [N, channels, H, W] -> [N, channels, factor * H, factor * W]`.

    Args:
        channels: of input and output.
        factor: an even whole number.
        learned: may training change the kernel? The FCN paper learns it between the skips.

    Raises:
        ValueError: an odd factor, or one below 2.
    """

    def __init__(self, channels: int, factor: int, learned: bool = True):
        if factor < 2 or factor % 2:
            raise ValueError(f"expected an even factor of at least 2; found {factor}")
        super().__init__(
            channels, channels, 2 * factor, factor, factor // 2, groups=channels, bias=False
        )
        with torch.no_grad():
            self.weight.copy_(bilinear_kernel(channels, 2 * factor))
        self.weight.requires_grad_(learned)
