"""Your own photographs: open what a labelling tool exported.

    train, val = open_folder("my_photos", "train"), open_folder("my_photos", "val")

Recognised are the exports of

- **labelme**: what its `labelme2voc.py` or `labelmetk export-to-voc` writes (`class_names.txt`,
  `JPEGImages`, palette PNGs in `SegmentationClass`, in old versions `SegmentationClassPNG`);
- **CVAT**: "Segmentation mask 1.1" with images (`labelmap.txt`, colour PNGs);
- **Label Studio**: "Brush labels to PNG" (`task-1-annotation-1-by-1-tag-cat-0.png`) unpacked
  beside the "JSON" export of the same project and the photographs.

These tools do not divide the images into a training and a validation part: that is done here, by
image, the same way each time.
"""

import hashlib
import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import torch

from seglab.datasets.inspection import few
from seglab.palettes import VOC_PALETTE, VOID, UnknownColorError, indices_from_rgb
from seglab.voc import (
    IMAGE_SUFFIXES,
    DatasetError,
    SegmentationDataset,
    VOCSegmentation,
    read_image,
    read_lines,
    read_mask,
)

BACKGROUND = "background"
IGNORED = ("__ignore__", "ignore", "ignored", "void")  # class names that stand for void


# ---------------------------------------------------------------- train and val


def divide(
    names: Sequence[str], split: str, validation_share: float = 0.2, seed: int = 0
) -> list[str]:
    """The names of one split. Which image goes where follows from its name and the seed.

    Args:
        names: of all images.
        split: `"train"`, `"val"`, or `"trainval"` (all).
        validation_share: the part of the images that goes to val, between 0 and 1.

    Raises:
        DatasetError: another split, or fewer than two images.
        ValueError: a share that is not between 0 and 1.
    """
    if not 0 < validation_share < 1:
        raise ValueError(f"validation_share lies between 0 and 1; found {validation_share}")
    if split not in ("train", "val", "trainval"):
        raise DatasetError(f"no split {split!r}; these images have train, val and trainval")
    if split == "trainval":
        return list(names)
    if len(names) < 2:
        raise DatasetError(
            f"{len(names)} labelled image(s): one for training and one for validation is the least"
        )
    shuffled = sorted(names, key=lambda n: hashlib.sha256(f"{seed} {n}".encode()).digest())
    count = min(max(round(validation_share * len(names)), 1), len(names) - 1)
    chosen = set(shuffled[:count] if split == "val" else shuffled[count:])
    return [name for name in names if name in chosen]


def _divided(root: Path, names: list[str], *how) -> list[str]:
    """`divide`, with the folder in front of what goes wrong."""
    try:
        return divide(names, *how)
    except DatasetError as error:
        raise DatasetError(f"{root}: {error}") from None


# ---------------------------------------------------------------- labelme and CVAT


class _Export(VOCSegmentation):
    """A folder that is nearly in VOC layout: classes and splits stand elsewhere.

    Images without a mask are left out and stand in `unlabelled`.

    Args:
        root, split, transforms: as for `VOCSegmentation`; a split that has no list of its own is
            cut from all labelled images, see `divide`.
        validation_share, seed: for that cut.
    """

    no_images: str  # what to do when there are none

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Callable | None = None,
        validation_share: float = 0.2,
        seed: int = 0,
    ):
        self._cut = validation_share, seed
        classes, palette = self._read_classes(Path(root))
        super().__init__(root, split, transforms, classes, palette)

    def _read_classes(self, root: Path) -> tuple[tuple[str, ...], np.ndarray | None]:
        """The class names, and the palette if the tool says one."""
        raise NotImplementedError

    def _check_folder(self) -> None:
        if not self._all_images():
            raise DatasetError(f"{self.root}: no JPEG or PNG in JPEGImages. {self.no_images}")
        if not (self.root / self.mask_folder).is_dir():
            raise DatasetError(f"{self.root}: no folder {self.mask_folder}; export the masks again")

    def _all_images(self) -> list[str]:
        """The names of the images that lie there, labelled or not."""
        folder = self.root / "JPEGImages"
        return sorted(
            {p.relative_to(folder).with_suffix("").as_posix() for p in pictures_below(folder)}
        )

    def _read_split(self) -> list[str]:
        lists = {
            path.stem.casefold(): read_lines(path)
            for path in sorted((self.root / "ImageSets" / "Segmentation").glob("*.txt"))
        }
        if "validation" in lists:  # what CVAT calls it
            lists.setdefault("val", lists.pop("validation"))
        images = set(self._all_images())
        listed = {name for part in lists.values() for name in part} if lists else images
        labelled = {name for name in listed if self._mask_of(name).exists()}
        self.unlabelled = sorted((images | listed) - labelled)
        divided = {"train", "val"} <= set(lists)
        if self.split in lists and (divided or self.split == "test"):
            names = [name for name in lists[self.split] if name in labelled]
        else:
            names = sorted(labelled - set(lists.get("test", ())))
            names = _divided(self.root, names, self.split, *self._cut)
        if not names:
            raise DatasetError(
                f"{self.root}: the split {self.split} is empty: none of its images has a mask in "
                f"{self.mask_folder}. Label images and export again"
            )
        return names

    def mask_path(self, index: int) -> Path:
        """Where the mask is."""
        return self._mask_of(self.names[index])

    def _mask_of(self, name: str) -> Path:
        return self.root / self.mask_folder / f"{name}.png"

    def _check_pairs(self) -> None:
        there = set(self._all_images())
        lost = [name for name in self.names if name not in there]
        if lost:
            raise DatasetError(
                f"{self.root / 'JPEGImages'}: {len(lost)} of {len(self.names)} images of "
                f"{self.split} are missing; the first is {lost[0]!r}. {self.no_images}"
            )


