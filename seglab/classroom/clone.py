"""The files of a clone of the course, and how commands rewrite them: all of them or none."""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path

from seglab.machine.files import written_whole


class CloneError(ValueError):
    """The folder is no clone of the course, or a file in it cannot be read."""


def settings(folder: str | Path) -> dict:
    """The pyproject.toml of a clone.

    Raises:
        CloneError: the folder is none.
    """
    path = Path(folder) / "pyproject.toml"
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        if found["project"]["name"] != "seglab" or not notebooks(folder):
            raise KeyError("seglab, with its notebooks")
        return found
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise CloneError(
            f"{path.resolve()}: this is no clone of the course ({type(error).__name__}: {error}). "
            "Run this in a clone: an installed seglab comes without the notebooks"
        ) from error


def notebooks(folder: str | Path) -> list[Path]:
    """The notebooks of a clone, by their numbers."""
    return sorted((Path(folder) / "notebooks").glob("*.ipynb"))


def tags(cell: dict) -> list[str]:
    """The tags of a notebook's cell."""
    return cell["metadata"].get("tags", [])


def as_text(notebook: dict) -> str:
    """A notebook's file, as nbformat writes it."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def filled(path: Path, values: dict[str, str]) -> str:
    """A text with a value for each of its @WORDS@."""
    text = path.read_text(encoding="utf-8")
    return re.sub("@([A-Z]+)@", lambda word: values[word[1]], text)


def rewrite(changes: dict[Path, Callable[[str], str]]) -> list[Path]:
    """Write the files that differ from what they should be; return their paths.

    Args:
        changes: each file, and what makes its new text of the old one.

    Raises:
        CloneError: a file cannot be read, or is not what a change expects; nothing is written.
    """
    pages = {}
    for path, change in changes.items():
        try:
            old = path.read_text(encoding="utf-8")
            new = change(old)
        except (OSError, ValueError, KeyError) as error:
            found = f"{type(error).__name__}: {error}"
            raise CloneError(f"{path}: {found}; nothing was written") from error
        if new != old:
            pages[path] = new
    for path, text in pages.items():
        with written_whole(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return list(pages)


def report(paths: list[Path]) -> None:
    """Say which files were written."""
    for path in paths:
        print("wrote", path)
    print("commit and push them" if paths else "all is as it should be; nothing was written")
