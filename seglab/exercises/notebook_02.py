"""The exercises of notebook 02: PASCAL VOC and colormaps."""
