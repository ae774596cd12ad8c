"""The course for a room without a network: a folder with all that is needed, for a stick.

`python -m seglab bundle FOLDER`, started in a clone of the course while there is a network. uv
chooses the packages, because pip evaluates conditions such as `sys_platform == "win32"` for the
machine it runs on, not for the one it downloads for (pypa/pip issue 10050). pip downloads them.
`seglab.classroom.stick` sets them up in the room.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.parse
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from seglab.classroom import clone as clone_files
from seglab.classroom import stick


class BundleError(ValueError):
    """The bundle cannot be made; the message says what to do."""


# What uv calls a system and a processor.
PLATFORMS = {
    "linux-x86_64": "x86_64-manylinux_2_28",  # glibc 2.28 or newer: Debian 10, Ubuntu 20.04, RHEL 8
    "linux-aarch64": "aarch64-manylinux_2_28",
    "windows-x86_64": "x86_64-pc-windows-msvc",
    # torch has no wheels for Macs with Intel processors since version 2.3.
    "macos-arm64": "aarch64-apple-darwin",
}
MACOS = "14.0"  # and newer
GROUPS = ("jupyter", "satellite")  # of pyproject.toml; notebook 09 needs the second
TORCH = ["torch", "torchvision"]
CUDA = ("nvidia_", "cuda_", "triton")  # how the wheels are called that only a GPU needs


def make(
    folder: str | Path,
    platforms: Sequence[str] = (),
    pythons: Sequence[str] = (),
    torch_wheels: str | Path | None = None,
    with_weights: Sequence[str] = (),
    clone: str | Path = "",
) -> Path:
    """Make a bundle. Until it is complete it has another name.

    Args:
        folder: to make; the name of its parent may be that of a stick.
        platforms: keys of `PLATFORMS`; default: this machine's.
        pythons: versions such as "3.12"; default: this Python's.
        torch_wheels: a folder with wheels of torch and torchvision for Linux that are to be used
            instead of those in the package index, which bring CUDA along.
        with_weights: networks of torchvision's whose weights are put beside the wheels.
        clone: of the course.

    Returns:
        the folder.

    Raises:
        BundleError, CloneError: see the message.
    """
    folder, clone = Path(folder), Path(clone)
    here = stick.this_target().split("-python")
    for platform in platforms or here[:1]:
        if platform not in PLATFORMS:
            raise BundleError(f"the platforms are {', '.join(PLATFORMS)}; found {platform!r}")
    for python in pythons:
        if not re.fullmatch(r"3\.\d+", python):
            raise BundleError(f"versions of Python are 3.12 and the like; found {python!r}")
    clone_files.settings(clone)
    if folder.exists():
        raise BundleError(f"{folder} exists already; delete it first, or name another folder")
    part = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(part, ignore_errors=True)  # of a run that was killed
    try:
        own = build(clone, part / "wheels")
        chosen = {  # by the names that `stick.this_target` has for them
            f"{platform}-python{python}": choose(platform, python, clone, torch_wheels)
            for platform in platforms or here[:1]
            for python in pythons or here[1:]
        }
        for target, wheels in chosen.items():
            download(target, wheels, part / "wheels")
        _copy_weights(with_weights, part / stick.WEIGHTS)
        (part / "notebooks").mkdir()
        for path in clone_files.notebooks(clone):
            shutil.copyfile(path, part / "notebooks" / path.name)
        _write_texts(part, {target: [own, *wheels] for target, wheels in chosen.items()})
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    print(f"{folder} is complete; its README.txt is for the learners")
    return folder


# What the user has set for uv and pip counts only where it says how files are fetched, not which.
KEPT = re.compile(r"UV_.*(INDEX|CACHE|TLS|CERT|HTTP).*|PIP_.*(CACHE|CERT|PROXY|HOST|TIME).*")
OURS = {
    "PIP_CONFIG_FILE": os.devnull,
    "UV_PYTHON": sys.executable,
    "UV_PYTHON_DOWNLOADS": "never",
    "MACOSX_DEPLOYMENT_TARGET": MACOS,  # or else uv would choose for the oldest that it knows
}


def _uv(*words: str | Path, temporary: str | Path = "", **options) -> subprocess.CompletedProcess:
    """Run uv, without a user's choice of packages, such as constraints; its output is text.

    Args:
        temporary: a folder for temporary files, which the system's own may be too small for.

    Raises:
        BundleError: there is no uv.
    """
    found = os.environ.get("UV") or shutil.which("uv")
    if found is None:
        raise BundleError("uv was not found; it chooses the packages: pip install uv")
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UV_", "PIP_")) or KEPT.fullmatch(name)
    }
    here = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)) if temporary else {}
    return subprocess.run([found, *words], env=kept | OURS | here, text=True, **options)


def build(clone: Path, folder: Path) -> str:
    """Build seglab's own wheel, which holds the embedded data, into a folder; return its name.

    Raises:
        BundleError: it cannot be built.
    """
    done = _uv("build", "--wheel", "--out-dir", folder, clone, stderr=subprocess.PIPE)
    built = list(folder.glob("seglab-*.whl"))
    if done.returncode or not built:
        raise BundleError(f"seglab's own wheel cannot be built from the clone:\n{done.stderr}")
    (folder / ".gitignore").unlink(missing_ok=True)  # uv puts one there
    return built[0].name


def choose(
    platform: str, python: str, clone: Path, torch_wheels: str | Path | None = None
) -> dict[str, str]:
    """The wheels that the course needs on a platform besides its own: file -> line for pip.

    Raises:
        BundleError: a package has no wheel for it, or there is no network.
    """
    project, more, options = clone / "pyproject.toml", ["pip"], []
    if torch_wheels is not None and platform.startswith("linux"):
        options = ["--find-links", torch_wheels]
        more += _versions_in(Path(torch_wheels), platform, python)
    done = _uv(
        *("pip", "compile", project, "-", *(f"--group={project}:{name}" for name in GROUPS)),
        *("--quiet", "--format", "pylock.toml", "--only-binary", ":all:", *options),
        *("--python-platform", PLATFORMS[platform], "--python-version", python),
        input="\n".join(more),
        capture_output=True,
    )
    if done.returncode:
        raise BundleError(
            f"for {platform} with Python {python} not all packages can be had as wheels. uv says:\n"
            f"{done.stderr.strip()}"
        )
    lines = {}
    for package in tomllib.loads(done.stdout)["packages"]:
        # All of them fit; the one made for this platform is likely to be the faster one.
        wheel = min(package["wheels"], key=lambda wheel: wheel["url"].endswith("-none-any.whl"))
        url, checksum = wheel["url"], wheel["hashes"]["sha256"]
        line = f"{package['name']} @ {url} --hash=sha256:{checksum}"
        lines[urllib.parse.unquote(url.rsplit("/", 1)[1])] = line
    return lines


def _versions_in(folder: Path, platform: str, python: str) -> list[str]:
    """Requirements for the versions of torch and torchvision that a folder has for a platform."""
    cp = f"cp{python.replace('.', '')}"
    pattern = f"*-{cp}-{cp}-*linux*{platform.removeprefix('linux-')}.whl"
    found = sorted("==".join(path.name.split("-")[:2]) for path in folder.glob(pattern))
    if [requirement.split("==")[0] for requirement in found] != TORCH:
        raise BundleError(
            f"{folder}: expected one version of torch and one of torchvision for {platform} and "
            f"Python {python}, files like {pattern}; found {_some(found)} among "
            f"{_some(path.name for path in folder.glob('*.whl'))}"
        )
    return found


def download(target: str, wheels: dict[str, str], folder: Path) -> None:
    """Download wheels that `choose` found into a folder; pip compares the checksums.

    Raises:
        BundleError: pip failed.
    """
    print(f"downloading for {target} ...", flush=True)
    platform, python = target.split("-python")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        listed = Path(temporary, "wheels.txt")
        listed.write_text("\n".join(wheels.values()), encoding="utf-8")
        done = _uv(
            *("tool", "run", "pip", "download", "--no-deps", "--only-binary", ":all:"),
            *("--python-version", python, "--dest", folder, "-r", listed),
            *(f"--platform={tag}" for tag in _tags(wheels)),
            temporary=temporary,
        )
    missing = [name for name in wheels if not (folder / name).exists()]
    if done.returncode or missing:
        raise BundleError(
            f"pip could not download all wheels for {platform} with Python {python}; its lines "
            f"above say why. Missing: {_some(missing)}"
        )


def _tags(wheels: Iterable[str]) -> list[str]:
    """What wheels' names say about their platform; `choose` knows that they fit."""
    tags = {tag for name in wheels for tag in Path(name).stem.split("-")[-1].split(".")}
    return sorted(tags - {"any"})


