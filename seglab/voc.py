"""Data sets in the folder layout of PASCAL VOC 2012.

root/JPEGImages/NAME.jpg              the images
root/SegmentationClass/NAME.png       the masks: palette PNGs of class indices, 255 is void
root/SegmentationObject/NAME.png      optional: which object each pixel belongs to
root/ImageSets/Segmentation/SPLIT.txt the names of a split, one a line
root/classes.txt                      optional: class names, one a line, index 0 first
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unicodedata import normalize

import numpy as np
import torch
from PIL import Image, ImageOps
from torch.utils.data import Dataset
from torchvision import tv_tensors

from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, UnknownColorError, indices_from_rgb

PICTURE_ENDINGS = (".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")
VOC_FOLDERS = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")


class DatasetError(ValueError):
    """A data set on disk is not what it should be. The message names the file and the cure."""


@contextmanager
def _opened(path: str | Path, what: str) -> Iterator[Image.Image]:
    """A picture file; whatever goes wrong while it is read becomes one clear error."""
    try:
        with Image.open(path) as picture:
            yield picture
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetError(f"{path}: no such file") from None
    except Image.DecompressionBombError as error:
        raise DatasetError(
            f"{path}: too large ({error}). Shrink it in a picture viewer, to 4000 pixels or so."
        ) from error
    except (OSError, SyntaxError, ValueError) as error:
        raise DatasetError(
            f"{path}: cannot be read as a {what} ({error}). The file may be cut off, not a "
            "picture at all, or of a kind that Pillow does not know (HEIC, camera raw): copy it "
            "again, or open it in a viewer and save it as JPEG (a mask as PNG)."
        ) from error


def read_image(path: str | Path) -> torch.Tensor:
    """Any picture file as `uint8 [3, H, W]`, red green blue, upright.

    Grey, palette, transparent (on white), CMYK, 16-bit and floating-point grey pictures are
    converted; the camera's rotation flag (EXIF) is obeyed. Of several pictures the first counts.

    Raises:
        DatasetError: the file is missing, cut off, or not a picture.
    """
    with _opened(path, "picture") as picture:
        picture = ImageOps.exif_transpose(picture)
        if picture.mode.startswith("I") or picture.mode == "F":
            values = np.asarray(picture, dtype=np.float64)
            grey = values / _white(values.max(initial=0), picture.mode == "F") * 255
            picture = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            paper = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(paper, picture)
        array = np.array(picture.convert("RGB"))
    return torch.from_numpy(array).permute(2, 0, 1)


def _white(highest: float, real: bool) -> float:
    """The number that means white: 1 of fractions; cameras fill 8, 10, 12, 14 or 16 bits of a
    wider file. A few values above 255 do not make a picture dark: up to 511 the highest is white.
    """
    if real and highest <= 1:
        return 1
    if highest < 512:
        return max(highest, 255)
    return next((2**bits - 1 for bits in (10, 12, 14) if highest < 2**bits), 65535)


def read_mask(
    path: str | Path, palette: np.ndarray = VOC_PALETTE, num_classes: int = len(VOC_CLASSES)
) -> torch.Tensor:
    """A mask file as class indices, `uint8 [H, W]`.

    Palette PNGs of 1, 2, 4 or 8 bits give their indices; grey ones give their values; colour
    ones are looked up in `palette`.

    Args:
        palette, num_classes: see `seglab.palettes.indices_from_rgb`.

    Raises:
        DatasetError: missing, cut off, not a picture, a JPEG, a value above 255 or a fraction,
            labels in the alpha channel, or colours that the palette does not name.
    """
    with _opened(path, "mask") as picture:
        packing = picture.tile[0][3] if picture.tile else ""  # "L;4": grey with 4 bits
        if picture.format in ("JPEG", "MPO"):
            raise DatasetError(
                f"{path}: a JPEG, whatever its name says. JPEG changes numbers a little, so labels "
                "are wrong along every edge. Export the masks as PNG from their tool"
            )
        picture.load()
        if picture.mode in ("P", "L"):
            # Pillow stretches grey pictures of 2 and 4 bits to 0..255 (but not palette
            # pictures, whose numbers are names, not brightness). Undo the stretch.
            indices = np.array(picture) // {"L;2": 85, "L;4": 17}.get(packing, 1)
        elif picture.mode[0] in "1IF":
            indices = np.array(picture)
            strange = indices[(indices < 0) | (indices > 255) | (indices % 1 != 0)]
            if strange.size:
                raise DatasetError(
                    f"{path}: index {strange.max():g}, but a mask holds whole numbers from 0 to "
                    "255. Is it a mask of classes, not of objects or distances?"
                )
        else:
            indices = _indices_of_colors(path, picture, palette, num_classes)
    return torch.from_numpy(indices.astype(np.uint8))


def _indices_of_colors(path, picture, palette, num_classes) -> np.ndarray:
    """Colours looked up in the palette; grey numbers that are stored in three channels as such."""
    rgb = np.array(picture.convert("RGB"))
    one_color = (rgb == rgb[:1, :1]).all()
    if one_color and picture.mode.endswith("A") and np.ptp(np.array(picture.getchannel("A"))):
        raise DatasetError(
            f"{path}: one colour everywhere, and the label in the alpha channel. Save that channel "
            "alone, as a grey PNG of class indices"
        )
    try:
        return indices_from_rgb(rgb, palette, num_classes)
    except UnknownColorError as error:
        if (rgb == rgb[..., :1]).all():
            return rgb[..., 0]
        raise DatasetError(
            f"{path}: {error} Colours of your own are named in labelmap.txt (cat:250,50,83::)."
        ) from error


def check_classes(path: str | Path, names: Sequence[str]) -> None:
    """Raises DatasetError unless there are 1 to 255 names, all different."""
    if not names or len(set(names)) < len(names) or len(names) > VOID:
        raise DatasetError(
            f"{path}: expected 1 to {VOID} different class names, one a line; found {len(names)} "
            f"of which {len(set(names))} are different"
        )


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


def read_classes(path: Path) -> list[str]:
    """Class names, one a line."""
    check_classes(path, names := read_lines(path))
    return names


def pictures(folder: Path, preferred: str = ".jpg") -> dict[str, Path]:
    """The picture files in a folder and those in it: name without ending -> file.

    Of two with one name the preferred ending counts. Where macOS stores ü as u and two dots, the
    names here have one letter (NFC).
    """
    found = {}
    for path in sorted(folder.rglob("*"), key=lambda p: (p.suffix.lower() != preferred, p)):
        if path.suffix.lower() in PICTURE_ENDINGS and not path.name.startswith("."):
            name = path.relative_to(folder).with_suffix("").as_posix()
            found.setdefault(normalize("NFC", name), path)
    return found


def few(items: Sequence[str], most: int = 5) -> str:
    """The first few of a list, and how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more