class LabelmeExport(_Export):
    """What labelme's converters to VOC write, or any folder in VOC layout without lists.

        root/class_names.txt            `_background_` and the others, one a line (`classes.txt`
                                        will do)
        root/JPEGImages/NAME.jpg
        root/SegmentationClass/NAME.png     palette PNGs (in old versions `SegmentationClassPNG`)

    `labelmetk export-to-voc` begins the list with `__ignore__`, `labelme2voc.py` does not; either
    way `__ignore__` is void (255) in the masks. `_background_` is called background here.
    Sources: labelme, examples/semantic_segmentation/labelme2voc.py; labelme-toolkit,
    `export_to_voc`.
    """

    no_images = "Convert the folder of .json files with labelme2voc.py again"

    def _read_classes(self, root: Path) -> tuple[tuple[str, ...], np.ndarray | None]:
        self.mask_folder = (
            "SegmentationClassPNG"
            if (root / "SegmentationClassPNG").is_dir()
            else "SegmentationClass"
        )
        found = [n for n in ("class_names.txt", "classes.txt") if (root / n).exists()]
        if not found:
            raise DatasetError(
                f"{root}: no class_names.txt, so nobody knows what the numbers in the masks mean. "
                "labelme2voc.py writes it; by hand: one class name a line, _background_ first"
            )
        self.class_list = found[0]
        names = read_lines(root / self.class_list)
        names = [BACKGROUND if name == "_background_" else name for name in names]
        names = names[1:] if names[:1] == ["__ignore__"] else names
        _check_names(root / self.class_list, names)
        return tuple(names), None


class CVATExport(_Export):
    """What CVAT's "Segmentation mask 1.1" writes, exported with images.

        root/labelmap.txt               `# label:color_rgb:parts:actions`, `cat:250,50,83::`
        root/JPEGImages/NAME.jpg        only with "Save images"
        root/SegmentationClass/NAME.png     colour PNGs
        root/ImageSets/Segmentation/default.txt     all images; those without labels have no mask

    Colours are looked up in the label map. Its background (the label of that name, or the black
    one) becomes index 0, the others follow in the order of the file; labels named ignore, ignored
    or void become void. A project with the subsets Train and Validation keeps them.
    Sources: CVAT's documentation, "Segmentation Mask"; datumaro, plugins/data_formats/voc.
    """

    class_list = "labelmap.txt"
    no_images = (
        'CVAT leaves them out unless "Save images" is on: export again with it, or make a folder '
        "JPEGImages here and copy the photographs into it"
    )

    def _read_classes(self, root: Path) -> tuple[tuple[str, ...], np.ndarray | None]:
        path = root / self.class_list
        colors = read_label_map(path)
        black = [name for name, color in colors.items() if color == (0, 0, 0)]
        first = BACKGROUND if BACKGROUND in colors else black[0] if black else None
        names = [name for name in colors if name.casefold() not in IGNORED]
        names.sort(key=lambda name: name != first)  # stable: only the background moves
        _check_names(path, names)
        palette = np.zeros((256, 3), dtype=np.uint8)
        palette[: len(names)] = [colors[name] for name in names]
        void = [color for name, color in colors.items() if name not in names]
        # Without a void of its own, void gets a colour that no class has.
        palette[VOID] = void[0] if void else _free_color(set(colors.values()))
        return tuple(names), palette

    def read_indices(self, index: int) -> torch.Tensor:
        """The mask's colours, looked up in the label map."""
        path = self.mask_path(index)
        rgb = read_image(path).permute(1, 2, 0).numpy()  # of a palette picture, too
        try:
            return torch.from_numpy(indices_from_rgb(rgb, self.palette, self.num_classes))
        except UnknownColorError as error:
            raise DatasetError(f"{path}: {error}") from error


