"""Everything that becomes a folder in VOC layout: downloads, other formats, satellite tiles."""

from importlib import import_module

LAYOUTS = (
    "VOC layout, labelme (its JSON or its VOC export), COCO, YOLO with outlines, CVAT "
    "(Segmentation mask 1.1 or CamVid), Roboflow (masks), Label Studio (Brush labels to PNG and "
    "JSON), Supervisely, folders images and masks, CamVid, Cityscapes, IDD-Lite"
)
_HOMES = {"open_dataset": "seglab.datasets.opening", "download": "seglab.datasets.downloads"}


def __getattr__(name: str):
    """`open_dataset` and `download` are loaded when first used: help in a shell needs no torch."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'seglab.datasets' has no attribute {name!r}")