class VOCSegmentation(Dataset):
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
        DatasetError: not a VOC folder, an unknown or empty split, or an image without mask. An
            item: a file cut off, image and mask of two sizes, an index without a class, or a
            palette that contradicts the first mask's.
    """

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
        self.names = self._read_split()
        own = self.root / "classes.txt"
        self.classes = tuple(classes or (read_classes(own) if own.exists() else VOC_CLASSES))
        self.num_classes = len(self.classes)
        self._images = self._files_of("JPEGImages", ".jpg", "image")
        self._masks = self._files_of("SegmentationClass", ".png", "mask")
        self._first_colors = _colors_of(self.mask_path(0))
        self.palette = self._extended(self._first_colors) if palette is None else palette

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> tuple[tv_tensors.Image, tv_tensors.Mask]:
        image, mask = self.image(index), self.mask(index)
        check_sizes(self.image_path(index), image.shape[1:], self.mask_path(index), mask.shape)
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
        mask = read_mask(path, self.palette, self.num_classes)
        present = torch.bincount(mask.flatten(), minlength=256)[:VOID].nonzero()[:, 0].tolist()
        if strangers := [str(i) for i in present if i >= self.num_classes]:
            raise DatasetError(
                f"{path}: index {few(strangers)} has no class; there are {self.num_classes} "
                f"classes (0 to {self.num_classes - 1}) and void ({VOID}). Is classes.txt complete?"
            )
        self._check_colors(path, present)
        return mask

    def objects(self, index: int) -> torch.Tensor:
        """Which object each pixel belongs to, `uint8 [H, W]`: 0 none, 1, 2, ..., 255 void."""
        return read_mask(self.root / "SegmentationObject" / f"{self.names[index]}.png")

    def image_path(self, index: int) -> Path:
        """Where the image is."""
        return self._images[self.names[index]]

    def mask_path(self, index: int) -> Path:
        """Where the mask is."""
        return self._masks[self.names[index]]

    def _read_split(self) -> list[str]:
        """The names of the split."""
        if missing := [name for name in VOC_FOLDERS if not (self.root / name).is_dir()]:
            raise DatasetError(
                f"{self.root}: not a folder in VOC layout; missing {', '.join(missing)}. Give the "
                f"folder that holds {', '.join(VOC_FOLDERS)} (of VOC itself: VOCdevkit/VOC2012)."
            )
        path = self.root / VOC_FOLDERS[2] / f"{self.split}.txt"
        if not path.exists():
            found = ", ".join(sorted(p.stem for p in path.parent.glob("*.txt"))) or "none"
            raise DatasetError(f"{path}: no such split; found: {found}")
        names = [normalize("NFC", name) for name in read_lines(path)]
        if not names:
            raise DatasetError(f"{path}: the split is empty; expected one image name a line")
        return names

    def _files_of(self, folder: str, ending: str, what: str) -> dict[str, Path]:
        """All files of a folder by name, those of the split among them."""
        files = pictures(self.root / folder, ending)
        if lost := [name for name in self.names if name not in files]:
            raise DatasetError(
                f"{self.root / folder / lost[0]}{ending}: no such {what} (with any ending), but "
                f"{self.split}.txt names it; {len(lost)} of {len(self.names)} are missing: "
                f"{few(lost)}. Add them or strike the names (without folder and ending in a split)"
            )
        return files

    def _extended(self, colors: np.ndarray | None) -> np.ndarray:
        """A palette of 256 colours: classes and void as a mask has them, the others VOC's."""
        palette = VOC_PALETTE.copy()
        if colors is None:
            return palette
        palette[: min(len(colors), self.num_classes)] = colors[: self.num_classes]
        void = colors[VOID:]
        if len(void) and not (palette[: self.num_classes] == void).all(1).any():
            palette[VOID] = void[0]  # unless a class has the same colour
        return palette

    def _check_colors(self, path: Path, present: list[int]) -> None:
        """One colour must not be one class in the first mask and another one here."""
        colors = _colors_of(path)
        if colors is None or self._first_colors is None:
            return
        for index in present:
            alike = (self._first_colors == colors[index]).all(1).nonzero()[0]
            if len(alike) and index not in alike:
                raise DatasetError(
                    f"{path}: the colour {tuple(colors[index].tolist())} is index {index} here, "
                    f"but {alike[0]} in {self.mask_path(0).name}: the palettes disagree. Export "
                    "all masks with one palette, or as RGB with a labelmap.txt"
                )


