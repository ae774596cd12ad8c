"""From a scene kind and a seed to a finished picture with its label maps."""

import os
import resource
import tempfile
import time
from typing import NamedTuple

import numpy as np

from . import camera, masks, stage
from .scenes import SCENES

ATTEMPTS, VIEWS = 30, 4


class Picture(NamedTuple):
    """A JPEG file's bytes, the two label maps, and a few numbers about them."""

    jpeg: bytes
    classes: np.ndarray
    instances: np.ndarray
    report: dict


def compose(scene, seed):
    """Build scenes and try views until one makes a good picture; return its label maps.

    Everything follows from (scene, seed): the same call always ends at the same attempt.
    """
    with tempfile.TemporaryDirectory(prefix="rooms-") as folder:
        for attempt in range(ATTEMPTS):
            stage.reset(f"{scene} {seed} {attempt}")
            shot = SCENES[scene]()
            camera.setup()
            for _ in range(VIEWS):
                shot.view()
                if not camera.is_clear(shot.clearance):
                    continue
                labels = masks.finish(*masks.render_ids(os.path.join(folder, "ids.exr")))
                if not faults(shot, *labels):
                    return shot, *labels, attempt
    raise RuntimeError(f"no good view of {scene} {seed} in {ATTEMPTS} attempts")


def faults(shot, classes, instances):
    """Why a composition is rejected: a list of reasons, empty for a good one."""
    found = []
    known = classes != masks.VOID
    share = ((classes > 0) & known).mean()
    low, high = shot.share
    if not low <= share <= high:
        found.append(f"foreground share {share:.2f}")
    numbers, counts = np.unique(instances[known & (instances > 0)], return_counts=True)
    if len(counts) and counts.max() > 0.55 * instances.size:
        found.append("one object fills the picture")
    for name, pixels in shot.need.items():
        if (classes == stage.CLASS_INDEX[name]).sum() < pixels:
            found.append(f"hardly any {name}")
    if shot.any_of and not any(
        (classes == stage.CLASS_INDEX[name]).sum() >= pixels for name, pixels in shot.any_of.items()
    ):
        found.append("no target")
    _, pixels = np.unique(classes[known & (classes > 0)], return_counts=True)
    if (pixels >= 120).sum() < shot.variety:
        found.append("too few classes")
    for name in shot.inside:
        mine = (classes == stage.CLASS_INDEX[name]) & np.isin(instances, numbers)
        edge = mine[:2].sum() + 0.5 * (mine[:, :2].sum() + mine[:, -2:].sum())
        if edge > 6:
            found.append(f"{name} is cut off")
    return found


def take(scene, seed):
    """Make one picture."""
    start = time.process_time()
    shot, classes, instances, attempt = compose(scene, seed)
    composed = time.process_time()
    if shot.light:
        shot.light()
    with tempfile.TemporaryDirectory(prefix="rooms-") as folder:
        path = os.path.join(folder, "photo.png")
        camera.render_photo(path)
        jpeg = camera.finish(path, stage.random.randrange(2**31))
    report = {
        "scene": scene,
        "seed": seed,
        "attempt": attempt,
        "compose_s": round(composed - start, 1),
        "render_s": round(time.process_time() - composed, 1),
        "bytes": len(jpeg),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    return Picture(jpeg, classes, instances, report)
