"""Data sets in the folder layout of PASCAL VOC 2012.

root/JPEGImages/NAME.jpg              the images
root/SegmentationClass/NAME.png       the masks: palette PNGs of class indices, 255 is void
root/SegmentationObject/NAME.png      optional: which object each pixel belongs to
root/ImageSets/Segmentation/SPLIT.txt the names of a split, one a line
root/classes.txt                      optional: class names, one a line, index 0 first
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset
from torchvision import tv_tensors

from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, UnknownColorError, indices_from_rgb

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".JPG", ".JPEG", ".PNG")


class DatasetError(ValueError):
    """A data set on disk is not what it should be. The message names the file and the cure."""


def read_image(path: str | Path) -> torch.Tensor:
    """Any picture file as `uint8 [3, H, W]`, red green blue, upright.

    Grey, palette, transparent (on white), CMYK, 16-bit and floating-point grey pictures are
    converted; the camera's rotation flag (EXIF) is obeyed. Of several pictures the first counts.

    Raises:
        DatasetError: the file is missing, cut off, or not a picture.
    """
    try:
        with Image.open(path) as picture:
            picture = ImageOps.exif_transpose(picture)
            if picture.mode.startswith("I") or picture.mode == "F":
                values = np.asarray(picture, dtype=np.float64)
                highest = values.max(initial=0)
                fractions = picture.mode == "F" and highest <= 1  # from 0 to 1
                span = 65535 if highest > 255 else 1 if fractions else 255
                picture = Image.fromarray((values / span * 255).clip(0, 255).astype(np.uint8))
            if picture.has_transparency_data:
                picture = picture.convert("RGBA")
                paper = Image.new("RGBA", picture.size, "white")
                picture = Image.alpha_composite(paper, picture)
            array = np.array(picture.convert("RGB"))
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DatasetError(
            f"{path}: cannot be read as a picture ({error}). The file may be cut off, not a "
            "picture at all, or of a kind that Pillow does not know (HEIC, camera raw): open it "
            "in a viewer and save it as JPEG, or copy it again."
        ) from error
    return torch.from_numpy(array).permute(2, 0, 1)


def read_mask(
    path: str | Path, palette: np.ndarray = VOC_PALETTE, num_classes: int = len(VOC_CLASSES)
) -> torch.Tensor:
    """A mask file as class indices, `uint8 [H, W]`.

    Palette PNGs of 1, 2, 4 or 8 bits give their indices; grey ones give their values; colour
    ones are looked up in `palette`.

    Args:
        palette, num_classes: see `seglab.palettes.indices_from_rgb`.

    Raises:
        DatasetError: missing, cut off, not a picture, a value above 255, or colours that the
            palette does not name.
    """
    try:
        with Image.open(path) as picture:
            packing = picture.tile[0][3] if picture.tile else ""  # "L;4": grey with 4 bits
            picture.load()
            if picture.mode in ("P", "L"):
                # Pillow stretches grey pictures of 2 and 4 bits to 0..255 (but not palette
                # pictures, whose numbers are names, not brightness). Undo the stretch.
                stretch = {"L;2": 85, "L;4": 17}.get(packing, 1)
                indices = np.array(picture) // stretch
            elif picture.mode == "1":
                indices = np.array(picture).astype(np.uint8)
            elif picture.mode.startswith("I"):
                indices = np.array(picture)
                if indices.max(initial=0) > 255:
                    raise DatasetError(
                        f"{path}: index {indices.max()} is above 255, the highest that a mask can "
                        "hold. Is it a mask of classes, not of objects or distances?"
                    )
                indices = indices.astype(np.uint8)
            else:
                indices = indices_from_rgb(np.array(picture.convert("RGB")), palette, num_classes)
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except UnknownColorError as error:
        raise DatasetError(f"{path}: {error}") from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise DatasetError(
            f"{path}: cannot be read as a mask ({error}). The file may be cut off or not a PNG at "
            "all: copy or export it again."
        ) from error
    return torch.from_numpy(indices)


def read_classes(root: str | Path) -> tuple[str, ...]:
    """The class names of a data set: `classes.txt` if there is one, else VOC's 21.

    Raises:
        DatasetError: no names, one that occurs twice, more than 255, or not UTF-8 text.
    """
    path = Path(root) / "classes.txt"
    if not path.exists():
        return VOC_CLASSES
    names = tuple(read_lines(path))
    if not names or len(set(names)) < len(names) or len(names) > VOID:
        raise DatasetError(
            f"{path}: expected 1 to {VOID} different class names, one a line; found {len(names)} "
            f"of which {len(set(names))} are different"
        )
    return names


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that are not blank, without blanks around them."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # "sig": Notepad begins with a hidden mark
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"{path}: not UTF-8 text ({error.reason}). Save it again as UTF-8; Windows "
            "PowerShell's `>` writes UTF-16."
        ) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


class SegmentationDataset(Dataset):
    """Images and masks of one split, read when asked for: what all readers of the course share.

    An item is `(image, mask)`: `tv_tensors.Image` `uint8 [3, H, W]` and `tv_tensors.Mask`
    `uint8 [H, W]` with indices from 0 to `num_classes - 1` and void (255). A reader of one layout
    sets the attributes and says where its files are: `image_path`, `mask_path`.

    Attributes:
        root, split: the folder, and which part of it.
        transforms: None, or called as `transforms(image, mask)`; see `seglab.transforms`.
        names: the names of the images of the split.
        classes, num_classes: the class names, index 0 first, and how many.
        palette: `uint8 [256, 3]`.
        unlabelled: images that lie in the folder without labels and are left out, if known.
    """

    root: Path
    split: str
    transforms: Callable | None
    names: list[str]
    classes: tuple[str, ...]
    num_classes: int
    palette: np.ndarray
    unlabelled: Sequence[str] = ()
    class_list = "classes.txt"  # the file to look into when an index has no class

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        image, mask = self.image(index), self.mask(index)
        if mask.shape != image.shape[1:]:
            raise DatasetError(
                f"{self.mask_path(index)}: the mask is {mask.shape[1]} x {mask.shape[0]} pixels "
                f"but its image is {image.shape[2]} x {image.shape[1]}. Every pixel needs one "
                "label: export the mask again."
            )
        image, mask = tv_tensors.Image(image), tv_tensors.Mask(mask)
        if self.transforms is not None:
            image, mask = self.transforms(image, mask)
        return image, mask

    def image(self, index: int) -> torch.Tensor:
        """The untransformed image, `uint8 [3, H, W]`."""
        return read_image(self.image_path(index))

    def mask(self, index: int) -> torch.Tensor:
        """The untransformed mask, `uint8 [H, W]`, its indices checked against the classes."""
        path = self.mask_path(index)
        mask = self.read_indices(index)
        labelled = mask[mask != VOID]
        if labelled.numel() and int(labelled.max()) >= self.num_classes:
            strangers = sorted({int(i) for i in labelled.unique() if i >= self.num_classes})
            raise DatasetError(
                f"{path}: index {', '.join(map(str, strangers[:5]))} has no class; there are "
                f"{self.num_classes} classes (0 to {self.num_classes - 1}) and void ({VOID}). "
                f"Is {self.class_list} complete?"
            )
        return mask

    def read_indices(self, index: int) -> torch.Tensor:
        """The indices that the mask's file stands for, `uint8 [H, W]`, not yet checked."""
        return read_mask(self.mask_path(index), self.palette, self.num_classes)

    def image_path(self, index: int) -> Path:
        """Where the image is."""
        raise NotImplementedError

    def mask_path(self, index: int) -> Path:
        """Where the mask is (or should be)."""
        raise NotImplementedError


