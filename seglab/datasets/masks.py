"""Masks that are pictures already: labelme's and CVAT's exports, Roboflow, Label Studio, pairs."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from unicodedata import normalize
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from seglab.datasets.items import (
    BACKGROUND,
    VOID_NAMES,
    Canvas,
    Contents,
    Item,
    Pictures,
    json_of,
    refuse_lost,
    short_names,
    split_in,
    split_of,
)
from seglab.palettes import VOC_CLASSES, VOC_PALETTE, VOID, UnknownColorError, indices_from_rgb
from seglab.voc import (
    PICTURE_ENDINGS,
    DatasetError,
    check_classes,
    pictures,
    read_image,
    read_lines,
    read_mask,
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


def classes_of_colors(path: Path) -> tuple[list[str], np.ndarray]:
    """Class names and palette of a label map: the background (the label of that name, or the black
    one) first, the others in the order of the file; labels named ignore or void are void."""
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
    return names, palette


def read_colors(path: Path, palette: np.ndarray, num_classes: int) -> np.ndarray:
    """A mask whose colours are in a label map, whatever their index in the file: `uint8 [H, W]`."""
    rgb = read_image(path).permute(1, 2, 0).numpy()
    try:
        return indices_from_rgb(rgb, palette, num_classes)
    except UnknownColorError as error:
        raise DatasetError(f"{path}: {error}") from error


def read_names(path: Path) -> list[str]:
    """Class names a line each; labelme's `__ignore__` at the start is void and no class."""
    names = [BACKGROUND if name == "_background_" else name for name in read_lines(path)]
    names = names[1:] if names[:1] == ["__ignore__"] else names
    check_classes(path, names)
    return names


# ---------------------------------------------------------------- pairs of image and mask

LAYOUTS = {  # folder of images -> folders of masks
    "JPEGImages": ("SegmentationClassPNG", "SegmentationClass"),
    **dict.fromkeys(
        ("images", "image", "imgs", "img"), ("masks", "mask", "labels", "annotations", "gt")
    ),
}
MASK_TAIL = re.compile(r"[_-](masks?|labels?|gt|seg(mentation)?|annotation)$", re.I)


def _layouts(root: Path) -> list[tuple[Path, Path]]:
    """Folders of images and of their masks; each split may have its own."""
    found = []
    for place in [root, *sorted(path for path in root.glob("*") if path.is_dir())]:
        for images, masks in LAYOUTS.items():
            choice = [place / name for name in masks if pictures(place / name)]
            if choice and (images == "JPEGImages" or (place / images).is_dir()):
                found.append((place / images, choice[0]))
    return found


def is_pairs(root: Path) -> bool:
    """Are there a folder of images and one of masks, called as VOC or most people call them?"""
    parts = ("labelmap.txt", "JPEGImages", "SegmentationClass", "SegmentationClassPNG")
    return any((root / part).exists() for part in parts) or bool(_layouts(root))


def read_pairs(root: Path) -> Contents:
    """Images and masks in two folders, paired by name: what labelme's converters to VOC and CVAT's
    "Segmentation mask 1.1" write, and what people make (`images` and `masks`).

    Classes: `labelmap.txt` (colours), `class_names.txt` or `classes.txt`, else numbered. A mask
    may have `_mask` or the like after the name. Splits: `ImageSets/Segmentation`, or the folders.
    Sources: labelme, examples/semantic_segmentation/labelme2voc.py; labelme-toolkit,
    `export_to_voc`; CVAT's documentation, "Segmentation Mask".
    """
    layouts = _layouts(root)
    if not layouts:
        raise DatasetError(f"{root}: no masks in SegmentationClass. Label images and export again")
    images = {name: p for folder, _ in layouts for name, p in _named(root, folder).items()}
    masks = {name: p for _, folder in layouts for name, p in _named(root, folder, ".png").items()}
    masks = {name if name in images else MASK_TAIL.sub("", name): p for name, p in masks.items()}
    lists = (root / "ImageSets" / "Segmentation").glob("*.txt")
    listed = {
        normalize("NFC", name): split_of(path.stem)
        for path in sorted(lists, key=lambda path: path.stem != "trainval")  # the others decide
        for name in read_lines(path)
    }
    names = sorted(name for name in masks if not listed or name in listed)
    cure = (
        f'Copy the photographs into {layouts[0][0]} (CVAT leaves them out unless "Save images" is '
        "on)"
    )
    refuse_lost(root, [name for name in names if name not in images], len(names), cure)
    palette, reader, guesses = VOC_PALETTE, read_mask, []
    files = [root / n for n in ("class_names.txt", "classes.txt") if (root / n).exists()]
    if (root / "labelmap.txt").exists():
        classes, palette = classes_of_colors(root / "labelmap.txt")
        reader = read_colors
    elif files:
        classes = read_names(files[0])
    elif listed:
        classes = VOC_CLASSES
    else:
        classes = numbered([masks[name] for name in names])
        guesses = ["class names (classes.txt would give them)"]

    def canvas(name: str) -> Canvas:
        objects = root / "SegmentationObject" / f"{name}.png"
        return Canvas(
            np.asarray(reader(masks[name], palette, len(classes))),
            _object_numbers(objects) if objects.exists() else None,
        )

    return Contents(
        classes,
        (
            Item(
                name.replace("/", "_"),
                images[name],
                canvas(name),
                masks[name],
                listed.get(name) or split_in(root, images[name]),
            )
            for name in names
        ),
        palette,
        guesses,
        sorted((set(images) | set(listed)) - set(names)),
    )


