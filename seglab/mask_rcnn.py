"""A small Mask R-CNN (bonus notebook 10)."""

from collections import OrderedDict

import torch
from torch import nn
from torch.utils.data import Dataset
from torchvision import tv_tensors
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign, masks_to_boxes
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from seglab.backbones import feature_pyramid
from seglab.draws import Draws, batches
from seglab.freezing import frozen
from seglab.history import History
from seglab.instances import Instances, object_numbers, true_instances
from seglab.machine.runtime import Runtime, default_runtime
from seglab.recipes import Recipe
from seglab.training import Trainer, seeded_apart, settled, steps
from seglab.voc import VOCSegmentation


class ObjectsOf(Dataset):
    """Pictures with their objects as targets, in the form that torchvision's detectors want.

    An item is the image `uint8 [3, H, W]` and a dict: "masks" `uint8 [N, H, W]` of 0 and 1,
    "labels" `int64 [N]`, and "boxes" `float32 [N, 4]`: left, top, right and bottom edge of each
    mask in pixels. N may be 0. Void is outside of every object.

    Args:
        images: a `VOCSegmentation` without transforms and with a folder SegmentationObject.
        smallest: objects of fewer pixels, after the transforms, are left out.

    Attributes:
        transforms: called as `transforms(image, objects)`; see `seglab.transforms`.
    """

    def __init__(self, images: VOCSegmentation, smallest: int = 16):
        self.images, self.smallest, self.transforms = images, smallest, None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        image = tv_tensors.Image(self.images.image(index))
        objects = tv_tensors.Mask(self.images.objects(index))
        numbers = object_numbers(objects)
        labels = true_instances(objects, self.images.mask(index)).labels
        if self.transforms is not None:
            image, objects = self.transforms(image, objects)
        masks = objects == numbers[:, None, None]
        large = masks.flatten(1).sum(1) >= self.smallest
        masks, labels = masks[large], labels[large]
        boxes = masks_to_boxes(masks)
        boxes[:, 2:] += 1  # from the last pixel to its far edge: one pixel has a width, too
        return image, {"boxes": boxes, "labels": labels, "masks": masks.to(torch.uint8)}


class PyramidNetwork(nn.Module):
    """Feature maps at strides 4 to 64, all with the same number of channels.

    A classifier's pyramid knows *what* only at its coarse end. From there each map is enlarged
    and added to the finer one, as in an FCN, but with features instead of scores. The arguments
    are those of `mask_rcnn`. Source: Lin et al., Feature Pyramid Networks (2017).
    """

    def __init__(self, backbone: str, weights: str | None, channels: int):
        super().__init__()
        self.pyramid = feature_pyramid(backbone, weights)
        self.top_down = FeaturePyramidNetwork(
            self.pyramid.channels[1:], channels, extra_blocks=LastLevelMaxPool()
        )
        self.out_channels = channels

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        maps = self.pyramid(images)[1:]
        return self.top_down(OrderedDict((str(level), x) for level, x in enumerate(maps)))


def mask_rcnn(
    num_classes: int,
    backbone: str = "efficientnet_lite0",
    weights: str | None = "imagenet",
    channels: int = 64,
) -> MaskRCNN:
    """torchvision's Mask R-CNN, small enough to train on a laptop in minutes.

    In training mode it takes images (a list of `float [3, H, W]` from 0 to 1; it normalises them
    itself) and targets (a list of dicts, see `ObjectsOf`) and returns a dict of five losses; else
    images alone, and it returns for each "boxes", "labels", "scores" and "masks" `float [N, 1, H,
    W]`. Source: He et al., Mask R-CNN (2017).

    Args:
        num_classes: background included.
        backbone, weights: see `seglab.backbones.feature_pyramid`.
        channels: of the pyramid and the heads; torchvision's own has 256.
    """
    levels = ["0", "1", "2", "3"]  # strides 4 to 32
    return MaskRCNN(
        PyramidNetwork(backbone, weights, channels),
        min_size=240,
        max_size=320,
        rpn_anchor_generator=AnchorGenerator(
            sizes=((16,), (32,), (64,), (128,), (256,)), aspect_ratios=((0.5, 1.0, 2.0),) * 5
        ),
        rpn_pre_nms_top_n_train=400,
        rpn_post_nms_top_n_train=200,
        rpn_pre_nms_top_n_test=200,
        rpn_post_nms_top_n_test=100,
        box_roi_pool=MultiScaleRoIAlign(levels, 7, 2, canonical_scale=112),
        box_head=TwoMLPHead(channels * 7**2, 4 * channels),
        box_predictor=FastRCNNPredictor(4 * channels, num_classes),
        box_batch_size_per_image=64,
        box_detections_per_img=50,
        mask_roi_pool=MultiScaleRoIAlign(levels, 14, 2, canonical_scale=112),
        mask_head=MaskRCNNHeads(channels, (channels, channels), 1),
        mask_predictor=MaskRCNNPredictor(channels, channels, num_classes),
    )


def as_lists(items: list) -> tuple[tuple, tuple]:
    """A batch as detectors want it: images of any size side by side, targets likewise."""
    images, targets = zip(*items, strict=True)
    return images, targets


def detector_loss(model: MaskRCNN, images: tuple, targets: tuple) -> torch.Tensor:
    """The sum of a detector's own losses, for a batch of items of `ObjectsOf`."""
    device = next(model.parameters()).device
    images = [image.to(device) / 255 for image in images]
    targets = [{name: value.to(device) for name, value in of.items()} for of in targets]
    return sum(model(images, targets).values())


def fit_detector(
    model: MaskRCNN,
    train: VOCSegmentation,
    recipe: Recipe,
    runtime: Runtime | None = None,
    progress: bool = True,
) -> History:
    """Train a detector in place: the loop of `seglab.training.fit` with other batches and losses.

    Args:
        model: see `mask_rcnn`.
        train: pictures with objects, without transforms; the recipe's augmentation is applied.
        recipe: its loss and class weights are not used, the detector brings losses of its own.
        runtime, progress: see `seglab.training.fit`, and for its errors `Trainer.train_on`.
    """
    recipe, runtime = settled(recipe, runtime)
    with seeded_apart(runtime), frozen(model, recipe):
        trainer = Trainer(model, recipe, runtime, detector_loss)
        draws = Draws(ObjectsOf(train), recipe)
        for _ in steps(trainer, batches(draws, 0, runtime.workers, as_lists), progress):
            pass
    return trainer.finish()


@torch.no_grad()
def detect(model: MaskRCNN, image: torch.Tensor, runtime: Runtime | None = None) -> Instances:
    """The objects that a detector finds in one picture, the surest first, on the CPU.

    Args:
        model: see `mask_rcnn`. It is switched to evaluation mode.
        image: `uint8 [3, H, W]`; anything else is a TypeError.
        runtime: where to run; default: a GPU if there is one.
    """
    if image.dtype != torch.uint8:
        raise TypeError(f"detect wants a uint8 image from 0 to 255; found {image.dtype}")
    runtime = runtime or default_runtime()
    found = runtime.place(model).eval()([image.to(runtime.device) / 255])[0]
    return Instances(found["masks"][:, 0].cpu() > 0.5, found["labels"].cpu(), found["scores"].cpu())
