"""A small Mask R-CNN (bonus notebook 10)."""

import time
from collections import OrderedDict
from dataclasses import replace

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
from tqdm.auto import tqdm

from seglab.backbones import feature_pyramid
from seglab.history import History
from seglab.instances import Instances, object_numbers, true_labels
from seglab.machine.memory import return_freed_memory
from seglab.machine.runtime import Runtime, default_runtime
from seglab.recipes import Recipe, TrainingError
from seglab.training import STEPS_OF_A_TEST, Draws, new_optimizer, step_seed
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
        numbers, labels = object_numbers(objects), true_labels(objects, self.images.mask(index))
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
    and added to the finer one, as in an FCN, but with features instead of scores. Source: Lin et
    al., Feature Pyramid Networks (2017).

    Args:
        backbone, weights: see `seglab.backbones.feature_pyramid`.
        channels: of every map.
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


def fit_detector(
    model: MaskRCNN,
    train: VOCSegmentation,
    recipe: Recipe,
    runtime: Runtime | None = None,
    progress: bool = True,
) -> History:
    """Train a detector in place; the loop of `seglab.training.fit` without its extras.

    Args:
        model: see `mask_rcnn`.
        train: pictures with objects, without transforms; the recipe's augmentation is applied.
        recipe: its loss and class weights are not used, the detector brings losses of its own.
        runtime: where to run; default: a GPU if there is one.
        progress: show a bar.

    Raises:
        TrainingError: the loss is not a number any more.
    """
    runtime = runtime or default_runtime()
    if runtime.budget == "test":
        recipe = replace(recipe, images=min(recipe.images, STEPS_OF_A_TEST * recipe.batch_size))
    model = runtime.place(model).train()
    optimizer, history = new_optimizer(model, recipe), History()
    draws, size = Draws(ObjectsOf(train), recipe), recipe.batch_size
    began = time.perf_counter()
    with torch.random.fork_rng([runtime.device] if runtime.device.type == "cuda" else []):
        for step in tqdm(range(recipe.steps), disable=not progress, leave=False):
            batch = [draws[place] for place in range(step * size, (step + 1) * size)]
            images = [image.to(runtime.device) / 255 for image, _ in batch]
            targets = [{k: v.to(runtime.device) for k, v in of.items()} for _, of in batch]
            torch.manual_seed(step_seed(recipe, step))  # proposals are sampled at random
            rate = recipe.learning_rate * recipe.factor(step)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]
            loss = sum(model(images, targets).values())
            if not loss.isfinite():
                raise TrainingError(f"the loss is {loss.item()} at step {step + 1}; lower the rate")
            optimizer.zero_grad()
            loss.backward()
            if recipe.max_gradient_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), recipe.max_gradient_norm)
            optimizer.step()
            history.steps.append({"step": step + 1, "loss": loss.item(), "learning_rate": rate})
    history.seconds = time.perf_counter() - began
    model.zero_grad()
    model.eval()
    del optimizer
    return_freed_memory()
    return history


@torch.no_grad()
def detect(model: MaskRCNN, image: torch.Tensor, runtime: Runtime | None = None) -> Instances:
    """The objects that a detector finds in one picture, the surest first, on the CPU.

    Args:
        model: see `mask_rcnn`. It is switched to evaluation mode.
        image: `uint8 [3, H, W]`.
        runtime: where to run; default: a GPU if there is one.

    Raises:
        TypeError: the image is not `uint8`.
    """
    if image.dtype != torch.uint8:
        raise TypeError(f"detect wants a uint8 image from 0 to 255; found {image.dtype}")
    runtime = runtime or default_runtime()
    found = runtime.place(model).eval()([image.to(runtime.device) / 255])[0]
    return Instances(found["masks"][:, 0].cpu() > 0.5, found["labels"].cpu(), found["scores"].cpu())
