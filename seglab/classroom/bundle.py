"""The course for a room without a network: a folder with all that is needed, for a stick.

`python -m seglab bundle FOLDER`, started in a clone of the course while there is a network. uv
chooses the packages, because pip evaluates conditions such as `sys_platform == "win32"` for the
machine it runs on, not for the one it downloads for (pypa/pip issue 10050). pip downloads them.
`seglab.classroom.stick` sets them up in the room.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from seglab.classroom import clone as clone_files
from seglab.classroom import stick


class BundleError(ValueError):
    """The bundle cannot be made; the message says what to do."""


@dataclass(frozen=True)
class Platform:
    """A system and a processor.

    Attributes:
        uv: what uv calls it.
        tags: what wheels for it may call it, as pip wants to know.
        script: what learners start there.
    """

    uv: str
    tags: tuple[str, ...]
    script: str


def _linux(machine: str) -> Platform:
    """Linux with glibc 2.28 or newer: Debian 10, Ubuntu 20.04, RHEL 8."""
    old = (f"manylinux{year}_{machine}" for year in (1, 2010, 2014))
    tags = (*(f"manylinux_2_{minor}_{machine}" for minor in range(28, 4, -1)), *old)
    return Platform(f"{machine}-manylinux_2_28", tags, "start.sh")


MACOS = "14.0"  # and newer
PLATFORMS = {
    "linux-x86_64": _linux("x86_64"),
    "linux-aarch64": _linux("aarch64"),
    "windows-x86_64": Platform("x86_64-pc-windows-msvc", ("win_amd64",), "start.bat"),
    # torch has no wheels for Macs with Intel processors since version 2.3.
    "macos-arm64": Platform("aarch64-apple-darwin", ("macosx_14_0_arm64",), "start.command"),
}


@dataclass(frozen=True)
class Target:
    """A platform and a version of Python."""

    platform: str
    python: str

    def __str__(self) -> str:
        return f"{self.platform}-python{self.python}"  # as `stick.this_target` says it


@dataclass(frozen=True)
class Wheel:
    """A package in one version, and where its file is."""

    name: str
    version: str
    url: str
    sha256: str
    size: int

    @property
    def file(self) -> str:
        return urllib.request.unquote(self.url.rsplit("/", 1)[1])


def make(
    folder: str | Path,
    platforms: Sequence[str] = (),
    pythons: Sequence[str] = (),
    torch_wheels: str | Path | None = None,
    clone: str | Path = "",
) -> Path:
    """Make a bundle. Until it is complete it has another name.

    Args:
        folder: to make; the name of its parent may be that of a stick.
        platforms: keys of `PLATFORMS`; default: this machine's.
        pythons: versions such as "3.12"; default: this Python's.
        torch_wheels: a folder with wheels of torch and torchvision for Linux that are to be used
            instead of those in the package index, which bring CUDA along.
        clone: of the course.

    Returns:
        the folder.

    Raises:
        BundleError: see the message.
    """
    folder, clone = Path(folder), Path(clone)
    here = stick.this_target().split("-python")
    targets = [Target(x, y) for x in platforms or here[:1] for y in pythons or here[1:]]
    for target in targets:
        if target.platform not in PLATFORMS:
            raise BundleError(
                f"the platforms are {', '.join(PLATFORMS)}; found {target.platform!r}"
            )
        if not re.fullmatch(r"3\.\d+", target.python):
            raise BundleError(f"versions of Python are 3.12 and the like; found {target.python!r}")
    if folder.exists():
        raise BundleError(f"{folder} exists already; delete it first, or name another folder")
    extra = _beside_seglab(clone)
    part = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    (part / "wheels").mkdir(parents=True)
    try:
        own = build(clone, part / "wheels")
        chosen = {}
        for target in targets:
            chosen[target] = choose(target, [f"seglab @ {own.as_uri()}", *extra], torch_wheels)
        _check_space(part, chosen)
        for target, wheels in chosen.items():
            download(target, wheels, part / "wheels")
        (part / "notebooks").mkdir()
        for path in clone_files.notebooks(clone):
            shutil.copyfile(path, part / "notebooks" / path.name)
        _write_scripts(part, chosen, own)
        lines = [f"{_sha256(path)}  {path.relative_to(part).as_posix()}" for path in _files(part)]
        _write(part / "SHA256SUMS", "".join(f"{line}\n" for line in lines))
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


GROUPS = ("jupyter", "satellite")  # of pyproject.toml; notebook 09 needs the second


def _beside_seglab(clone: Path) -> list[str]:
    """What the course needs besides what seglab itself asks for.

    Raises:
        BundleError: the folder is no clone of the course.
    """
    path = clone / "pyproject.toml"
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
        if settings["project"]["name"] != "seglab" or not clone_files.notebooks(clone):
            raise KeyError("seglab, with its notebooks")
        groups = settings["dependency-groups"]
        return [*(line for name in GROUPS for line in groups[name]), "pip"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise BundleError(
            f"{path.resolve()}: this is no clone of the course ({type(error).__name__}: {error}). "
            "Run bundle in one: an installed seglab comes without the notebooks"
        ) from error


def _uv() -> str:
    """The program uv.

    Raises:
        BundleError: there is none.
    """
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        raise BundleError("uv was not found; it chooses the packages: pip install uv")
    return found


# What the user has set for uv and pip counts only where it says how files are fetched, not which.
KEPT = re.compile(r"UV_.*(INDEX|CACHE|TLS|CERT|HTTP|PYTHON).*|PIP_.*(CACHE|CERT|PROXY|HOST|TIME).*")


def _environment() -> dict[str, str]:
    """The variables of this process without a user's choice of packages, such as constraints."""
    found = os.environ.items()
    kept = {k: v for k, v in found if not k.startswith(("UV_", "PIP_")) or KEPT.fullmatch(k)}
    # Without the last one uv would choose for the oldest macOS that it knows.
    return {**kept, "PIP_CONFIG_FILE": os.devnull, "MACOSX_DEPLOYMENT_TARGET": MACOS}