def _some(names: Iterable[str]) -> str:
    """At most three of some names; for an error."""
    names = sorted(names)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) or "none") + more


def _write_texts(part: Path, wheels: dict[str, list[str]]) -> None:
    """All that is neither wheel nor notebook: what each target needs, scripts, texts, checksums."""
    contents, rows = {}, []
    for target, names in wheels.items():
        files = [part / "wheels" / name for name in names]
        contents[target] = {"size": sum(map(_unpacked, files)), "wheels": names}
        rows.append(f"    {target}: {contents[target]['size'] / 1e9:.1f} GB once set up")
        gpu = _bytes(path for path in files if path.name.startswith(CUDA))
        hint = f", {gpu / 1e9:.1f} of it CUDA for GPUs (--torch-wheels)" if gpu else ""
        print(f"{target}: {len(files)} wheels, {_bytes(files) / 1e9:.2f} GB{hint}")
    (part / "contents.json").write_text(json.dumps(contents, indent=1), encoding="utf-8")
    shutil.copyfile(stick.__file__, part / "start.py")
    pythons = sorted({target.split("-python")[1] for target in wheels}, key=lambda v: int(v[2:]))
    values = {
        "PYTHONS": " ".join(reversed(pythons)),  # the newest first
        "SIZE": f"{_bytes(_files(part)) / 1e9:.1f} GB",
        "SIZES": "\n".join(rows),
    }
    for path in Path(__file__).with_name("on_the_stick").iterdir():
        text = clone_files.filled(path, values)
        lines = "\n" if path.suffix == ".sh" else "\r\n"  # as Windows wants them
        (part / path.name).write_text(text, encoding="utf-8", newline=lines)
    shutil.copyfile(part / "start.sh", part / "start.command")  # macOS opens it in a terminal
    for name in ("start.sh", "start.command"):
        (part / name).chmod(0o755)
    sums = [f"{stick.sha256(path)}  {path.relative_to(part).as_posix()}\n" for path in _files(part)]
    (part / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")


def _copy_weights(networks: Sequence[str], folder: Path) -> None:
    """Weights of torchvision's networks to where torch looks for them; see `stick.WEIGHTS`."""
    for name in networks:
        from seglab.machine.hub import weights_file  # here, because it loads torch

        path = weights_file(name)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)


def _unpacked(wheel: Path) -> int:
    with zipfile.ZipFile(wheel) as archive:
        return sum(member.file_size for member in archive.infolist())


def _bytes(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
