"""A large file from the first mirror that delivers it: resumed after a break, and checked.

While it comes in it is called NAME.part. It gets its name when it is complete and has passed its
check, never before. Only a file with a checksum is resumed, because only its checksum would tell
that the two pieces do not fit together; any mirror may then go on where another one stopped.
"""

import hashlib
import http.client
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
from pathlib import Path, PurePosixPath, PureWindowsPath

from tqdm.auto import tqdm

from seglab.datasets.sources import Archive

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
            return target
    lines = [f"no mirror delivered {archive.name}. Tried, in this order:", *failures]
    if have := _kept(archive, part):
        lines.append(f"Of the file, {have:,} bytes are kept in {folder} for the next time.")
    raise DownloadError("\n".join(lines))


def fault(archive: Archive, path: Path) -> str | None:
    """What is wrong with a copy of a file, or None."""
    if archive.checksum is None:
        try:
            with zipfile.ZipFile(path) as members:
                damaged = members.testzip()
        except (*DAMAGED, OSError) as error:
            return f"it is not a complete zip file ({error})"
        return damaged and f"{damaged} in it is damaged"
    if _size(path) != archive.size:
        return f"it has {_size(path):,} bytes instead of {archive.size:,}"
    algorithm, expected = archive.checksum.split(":")
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if not found.startswith(expected):
        return f"its {algorithm} is {found} instead of {expected}"
    return None


def _deliver(archive: Archive, url: str, part: Path) -> None:
    """Have one mirror complete the part, and check it.

    Raises:
        MirrorFailure: it did not deliver, or something else.
    """
    began_earlier = _kept(archive, part) > 0
    _complete(archive, url, part)
    print(f"  checking {archive.name}", flush=True)
    if found := fault(archive, part):
        part.unlink()
        if not began_earlier:
            raise MirrorFailure(f"the file that it sent is not the right one: {found}")
        _deliver(archive, url, part)  # what is wrong may be the beginning


def _complete(archive: Archive, url: str, part: Path) -> None:
    """Ask one mirror for what is missing, again and again as long as that helps."""
    best, tries, allowed = _size(part), 0, FIRST_TRIES
    while True:
        try:
            return _transfer(archive, url, part)
        except MirrorFailure as failure:
            tries += 1
            if _size(part) >= best + PROGRESS:
                best, tries, allowed = _size(part), 1, TRIES
            if failure.final or tries >= allowed:
                raise
            print(f"  {failure}; trying again", flush=True)
            time.sleep(PAUSE * 2 ** (tries - 1))


def _transfer(archive: Archive, url: str, part: Path) -> None:
    """One request: write what comes behind what is there.

    Raises:
        MirrorFailure: the part did not become complete.
    """
    have = _kept(archive, part)
    if have == archive.size:
        return
    headers = {"User-Agent": "seglab"} | ({"Range": f"bytes={have}-"} if have else {})
    with _answer(urllib.request.Request(url, headers=headers)) as response:
        start, total = _span(response)
        expected = total if archive.checksum is None else archive.size
        if total not in (None, expected):
            text = f"has another file: {total:,} bytes instead of {expected:,}"
            raise MirrorFailure(text, final=True)
        if start not in (0, have):
            raise MirrorFailure(f"sent bytes from {start:,} on, not the ones asked for", final=True)
        if start < have:
            print(f"  starting from the first byte again: {url} cannot go on", flush=True)
        progress = {"unit": "B", "unit_scale": True, "mininterval": 0.5}
        bar = tqdm(desc=archive.name, total=expected, initial=start, **progress)
        with bar, open(part, "ab" if start else "wb") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                bar.update(len(chunk))
    if expected is not None and _size(part) != expected:
        raise MirrorFailure(f"broke off at {_size(part):,} of {expected:,} bytes")


def _answer(request: urllib.request.Request) -> http.client.HTTPResponse:
    """
    Raises:
        MirrorFailure: no answer, a refusal, or a web page.
    """
    try:
        response = urllib.request.urlopen(request, timeout=STALL)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # it has nothing from the byte on that was asked for
            raise MirrorFailure("has a shorter file than what is here", final=True) from None
        passing = error.code in (408, 425, 429) or error.code >= 500
        raise MirrorFailure(f"answered {error.code} {error.reason}", final=not passing) from None
    except (OSError, http.client.HTTPException) as error:
        raise MirrorFailure(_reason(error)) from error
    if response.headers.get_content_type() == "text/html":
        response.close()
        raise MirrorFailure(
            "sent a web page instead of the file (the log-in page of your network?)", final=True
        )
    return response


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


def _kept(archive: Archive, part: Path) -> int:
    """How many bytes of a part can be gone on from."""
    useful = archive.checksum is not None and _size(part) <= archive.size
    return _size(part) if useful else 0


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
        if inside.is_absolute() or inside.drive or ".." in inside.parts:
            raise DownloadError(
                f"{path}: holds {name!r}, a name that leads out of its folder. Nothing was "
                "unpacked; do not trust this file, and get it from somewhere else."
            )
    return str(PurePosixPath(name))
