"""Files of torchvision's trained networks, downloaded once into torch's own cache."""

import hashlib
import shutil
import socket
from pathlib import Path

import torch
from torchvision.models import get_model_weights, list_models, segmentation

from seglab.machine.checkpoints import CheckpointError
from seglab.machine.files import written_whole

NETWORKS = list_models(module=segmentation)
PREFIX = "torchvision/"
PATIENCE = 20.0  # seconds without a byte


def address(name: str) -> str:
    """Where a network's weights for VOC's classes are; `-1a2b3c4d.pth` begins their SHA-256."""
    return get_model_weights(name).DEFAULT.url


def size_and_score(name: str) -> tuple[str, str]:
    """Megabytes of a network's weights, and their mean IoU in percent, as torchvision says."""
    meta = get_model_weights(name).DEFAULT.meta
    return f"{meta['_file_size']:.0f}", f"{meta['_metrics']['COCO-val2017-VOC-labels']['miou']}"


def weights_file(name: str, from_file: str | Path | None = None) -> Path:
    """The file with the weights of one of `NETWORKS`. It is downloaded if it is not there yet.

    Args:
        name: with or without "torchvision/" before it.
        from_file: a copy of the file, instead of the network.

    Raises:
        CheckpointError: an unknown name, no network, or another file.
    """
    name = name.removeprefix(PREFIX)
    if name not in NETWORKS:
        raise CheckpointError(f"torchvision has no {name!r}; choose one of {', '.join(NETWORKS)}")
    url = address(name)
    path = Path(torch.hub.get_dir(), "checkpoints", url.rsplit("/", 1)[1])
    checksum = path.stem.rsplit("-", 1)[1]
    if from_file is not None:
        with open(from_file, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(checksum):
            raise CheckpointError(
                f"{from_file}: no copy of {path.name}: its sha256 is {found}. Copy it once more."
            )
        with written_whole(path) as temporary:
            shutil.copyfile(from_file, temporary)
    elif not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(PATIENCE)
        try:
            torch.hub.download_url_to_file(url, str(path), checksum)
        except (OSError, RuntimeError) as error:
            raise CheckpointError(
                f"{PREFIX}{name} cannot be downloaded ({error}). Get {url} in some other way, and "
                f"add --from-file {path.name}"
            ) from error
        finally:
            socket.setdefaulttimeout(before)
    return path