class VOCSegmentation(SegmentationDataset):
    """Images and masks of one split of a folder in VOC layout, read when asked for.

    An item is `(image, mask)`: `tv_tensors.Image` `uint8 [3, H, W]` and `tv_tensors.Mask`
    `uint8 [H, W]` with indices from 0 to `num_classes - 1` and void (255).

    Args:
        root: the folder that holds `JPEGImages` and the others.
        split: the name of a file in `ImageSets/Segmentation`, such as `"train"` or `"val"`.
        transforms: called as `transforms(image, mask)`; see `seglab.transforms`.
        classes: class names, index 0 first; default: `classes.txt`, else VOC's.
        palette: `uint8 [256, 3]`; default: that of the first mask if it has one, else VOC's.

    Attributes:
        names: the names of the images of the split.
        classes, num_classes, palette: as above.

    Raises:
        DatasetError: not a VOC folder, an unknown or empty split, or an image without mask.
            Reading an item raises it for a file that is cut off, a mask of another size than
            its image, or an index without a class.
    """

    mask_folder = "SegmentationClass"

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Callable | None = None,
        classes: Sequence[str] | None = None,
        palette: np.ndarray | None = None,
    ):
        self.root = Path(root)
        self.split = split
        self.transforms = transforms
        self._check_folder()
        self.names = self._read_split()
        self.classes = tuple(classes) if classes is not None else read_classes(self.root)
        self.num_classes = len(self.classes)
        self._check_pairs()
        self.palette = self._read_palette() if palette is None else palette

    def objects(self, index: int) -> torch.Tensor:
        """Which object each pixel belongs to, `uint8 [H, W]`: 0 none, 1, 2, ..., 255 void."""
        return read_mask(self.root / "SegmentationObject" / f"{self.names[index]}.png")

    def image_path(self, index: int) -> Path:
        """Where the image is."""
        return self._find(self.root / "JPEGImages", self.names[index])

    def mask_path(self, index: int) -> Path:
        """Where the mask is (or should be)."""
        return self.root / self.mask_folder / f"{self.names[index]}.png"

    def _check_folder(self) -> None:
        needed = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
        missing = [name for name in needed if not (self.root / name).is_dir()]
        if missing:
            raise DatasetError(
                f"{self.root}: not a folder in VOC layout; missing {', '.join(missing)}. Give the "
                f"folder that holds {', '.join(needed)} (for the original VOC: VOCdevkit/VOC2012)."
            )

    def _read_split(self) -> list[str]:
        folder = self.root / "ImageSets" / "Segmentation"
        path = folder / f"{self.split}.txt"
        if not path.exists():
            found = ", ".join(sorted(p.stem for p in folder.glob("*.txt"))) or "none"
            raise DatasetError(f"{path}: no such split; found: {found}")
        names = read_lines(path)
        if not names:
            raise DatasetError(f"{path}: the split is empty; expected one image name a line")
        return names

    def _check_pairs(self) -> None:
        for index, name in enumerate(self.names):
            self._find(self.root / "JPEGImages", name)
            if not self.mask_path(index).exists():
                raise DatasetError(
                    f"{self.mask_path(index)}: no such mask, but {self.split}.txt names {name!r}. "
                    "Add the mask or strike the name."
                )

    def _find(self, folder: Path, name: str) -> Path:
        for suffix in IMAGE_SUFFIXES:
            path = folder / f"{name}{suffix}"
            if path.exists():
                return path
        raise DatasetError(
            f"{folder / name}.jpg: no such image (nor .jpeg, .png), but {self.split}.txt names "
            f"{name!r}. A split names images without folder and ending: 2007_000032"
        )

    def _read_palette(self) -> np.ndarray:
        try:
            with Image.open(self.mask_path(0)) as picture:
                colors = picture.getpalette("RGB") if picture.mode == "P" else None
        except OSError:
            colors = None  # the unreadable file is reported when it is asked for
        palette = VOC_PALETTE.copy()
        if colors:
            entries = np.array(colors, dtype=np.uint8).reshape(-1, 3)[: self.num_classes]
            palette[: len(entries)] = entries
        return palette