def _named(root: Path, folder: Path, preferred: str = ".jpg") -> dict[str, Path]:
    """The pictures of a folder; in the folder of a split, its name comes before theirs."""
    before = "" if folder.parent == root else f"{folder.parent.name}/"
    return {before + name: path for name, path in pictures(folder, preferred).items()}


def numbered(masks: Sequence[Path]) -> list[str]:
    """Names for classes that have none: background, class 1, class 2, ..."""
    highest = 0
    for path in masks:
        mask = read_mask(path)
        highest = max(highest, int(mask[mask != VOID].max()) if (mask != VOID).any() else 0)
    if highest > 1:
        return [BACKGROUND, *(f"class {number}" for number in range(1, highest + 1))]
    return [BACKGROUND, "object"]


def _object_numbers(path: Path) -> np.ndarray:
    """Which object each pixel belongs to: by index, or each colour that is not black is one."""
    try:
        return read_mask(path, num_classes=255).numpy()
    except DatasetError:
        rgb = read_image(path).numpy().astype(np.int64)
        colors, numbers = np.unique(rgb[0] * 65536 + rgb[1] * 256 + rgb[2], return_inverse=True)
        return numbers.reshape(rgb.shape[1:]) + (colors[0] != 0)


# ---------------------------------------------------------------- Roboflow


def is_roboflow(root: Path) -> bool:
    """Is there a `_classes.csv`?"""
    return any(root.rglob("_classes.csv"))


def read_roboflow(root: Path) -> Contents:
    """Roboflow's "Semantic Segmentation Masks": in each of train, valid and test lie NAME.jpg,
    NAME_mask.png (grey numbers) and `_classes.csv` (`Pixel Value, Class`)."""
    tables, pairs, lost = [], [], []
    for path in sorted(root.rglob("_classes.csv")):
        rows = [[cell.strip() for cell in row] for row in csv.reader(read_lines(path))]
        tables.append({int(row[0]): row[1] for row in rows if row and row[0].isdigit()})
        lying = pictures(path.parent)
        masks = [name for name in lying if name.endswith("_mask")]
        pairs += [(lying.get(name.removesuffix("_mask")), lying[name]) for name in masks]
        lost += [name for name in masks if name.removesuffix("_mask") not in lying]
    refuse_lost(root, lost, len(pairs), "Export from Roboflow again")
    if any(table != tables[0] for table in tables):
        raise DatasetError(f"{root}: the files _classes.csv differ; export all splits together")
    table = tables[0]
    classes = [table.get(n, f"class {n}") for n in range(max(table, default=0) + 1)]
    names = short_names([image for image, _ in pairs], root)
    return Contents(
        classes,
        (
            Item(
                name,
                image,
                Canvas(read_mask(mask, num_classes=len(classes)).numpy()),
                mask,
                split_in(root, image),
            )
            for name, (image, mask) in zip(names, pairs, strict=True)
        ),
    )


# ---------------------------------------------------------------- Label Studio

REGION = re.compile(r"task-(\d+)-annotation-(\d+)-by-([^-]*)-(.+)-(\d+)\.png")
OTHER_AREAS = ("polygonlabels", "rectanglelabels", "ellipselabels", "labels")  # no brush strokes
UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an upload


