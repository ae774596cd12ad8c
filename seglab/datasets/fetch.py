"""A large file from the first mirror that delivers it: resumed after a break, and checked.

While it comes in it is called NAME.part. It gets its name when it is complete and has passed its
check, never before. Only a file with a checksum is resumed, because only its checksum would tell
that the two pieces do not fit together; any mirror may then go on where another one stopped.
"""

import hashlib
import http.client
import socket
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tqdm.auto import tqdm

from seglab.datasets.sources import Source

STALL = 20.0  # seconds without a byte, or at fewer than SLOWEST bytes a second, are a failure
SLOWEST = 1000
TRIES = 3  # of one mirror, without progress between them
PROGRESS = 2**20  # bytes: fewer than that are none
PAUSE = 1.5  # seconds before the second try; doubled before each further one

# What the readers of tar and zip archives raise when they meet nonsense.
DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


class DownloadError(OSError):
    """A data set could not be fetched or unpacked. The message says what to do."""


class MirrorFailure(Exception):
    """A mirror did not deliver; the message says why. Another try may help."""


class MirrorRefusal(MirrorFailure):
    """A mirror will never deliver; there is no use in asking it again."""


def fetch(source: Source, folder: Path) -> Path:
    """Bring a file into a folder, or go on bringing it.

    Mirrors are asked in turn. Where one breaks off, the next one goes on if it can.

    Returns:
        The path of the complete, checked file.

    Raises:
        DownloadError: no mirror delivered it. The message gives each one's reason.
        OSError: it cannot be written; what is there is kept.
    """
    target, part = folder / source.file, folder / f"{source.file}.part"
    if target.exists():
        return target  # it was checked before it got this name
    failures = []
    for url, reason in source.mirrors.items():
        print(f"{source.file} from {url} ({reason})", flush=True)
        try:
            _deliver(source, url, part)
        except MirrorFailure as failure:
            failures.append(f"  {url}: {failure}")
            print(f"  {failure}", flush=True)
        else:
            return part.rename(target)
    lines = [f"no mirror delivered {source.file}. Tried, in this order:", *failures]
    if have := _kept(source, part):
        lines.append(f"Of the file, {have:,} bytes are kept in {folder} for the next time.")
    raise DownloadError("\n".join(lines))


def fault(source: Source, path: Path) -> str | None:
    """What is wrong with a copy of a file, or None."""
    if source.checksum is None:
        try:
            with zipfile.ZipFile(path) as members:
                damaged = members.testzip()
        except (*DAMAGED, OSError) as error:
            return f"it is not a complete zip file ({error})"
        return damaged and f"{damaged} in it is damaged"
    if _size(path) != source.size:
        return f"it has {_size(path):,} bytes instead of {source.size:,}"
    algorithm, expected = source.checksum.split(":")
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, algorithm).hexdigest()
    if not found.startswith(expected):
        return f"its {algorithm} is {found} instead of {expected}"
    return None


def _deliver(source: Source, url: str, part: Path) -> None:
    """Have one mirror complete the part, asking again and again as long as that helps.

    Raises:
        MirrorFailure: it did not deliver, or something else.
    """
    best, tries = _size(part), 0
    while True:
        try:
            return _complete(source, url, part)
        except MirrorRefusal:
            raise
        except MirrorFailure as failure:
            came = _size(part)
            best, tries = (came, 1) if came >= best + PROGRESS else (best, tries + 1)
            if tries == TRIES:
                raise
            print(f"  {failure}; trying again", flush=True)
            time.sleep(PAUSE * 2 ** (tries - 1))


def _complete(source: Source, url: str, part: Path) -> None:
    """One request for what is missing, and the check of the whole."""
    have = _kept(source, part)
    if have < source.size:
        _transfer(source, url, part, have)
    print(f"  checking {source.file}", flush=True)
    if found := fault(source, part):
        part.unlink()
        kind = MirrorFailure if have else MirrorRefusal  # what is wrong may be the beginning
        raise kind(f"the file that it sent is not the right one: {found}")


def _transfer(source: Source, url: str, part: Path, have: int) -> None:
    """Write what comes behind what is there."""
    with _answer(url, have) as response:
        if found := _misfit(source, have, response):
            raise MirrorRefusal(found)
        start = have if response.status == http.client.PARTIAL_CONTENT else 0
        if start < have:
            print(f"  starting from the first byte again: {url} cannot go on", flush=True)
        total = source.size if source.checksum else response.length
        progress = {"unit": "B", "unit_scale": True, "mininterval": 0.5}
        bar = tqdm(desc=source.file, total=total, initial=start, **progress)
        with bar, open(part, "ab" if start else "wb") as file:
            for piece in _pieces(response):
                file.write(piece)
                bar.update(len(piece))
    if total not in (None, _size(part)):
        raise MirrorFailure(f"broke off at {_size(part):,} of {total:,} bytes")


def _answer(url: str, have: int) -> http.client.HTTPResponse:
    """What a mirror sends when it is asked for all but the first bytes.

    Raises:
        MirrorFailure: no answer, or a refusal.
    """
    headers = {"User-Agent": "seglab"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        request = urllib.request.Request(url, headers=headers)
        return urllib.request.urlopen(request, timeout=STALL)
    except urllib.error.HTTPError as error:
        error.close()
        passing = error.code in (408, 425, 429) or error.code >= 500
        kind = MirrorFailure if passing else MirrorRefusal
        raise kind(f"answered {error.code} {error.reason}") from None
    except (OSError, http.client.HTTPException) as error:
        raise MirrorFailure(_reason(error)) from error


def _misfit(source: Source, have: int, response: http.client.HTTPResponse) -> str | None:
    """Why an answer is of no use, or None."""
    if response.headers.get_content_type() == "text/html":
        return "sent a web page instead of the file (the log-in page of your network?)"
    if response.status == http.client.PARTIAL_CONTENT:
        sent = response.headers["Content-Range"]
        asked = f"bytes {have}-{source.size - 1}/{source.size}"
        return None if sent == asked else f"sent {sent!r} when asked for {asked!r}"
    if source.checksum and response.length not in (None, source.size):
        return f"has another file: {response.length:,} bytes instead of {source.size:,}"
    return None


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """What comes, as it comes.

    Raises:
        MirrorFailure: nothing comes, too little, or the connection breaks.
    """
    since, count = time.monotonic(), 0
    while True:
        try:
            piece = response.read1(2**18)
        except (OSError, http.client.HTTPException) as error:
            raise MirrorFailure(_reason(error)) from error
        if not piece:
            return
        yield piece
        count += len(piece)
        seconds = time.monotonic() - since
        if seconds > STALL:
            if count < SLOWEST * seconds:
                raise MirrorFailure(f"sent only {count:,} bytes in {seconds:.0f} seconds")
            since, count = time.monotonic(), 0


def _reason(error: Exception) -> str:
    error = getattr(error, "reason", error)  # urllib wraps it
    if isinstance(error, TimeoutError):
        return f"nothing came for {STALL:g} seconds"
    if isinstance(error, socket.gaierror):
        return "its address cannot be found; are you online?"
    return str(error) or type(error).__name__


def _kept(source: Source, part: Path) -> int:
    """How many bytes of a part can be gone on from."""
    return _size(part) if source.checksum and _size(part) <= source.size else 0


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
