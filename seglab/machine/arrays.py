"""Masks as arrays, of whatever kind somebody hands over."""

import numpy as np


def as_mask(mask) -> np.ndarray:
    """Any integer picture of indices from 0 to 255 as `uint8 [H, W]`."""
    array = np.asarray(mask)
    if array.ndim != 2:
        raise ValueError(
            f"a mask has two dimensions [height, width]; found shape {tuple(array.shape)}. "
            "For a batch, loop over its masks; for logits, take argmax over the classes first."
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype.kind not in "biu":
        raise ValueError(f"a mask holds whole numbers; found {array.dtype}. Take argmax first?")
    if array.size and (array.min() < 0 or array.max() > 255):
        raise ValueError(
            f"a mask holds indices from 0 to 255; found {array.min()} to {array.max()}"
        )
    return array.astype(np.uint8)
