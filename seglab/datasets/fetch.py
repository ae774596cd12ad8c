"""A large file from the first mirror that delivers it: resumed after a break, and checked.

While it comes in it is called NAME.part; NAME.part.json beside it says which mirror's copy it
began with. It gets its name when it is complete and has passed its check, never before.
"""

import hashlib
import http.client
import json
import re
import socket
import stat
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm.auto import tqdm

import seglab
from seglab.machine.files import written_whole

STALL = 20.0  # seconds without a byte, or at fewer than SLOWEST bytes a second, are a failure
SLOWEST = 1000
TRIES = 4  # of a mirror that has delivered something, without progress between them
FIRST_TRIES = 2  # of one that has not
PROGRESS = 2**20  # bytes: fewer than that are none
PAUSE = 1.0  # seconds before the second try; doubled before each further one

# What the readers of tar and zip archives raise when they meet nonsense.
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


class DownloadError(OSError):
    """A data set could not be fetched or unpacked. The message says what to do."""


class MirrorFailure(Exception):
    """A mirror did not deliver; the message says why.

    Attributes:
        final: there is no use in asking it again.
    """

    def __init__(self, message: str, final: bool = False):
        super().__init__(message)
        self.final = final


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
        checksum: algorithm of `hashlib` and digest, "sha256:e14f...", from a published source.
            None is for zip files only, which hold a checksum (CRC-32) of each of their members.
        mirrors: in the order in which they are asked.
    """

    name: str
    size: int
    checksum: str | None
    mirrors: tuple[Mirror, ...]

    def fault(self, path: Path) -> str | None:
        """What is wrong with a copy of the file, or None."""
        if self.checksum is None:
            return _zip_fault(path)
        size = path.stat().st_size
        if size != self.size:
            return f"it has {size:,} bytes instead of {self.size:,}"
        algorithm, expected = self.checksum.split(":")
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
        return None if found == expected else f"its {algorithm} is {found} instead of {expected}"

    def __str__(self) -> str:
        if self.checksum is None:
            return f"{self.name} (about {self.size / 1e6:.0f} MB; no checksum is published)"
        return f"{self.name} ({self.size:,} bytes, {self.checksum.replace(':', ' ')})"


def _zip_fault(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (*DAMAGED, OSError) as error:
        return f"it is not a complete zip file ({error})"
    return damaged and f"{damaged} in it is damaged"


def fetch(archive: Archive, folder: Path) -> Path:
    """Bring a file into a folder, or go on bringing it.

    Mirrors are asked in turn. Where one breaks off, the next one goes on if it can.

    Returns:
        The path of the complete, checked file.

    Raises:
        DownloadError: no mirror delivered it. The message gives each one's reason.
        OSError: it cannot be written; what is there is kept.
    """
    target, part = folder / archive.name, folder / f"{archive.name}.part"
    if target.exists():
        return target  # it was checked before it got this name
    failures = []
    for mirror in archive.mirrors:
        print(f"{archive.name} from {mirror.url} ({mirror.reason})", flush=True)
        try:
            _deliver(archive, mirror.url, part)
        except MirrorFailure as failure:
            failures.append(f"  {mirror.url}: {failure}")
            print(f"  {failure}", flush=True)
        else:
            part.rename(target)
            _note(part).unlink(missing_ok=True)
            return target
    lines = [f"no mirror delivered {archive.name}. Tried, in this order:", *failures]
    if have := _size(part):
        lines.append(f"Of the file, {have:,} bytes are kept in {folder} for the next time.")
    raise DownloadError("\n".join(lines))


def _deliver(archive: Archive, url: str, part: Path) -> None:
    """Have one mirror complete the part, and check it; once more if its beginning was an old one.

    Raises:
        MirrorFailure: it did not deliver, or something else.
    """
    for old_beginning in (_size(part) > 0, False):
        if archive.checksum is None or _size(part) != archive.size:
            _complete(archive, url, part)
        print(f"  checking {archive.name}", flush=True)
        fault = archive.fault(part)
        if fault is None:
            return
        part.unlink()
        if not old_beginning:
            raise MirrorFailure(f"the file that it sent is not the right one: {fault}")


def _complete(archive: Archive, url: str, part: Path) -> None:
    """Ask one mirror for what is missing, again and again as long as that helps."""
    best = _size(part)
    delivered, tries = False, 0
    while True:
        try:
            return _transfer(archive, url, part)
        except MirrorFailure as failure:
            if _size(part) >= best + PROGRESS:
                delivered, tries, best = True, 0, _size(part)
            tries += 1
            if failure.final or tries >= (TRIES if delivered else FIRST_TRIES):
                raise
            print(f"  {failure}; trying again", flush=True)
            time.sleep(PAUSE * 2 ** (tries - 1))


def _transfer(archive: Archive, url: str, part: Path) -> None:
    """One request: append what comes to the part.

    Raises:
        MirrorFailure: it did not become complete.
    """
    headers = {"User-Agent": f"seglab/{seglab.__version__}", **_range(archive, url, part)}
    with _answer(archive, urllib.request.Request(url, headers=headers), part) as response:
        if response.headers.get_content_type() == "text/html":
            raise MirrorFailure(
                "sent a web page instead of the file (the log-in page of your network?)", final=True
            )
        start, total = _span(response)
        if archive.checksum is not None and total not in (None, archive.size):
            raise MirrorFailure(
                f"has another file: {total:,} bytes instead of {archive.size:,}", final=True
            )
        if archive.checksum is not None:
            total = archive.size
        if start == 0:
            _begin(part, url, response.headers)
        elif start != _size(part):
            raise MirrorFailure(f"sent bytes from {start:,} on, not the ones asked for", final=True)
        bar = tqdm(
            desc=archive.name,
            total=total,
            initial=start,
            unit="B",
            unit_scale=True,
            mininterval=0.5,
        )
        with bar, open(part, "ab") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _size(part) != total:
        raise MirrorFailure(f"broke off at {_size(part):,} of {total:,} bytes")


def _range(archive: Archive, url: str, part: Path) -> dict[str, str]:
    """The headers that ask for the rest of a file, if the rest would fit to what is there.

    It does if the same mirror still has the same version of it (`If-Range`: otherwise it sends
    all of it). With a checksum to find out afterwards, another mirror may go on as well.
    """
    have = _size(part)
    try:
        begun = json.loads(_note(part).read_text())
    except (OSError, ValueError):
        begun = {"url": None, "version": None}
    if have and begun["url"] == url and begun["version"]:
        return {"Range": f"bytes={have}-", "If-Range": begun["version"]}
    if have and archive.checksum is not None:
        return {"Range": f"bytes={have}-"}
    return {}


def _answer(
    archive: Archive, request: urllib.request.Request, part: Path
) -> http.client.HTTPResponse:
    try:
        return urllib.request.urlopen(request, timeout=STALL)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # it has nothing from the byte on that was asked for
            if archive.checksum is not None and _size(part) <= archive.size:
                text = f"has a shorter file, of {_size(part):,} bytes or less"
                raise MirrorFailure(text, final=True) from None
            part.unlink(missing_ok=True)
        passing = error.code in (408, 416, 425, 429) or error.code >= 500
        raise MirrorFailure(f"answered {error.code} {error.reason}", final=not passing) from None
    except (OSError, http.client.HTTPException) as error:
        raise MirrorFailure(_reason(error)) from error


def _span(response: http.client.HTTPResponse) -> tuple[int, int | None]:
    """First byte of an answer, and bytes of the whole file (None: the mirror does not tell)."""
    if response.status == 206:
        content_range = response.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", content_range)
        if match is None:
            raise MirrorFailure(f"sent a part without saying which: {content_range!r}", final=True)
        return int(match[1]), int(match[2])
    length = response.headers.get("Content-Length")
    return 0, int(length) if length else None


def _begin(part: Path, url: str, headers: http.client.HTTPMessage) -> None:
    """Forget an older beginning; note what the new one is part of."""
    if _size(part):
        print(f"  starting from the first byte again: {url} cannot go on", flush=True)
    part.unlink(missing_ok=True)  # first: a killed process must not leave it with the new note
    version = headers.get("ETag") or headers.get("Last-Modified")
    if version and version.startswith("W/"):  # a weak one is no promise that bytes are the same
        version = None
    with written_whole(_note(part)) as temporary:
        temporary.write_text(json.dumps({"url": url, "version": version}))


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What comes, as it comes.

    Raises:
        MirrorFailure: nothing comes, too little, or the connection breaks.
    """
    since, count = time.monotonic(), 0
    while True:
        try:
            chunk = response.read1(2**18)
        except (OSError, http.client.HTTPException) as error:
            raise MirrorFailure(_reason(error)) from error
        if not chunk:
            return
        yield chunk
        count += len(chunk)
        seconds = time.monotonic() - since
        if seconds > STALL:
            if count < SLOWEST * seconds:
                raise MirrorFailure(f"sent only {count:,} bytes in {seconds:.0f} seconds")
            since, count = time.monotonic(), 0


