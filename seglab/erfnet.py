"""ERFNet, a small network for real-time use (notebook 07).

Source: Romera, Álvarez, Bergasa and Arroyo, ERFNet (2018), tables 1 and 2.
"""

import torch
from torch import nn

from seglab.upsampling import check_size, crop, enlarge


class NonBottleneck1D(nn.Module):
    """A residual block whose 3 x 3 convolutions are split into 3 x 1 and 1 x 3.

    `[N, C, H, W] -> [N, C, H, W]`, with a third fewer weights than two 3 x 3 convolutions.

    Args:
        channels: C.
        dropout: probability of dropping a whole channel in training.
        dilation: of the second pair.
    """

    def __init__(self, channels: int, dropout: float, dilation: int = 1):
        super().__init__()
        self.layers = nn.Sequential(
            *_split_convolution(channels),
            nn.ReLU(),
            *_split_convolution(channels, dilation),
            nn.Dropout2d(dropout),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.layers(x))


def _split_convolution(channels: int, dilation: int = 1) -> list[nn.Module]:
    d = dilation
    return [
        nn.Conv2d(channels, channels, (3, 1), padding=(d, 0), dilation=(d, 1)),
        nn.ReLU(),
        nn.Conv2d(channels, channels, (1, 3), padding=(0, d), dilation=(1, d)),
        nn.BatchNorm2d(channels, eps=1e-3),
    ]


class Downsampler(nn.Module):
    """Half the size: a strided convolution and a max pooling, side by side (from ENet).

    `[N, inputs, H, W] -> [N, outputs, H / 2, W / 2]`, rounded up.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.convolve = nn.Conv2d(inputs, outputs - inputs, 3, stride=2, padding=1)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.norm(torch.cat([self.convolve(x), self.pool(x)], dim=1)))


class Upsampler(nn.Sequential):
    """Twice the size by a transposed convolution, then batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.ReLU(),
        )


class ERFNet(nn.Module):
    """An encoder to 1/8 of the size with dilated 1-D convolutions, and a small decoder.

    `float [N, 3, H, W]` (normalised images) -> logits `float [N, num_classes, H, W]`, for any
    H, W of at least 32. 2.06 million parameters with 20 classes, as published.

    Args:
        num_classes: channels of the logits.
        encoder_only: score the encoder's features at 1/8 of the size and enlarge the scores
            bilinearly. This is how the encoder is trained first, and a faster network of its own.

    Raises:
        ValueError: at call time, an image smaller than 32 pixels.
    """

    def __init__(self, num_classes: int, encoder_only: bool = False):
        super().__init__()
        self.encoder_only = encoder_only
        self.stages = nn.ModuleList(
            [
                Downsampler(3, 16),
                nn.Sequential(
                    Downsampler(16, 64), *(NonBottleneck1D(64, dropout=0.03) for _ in range(5))
                ),
                nn.Sequential(
                    Downsampler(64, 128),
                    *(NonBottleneck1D(128, 0.3, dilation) for dilation in 2 * (2, 4, 8, 16)),
                ),
            ]
        )
        if encoder_only:
            self.score = nn.Conv2d(128, num_classes, 1)
        else:
            self.to_quarter = nn.Sequential(Upsampler(128, 64), *_plain_blocks(64))
            self.to_half = nn.Sequential(Upsampler(64, 16), *_plain_blocks(16))
            self.score = nn.ConvTranspose2d(16, num_classes, 2, stride=2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_size(images)
        half = self.stages[0](images)
        quarter = self.stages[1](half)
        eighth = self.stages[2](quarter)
        if self.encoder_only:
            return enlarge(self.score(eighth), images.shape[-2:], 8)
        x = crop(self.to_quarter(eighth), quarter)
        x = crop(self.to_half(x), half)
        return crop(self.score(x), images)


def _plain_blocks(channels: int) -> list[nn.Module]:
    return [NonBottleneck1D(channels, dropout=0.0) for _ in range(2)]
