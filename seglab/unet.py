"""U-Net, as published and as used today, and U-Net++ (notebook 05).

FCN *adds scores* of finer maps. U-Net *concatenates features* and lets convolutions decide what to
make of them, in a decoder as deep as the encoder.
Source: Ronneberger, Fischer and Brox, U-Net (2015), figure 1.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import nn

from seglab.backbones import feature_pyramid
from seglab.upsampling import check_size, crop, enlarge

# ---------------------------------------------------------------- as published, without padding


class PaperUNet(nn.Module):
    """The network of the paper: no padding, so each convolution eats two rows and columns.

    `float [N, in_channels, H, W]` -> logits `float [N, num_classes, H - 184, W - 184]`: those of
    the middle of the image. 572 gives 388. With the defaults it has 31.03 million parameters.

    Args:
        num_classes: channels of the logits.
        in_channels: 1 for grey images, as in the paper.
        width: channels of the first level; every level down has twice as many.

    Raises:
        ValueError: at call time, a height or width that does not halve evenly at every level. The
            message names the nearest sizes that do.
    """

    def __init__(self, num_classes: int = 2, in_channels: int = 1, width: int = 64):
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList(
            _two_convolutions(inputs, outputs)
            for inputs, outputs in zip([in_channels, *widths[:-1]], widths, strict=True)
        )
        self.halve = nn.MaxPool2d(2)
        upwards = widths[::-1]
        self.doubling = nn.ModuleList(
            nn.ConvTranspose2d(inputs, outputs, 2, 2) for inputs, outputs in pairwise(upwards)
        )
        self.up = nn.ModuleList(_two_convolutions(2 * outputs, outputs) for outputs in upwards[1:])
        self.score = nn.Conv2d(width, num_classes, 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        _check_unpadded_size(images)
        x, skips = images, []
        for block in self.down[:-1]:
            x = block(x)
            skips.append(x)
            x = self.halve(x)
        x = self.down[-1](x)  # 28 x 28 of 572 x 572
        for double, block, skip in zip(self.doubling, self.up, reversed(skips), strict=True):
            x = double(x)
            x = block(torch.cat([center_crop(skip, x), x], dim=1))
        return self.score(x)


def _check_unpadded_size(images: torch.Tensor) -> None:
    for side, size in zip(("height", "width"), images.shape[-2:], strict=True):
        if size < 188 or (size - 188) % 16:
            nearest = {max(188, size - (size - 188) % 16), max(188, size + (188 - size) % 16)}
            raise ValueError(
                "without padding, height and width must be 188 plus a multiple of 16; "
                f"the {side} is {size}: take {' or '.join(map(str, sorted(nearest)))}"
            )


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.Conv2d(outputs, outputs, 3), nn.ReLU()
    )


def center_crop(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """The middle part of `x` that has the height and width of `like`."""
    top, left = ((x.shape[side] - like.shape[side]) // 2 for side in (-2, -1))
    return x[..., top : top + like.shape[-2], left : left + like.shape[-1]]


# ---------------------------------------------------------------- as used today


class DoubleConv(nn.Sequential):
    """(3 x 3 convolution, batch norm, ReLU) twice: `[N, inputs, H, W] -> [N, outputs, H, W]`."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class Encoder(nn.Module):
    """Five levels of `DoubleConv`, a max pooling before each but the first.

    `float [N, 3, H, W]` -> five maps, finest first; sizes are halved and rounded up.

    Attributes:
        channels: of each map: width, 2, 4, 8, 16 times width.
        strides: (1, 2, 4, 8, 16).
        offsets: feature i looks at pixel stride * i + offset, the middle of a square.
    """

    def __init__(self, width: int):
        super().__init__()
        self.strides = (1, 2, 4, 8, 16)
        self.offsets = tuple((stride - 1) / 2 for stride in self.strides)
        self.channels = tuple(width * stride for stride in self.strides)
        self.halve = nn.MaxPool2d(2, ceil_mode=True)
        self.levels = nn.ModuleList(
            DoubleConv(inputs, outputs)
            for inputs, outputs in zip((3, *self.channels[:-1]), self.channels, strict=True)
        )

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        features = [self.levels[0](images)]
        for level in self.levels[1:]:
            features.append(level(self.halve(features[-1])))
        return features


