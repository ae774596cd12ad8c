"""Masks that are pictures already: labelme's and CVAT's exports, Roboflow, Label Studio, pairs.

A reader answers None where a folder is not of its kind.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
from PIL import Image

from seglab.datasets.items import (
    BACKGROUND,
    IMAGE_FOLDERS,
    VOID_NAMES,
    Canvas,
    Contents,
    Item,
    Pictures,
    json_of,
    split_in,
    split_of,
)
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, UnknownColorError, indices_from_rgb
from seglab.voc import (
    PICTURE_ENDINGS,
    VOC_FOLDERS,
    DatasetError,
    check_classes,
    pictures,
    read_image,
    read_lines,
    read_mask,
    upright_size,
)

# ---------------------------------------------------------------- names and colours of the classes


def read_label_map(path: str | Path) -> dict[str, tuple[int, int, int]]:
    """The colours of CVAT's `labelmap.txt` (`cat:250,50,83::`) or of the `label_colors.txt` of its
    CamVid export (`250 50 83 cat`), in the order of the file: name -> (red, green, blue).

    Raises:
        DatasetError: a line without three numbers from 0 to 255, two labels of one name or one
            colour.
    """
    path, colors = Path(path), {}
    for line in read_lines(path):
        if line.startswith("#"):
            continue
        found = re.fullmatch(r"(?P<name>[^:]*):(?P<rgb>[\d, ]+)(:.*)?", line) or re.fullmatch(
            r"(?P<rgb>\d+\s+\d+\s+\d+)\s+(?P<name>.+)", line
        )
        color = tuple(map(int, re.findall(r"\d+", found["rgb"]))) if found else ()
        if len(color) != 3 or max(color) > 255:
            raise DatasetError(
                f"{path}: expected lines such as cat:250,50,83:: (name and colour); found {line!r}"
            )
        name = found["name"]
        if name in colors:
            raise DatasetError(f"{path}: the label {name!r} occurs twice")
        if color in colors.values():
            other = next(n for n, c in colors.items() if c == color)
            raise DatasetError(
                f"{path}: {other!r} and {name!r} have the same colour {color}, so a mask cannot "
                "tell them apart. Change one colour in CVAT and export again"
            )
        colors[name] = color
    return colors


class Classes(NamedTuple):
    """Names, colours `uint8 [256, 3]`, how a mask is read as `uint8 [H, W]`, and what of it is
    guessed."""

    names: Sequence[str]
    palette: np.ndarray
    read: Callable[[Path], np.ndarray]
    guesses: Sequence[str] = ()


def classes_of(root: Path, masks: Sequence[Path], others: Sequence[str] = ()) -> Classes:
    """What the classes are called: `labelmap.txt` or `label_colors.txt` (then masks go by colour),
    `class_names.txt` or `classes.txt`; else these others, or by number."""
    for path in (root / "labelmap.txt", root / "label_colors.txt"):
        if path.exists():
            return _classes_of_colors(path)
    guesses = []
    if own := [root / n for n in ("class_names.txt", "classes.txt") if (root / n).exists()]:
        names = [BACKGROUND if name == "_background_" else name for name in read_lines(own[0])]
        names = names[1:] if names[:1] == ["__ignore__"] else names  # labelme's void
        check_classes(own[0], names)
    else:
        names = others or _numbered(masks)
        guesses = [] if others else ["class names (classes.txt would give them)"]
    return Classes(names, VOC_PALETTE, partial(_numbers, count=len(names)), guesses)


def _classes_of_colors(path: Path) -> Classes:
    """The background (the label of that name, or the black one) first, the others in the order of
    the file; labels named ignore or void are void."""
    colors = read_label_map(path)
    black = [name for name, color in colors.items() if color == (0, 0, 0)]
    first = BACKGROUND if BACKGROUND in colors else black[0] if black else None
    names = [name for name in colors if name.casefold() not in VOID_NAMES]
    names.sort(key=lambda name: name != first)  # stable: only the background moves
    check_classes(path, names)
    palette = np.zeros((256, 3), dtype=np.uint8)
    palette[: len(names)] = [colors[name] for name in names]
    void = [color for name, color in colors.items() if name not in names]
    # Without a void of its own, void gets a grey that no class has.
    greys = ((n, n, n) for n in range(255, -1, -1))
    palette[VOID] = void[0] if void else next(c for c in greys if c not in colors.values())
    return Classes(names, palette, partial(_numbers_of_colors, palette=palette, count=len(names)))


def _numbers(path: Path, count: int = len(VOC_CLASSES)) -> np.ndarray:
    return read_mask(path, num_classes=count).numpy()


def indexed(path: Path, count: int = len(VOC_CLASSES)) -> Canvas:
    """A mask file that holds nothing but indices."""
    return Canvas(_numbers(path, count))


def _numbers_of_colors(path: Path, palette: np.ndarray, count: int) -> np.ndarray:
    """The class of each colour, whatever its index in the file; grey numbers without a colour of
    their own are indices."""
    try:
        return indices_from_rgb(read_image(path).permute(1, 2, 0).numpy(), palette, count)
    except UnknownColorError as error:
        with Image.open(path) as picture:
            if picture.mode == "L":
                return _numbers(path)
        raise DatasetError(f"{path}: {error}") from error


def _numbered(masks: Sequence[Path]) -> list[str]:
    """Names for classes that have none: background, class 1, class 2, ..."""
    highest = max(int(mask[mask != VOID].max(initial=0)) for mask in map(_numbers, masks))
    if highest > 1:
        return [BACKGROUND, *(f"class {number}" for number in range(1, highest + 1))]
    return [BACKGROUND, "object"]


# ---------------------------------------------------------------- pairs of image and mask

LAYOUTS = {  # folder of images -> folders of masks
    "JPEGImages": ("SegmentationClassPNG", "SegmentationClass"),
    **dict.fromkeys(IMAGE_FOLDERS, ("masks", "mask", "labels", "annotations", "gt")),
}
MASK_TAIL = re.compile(r"[_-](masks?|labels?|gt|seg(mentation)?|annotation)$", re.I)


def read_pairs(root: Path) -> Contents | None:
    """Images and masks in two folders, paired by name: what labelme's converters to VOC and CVAT's
    "Segmentation mask 1.1" write, and what people make (`images` and `masks`).

    Classes: see `classes_of`; with lists of splits they are VOC's. A mask may have `_mask` or the
    like after the name. Splits: `ImageSets/Segmentation`, or the folders.
    Sources: labelme, examples/semantic_segmentation/labelme2voc.py; labelme-toolkit,
    `export_to_voc`; CVAT's documentation, "Segmentation Mask".
    """
    images, masks, folders = {}, {}, []
    for place in [root, *sorted(path for path in root.glob("*") if path.is_dir())]:
        lying = {path.name.casefold(): path for path in place.iterdir() if path.is_dir()}
        for name, choice in LAYOUTS.items():
            folder = lying.get(name.casefold())
            choice = [lying[c.casefold()] for c in choice if c.casefold() in lying]
            choice = [path for path in choice if pictures(path)]
            if choice and (folder or name == "JPEGImages"):
                before = "" if place == root else f"{place.name}/"  # each split may have its own
                folders.append(folder or place / name)
                images |= {before + n: p for n, p in pictures(folders[-1]).items()}
                masks |= {before + n: p for n, p in pictures(choice[0], ".png").items()}
    if not folders:
        signs = ("labelmap.txt", "JPEGImages", "SegmentationClass", "SegmentationClassPNG")
        if not any((root / sign).exists() for sign in signs):
            return None
        raise DatasetError(f"{root}: no masks in SegmentationClass. Label images and export again")
    masks = {name if name in images else MASK_TAIL.sub("", name): p for name, p in masks.items()}
    lists = (root / VOC_FOLDERS[2]).glob("*.txt")
    listed = {
        normalize("NFC", name): split_of(path.stem)
        for path in sorted(lists, key=lambda path: split_of(path.stem) != "")  # these decide
        for name in read_lines(path)
    }
    masks = {name: masks[name] for name in sorted(masks) if not listed or name in listed}
    classes = classes_of(root, list(masks.values()), VOC_CLASSES if listed else ())
    items = []
    for name, mask in masks.items():
        objects = root / "SegmentationObject" / f"{name}.png"
        draw = partial(_pair_canvas, mask, objects, classes.read)
        split = listed.get(name) or split_in(root, images.get(name, mask))
        items.append(Item(images.get(name), mask, draw, split, name))
    return Contents(
        classes.names,
        items,
        classes.palette,
        classes.guesses,
        sorted({*images, *listed} - {*masks}),
        f'Copy the photographs into {folders[0]} (CVAT leaves them out unless "Save images" is on)',
    )


def _pair_canvas(mask: Path, objects: Path, read: Callable[[Path], np.ndarray]) -> Canvas:
    return Canvas(read(mask), _object_numbers(objects) if objects.exists() else None)


def _object_numbers(path: Path) -> np.ndarray:
    """Which object each pixel belongs to: by index, or each colour that is not black is one."""
    try:
        return _numbers(path, count=255)
    except DatasetError:
        rgb = read_image(path).numpy().astype(np.int64)
        colors, numbers = np.unique(rgb[0] * 65536 + rgb[1] * 256 + rgb[2], return_inverse=True)
        return numbers.reshape(rgb.shape[1:]) + (colors[0] != 0)


# ---------------------------------------------------------------- Roboflow


def read_roboflow(root: Path) -> Contents | None:
    """Roboflow's "Semantic Segmentation Masks": in each of train, valid and test lie NAME.jpg,
    NAME_mask.png (grey numbers) and `_classes.csv` (`Pixel Value, Class`)."""
    tables, masks = [], {}
    for path in sorted(root.rglob("_classes.csv")):
        rows = (re.fullmatch(r"(\d+)\s*[,;]\s*(.+)", line) for line in read_lines(path))
        tables.append({int(row[1]): row[2] for row in rows if row})
        lying = pictures(path.parent)
        names = [name for name in lying if name.endswith("_mask")]
        masks |= {lying[name]: lying.get(name.removesuffix("_mask")) for name in names}
    if not tables:
        return None
    if any(table != tables[0] for table in tables):
        raise DatasetError(f"{root}: the files _classes.csv differ; export all splits together")
    table = tables[0]
    classes = [table.get(n, f"class {n}") for n in range(max(table, default=0) + 1)]
    items = []
    for mask, image in masks.items():
        draw = partial(indexed, mask, len(classes))
        items.append(Item(image, mask, draw, split_in(root, mask), mask.stem))
    return Contents(classes, items, cure="Export from Roboflow again")


# ---------------------------------------------------------------- Label Studio

REGION = re.compile(r"task-(\d+)-annotation-(\d+)-by-([^-]*)-(.+)-(\d+)\.png")
OTHER_AREAS = ("polygonlabels", "rectanglelabels", "ellipselabels", "labels")  # no brush strokes
UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an upload


def is_task_list(content: object) -> bool:
    """Is this Label Studio's "JSON" export?"""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(t, dict) and {"id", "data", "annotations"} <= set(t) for t in content)
    )