def read_label_map(path: str | Path) -> dict[str, tuple[int, int, int]]:
    """The colours of a CVAT `labelmap.txt`, in its order: name -> (red, green, blue).

    Raises:
        DatasetError: a line without three numbers from 0 to 255, two labels of one name or one
            colour.
    """
    path, colors = Path(path), {}
    for line in read_lines(path):
        if line.startswith("#"):
            continue
        name, _, rest = line.partition(":")
        numbers = rest.split(":")[0].split(",")
        if len(numbers) != 3 or not all(n.strip().isdigit() and int(n) < 256 for n in numbers):
            raise DatasetError(
                f"{path}: expected lines such as cat:250,50,83:: (name and colour); found {line!r}"
            )
        color = tuple(map(int, numbers))
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


def _free_color(taken: set[tuple[int, int, int]]) -> tuple[int, int, int]:
    return next(c for c in ((n, n, n) for n in range(255, -1, -1)) if c not in taken)


def pictures_below(folder: Path) -> list[Path]:
    """All JPEG and PNG files in a folder and the folders in it, but not those macOS hides there."""
    paths = sorted(folder.rglob("*"))
    return [p for p in paths if p.suffix in IMAGE_SUFFIXES and not p.name.startswith(".")]


def _check_names(path: Path, names: Sequence[str]) -> None:
    if not names or len(set(names)) < len(names) or len(names) > VOID:
        raise DatasetError(
            f"{path}: expected 1 to {VOID} different class names; found {len(names)} of which "
            f"{len(set(names))} are different"
        )


# ---------------------------------------------------------------- Label Studio

REGION = re.compile(r"task-(\d+)-annotation-(\d+)-by-([^-]*)-(.+)-(\d+)\.png")
OTHER_AREAS = ("polygonlabels", "rectanglelabels", "ellipselabels", "labels")  # no brush strokes
UPLOADED = re.compile(r"^[0-9a-f]{8}-")  # what Label Studio puts before the name of an upload


