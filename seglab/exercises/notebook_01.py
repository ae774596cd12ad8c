"""The exercises of notebook 01: what segmentation is."""
