"""DeepLab v1, v2, v3 and v3+: context without losing resolution (notebook 06).

All four put holes into the convolutions of a classifier (atrous or dilated convolution), so that
its features stay at 1/8 or 1/16 of the image, and differ in the *head* on these features.
Sources: Chen et al., DeepLab v1 (2015), v2 (2017), v3 (2017), v3+ (2018).
"""

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from seglab.backbones import FeaturePyramid, feature_pyramid
from seglab.upsampling import check_size, enlarge


def receptive_field(
    kernel_sizes: Sequence[int], dilations: Sequence[int], strides: Sequence[int] | None = None
) -> int:
    """How many pixels of its input, in a row, one output of a stack of convolutions can see.

    Each layer adds (kernel size - 1) x dilation steps of the grid that it works on; one step is as
    many pixels as the strides before it multiply to.

    Args:
        kernel_sizes, dilations: of the layers, first one first.
        strides: default: 1 everywhere.

    Raises:
        ValueError: lists of different lengths.
    """
    strides = strides or [1] * len(kernel_sizes)
    if not len(kernel_sizes) == len(dilations) == len(strides):
        raise ValueError(
            "one kernel size, dilation and stride for each layer, please; found "
            f"{len(kernel_sizes)}, {len(dilations)} and {len(strides)}"
        )
    field, step = 1, 1
    for size, dilation, stride in zip(kernel_sizes, dilations, strides, strict=True):
        field += (size - 1) * dilation * step
        step *= stride
    return field


# ---------------------------------------------------------------- heads


class LargeFOV(nn.Sequential):
    """v1: one 3 x 3 convolution with a large dilation sees a large field of view.

    `[N, inputs, h, w] -> [N, num_classes, h, w]`. These are VGG-16's fully connected layers,
    thinned out to 3 x 3 and 1024 channels. Source: DeepLab v1, section 3.2.
    """

    def __init__(self, inputs: int, num_classes: int, rate: int = 12, width: int = 1024):
        super().__init__(
            nn.Conv2d(inputs, width, 3, padding=rate, dilation=rate),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(width, width, 1),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Conv2d(width, num_classes, 1),
        )


class SummedASPP(nn.Module):
    """v2: score with several dilations side by side, add the scores.

    `[N, inputs, h, w] -> [N, num_classes, h, w]`. ASPP: atrous spatial pyramid pooling.
    Source: DeepLab v2, figure 4 and its version for ResNet.
    """

    def __init__(self, inputs: int, num_classes: int, rates: Sequence[int] = (6, 12, 18, 24)):
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Conv2d(inputs, num_classes, 3, padding=rate, dilation=rate) for rate in rates
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return sum(branch(x) for branch in self.branches)


class ConvNormReLU(nn.Sequential):
    """Convolution, batch norm, ReLU: `[N, inputs, h, w] -> [N, outputs, h, w]`."""

    def __init__(self, inputs: int, outputs: int, kernel_size: int = 1, dilation: int = 1):
        padding = dilation * (kernel_size // 2)
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel_size, padding=padding, dilation=dilation, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
        )


class SeparableConv(nn.Sequential):
    """3 x 3 for each channel on its own, then 1 x 1 to mix them: nearly nine times less work.

    `[N, inputs, h, w] -> [N, outputs, h, w]`. Source: DeepLab v3+, figure 3.
    """

    def __init__(self, inputs: int, outputs: int, dilation: int = 1):
        d = dilation
        super().__init__(
            nn.Conv2d(inputs, inputs, 3, padding=d, dilation=d, groups=inputs, bias=False),
            ConvNormReLU(inputs, outputs),
        )