class LabelStudioExport(SegmentationDataset):
    """What Label Studio's "Brush labels to PNG" writes, with the JSON that explains it.

        root/task-1-annotation-1-by-1-tag-cat-0.png     one region: 255 inside, 0 outside
        root/project-1-at-2026-01-31.json               the export "JSON" (not "JSON-MIN")
        root/images/IMG_1.jpg                           the photographs, anywhere below root

    The PNGs name neither the image nor all labels, so the JSON export of the same state of the
    project is needed; it holds the image of each task and the regions in the order they were
    drawn. Where regions overlap, the later one lies on top; what no region covers is background.
    Classes are background and the labels that occur, in alphabetical order. Tasks without
    annotation are left out; one that was submitted empty is all background.

    Source: label-studio-sdk, converter/brush.py (`save_brush_images_from_annotation`); as in its
    converter to COCO, every value above 0 belongs to the region.

    Args:
        root, split, transforms, validation_share, seed: as for `open_folder`.

    Raises:
        DatasetError: no JSON, several annotations of one task, regions that are not brush
            strokes, with no or several labels, or without PNG; images that are missing.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        transforms: Callable | None = None,
        validation_share: float = 0.2,
        seed: int = 0,
    ):
        self.root = Path(root)
        self.split = split
        self.transforms = transforms
        self._json, tasks = _read_tasks(self.root)
        pngs = _region_files(self.root)
        labelled = {}  # task -> its regions
        self.unlabelled = []
        for task in tasks:
            annotation = self._annotation(task)
            if annotation is None:
                self.unlabelled.append(self._stored_name(task))
            else:
                labelled[task["id"]] = self._regions(task, annotation, pngs)
        labels = {label for regions in labelled.values() for label, _ in regions}
        self.classes = (BACKGROUND, *sorted(labels - {BACKGROUND}))
        self.num_classes = len(self.classes)
        self.palette = VOC_PALETTE.copy()
        self._files = self._pair([t for t in tasks if t["id"] in labelled], labelled)
        self.names = _divided(self.root, sorted(self._files), split, validation_share, seed)

    def image_path(self, index: int) -> Path:
        """Where the image is."""
        return self._files[self.names[index]][0]

    def mask_path(self, index: int) -> Path:
        """Where the first region is; of an image without regions, where the JSON is."""
        regions = self._files[self.names[index]][1]
        return regions[0][1] if regions else self._json

    def read_indices(self, index: int) -> torch.Tensor:
        """The regions of an image, laid one over the other: `uint8 [H, W]`."""
        image, regions = self._files[self.names[index]]
        if not regions:
            return torch.zeros(read_image(image).shape[1:], dtype=torch.uint8)
        mask = None
        for label, path in regions:
            inside = read_mask(path) > 0
            if mask is None:
                mask = torch.zeros(inside.shape, dtype=torch.uint8)
            if inside.shape != mask.shape:
                raise DatasetError(
                    f"{path}: the region is {inside.shape[1]} x {inside.shape[0]} pixels, others "
                    f"of its task {mask.shape[1]} x {mask.shape[0]}; export the PNGs again"
                )
            mask[inside] = self.classes.index(label)
        return mask

    def _annotation(self, task: dict) -> dict | None:
        """The one annotation of a task that counts."""
        made = [a for a in task["annotations"] if not (a.get("was_cancelled") or a.get("skipped"))]
        if len(made) > 1:
            made = [a for a in made if a.get("ground_truth")] or made
        if len(made) > 1:
            raise DatasetError(
                f"{self._json}: task {task['id']} has {len(made)} annotations. In Label Studio "
                "mark one of them as ground truth (the star) or delete the others, and export again"
            )
        return made[0] if made else None

    def _regions(
        self, task: dict, annotation: dict, pngs: dict[tuple[str, str, str, int], Path]
    ) -> list[tuple[str, Path]]:
        """Label and PNG of each region, in the order in which they were drawn."""
        regions, counts = [], Counter()
        for result in annotation.get("result") or []:
            kind, value = str(result.get("type", "")).lower(), result.get("value", {})
            where = f"{self._json}: task {task['id']}"
            if "rle" not in value:
                if kind in OTHER_AREAS:
                    raise DatasetError(
                        f"{where} has a region of the kind {kind}; the PNG export holds brush "
                        "regions only. Draw it anew with the brush"
                    )
                continue  # a point, a choice, a remark about the whole image
            if kind not in ("brushlabels", "labels"):
                continue  # the brush itself; its label comes as a result of its own
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
                    f"{self.root}: no PNG of task {task['id']}, annotation {annotation['id']}, "
                    f"region {name}-{key[3]}, but the JSON has it. Export JSON and Brush labels to "
                    "PNG at the same time"
                )
            regions.append((labels[0], pngs[key]))
        return regions

    def _stored_name(self, task: dict) -> str:
        """The file name of a task's image, whichever way Label Studio reached it."""
        values = [v for v in task["data"].values() if isinstance(v, str)]
        for value in values:
            parts = urlsplit(value)
            local = parse_qs(parts.query).get("d")  # /data/local-files/?d=photos/IMG_1.jpg
            name = (local[0] if local else unquote(parts.path)).replace("\\", "/").split("/")[-1]
            if Path(name).suffix in IMAGE_SUFFIXES:
                return name
        raise DatasetError(
            f"{self._json}: task {task['id']} names no JPEG or PNG; its data: "
            f"{', '.join(values) or 'none'}"
        )

    def _pair(
        self, tasks: list[dict], regions: dict[int, list[tuple[str, Path]]]
    ) -> dict[str, tuple[Path, list[tuple[str, Path]]]]:
        """Name -> (image, regions). The photographs lie anywhere below the folder."""
        lying = {p.name: p for p in pictures_below(self.root) if not REGION.fullmatch(p.name)}
        files, lost = {}, []
        for task in tasks:
            stored = self._stored_name(task)
            path = lying.get(stored) or lying.get(UPLOADED.sub("", stored))
            if path is None:
                lost.append(f"{stored!r} of task {task['id']}")
            elif path.stem in files:
                raise DatasetError(
                    f"{self._json}: two tasks show an image called {path.stem}; delete one of them"
                )
            else:
                files[path.stem] = path, regions[task["id"]]
        if lost:
            raise DatasetError(
                f"{self.root}: {len(lost)} of {len(tasks)} images are missing; the first is "
                f"{lost[0]}. Label Studio's export holds no images: copy the photographs into "
                f"{self.root / 'images'}"
            )
        return files