def check_sizes(image_path: Path, image: Sequence[int], mask_path: Path, mask: Sequence[int]):
    """Raises DatasetError unless an image and its mask have the same `(height, width)`."""
    if tuple(mask) == tuple(image):
        return
    cure = "Every pixel needs one label: export the mask again"
    if tuple(mask) == tuple(image)[::-1] and orientation(image_path) > 1:
        cure = (
            "The camera was turned (EXIF), so the image is shown upright; the mask is not. Was it "
            f"drawn on the picture as stored? Then: exiftool -Orientation= {image_path.name}"
        )
    raise DatasetError(
        f"{mask_path}: the mask is {mask[1]} x {mask[0]} pixels but its image is {image[1]} x "
        f"{image[0]}. {cure}."
    )


def orientation(path: str | Path) -> int:
    """How the camera was held, from 1 (upright) to 8, by the file's tag (EXIF)."""
    with _opened(path, "picture") as picture:
        return picture.getexif().get(0x0112, 1)


def upright_size(path: str | Path) -> tuple[int, int]:
    """(height, width) of a picture as it is shown, without reading its pixels."""
    turned = orientation(path) > 4
    with _opened(path, "picture") as picture:
        return picture.size if turned else picture.size[::-1]


def _colors_of(path: Path) -> np.ndarray | None:
    """The palette of a mask file, `uint8 [256, 3]` or shorter; None if it has none."""
    try:
        with Image.open(path) as picture:
            colors = picture.getpalette("RGB") if picture.mode == "P" else None
    except OSError:
        return None  # the unreadable file is reported when it is asked for
    return np.array(colors, dtype=np.uint8).reshape(-1, 3) if colors else None


def rooms_folder() -> Path:
    """Where the embedded data set is: inside the installed package, or in the clone's `data`."""
    return _embedded("rooms/ImageSets").parent


def photo(name: str) -> Path:
    """The path of a real photograph that comes with the course: `"chelsea"` (a tabby cat),
    `"coffee"` (a cup on a table) or `"astronaut"` (a person), from scikit-image."""
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