def _reason(error: Exception) -> str:
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        error = error.reason
    if isinstance(error, TimeoutError):
        return f"nothing came for {STALL:g} seconds"
    if isinstance(error, socket.gaierror):
        return "its address cannot be found; are you online?"
    if isinstance(error, http.client.IncompleteRead):
        return "the connection broke"
    return str(error) or type(error).__name__


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def files_of_tar(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The regular files of a tar archive in its order: name, and a function that reads it.

    Nothing is written here, and links and devices are left out: an archive never decides where
    something goes.

    Raises:
        DownloadError: a name that leads out of the archive's own folder.
    """
    with tarfile.open(path) as archive:
        for member in archive:
            name = _checked_name(path, member.name)
            if member.isreg():
                yield name, lambda member=member: archive.extractfile(member).read()


def files_of_zip(path: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The regular files of a zip archive; see `files_of_tar`."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = _checked_name(path, member.filename)
            kind = stat.S_IFMT(member.external_attr >> 16)  # 0: made where there are no kinds
            if not member.is_dir() and kind in (0, stat.S_IFREG):
                yield name, lambda member=member: archive.read(member)


def _checked_name(path: Path, name: str) -> str:
    """The name of a member without "./" and the like."""
    for inside in (PurePosixPath(name), PureWindowsPath(name)):
        if not (inside.is_absolute() or inside.drive or ".." in inside.parts):
            continue
        raise DownloadError(
            f"{path}: holds {name!r}, a name that leads out of its folder. Nothing was unpacked; "
            "do not trust this file, and get it from somewhere else."
        )
    return str(PurePosixPath(name))