def _run_uv(*words: str | Path, **options) -> subprocess.CompletedProcess:
    """Run uv for this Python; its output as text."""
    command = [_uv(), *words, "--python", sys.executable, "--no-python-downloads"]
    return subprocess.run(command, env=_environment(), capture_output=True, text=True, **options)


def build(clone: Path, folder: Path) -> Path:
    """Build seglab's own wheel, which holds the embedded data, into a folder.

    Raises:
        BundleError: it cannot be built.
    """
    done = _run_uv("build", "--wheel", "--out-dir", folder, clone)
    built = list(folder.glob("seglab-*.whl"))
    if done.returncode or not built:
        raise BundleError(f"seglab's own wheel cannot be built from the clone:\n{done.stderr}")
    (folder / ".gitignore").unlink(missing_ok=True)  # uv puts one there
    return built[0].resolve()


def choose(
    target: Target, requirements: Sequence[str], torch_wheels: str | Path | None = None
) -> list[Wheel]:
    """The wheels that meet some requirements on a platform, with all that they need themselves.

    Raises:
        BundleError: a package has no wheel for it, or there is no network.
    """
    options, lines = [], list(requirements)
    if torch_wheels is not None and target.platform.startswith("linux"):
        options += ["--find-links", str(torch_wheels)]
        lines += [_only_version(name, target, Path(torch_wheels)) for name in TORCH]
    done = _run_uv(
        *("pip", "compile", "-", "--format", "pylock.toml", "--only-binary", ":all:"),
        *("--python-platform", PLATFORMS[target.platform].uv, "--python-version", target.python),
        *options,
        input="\n".join(lines),
    )
    if done.returncode:
        raise BundleError(
            f"for {target.platform} with Python {target.python} not all packages can be had as "
            f"wheels. uv says:\n{done.stderr.strip()}"
        )
    found = []
    for package in tomllib.loads(done.stdout)["packages"]:
        if "wheels" not in package:  # seglab's own
            continue
        # All of them fit; the one made for this platform is likely to be the faster one.
        wheel = min(package["wheels"], key=lambda wheel: wheel["url"].endswith("-none-any.whl"))
        found.append((package["name"], package["version"], wheel))
    with ThreadPoolExecutor(8) as pool:
        sizes = pool.map(_size, (wheel for *_, wheel in found))
    return [
        Wheel(name, version, wheel["url"], wheel["hashes"]["sha256"], size)
        for (name, version, wheel), size in zip(found, sizes, strict=True)
    ]


TORCH = ("torch", "torchvision")


def _only_version(name: str, target: Target, folder: Path) -> str:
    """A requirement for the one version of a package that a folder has for a platform."""
    machine, short = target.platform.removeprefix("linux-"), target.python.replace(".", "")
    pattern = f"{name}-*-cp{short}-cp{short}-*linux*{machine}.whl"
    versions = {path.name.split("-")[1] for path in folder.glob(pattern)}
    if len(versions) != 1:
        raise BundleError(
            f"{folder}: expected one version of {name} for {target.platform} and Python "
            f"{target.python}, a file like {pattern}; found {_some(versions)} among "
            f"{_some(path.name for path in folder.glob('*.whl'))}"
        )
    return f"{name}=={versions.pop()}"