class PooledNorm(nn.BatchNorm2d):
    """Batch norm that also trains on a single image pooled to one pixel.

    With one value per channel the batch has no variance to divide by, and `nn.BatchNorm2d` raises
    an error. Here the running statistics stand in, as they do in evaluation.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training and x.shape[0] * x.shape[2] * x.shape[3] == 1:
            return F.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x)


class ImagePooling(nn.Sequential):
    """The mean of the whole map, put back at every position.

    `[N, inputs, h, w] -> [N, outputs, h, w]`.
    Source: DeepLab v3, section 3.3; Liu et al., ParseNet (2015).
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__(nn.Conv2d(inputs, outputs, 1, bias=False), PooledNorm(outputs), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = super().forward(x.mean((2, 3), keepdim=True))
        return mean.expand(-1, -1, *x.shape[-2:])


class ASPP(nn.Module):
    """v3: a 1 x 1 convolution, one 3 x 3 for each rate, the image's mean; concatenated, mixed.

    `[N, inputs, h, w] -> [N, width, h, w]`. Source: DeepLab v3, figure 5.

    Args:
        inputs: channels of the features.
        width: channels of every branch and of the result.
        rates: dilations of the 3 x 3 convolutions; (6, 12, 18) at output stride 16, twice as
            large at 8.
        dropout: share of the result's channels that training sets to zero at random.
        separable: make the 3 x 3 convolutions separable, as v3+ does.
    """

    def __init__(
        self,
        inputs: int,
        width: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        dropout: float = 0.5,
        separable: bool = False,
    ):
        super().__init__()
        spatial = SeparableConv if separable else partial(ConvNormReLU, kernel_size=3)
        self.branches = nn.ModuleList(
            [
                ConvNormReLU(inputs, width),
                *(spatial(inputs, width, dilation=rate) for rate in rates),
                ImagePooling(inputs, width),
            ]
        )
        self.mix = nn.Sequential(
            ConvNormReLU(len(self.branches) * width, width), nn.Dropout(dropout)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.mix(torch.cat([branch(x) for branch in self.branches], dim=1))


# ---------------------------------------------------------------- networks


class DilatedNetwork(nn.Module):
    """Features at a small output stride, a head that scores them, bilinear enlargement.

    Scores are drawn where the features look (see `FeaturePyramid`); torchvision and the papers
    enlarge by plain interpolation.

    `float [N, 3, H, W]` (normalised images) -> logits `float [N, num_classes, H, W]`, for any
    H, W of at least 32.

    Args:
        backbone: gives features; the last, coarsest map is used.
        head: `[N, channels, h, w] -> [N, num_classes, h, w]`.

    Raises:
        ValueError: at call time, an image smaller than 32 pixels.
    """

    def __init__(self, backbone: FeaturePyramid, head: nn.Module):
        super().__init__()
        self.backbone = backbone
        self.head = head

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_size(images)
        scores = self.head(self.backbone(images)[-1])
        stride, offset = self.backbone.strides[-1], self.backbone.offsets[-1]
        return enlarge(scores, images.shape[-2:], stride, offset)


class DeepLabV1(DilatedNetwork):
    """DeepLab-LargeFOV. The paper's network: `backbone="vgg16"`, 20.5 million parameters.

    Args:
        num_classes: channels of the logits.
        backbone, weights, output_stride: see `seglab.backbones.feature_pyramid`; paper: 8.
        rate: dilation of the 3 x 3 convolution.
        width: channels of the head.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "efficientnet_lite0",
        weights: str | None = "imagenet",
        output_stride: int = 8,
        rate: int = 12,
        width: int = 1024,
    ):
        features = feature_pyramid(backbone, weights, output_stride)
        super().__init__(features, LargeFOV(features.channels[-1], num_classes, rate, width))


class DeepLabV2(DilatedNetwork):
    """DeepLab with ASPP by sum. The paper's network: `backbone="resnet101"`.

    Args:
        num_classes: channels of the logits.
        backbone, weights, output_stride: see `seglab.backbones.feature_pyramid`; paper: 8.
        rates: dilations of the branches.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "efficientnet_lite0",
        weights: str | None = "imagenet",
        output_stride: int = 8,
        rates: Sequence[int] = (6, 12, 18, 24),
    ):
        features = feature_pyramid(backbone, weights, output_stride)
        super().__init__(features, SummedASPP(features.channels[-1], num_classes, rates))


class DeepLabV3(DilatedNetwork):
    """DeepLab with ASPP by concatenation. `"resnet50", output_stride=8` has torchvision's scores.

    Args:
        num_classes: channels of the logits.
        backbone, weights, output_stride: see `seglab.backbones.feature_pyramid`; 16 or 8.
        rates: dilations of ASPP. Default: (6, 12, 18) at output stride 16, and in proportion.
        width: channels of ASPP's branches.
        multi_grid: factors for the dilations of the last stage, see `apply_multi_grid`.
        dropout: see `ASPP`.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "efficientnet_lite0",
        weights: str | None = "imagenet",
        output_stride: int = 16,
        rates: Sequence[int] | None = None,
        width: int = 256,
        multi_grid: Sequence[int] | None = None,
        dropout: float = 0.5,
    ):
        features = feature_pyramid(backbone, weights, output_stride)
        if multi_grid is not None:
            apply_multi_grid(features, multi_grid)
        head = nn.Sequential(
            ASPP(features.channels[-1], width, rates or default_rates(output_stride), dropout),
            ConvNormReLU(width, width, 3),
            nn.Conv2d(width, num_classes, 1),
        )
        super().__init__(features, head)


class DeepLabV3Plus(nn.Module):
    """DeepLab v3+: ASPP's features, enlarged, beside features at stride 4; then a small decoder.

    `float [N, 3, H, W]` (normalised images) -> logits `float [N, num_classes, H, W]`, for any
    H, W of at least 32. Source: DeepLab v3+, figure 2.

    Args:
        num_classes: channels of the logits.
        backbone, weights, output_stride: see `seglab.backbones.feature_pyramid`; 16 or 8.
        rates: dilations of ASPP, see `DeepLabV3`.
        width: channels of ASPP's branches and of the decoder.
        skip_width: channels that the stride-4 features are reduced to.
        dropout: see `ASPP`.

    Raises:
        ValueError: at call time, an image smaller than 32 pixels.
    """

    def __init__(
        self,
        num_classes: int,
        backbone: str = "efficientnet_lite0",
        weights: str | None = "imagenet",
        output_stride: int = 16,
        rates: Sequence[int] | None = None,
        width: int = 256,
        skip_width: int = 48,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.backbone = feature_pyramid(backbone, weights, output_stride)
        channels = self.backbone.channels
        rates = rates or default_rates(output_stride)
        self.aspp = ASPP(channels[-1], width, rates, dropout, separable=True)
        self.reduce = ConvNormReLU(channels[1], skip_width)
        self.decoder = nn.Sequential(
            SeparableConv(width + skip_width, width),
            SeparableConv(width, width),
            nn.Conv2d(width, num_classes, 1),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_size(images)
        features = self.backbone(images)
        fine, coarse = (self.backbone.offsets[level] for level in (1, -1))
        skip = self.reduce(features[1])  # [N, 48, H / 4, W / 4]
        context = enlarge(
            self.aspp(features[-1]),
            skip.shape[-2:],
            stride=self.backbone.strides[-1] // 4,
            offset=(coarse - fine) / 4,
        )
        logits = self.decoder(torch.cat([skip, context], dim=1))
        return enlarge(logits, images.shape[-2:], 4, fine)


def default_rates(output_stride: int) -> tuple[int, int, int]:
    """(6, 12, 18) on a grid of stride 16, in proportion on others: the same distances in pixels."""
    return tuple(rate * 16 // output_stride for rate in (6, 12, 18))


def apply_multi_grid(features: FeaturePyramid, factors: Sequence[int]) -> None:
    """Multiply the dilations of the last stage's spatial convolutions, one factor for each.

    DeepLab v3 takes (1, 2, 4) for ResNet's last three blocks, after the multigrid methods of
    numerical analysis, which work on grids of several sizes. Source: DeepLab v3, section 3.2.

    Raises:
        ValueError: not one factor for each convolution larger than 1 x 1.
    """
    layers = [
        layer
        for layer in features.stages[-1].modules()
        if isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1
    ]
    if len(layers) != len(factors):
        raise ValueError(
            f"the last stage has {len(layers)} spatial convolutions; found {len(factors)} factors"
        )
    for layer, factor in zip(layers, factors, strict=True):
        layer.dilation = tuple(factor * dilation for dilation in layer.dilation)
        layer.padding = tuple(factor * padding for padding in layer.padding)