class Up(nn.Module):
    """One step of the decoder: double the size, put the skip beside it, convolve.

    `x [N, inputs, h, w]` and skips whose channels add up to `beside`, `[N, ..., H, W]`, with H
    either 2h or 2h - 1, give `[N, outputs, H, W]`. Batch norm brings both to the same scale: a
    classifier's fine features can be ten times as large as its coarse ones, and would drown them.
    """

    def __init__(self, inputs: int, beside: int, outputs: int):
        super().__init__()
        self.doubling = nn.ConvTranspose2d(inputs, outputs, 2, 2)
        self.norm = nn.BatchNorm2d(beside + outputs)
        self.convolve = DoubleConv(beside + outputs, outputs)

    def forward(self, x: torch.Tensor, *skips: torch.Tensor) -> torch.Tensor:
        x = crop(self.doubling(x), skips[0])
        return self.convolve(self.norm(torch.cat([*skips, x], dim=1)))


class UNet(nn.Module):
    """U-Net with padding and batch norm: the logits have the size of the image.

    `float [N, 3, H, W]` (normalised images) -> logits `float [N, num_classes, H, W]`, for any
    H, W of at least 32. `UNet.with_backbone` makes one on a pretrained classifier.

    Args:
        num_classes: channels of the logits.
        width: channels of the finest level; the paper's 64, or 16 to 32 for a laptop.
        encoder: images -> maps, finest first, each half the size of the one before; with
            attributes `channels`, `strides` and `offsets`. Default: `Encoder(width)`.
        decoder_channels: of the levels of the decoder, finest first. Default: the encoder's.
        coarse_score: also score the encoder's coarsest map, and add this to the logits. On a
            pretrained encoder it learns in few steps, and leaves the details to the decoder.

    Raises:
        ValueError: at call time, an image smaller than 32 pixels.
    """

    def __init__(
        self,
        num_classes: int,
        width: int = 64,
        encoder: nn.Module | None = None,
        decoder_channels: tuple[int, ...] | None = None,
        coarse_score: bool = False,
    ):
        super().__init__()
        self.encoder = encoder or Encoder(width)
        skips = self.encoder.channels[:-1]
        outputs = decoder_channels or skips
        inputs = (*outputs[1:], self.encoder.channels[-1])
        self.ups = nn.ModuleList(
            Up(*channels) for channels in zip(inputs, skips, outputs, strict=True)
        )
        self.score = nn.Conv2d(outputs[0], num_classes, 1)
        self.coarse_score = None
        if coarse_score:
            self.coarse_score = nn.Conv2d(inputs[-1], num_classes, 1)
            nn.init.zeros_(self.coarse_score.weight)
            nn.init.zeros_(self.coarse_score.bias)

    @classmethod
    def with_backbone(
        cls,
        num_classes: int,
        backbone: str = "efficientnet_lite0",
        weights: str | None = "imagenet",
        decoder_channels: tuple[int, ...] = (16, 32, 64, 96),
    ) -> "UNet":
        """A U-Net whose encoder is a classifier's feature pyramid.

        Its finest map has half the size of the image; the logits are enlarged twice at the end.
        The coarsest map is scored, too, as in FCN-32s (`coarse_score`).

        Args:
            num_classes: channels of the logits.
            backbone, weights: see `seglab.backbones.feature_pyramid`.
            decoder_channels: at strides 2, 4, 8 and 16.
        """
        encoder = feature_pyramid(backbone, weights)
        return cls(
            num_classes, encoder=encoder, decoder_channels=decoder_channels, coarse_score=True
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_size(images)
        *skips, coarsest = self.encoder(images)
        x = coarsest
        for up, skip in zip(reversed(self.ups), reversed(skips), strict=True):
            x = up(x, skip)
        logits = self.score(x)
        (step, *_, coarse_step), (first, *_, coarse_first) = (
            self.encoder.strides,
            self.encoder.offsets,
        )
        if self.coarse_score is not None:
            scores, offset = self.coarse_score(coarsest), (coarse_first - first) / step
            logits = logits + enlarge(scores, logits.shape[-2:], coarse_step // step, offset)
        return enlarge(logits, images.shape[-2:], step, first)


class UNetPlusPlus(nn.Module):
    """U-Net++: between encoder and decoder, a triangle of small steps instead of one long skip.

    Column 0 is the encoder. The node at level i of a later column doubles its lower left
    neighbour (level i + 1, one column before) and sees *all* earlier nodes of its own level.
    `float [N, 3, H, W]` (normalised images) -> logits `float [N, num_classes, H, W]`.
    Source: Zhou et al., UNet++ (2018), figure 1.

    Args:
        num_classes: channels of the logits.
        width: channels of the finest level.
        deep_supervision: score all four nodes of the finest level. In training the model then
            returns a dict: "out", their mean, and "aux", the list of the four, each to be
            trained; else their mean ("accurate mode" in the paper).

    Raises:
        ValueError: at call time, an image smaller than 32 pixels.
    """

    def __init__(self, num_classes: int, width: int = 32, deep_supervision: bool = False):
        super().__init__()
        self.encoder = Encoder(width)
        channels = self.encoder.channels
        # columns[j][i]: the node at level i of column j + 1, which has j + 1 neighbours to the left
        self.columns = nn.ModuleList(
            nn.ModuleList(
                Up(channels[i + 1], (j + 1) * channels[i], channels[i]) for i in range(4 - j)
            )
            for j in range(4)
        )
        scored = 4 if deep_supervision else 1
        self.scores = nn.ModuleList(nn.Conv2d(width, num_classes, 1) for _ in range(scored))
        self.deep_supervision = deep_supervision

    def forward(self, images: torch.Tensor) -> torch.Tensor | dict:
        check_size(images)
        rows = [[features] for features in self.encoder(images)]  # rows[i]: nodes of level i
        for j, column in enumerate(self.columns):
            for i, up in enumerate(column):
                rows[i].append(up(rows[i + 1][j], *rows[i]))
        finest = rows[0][-len(self.scores) :]
        logits = [score(x) for score, x in zip(self.scores, finest, strict=True)]
        mean = sum(logits) / len(logits)
        return {"out": mean, "aux": logits} if self.deep_supervision and self.training else mean


# ---------------------------------------------------------------- without skips


@contextmanager
def muted_skips(model: UNet, levels: Iterable[int] | None = None) -> Iterator[UNet]:
    """Inside `with muted_skips(model):` the decoder gets zeros in place of the skips.

    The network keeps its layers and weights; what the encoder knows at the muted levels does not
    reach the decoder. Works in training, too: no gradient flows back through a muted skip. On
    leaving, the network is as it was.

    Args:
        model: a `UNet`, of any encoder.
        levels: which skips to mute, 0 the finest; default: all.

    Raises:
        ValueError: a level that the model does not have.
    """
    levels = range(len(model.ups)) if levels is None else sorted(set(levels))
    for level in levels:
        if level not in range(len(model.ups)):
            raise ValueError(f"skips are levels 0 to {len(model.ups) - 1}; found {level}")

    def zeros_for_skips(up: Up, inputs: tuple) -> tuple:
        x, *skips = inputs
        return x, *(torch.zeros_like(skip) for skip in skips)

    hooks = [model.ups[level].register_forward_pre_hook(zeros_for_skips) for level in levels]
    try:
        yield model
    finally:
        for hook in hooks:
            hook.remove()
