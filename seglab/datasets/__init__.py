"""Everything that becomes a folder in VOC layout: downloads, other formats, satellite tiles."""

LAYOUTS = (
    "VOC layout, labelme (its JSON or its VOC export), COCO, YOLO with outlines, CVAT "
    "(Segmentation mask 1.1 or CamVid), Roboflow (masks), Label Studio (Brush labels to PNG and "
    "JSON), Supervisely, folders images and masks, CamVid, Cityscapes, IDD-Lite"
)