def read_label_studio(root: Path) -> Contents | None:
    """What Label Studio's "Brush labels to PNG" writes, with the JSON that explains it.

        root/task-1-annotation-1-by-1-tag-cat-0.png     one region: 255 inside, 0 outside
        root/project-1-at-2026-01-31.json               the export "JSON" (not "JSON-MIN")
        root/images/IMG_1.jpg                           the photographs, anywhere below root

    The PNGs name neither the image nor all labels, so the JSON export of the same state of the
    project is needed. Regions lie in the order they were drawn; what none covers is background.
    Classes are background and the labels that occur, by the alphabet. Tasks without annotation
    are left out; one that was submitted empty is all background.

    Source: label-studio-sdk, converter/brush.py; every value above 0 belongs to the region.
    """
    matches = ((REGION.fullmatch(path.name), path) for path in root.rglob("task-*.png"))
    pngs = {(m[1], m[2], m[4], int(m[5])): path for m, path in matches if m}
    if not pngs:
        return None
    found = ((path, json_of(path)) for path in sorted(root.glob("*.json")))
    file, tasks = next((pair for pair in found if is_task_list(pair[1])), (None, None))
    if file is None:
        raise DatasetError(
            f"{root}: PNGs of Label Studio, but not its JSON export, which says which image each "
            'task shows. Export the project a second time, as "JSON" (not JSON-MIN), into this '
            "folder"
        )
    lying = Pictures(root)
    cleaned = {_cleaned(path.name): path for path in lying.files}
    classes, items, unlabelled = [BACKGROUND], [], []
    for task in tasks:
        where, stored = f"{file}: task {task['id']}", _stored_name(file, task)
        annotation = _annotation(where, task)
        if annotation is None:
            unlabelled.append(stored)
            continue
        plain = UPLOADED.sub("", stored)
        image = lying.find(stored) or lying.find(plain) or cleaned.get(plain)
        if image and any(image == item.image for item in items):
            raise DatasetError(f"{file}: two tasks show an image called {image.stem}; delete one")
        regions = _regions(where, task, annotation, pngs)
        classes += sorted({label for label, _ in regions} - {*classes})
        draw = partial(_brushed, image, regions, classes)
        items.append(Item(image, file, draw, called=f"{stored!r} of task {task['id']}"))
    classes[1:] = sorted(classes[1:])
    return Contents(
        classes,
        items,
        guesses=["classes by the alphabet"],
        unlabelled=unlabelled,
        cure=f"The export holds no images: copy the photographs into {root / 'images'}",
    )