def _read_tasks(root: Path) -> tuple[Path, list[dict]]:
    """The tasks of a Label Studio project, from its JSON export."""
    for path in sorted(root.glob("*.json")):
        content = _json_of(path)
        if _is_task_list(content):
            return path, content
    raise DatasetError(
        f"{root}: PNGs of Label Studio, but not its JSON export, which says which image each task "
        'shows. Export the project a second time, as "JSON" (not JSON-MIN), into this folder'
    )


def _json_of(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:  # not JSON, or not UTF-8
        return None


def _is_task_list(content: object) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(t, dict) and {"id", "data", "annotations"} <= set(t) for t in content)
    )


def _region_files(root: Path) -> dict[tuple[str, str, str, int], Path]:
    """(task, annotation, tag and label, number) -> PNG. Who drew it does not matter."""
    paths = ((REGION.fullmatch(path.name), path) for path in root.rglob("task-*.png"))
    return {(m[1], m[2], m[4], int(m[5])): path for m, path in paths if m}


# ---------------------------------------------------------------- which tool was it?


def open_folder(
    root: str | Path,
    split: str = "train",
    transforms: Callable | None = None,
    validation_share: float = 0.2,
    seed: int = 0,
) -> SegmentationDataset:
    """Open what labelme, CVAT or Label Studio exported; the tool is recognised by its files.

    Args:
        root: the unpacked folder.
        split: `"train"`, `"val"` or `"trainval"` (all labelled images), unless the folder has
            lists of its own for train and val.
        transforms: called as `transforms(image, mask)`; see `seglab.transforms`.
        validation_share, seed: which part of the images goes to val, see `divide`.

    Raises:
        DatasetError: what is wrong, and what to do about it.

    Warns:
        UserWarning: images without labels are left out.
    """
    root = Path(root)
    _refuse_what_is_no_export(root)
    lists = root / "ImageSets" / "Segmentation"
    if (root / "labelmap.txt").exists():
        reader = CVATExport
    elif any(REGION.fullmatch(path.name) for path in root.rglob("task-*.png")):
        reader = LabelStudioExport
    elif (lists / f"{split}.txt").exists() and not (root / "class_names.txt").exists():
        return VOCSegmentation(root, split, transforms)
    else:
        reader = LabelmeExport
    data = reader(root, split, transforms, validation_share, seed)
    if data.unlabelled:
        warnings.warn(
            f"{root}: images without labels, left out ({len(data.unlabelled)}): "
            f"{few(data.unlabelled)}",
            stacklevel=2,
        )
    return data


def _refuse_what_is_no_export(root: Path) -> None:
    """A clear word on what people try first."""
    if root.suffix.lower() == ".zip" and root.is_file():
        raise DatasetError(f"{root}: a packed export; unpack it and give the folder")
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder")
    names = {path.name for path in root.iterdir()}
    known = {"labelmap.txt", "JPEGImages", "SegmentationClass", "SegmentationClassPNG"}
    regions = [path.name for path in root.rglob("task-*-annotation-*")]
    if names & known or any(map(REGION.fullmatch, regions)):
        return
    if any(name.endswith(".npy") for name in regions):
        found = 'Label Studio\'s NumPy export. Choose "Brush labels to PNG" instead'
    elif "annotations.xml" in names:
        found = 'CVAT\'s own XML. Export again as "Segmentation mask 1.1" with images'
    else:
        contents = [_json_of(path) for path in sorted(root.glob("*.json"))[:20]]
        found = next((word for word in map(_kind_of_json, contents) if word), "")
    found = found or (
        "no export that is recognised. Expected: labelme's (JPEGImages, SegmentationClass, "
        "class_names.txt), CVAT's Segmentation mask 1.1 (labelmap.txt), Label Studio's Brush "
        "labels to PNG (task-1-annotation-1-by-...png and the JSON), or VOC layout (of VOC itself "
        "give VOCdevkit/VOC2012)"
    )
    raise DatasetError(f"{root}: {found}")


def _kind_of_json(content: object) -> str:
    if isinstance(content, dict) and "shapes" in content:
        return (
            "labelme's own .json files. Convert them first: python labelme2voc.py FOLDER OUTPUT "
            "--labels labels.txt (from labelme's examples/semantic_segmentation)"
        )
    if isinstance(content, dict) and {"images", "annotations", "categories"} <= set(content):
        return "COCO's .json, outlines instead of masks. Export masks instead"
    if _is_task_list(content):
        return 'Label Studio\'s JSON without masks. Export "Brush labels to PNG" into it as well'
    return ""
