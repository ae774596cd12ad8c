"""Set up the course in the folder that this file is in, without a network, and open it.

`python -m seglab bundle` copies this file to there as start.py; start.sh and the like call it. It
runs before anything is installed, so it uses nothing but Python's own library.
"""

import hashlib
import json
import os
import platform
import shutil
import signal
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Collection
from contextlib import closing
from pathlib import Path


class Stop(Exception):
    """It cannot go on; the message is for the learner."""


def this_target() -> str:
    """System, processor and Python, as in linux-x86_64-python3.12."""
    system = {"Darwin": "macos"}.get(platform.system(), platform.system().lower())
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.maxsize < 2**32:
        machine = "32bit"
    return f"{system}-{machine}-python{sys.version_info.major}.{sys.version_info.minor}"


def damaged(folder: Path, names: Collection[str] | None = None) -> dict[str, str]:
    """The files that are not what SHA256SUMS says, and what is wrong with each.

    Args:
        names: those to look at; default: all that it lists.
    """
    found = {}
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        expected, name = line.split("  ", 1)
        if names is not None and name not in names:
            continue
        try:
            with open(folder / name, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                    found[name] = "not what it was when the bundle was made"
        except OSError as error:
            found[name] = error.strerror
    return found


def listed(faults: dict[str, str]) -> str:
    return "\n".join(f"{name}: {fault}" for name, fault in faults.items())


def ready(folder: Path) -> Path:
    """The Python of a complete virtual environment in the folder, which is made if need be.

    Raises:
        Stop: it cannot be made.
    """
    contents = json.loads((folder / "contents.json").read_text(encoding="utf-8"))
    target = this_target()
    if target not in contents:
        raise Stop(
            f"This folder is for {', '.join(contents)}; you started it with {target}. Install one "
            "of these Pythons, or ask for a bundle for yours."
        )
    home = folder / f"environment-{target}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    complete = home / "complete"  # written last: an interrupted set-up is begun anew
    try:
        with closing(sqlite3.connect(folder / f"{home.name}.lock", timeout=0)) as lock:
            lock.execute("BEGIN EXCLUSIVE")  # until this process ends, however it ends
            if not complete.exists():
                set_up(folder, home, python, **contents[target])
                complete.touch()
    except sqlite3.OperationalError as error:
        raise Stop(
            "The course cannot be set up here. Either another window is doing so right now (then "
            f"wait for it), or this folder cannot be written to ({error}): copy it to your own "
            "disk, and start it there."
        ) from error
    return python


def set_up(folder: Path, home: Path, python: Path, packages: list[str], size: int, wheels: list):
    """Make the environment and install the packages from the wheels.

    Args:
        packages: such as "torch==2.15.0".
        size: bytes of all of them once installed.
        wheels: their files.

    Raises:
        Stop: files are damaged, the disk is full, or pip fails.
    """
    print("Checking the files ...", flush=True)
    if faults := damaged(folder, {"contents.json", *wheels}):
        raise Stop(
            f"{listed(faults)}\nThis copy of the course is damaged. Copy the folder once more, or "
            "take another stick."
        )
    shutil.rmtree(home, ignore_errors=True)
    free = shutil.disk_usage(folder).free
    if free < size:
        raise Stop(
            f"{size / 1e9:.1f} GB are needed on this disk to set up the course; {free / 1e9:.1f} "
            "GB are free. Free some, and start again."
        )
    print(f"Installing {len(packages)} packages. That takes some minutes, once.", flush=True)
    try:
        # pip comes from its wheel, because some systems ship Python without it.
        venv.EnvBuilder(symlinks=os.name != "nt").create(home)
    except OSError as error:
        raise Stop(
            f"No environment can be made here ({error}). Copy the folder from the stick to your "
            "own disk, and start it there."
        ) from error
    pip = next((folder / "wheels").glob("pip-*.whl")) / "pip"
    words = ["install", "--no-index", "--find-links", str(folder / "wheels"), *packages]
    quiet = ["--isolated", "--disable-pip-version-check", "--no-input", "--quiet"]
    if subprocess.call([python, pip, *quiet, *words], env=environment()):
        raise Stop("The packages could not be installed; the lines above say why.")


def environment() -> dict[str, str]:
    """The variables of this process without those that would mix in other packages."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def main(words: list[str]) -> int:
    """Set up what is missing and open the notebooks, or check all files; return the exit status.

    Args:
        words: "--check", or else options for JupyterLab.
    """
    folder = Path(__file__).resolve().parent
    if words == ["--check"]:
        faults = damaged(folder)
        print(listed(faults) or "All files are as they were when the bundle was made.")
        return int(bool(faults))
    try:
        python = ready(folder)
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 1
    print("Opening JupyterLab. To stop it, press Ctrl+C in this window.", flush=True)
    os.chdir(folder)
    command = [str(python), "-m", "jupyterlab", "notebooks", *words]
    if os.name == "posix":
        os.execve(python, command, environment())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # JupyterLab itself asks what Ctrl+C is to mean
    return subprocess.call(command, env=environment())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