def _cleaned(name: str) -> str:
    """A file name as Django stores an upload: no blanks, brackets or other signs."""
    return re.sub(r"[^-\w.]", "", normalize("NFC", name).strip().replace(" ", "_"))


def _brushed(image: Path, regions: Sequence[tuple[str, Path]], classes: Sequence[str]) -> Canvas:
    """The regions of an image, laid one over the other."""
    height, width = upright_size(image)
    canvas = Canvas.blank(height, width)
    for number, (label, path) in enumerate(regions, start=1):
        inside = _numbers(path) > 0
        if inside.shape != canvas.mask.shape:
            raise DatasetError(
                f"{path}: the region is {inside.shape[1]} x {inside.shape[0]} pixels, but the "
                f"image is {width} x {height}; is {image.name} the photograph that was labelled?"
            )
        canvas.lay(inside, classes.index(label), number)
    return canvas


def _annotation(where: str, task: dict) -> dict | None:
    """The one annotation of a task that counts."""
    made = [a for a in task["annotations"] if not (a.get("was_cancelled") or a.get("skipped"))]
    if len(made) > 1:
        made = [a for a in made if a.get("ground_truth")] or made
    if len(made) > 1:
        raise DatasetError(
            f"{where} has {len(made)} annotations. In Label Studio mark one of them as ground "
            "truth (the star) or delete the others, and export again"
        )
    return made[0] if made else None


