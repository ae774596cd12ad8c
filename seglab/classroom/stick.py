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
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

WEIGHTS = Path("torch", "hub", "checkpoints")  # where torch looks for them in TORCH_HOME, "torch"


class Stop(Exception):
    """It cannot go on; the message is for the learner."""


def this_target() -> str:
    """System, processor and Python, as in linux-x86_64-python3.12."""
    system = {"Darwin": "macos"}.get(platform.system(), platform.system().lower())
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.maxsize < 2**32:
        machine = "32bit"
    return f"{system}-{machine}-python{sys.version_info.major}.{sys.version_info.minor}"


def sha256(path: Path) -> str:
    """The checksum of a file, as SHA256SUMS has it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged(folder: Path, names: Iterable[str] = ()) -> list[str]:
    """A line for each file that is not what SHA256SUMS says.

    Args:
        names: those to look at; default: all that it lists.
    """
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    expected = {name: checksum for checksum, name in (line.split("  ", 1) for line in lines)}
    found = []
    for name in names or expected:
        try:
            if sha256(folder / name) != expected[name]:
                found.append(f"{name}: not what it was when the bundle was made")
        except OSError as error:
            found.append(f"{name}: {error.strerror}")
    return found


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


def set_up(folder: Path, home: Path, python: Path, size: int, wheels: list[str]) -> None:
    """Make the environment and install the wheels, `size` bytes once installed.

    Raises:
        Stop: files are damaged, the disk is full, or pip fails.
    """
    print("Checking the files ...", flush=True)
    wheels = [f"wheels/{name}" for name in wheels]
    if faults := damaged(folder, ["contents.json", *wheels]):
        raise Stop(
            "\n".join(faults) + "\nThis copy of the course is damaged. Copy the folder once more, "
            "or take another stick."
        )
    shutil.rmtree(home, ignore_errors=True)
    free = shutil.disk_usage(folder).free
    if free < size:
        raise Stop(
            f"{size / 1e9:.1f} GB are needed on this disk to set up the course; {free / 1e9:.1f} "
            "GB are free. Free some, and start again."
        )
    print(f"Installing {len(wheels)} packages. That takes some minutes, once.", flush=True)
    try:
        # pip comes from its wheel, because some systems ship Python without it.
        venv.EnvBuilder(symlinks=os.name != "nt").create(home)
    except OSError as error:
        raise Stop(
            f"No environment can be made here ({error}). Copy the folder from the stick to your "
            "own disk, and start it there."
        ) from error
    pip = next(name for name in wheels if name.startswith("wheels/pip-")) + "/pip"
    quiet = ["--isolated", "--disable-pip-version-check", "--no-input", "--quiet"]
    command = [python, pip, *quiet, "install", "--no-index", "--no-deps", *wheels]
    if subprocess.call(command, cwd=folder, env=environment()):
        raise Stop("The packages could not be installed; the lines above say why.")


def environment() -> dict[str, str]:
    """The variables of this process without those that would mix in other packages."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")}
    if (folder := Path(__file__).resolve().parent / WEIGHTS).is_dir():
        kept["TORCH_HOME"] = str(folder.parents[1])
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def main(words: list[str]) -> int:
    """Set up what is missing and open the notebooks, or check all files; return the exit status.

    Args:
        words: "--check", or else options for JupyterLab.
    """
    folder = Path(__file__).resolve().parent
    if words == ["--check"]:
        faults = damaged(folder)
        print("\n".join(faults) or "All files are as they were when the bundle was made.")
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
