"""Fully convolutional networks: FCN-32s, FCN-16s and FCN-8s (notebook 04).

Source: Long, Shelhamer and Darrell, Fully Convolutional Networks for Semantic Segmentation
(2015), figure 3.
"""

import torch
from torch import nn

from seglab.backbones import feature_pyramid
from seglab.upsampling import BilinearUpsampling, check_size, crop

# Which feature maps are scored, coarsest first, by the stride of the finest one.
SKIPS = {32: (32,), 16: (32, 16), 8: (32, 16, 8)}


class FCN(nn.Module):
    """Score the coarsest features; double, add the scores of the next finer ones; upsample.

    `float [N, 3, H, W]` (normalised images) -> logits `float [N, num_classes, H, W]`, for any
    H, W of at least 32.

    Args:
        num_classes: channels of the logits.
        stride: 32, 16 or 8: how fine the finest features are.
        backbone, weights: see `seglab.backbones.feature_pyramid`.
        learned_upsampling: may training change the bilinear kernels between the skips? The last,
            large one stays bilinear, as in the paper.

    Raises:
        ValueError: an unknown stride or backbone; at call time, an image smaller than 32 pixels.
    """

    def __init__(
        self,
        num_classes: int,
        stride: int = 8,
        backbone: str = "efficientnet_lite0",
        weights: str | None = "imagenet",
        learned_upsampling: bool = True,
    ):
        super().__init__()
        if stride not in SKIPS:
            raise ValueError(f"stride is 32, 16 or 8; found {stride}")
        self.backbone = feature_pyramid(backbone, weights)
        self.levels = [self.backbone.strides.index(skip) for skip in SKIPS[stride]]
        # A 1 x 1 convolution is a linear classifier at every position.
        self.scores = nn.ModuleList(
            nn.Conv2d(self.backbone.channels[level], num_classes, 1) for level in self.levels
        )
        for score in self.scores:  # no opinion at first, as in the paper
            nn.init.zeros_(score.weight)
            nn.init.zeros_(score.bias)
        # Scores are drawn where their features look.
        offsets = [self.backbone.offsets[level] for level in self.levels]
        self.doubling = nn.ModuleList(
            BilinearUpsampling(num_classes, 2, learned_upsampling, (coarse - fine) / skip)
            for coarse, fine, skip in zip(offsets, offsets[1:], SKIPS[stride][1:], strict=False)
        )
        self.to_image_size = BilinearUpsampling(num_classes, stride, False, offsets[-1])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        check_size(images)
        features = self.backbone(images)
        x = self.scores[0](features[self.levels[0]])  # [N, classes, H / 32, W / 32]
        for level, score, double in zip(
            self.levels[1:], self.scores[1:], self.doubling, strict=True
        ):
            skip = score(features[level])
            x = crop(double(x), skip) + skip
        return crop(self.to_image_size(x), images)