def _regions(where: str, task: dict, annotation: dict, pngs: dict) -> list[tuple[str, Path]]:
    """Label and PNG of each region, in the order in which they were drawn."""
    regions, counts = [], Counter()
    for result in annotation.get("result") or []:
        kind, value = str(result.get("type", "")).lower(), result.get("value", {})
        if "rle" not in value and kind in OTHER_AREAS:
            raise DatasetError(
                f"{where} has a region of the kind {kind}; the PNG export holds brush regions "
                "only. Draw it anew with the brush, or export the project as COCO"
            )
        if "rle" not in value or kind not in ("brushlabels", "labels"):
            continue  # a point, a remark about the image; the brush, whose label comes by itself
        labels = value.get(kind) or []
        if len(labels) != 1:
            raise DatasetError(
                f"{where} has a region with {len(labels)} labels ({', '.join(labels)}); give "
                "each region exactly one"
            )
        name = f"{result['from_name']}-{labels[0]}".replace("/", "-").replace("\\", "-")
        key = str(task["id"]), str(annotation["id"]), name, counts[name]
        counts[name] += 1
        if key not in pngs:
            raise DatasetError(
                f"{where.split(': ')[0]}: no PNG of task {task['id']}, annotation "
                f"{annotation['id']}, region {name}-{key[3]}, but the JSON has it. Export JSON and "
                "Brush labels to PNG at the same time"
            )
        regions.append((labels[0], pngs[key]))
    return regions


def _stored_name(file: Path, task: dict) -> str:
    """The file name of a task's image, whichever way Label Studio reached it."""
    values = [v for v in task["data"].values() if isinstance(v, str)]
    for value in values:
        parts = urlsplit(value)
        local = parse_qs(parts.query).get("d")  # /data/local-files/?d=photos/IMG_1.jpg
        name = (local[0] if local else unquote(parts.path)).replace("\\", "/").split("/")[-1]
        if Path(name).suffix.lower() in PICTURE_ENDINGS:
            return name
    raise DatasetError(
        f"{file}: task {task['id']} names no picture; its data: {', '.join(values) or 'none'}"
    )