def rooms_folder() -> Path:
    """Where the embedded data set is: inside the installed package, or in the clone's `data`.

    Raises:
        DatasetError: neither is there.
    """
    return _embedded("rooms/ImageSets").parent


def photo(name: str) -> Path:
    """The path of a real photograph that comes with the course.

    Args:
        name: `"chelsea"` (a tabby cat) or `"coffee"` (a cup on a table), both CC0, from
            scikit-image.

    Raises:
        DatasetError: it is not there.
    """
    return _embedded(f"photos/{name}.jpg")


def _embedded(path: str) -> Path:
    """A file or folder of the embedded data: inside the package, or in the clone's `data`."""
    package = Path(__file__).resolve().parent
    for data in (package / "data", package.parent / "data"):
        if (data / path).exists():
            return data / path
    raise DatasetError(
        f"{path} was not found in {package / 'data'} or {package.parent / 'data'}; install "
        "the course again: in a fresh clone `pip install --force-reinstall .`"
    )


def rooms(split: str = "train", transforms: Callable | None = None) -> VOCSegmentation:
    """The embedded data set: rendered rooms and streets with nine of VOC's classes.

    Args:
        split: `"train"` (360 images), `"val"` (120) or `"trainval"`.
        transforms: called as `transforms(image, mask)`.
    """
    return VOCSegmentation(rooms_folder(), split, transforms)
