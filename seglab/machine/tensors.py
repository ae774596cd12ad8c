"""Whole numbers as tensors, of whatever kind somebody hands over."""

import numpy as np
import torch


def whole_numbers(name: str, values) -> torch.Tensor:
    """A tensor or an array of any kind of whole numbers, however it lies in memory."""
    is_tensor = isinstance(values, torch.Tensor)
    values = values.as_subclass(torch.Tensor) if is_tensor else np.asarray(values)
    kind = str(values.dtype).removeprefix("torch.") if is_tensor else values.dtype.name
    if not kind.startswith(("int", "uint")):
        raise ValueError(
            f"{name} holds {kind}; expected whole-number class indices, such as uint8 or int64. "
            "Of logits take argmax over the classes first"
        )
    if not is_tensor:  # torch knows no negative strides, no foreign byte order
        return torch.from_numpy(values.astype(np.int64, order="C"))
    return values if kind in ("uint8", "int32", "int64") else values.long()


def indices_of_classes(
    prediction, target, num_classes: int, void: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Both as tensors on the prediction's device, once every index is known to be right.

    Raises:
        ValueError: different shapes, fractions (logits?), or an index without a class.
    """
    prediction = whole_numbers("prediction", prediction)
    target = whole_numbers("target", target).to(prediction.device)
    if prediction.shape != target.shape:
        raise ValueError(
            f"prediction {tuple(prediction.shape)} and target {tuple(target.shape)} differ in "
            "shape; take argmax over the classes and resize the prediction to the label"
        )
    for name, values in (("prediction", prediction), ("target", target)):
        wrong = (values < 0) | (values >= num_classes)
        if name == "target":
            wrong &= values != void
        if wrong.any():
            found = ", ".join(map(str, values[wrong].unique().tolist()[:5]))
            raise ValueError(
                f"{name} holds {found}; expected classes from 0 to {num_classes - 1}. "
                f"Only the target may be void, and void is {void}."
            )
    return prediction, target