def is_label_studio(root: Path) -> bool:
    """Are there PNGs called `task-1-annotation-1-by-1-tag-cat-0.png`?"""
    return any(REGION.fullmatch(path.name) for path in root.rglob("task-*.png"))


def is_task_list(content: object) -> bool:
    """Is this Label Studio's "JSON" export?"""
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(t, dict) and {"id", "data", "annotations"} <= set(t) for t in content)
    )


def read_label_studio(root: Path) -> Contents:
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
    found = ((path, json_of(path)) for path in sorted(root.glob("*.json")))
    file, tasks = next((pair for pair in found if is_task_list(pair[1])), (None, None))
    if file is None:
        raise DatasetError(
            f"{root}: PNGs of Label Studio, but not its JSON export, which says which image each "
            'task shows. Export the project a second time, as "JSON" (not JSON-MIN), into this '
            "folder"
        )
    matches = ((REGION.fullmatch(path.name), path) for path in root.rglob("task-*.png"))
    pngs = {(m[1], m[2], m[4], int(m[5])): path for m, path in matches if m}
    lying = {p.name: p for p in Pictures(root).files if not REGION.fullmatch(p.name)}
    cleaned = {_cleaned(name): path for name, path in lying.items()}
    labelled, unlabelled, lost = {}, [], []  # image -> label and PNG of each region
    for task in tasks:
        stored, annotation = _stored_name(file, task), _annotation(file, task)
        if annotation is None:
            unlabelled.append(stored)
            continue
        plain = UPLOADED.sub("", stored)
        image = lying.get(stored) or lying.get(plain) or cleaned.get(plain)
        regions = _regions(root, file, task, annotation, pngs)
        if image is None:
            lost.append(f"{stored!r} of task {task['id']}")
        elif image in labelled:
            raise DatasetError(f"{file}: two tasks show an image called {image.stem}; delete one")
        else:
            labelled[image] = regions
    cure = f"The export holds no images: copy the photographs into {root / 'images'}"
    refuse_lost(root, lost, len(tasks), cure)
    classes = sorted({label for regions in labelled.values() for label, _ in regions})
    classes = [BACKGROUND, *(name for name in classes if name != BACKGROUND)]
    images = sorted(labelled)
    names = short_names(images, root)
    return Contents(
        classes,
        (
            Item(name, image, _brushed(image, labelled[image], classes), file)
            for name, image in zip(names, images, strict=True)
        ),
        guesses=["classes by the alphabet"],
        unlabelled=unlabelled,
    )


def _cleaned(name: str) -> str:
    """A file name as Django stores an upload: no blanks, brackets or other signs."""
    return re.sub(r"[^-\w.]", "", name.strip().replace(" ", "_"))


def _brushed(image: Path, regions: Sequence[tuple[str, Path]], classes: Sequence[str]) -> Canvas:
    """The regions of an image, laid one over the other."""
    canvas = Canvas.blank(*read_image(image).shape[1:])
    for number, (label, path) in enumerate(regions, start=1):
        inside = read_mask(path).numpy() > 0
        if inside.shape != canvas.mask.shape:
            height, width = canvas.mask.shape
            raise DatasetError(
                f"{path}: the region is {inside.shape[1]} x {inside.shape[0]} pixels, but the "
                f"image is {width} x {height}; is {image.name} the photograph that was labelled?"
            )
        canvas.lay(inside, classes.index(label), number)
    return canvas


def _annotation(file: Path, task: dict) -> dict | None:
    """The one annotation of a task that counts."""
    made = [a for a in task["annotations"] if not (a.get("was_cancelled") or a.get("skipped"))]
    if len(made) > 1:
        made = [a for a in made if a.get("ground_truth")] or made
    if len(made) > 1:
        raise DatasetError(
            f"{file}: task {task['id']} has {len(made)} annotations. In Label Studio mark one of "
            "them as ground truth (the star) or delete the others, and export again"
        )
    return made[0] if made else None


def _regions(
    root: Path, file: Path, task: dict, annotation: dict, pngs: dict[tuple, Path]
) -> list[tuple[str, Path]]:
    """Label and PNG of each region, in the order in which they were drawn."""
    regions, counts, where = [], Counter(), f"{file}: task {task['id']}"
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
                f"{root}: no PNG of task {task['id']}, annotation {annotation['id']}, region "
                f"{name}-{key[3]}, but the JSON has it. Export JSON and Brush labels to PNG at the "
                "same time"
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