def _size(wheel: dict) -> int:
    """Bytes of a file. The package index may tell; if not, ask for the file's header."""
    if "size" in wheel:
        return wheel["size"]
    request = urllib.request.Request(wheel["url"], method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return int(answer.headers["Content-Length"])
    except (OSError, TypeError) as error:
        raise BundleError(f"{wheel['url']}: its size cannot be asked for ({error})") from error


def _check_space(part: Path, chosen: dict[Target, list[Wheel]]) -> None:
    """Say how large it will be.

    Raises:
        BundleError: too large for the disk.
    """
    for target, wheels in chosen.items():
        size, gpu = _total(wheels), _total(w for w in wheels if w.name.startswith(CUDA))
        hint = f", {gpu / 1e9:.1f} of it CUDA for GPUs (--torch-wheels)" if gpu else ""
        print(f"{target}: {len(wheels) + 1} wheels, {size / 1e9:.2f} GB{hint}", flush=True)
    every = {wheel.file: wheel for wheels in chosen.values() for wheel in wheels}.values()
    largest = max(map(_total, chosen.values()))  # pip downloads to a folder for temporary files
    needed = _total(every) + largest + 50e6  # for seglab and the notebooks
    free = shutil.disk_usage(part).free
    if free < needed:
        raise BundleError(
            f"{part.parent.resolve()}: {needed / 1e9:.2f} GB are needed on this disk, "
            f"{free / 1e9:.2f} GB are free. ({largest / 1e9:.2f} GB are needed only while "
            "downloading)"
        )


CUDA = ("nvidia-", "cuda-", "triton")  # how the packages are called that only a GPU needs


def _total(wheels) -> int:
    return sum(wheel.size for wheel in wheels)


def download(target: Target, wheels: Sequence[Wheel], folder: Path) -> None:
    """Download wheels into a folder; pip compares the checksums.

    Raises:
        BundleError: pip failed.
    """
    print(f"downloading for {target} ...", flush=True)
    has_pip = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True)
    pip = [_uv(), "tool", "run", "pip"] if has_pip.returncode else [sys.executable, "-m", "pip"]
    options = [word for tag in PLATFORMS[target.platform].tags for word in ("--platform", tag)]
    options += ["--python-version", target.python, "--only-binary", ":all:", "--no-deps"]
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        lines = [f"{w.name} @ {w.url} --hash=sha256:{w.sha256}\n" for w in wheels]
        (Path(temporary) / "wheels.txt").write_text("".join(lines), encoding="utf-8")
        words = ["download", *options, "--dest", folder, "-r", Path(temporary) / "wheels.txt"]
        here = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), temporary)  # not on a smaller disk
        done = subprocess.run([*pip, *words], env=_environment() | here)
    missing = [wheel.file for wheel in wheels if not (folder / wheel.file).exists()]
    if done.returncode or missing:
        raise BundleError(
            f"pip could not download all wheels for {target.platform} with Python "
            f"{target.python}; its lines above say why. Missing: {_some(missing)}"
        )


def _some(names: Iterable[str]) -> str:
    """At most three of some names; for an error."""
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) or "none") + more


HOW_TO_START = {
    "start.sh": "    Linux      in a terminal in this folder: sh start.sh",
    "start.bat": "    Windows    double-click start.bat",
    "start.command": "    macOS      double-click start.command",
}
TRY = """\
set course=py -@PYTHON@
%course% -c "" >nul 2>nul
if not errorlevel 1 goto run
"""


def _write_scripts(part: Path, chosen: dict[Target, list[Wheel]], own: Path) -> None:
    """All that is neither wheel nor notebook, but for the checksums."""
    contents = {}
    for target, wheels in chosen.items():
        files = [f"wheels/{name}" for name in (own.name, *(wheel.file for wheel in wheels))]
        contents[str(target)] = {
            "packages": [f"seglab=={own.name.split('-')[1]}"]
            + [f"{wheel.name}=={wheel.version}" for wheel in wheels],
            "size": sum(_unpacked(part / name) for name in files),
            "wheels": files,
        }
    _write(part / "contents.json", json.dumps(contents, indent=1) + "\n")
    shutil.copyfile(stick.__file__, part / "start.py")
    pythons = sorted({t.python for t in chosen}, key=lambda v: [int(n) for n in v.split(".")])
    scripts = {PLATFORMS[target.platform].script for target in chosen}
    values = {
        "TRIES": "".join(TRY.replace("@PYTHON@", python) for python in reversed(pythons)),
        "PYTHONS": " ".join(reversed(pythons)),
        "NAMES": " or ".join(pythons),
    }
    for name in scripts:
        kind = "start.bat" if name == "start.bat" else "start.sh"
        _write(part / name, _filled(kind, values))
        (part / name).chmod(0o755)
    rows = [f"    {target}: {c['size'] / 1e9:.1f} GB once set up" for target, c in contents.items()]
    values |= {
        "START": "\n".join(line for name, line in HOW_TO_START.items() if name in scripts),
        "SIZES": "\n".join(rows),
        "SIZE": f"{sum(path.stat().st_size for path in _files(part)) / 1e9:.1f} GB",
    }
    _write(part / "README.txt", _filled("README.txt", values))


def _filled(name: str, values: dict[str, str]) -> str:
    """A text of the folder `on_the_stick`, with a value for each of its @WORDS@."""
    text = (Path(__file__).with_name("on_the_stick") / name).read_text(encoding="utf-8")
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    return text if name.endswith(".sh") else text.replace("\n", "\r\n")  # as Windows wants it


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return sum(member.file_size for member in archive.infolist())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
